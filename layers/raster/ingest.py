"""A raster file into a coverage: checked, written as COGs, entered as a dated footprint."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS as RasterCrs
from rasterio.enums import ColorInterp
from rasterio.enums import Resampling as Warp
from rasterio.errors import RasterioIOError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window
from sqlalchemy import Connection, select

from layers.catalogue import Text
from layers.crs import coincident
from layers.importing.errors import ImportRefused, UnreadableFile
from layers.raster.cog import Pixels, write_cog
from layers.raster.coverage import Coverage
from layers.raster.facts import crs_name, footprint, ground_resolution, pixel_size, stretch_of
from layers.raster.grids import ALIGNED, PixelGrid, aligned_grid
from layers.raster.images import store_image
from layers.raster.imported import ImportedImage
from layers.raster.source import Source, checksum_of, open_source, raster_files
from layers.raster.store import ORIGINAL, Draft, RasterStore
from layers.tables import feature_table

#: Told how far the work is, 0 to 1, and what it does. May raise, to stop it.
Progress = Callable[[float, Text], None]
#: Bytes of decoded blocks that GDAL keeps while an image comes in; by itself it takes a twentieth of the memory.
_CACHE = 64 * 2**20
_FEET = {"ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us-ft": 1200 / 3937, "us survey foot": 1200 / 3937}


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """What a user says of an image. ``bands`` names its bands; ``replaces`` is the id of the image whose place it
    takes; ``crs`` and ``towgs84`` as in :class:`layers.importing.source.ReadOptions`."""

    acquired: datetime | None = None
    acquired_until: datetime | None = None
    name: str | None = None
    priority: int = 0
    bands: tuple[str, ...] = ()
    vertical_datum: str | None = None
    crs: str | None = None
    towgs84: tuple[float, ...] = ()
    replaces: int | None = None
    dry_run: bool = False


def import_images(
    conn: Connection,
    store: RasterStore,
    coverage: Coverage,
    path: str | Path,
    options: ImageOptions,
    progress: Progress,
) -> list[ImportedImage]:
    """Import the image of a file, or all of those in a zip, within the caller's transaction.

    The files of the images appear when it commits. Raises :class:`ImportRefused` and what ``progress`` raises; the
    caller then rolls back, and nothing remains.
    """
    with raster_files(path) as files:
        if len(files) > 1 and (options.replaces is not None or options.name is not None):
            raise ImportRefused(
                f"压缩包中有 {len(files)} 幅影像，不能共用一个名称或替换同一幅",
                f"the archive holds {len(files)} images, which cannot share one name or replace one image",
            )
        return [
            import_image(conn, store, coverage, file, options, _part(progress, number, len(files)))
            for number, file in enumerate(files)
        ]


def import_image(
    conn: Connection, store: RasterStore, coverage: Coverage, path: Path, options: ImageOptions, progress: Progress
) -> ImportedImage:
    """Import one raster file; see :func:`import_images`."""
    with rasterio.Env(GDAL_CACHEMAX=_CACHE):
        return _import(conn, store, coverage, path, options, progress)


def _import(
    conn: Connection, store: RasterStore, coverage: Coverage, path: Path, options: ImageOptions, progress: Progress
) -> ImportedImage:
    _refuse_derived(coverage)
    progress(0, Text(f"正在检查 {path.name}", f"Checking {path.name}"))
    _refuse_odd_dates(options)
    checksum = checksum_of(path)
    _refuse_repeated(conn, coverage, checksum, options, path.name)
    with _damage_refused(path), open_source(path, options.crs, options.towgs84) as source:
        pixels = _pixels(source, coverage, options)
        raw = pixels.grid.width * pixels.grid.height * len(pixels.bands) * np.dtype(pixels.dtype).itemsize
        outline = footprint(_known_to_proj(pixels.grid, source))
        with store.draft(conn, coverage.layer.id, needs=2 * raw) as draft:
            copies = _write_copies(pixels, draft, progress)
            stretch = stretch_of(draft.directory / f"{ORIGINAL}.tif")
            stored = sum(file.stat().st_size for file in draft.directory.iterdir())
            resolution = ground_resolution(_known_to_proj(pixels.grid, source))
            values: dict[str, Any] = {
                "name": options.name or path.stem,
                "acquired": options.acquired,
                "acquired_until": options.acquired_until,
                "priority": options.priority,
                "resolution": resolution,
                "bands": list(pixels.bands),
                "dtype": pixels.dtype,
                "nodata": pixels.nodata,
                "stretch": [f"{low!r} {high!r}" for low, high in stretch],
                "vertical_datum": options.vertical_datum,
                "crs": crs_name(source.crs),
                "width": pixels.grid.width,
                "height": pixels.grid.height,
                "source_file": path.name,
                "checksum": checksum,
                "folder": draft.folder,
                "copies": list(copies),
            }
            image = None
            if not options.dry_run:
                image = store_image(conn, coverage, values, outline.wkb, options.replaces)
                draft.keep()
    return ImportedImage(
        image, values["name"], values["crs"], pixels.grid.width, pixels.grid.height, resolution, pixels.bands,
        pixels.dtype, copies, stored, _warnings(coverage, options),
    )  # fmt: skip


@contextmanager
def _damage_refused(path: Path) -> Iterator[None]:
    """What GDAL cannot decode is the file's fault."""
    try:
        yield
    except RasterioIOError as error:
        cause = error.__cause__ or error
        raise UnreadableFile(f"{path.name} 已损坏：{cause}", f"{path.name} cannot be read: {cause}") from error


