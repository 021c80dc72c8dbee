"""From a path that somebody gave to the sources in it: checked, unpacked, opened by the reader of its format."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import shapely
from pyproj import CRS

from layers import china_offset
from layers.importing.archive import unpack
from layers.importing.csv_reader import open_csv
from layers.importing.dxf_reader import open_dxf
from layers.importing.errors import ImportRefused, UnreadableFile, UnsafeFile
from layers.importing.formats import SUFFIXES, format_of, local_path
from layers.importing.limits import MAX_ENTRIES
from layers.importing.ogr_reader import open_with_gdal
from layers.importing.parquet_reader import open_parquet
from layers.importing.source import ReadOptions, Source
from layers.three_d.citygml import open_citygml
from layers.three_d.cityjson import open_cityjson

_TO_WGS84 = {"gcj02": china_offset.gcj02_to_wgs84, "bd09": china_offset.bd09_to_wgs84}


@contextmanager
def open_sources(path: str | Path, options: ReadOptions) -> Iterator[list[Source]]:
    """Every table of a file, zip or directory, or the one that ``options.layer`` names; readable within the block.

    Raises :class:`ImportRefused` and its kinds before anything is read into the database.
    """
    found = local_path(path)
    with TemporaryDirectory(prefix="citymap-import-") as temporary:
        workspace = Path(temporary)
        files = _files(found, workspace)
        links = workspace / "links"
        links.mkdir()
        many = len(files) > 1
        sources = [source for file in files for source in _open(file, options, links, many=many)]
        if many and options.layer is not None:
            chosen = [source for source in sources if source.name == options.layer]
            if not chosen:
                names = ", ".join(source.name for source in sources[:20])
                raise ImportRefused(
                    f"{found.name} 中没有图层 {options.layer}，有：{names}",
                    f"{found.name} has no layer {options.layer}; it has {names}",
                )
            sources = chosen
        if not sources:
            raise UnreadableFile(f"{found.name} 中没有要素图层", f"{found.name} has no layer of features")
        yield [_unshifted(source, options) for source in sources]


def _files(path: Path, workspace: Path) -> list[Path]:
    """The files to read: the path itself, what its zip holds, or what its directory holds."""
    if path.is_dir():
        inside = sorted(path.iterdir())
        if len(inside) > MAX_ENTRIES:
            raise UnsafeFile(f"目录超过 {MAX_ENTRIES} 个文件", f"the directory has more than {MAX_ENTRIES} files")
        links = [entry.name for entry in inside if entry.is_symlink()]
        if links:
            raise UnsafeFile(f"目录中有链接 {links[0]}", f"the directory holds the link {links[0]}")
    elif format_of(path) == "zip":
        directory = workspace / "unpacked"
        directory.mkdir()
        inside = sorted(unpack(path, directory))
    else:
        return [path]
    files = [file for file in inside if SUFFIXES.get(file.suffix.lower()) not in (None, "zip")]
    data = [file for file in files if file.suffix.lower() != ".txt"]  # beside data, a .txt is a note
    files = data or files
    if not files:
        raise UnreadableFile(f"{path.name} 中没有可导入的文件", f"{path.name} holds no file that can be imported")
    return files


def _open(path: Path, options: ReadOptions, workspace: Path, *, many: bool) -> list[Source]:
    kind = format_of(path)
    if many and kind in ("geojson", "geojsonseq", "gpkg", "flatgeobuf", "kml", "dxf"):
        options = replace(options, layer=None)  # the name is looked for among all tables of all files
    if kind == "parquet":
        return [open_parquet(path, options)]
    if kind == "dxf":
        return [open_dxf(path, options)]
    if kind == "csv":
        return [open_csv(path, options)]
    if kind == "cityjson":
        return [open_cityjson(path, options)]
    if kind == "citygml":
        return [open_citygml(path, options)]
    if kind == "zip":
        raise UnsafeFile("压缩包里还有压缩包", f"{path.name} is an archive in an archive")
    return open_with_gdal(path, kind, options, workspace)


def _unshifted(source: Source, options: ReadOptions) -> Source:
    """The source in WGS 84 if its degrees are GCJ-02 or BD-09."""
    back = _TO_WGS84.get(options.coordinates or "")
    if back is None:
        return source
    if not source.crs.is_geographic:
        raise ImportRefused(
            f"{options.coordinates} 只用于经纬度，而 {source.name} 的坐标系是 {source.crs.name}",
            f"{options.coordinates} is a kind of degrees, but {source.name} is in {source.crs.name}",
        )
    wgs84 = CRS.from_epsg(4326)
    return replace(source, crs=wgs84, batches=_shifting(source.batches, back, wgs84))


def _shifting(read: Callable[[], Iterator[Any]], back: Any, crs: Any) -> Callable[[], Iterator[Any]]:
    def batches() -> Iterator[Any]:
        for frame in read():
            shapes = shapely.transform(frame.geometry.to_numpy(), back, interleaved=False)
            yield frame.set_geometry(shapes, crs=crs)

    return batches