def _write_copies(pixels: Pixels, draft: Draft, progress: Progress) -> tuple[str, ...]:
    """Write the image in its own CRS, and from that the aligned copies; returns the sets that have one."""
    original = draft.directory / f"{ORIGINAL}.tif"
    writing = Text("正在写影像", "Writing the image")
    write_cog(pixels, original, lambda share: progress(0.4 * share, writing))
    written = []
    for number, (name, srid) in enumerate(ALIGNED.items()):
        aligning = Text(f"正在写 {name} 副本", f"Writing the copy for {name}")
        start = 0.4 + 0.3 * number
        if _write_aligned(
            pixels, original, draft.directory / f"{name}.tif", name, srid,
            lambda share, start=start, text=aligning: progress(start + 0.3 * share, text),  # type: ignore[misc]
        ):  # fmt: skip
            written.append(name)
    return tuple(written)


def _write_aligned(
    pixels: Pixels, original: Path, path: Path, name: str, srid: int, tell: Callable[[float], None]
) -> bool:
    """Warp the image onto the grid of a tile matrix set. Not where it lies in that CRS already, or beyond the set."""
    with rasterio.open(original) as image:
        own = image.crs.to_epsg()
        if own is not None and coincident(own, srid):
            return False
        with WarpedVRT(image, crs=srid) as suggested:
            grid = aligned_grid(name, suggested.bounds, pixel_size(suggested.transform))
        if grid is None:
            return False
        options: dict[str, Any] = dict(crs=grid.crs, transform=grid.transform, width=grid.width, height=grid.height)
        if pixels.nodata is None:
            options["add_alpha"] = True
        kind = Warp.nearest if pixels.codes else Warp.bilinear
        with WarpedVRT(image, resampling=kind, warp_mem_limit=64, **options) as view:

            def read(window: Window) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
                values = view.read(window=window)
                return (values, None) if pixels.nodata is not None else (values[:-1], values[-1].astype("uint8"))

            masked = pixels.nodata is None
            write_cog(
                Pixels(grid, pixels.bands, pixels.dtype, pixels.nodata, masked, pixels.codes, read, pixels.colormap),
                path, tell,
            )  # fmt: skip
    return True


def _pixels(source: Source, coverage: Coverage, options: ImageOptions) -> Pixels:
    """The pixels as the store keeps them: palettes as colours (but for classes), scaled values as what they mean."""
    dataset = source.dataset
    grid = PixelGrid(RasterCrs.from_wkt(source.crs.to_wkt()), source.transform, dataset.width, dataset.height)
    palette = dataset.colormap(1) if dataset.colorinterp[0] == ColorInterp.palette else None
    if palette and coverage.nature == "imagery":
        return _palette_as_colours(source, grid, palette, options)
    bands = _band_names(source, coverage, options, len(source.indexes))
    gain, offset = _scaling(source, coverage)

    def read(window: Window) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
        values = dataset.read(source.indexes, window=window)
        mask = dataset.dataset_mask(window=window) if source.masked else None
        if gain is None:
            return values, mask
        valid = dataset.read_masks(source.indexes, window=window) > 0
        scaled = values.astype("float32") * gain + offset
        return np.where(valid, scaled, np.float32(np.nan)).astype("float32"), None

    if gain is not None:
        return Pixels(grid, bands, "float32", float("nan"), False, False, read)
    codes = coverage.nature == "classes"
    return Pixels(grid, bands, dataset.dtypes[0], source.nodata, source.masked, codes, read, palette if codes else None)


def _palette_as_colours(source: Source, grid: PixelGrid, palette: Any, options: ImageOptions) -> Pixels:
    """A palette's entries are no quantities: as colours they can be averaged into overviews."""
    colours = np.zeros((256, 4), np.uint8)
    for entry, colour in palette.items():
        colours[entry] = colour
    if source.nodata is not None and 0 <= source.nodata < 256:
        colours[int(source.nodata), 3] = 0
    masked = bool((colours[list(palette), 3] == 0).any()) or source.masked

    def read(window: Window) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
        drawn = np.moveaxis(colours[source.dataset.read(1, window=window)], -1, 0)
        mask = np.minimum(drawn[3], source.dataset.dataset_mask(window=window)) if masked else None
        return drawn[:3], mask

    return Pixels(grid, options.bands or ("red", "green", "blue"), "uint8", None, masked, False, read)


def _band_names(source: Source, coverage: Coverage, options: ImageOptions, count: int) -> tuple[str, ...]:
    """The names that the user gave, the coverage declares, the file tells, or that number and colour suggest."""
    declared = tuple(band.name for band in coverage.bands)
    if declared and count != len(declared):
        raise ImportRefused(
            f"图层 {coverage.layer.id} 的影像应有 {len(declared)} 个波段，文件有 {count} 个",
            f"images of {coverage.layer.id} have {len(declared)} bands; the file has {count}",
        )
    named = options.bands or declared or _names_of_file(source) or tuple(f"band{n + 1}" for n in range(count))
    if len(named) != count or len(set(named)) != count:
        raise ImportRefused(
            f"文件有 {count} 个波段，需要 {count} 个不同的名称，给出的是 {', '.join(named)}",
            f"the file has {count} bands, so it needs {count} different names; given are {', '.join(named)}",
        )
    return named


def _names_of_file(source: Source) -> tuple[str, ...]:
    descriptions = [source.dataset.descriptions[index - 1] for index in source.indexes]
    colours = [source.dataset.colorinterp[index - 1].name for index in source.indexes]
    if all(descriptions) and len(set(descriptions)) == len(descriptions):
        return tuple(str(name)[:50] for name in descriptions)
    return tuple(colours) if colours == ["red", "green", "blue"] else ()


def _scaling(source: Source, coverage: Coverage) -> tuple[Any, Any]:
    """Gain and offset per band that turn stored into real values (elevation: metres); None where they are the same."""
    at = [index - 1 for index in source.indexes]
    gain = np.array([source.dataset.scales[i] for i in at], np.float64)
    offset = np.array([source.dataset.offsets[i] for i in at], np.float64)
    if coverage.nature == "elevation":
        unit = np.array([_FEET.get((source.dataset.units[i] or "").lower(), 1.0) for i in at])
        gain, offset = gain * unit, offset * unit
    if coverage.nature == "classes" or (np.all(gain == 1) and np.all(offset == 0)):
        return None, None
    return gain[:, None, None], offset[:, None, None]


def _known_to_proj(grid: PixelGrid, source: Source) -> PixelGrid:
    return PixelGrid(source.crs, grid.transform, grid.width, grid.height)


def _refuse_derived(coverage: Coverage) -> None:
    if coverage.layer.inputs:
        name, source = coverage.layer.id, ", ".join(coverage.layer.inputs)
        raise ImportRefused(f"{name} 由 {source} 生成，请导入 {source}", f"{name} is made of {source}: import there")


def _refuse_odd_dates(options: ImageOptions) -> None:
    if options.acquired_until and (options.acquired is None or options.acquired_until < options.acquired):
        raise ImportRefused("拍摄结束早于拍摄开始", "acquired_until lies before acquired, or acquired is missing")


def _refuse_repeated(conn: Connection, coverage: Coverage, checksum: str, options: ImageOptions, name: str) -> None:
    table = feature_table(coverage.layer)
    statement = select(table.c.id).where(
        table.c.checksum == checksum, table.c.acquired.is_not_distinct_from(options.acquired)
    )
    found = conn.execute(statement.limit(1)).scalar()
    if found is not None and found != options.replaces:
        raise ImportRefused(
            f"{name} 已是图层 {coverage.layer.id} 的第 {found} 号影像",
            f"{name} is image {found} of {coverage.layer.id} already",
        )


def _warnings(coverage: Coverage, options: ImageOptions) -> tuple[Text, ...]:
    warnings = []
    if options.acquired is None:
        warnings.append(
            Text("没有拍摄时间，按时间选取时不会出现", "without a time of acquisition it is never picked by time")
        )
    if coverage.nature == "elevation" and options.vertical_datum is None:
        warnings.append(Text("没有说明高程基准", "the vertical datum is not told"))
    return tuple(warnings)


def _part(progress: Progress, number: int, count: int) -> Progress:
    return lambda share, text: progress((number + share) / count, text)
