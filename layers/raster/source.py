"""A raster file that somebody gave, checked and opened: pixels, where they lie, what they mean."""

import hashlib
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import rasterio
from affine import Affine
from pyproj import CRS
from rasterio.crs import CRS as RasterCrs
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioIOError
from rasterio.vrt import WarpedVRT

from layers.catalogue import CGCS2000
from layers.importing.archive import unpack
from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile, UnsafeFile
from layers.importing.formats import local_path
from layers.importing.source_crs import parse_crs, settled, transform_to
from layers.raster.formats import FORMATS, SIDECARS, Format, format_of
from layers.raster.headers import check_header
from layers.raster.limits import MAX_SIDECAR

#: What GDAL may do while it reads a stranger's file: no files beside it, no ``.aux.xml``, no network.
GDAL_OPTIONS: dict[str, Any] = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_GEOREF_SOURCES": "INTERNAL",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_TIFF_INTERNAL_MASK": "YES",
    "PROJ_NETWORK": "OFF",
}
_CHUNK = 4 * 2**20
_WGS84 = 4326


@dataclass(frozen=True, slots=True)
class Source:
    """An opened image. ``crs`` and ``transform`` are what a user said, else the file's own.

    ``indexes`` are its bands of data, alpha left out; ``masked``: validity comes from alpha, a mask or differing nodata
    values, not from the one ``nodata``.
    """

    path: Path
    dataset: Any
    crs: Any
    transform: Affine
    indexes: tuple[int, ...]
    nodata: float | None
    masked: bool


@contextmanager
def raster_files(path: str | Path) -> Iterator[list[Path]]:
    """The raster files of a path: itself, or those in a zip, unpacked for the block. Raises :class:`ImportRefused`."""
    found = local_path(path)
    if found.is_dir():
        raise ImportRefused(f"{found.name} 是目录，请逐个导入", f"{found.name} is a directory: import its files")
    if found.suffix.lower() != ".zip":
        yield [found]
        return
    with TemporaryDirectory(prefix="citymap-raster-") as temporary:
        inside = unpack(found, Path(temporary), frozenset(FORMATS) | SIDECARS)
        images = sorted(file for file in inside if file.suffix.lower() in FORMATS)
        if not images:
            raise UnreadableFile(f"{found.name} 中没有影像", f"{found.name} holds no raster")
        yield images


@contextmanager
def open_source(path: Path, crs: str | None = None, towgs84: tuple[float, ...] = ()) -> Iterator[Source]:
    """A checked raster file, readable within the block. Raises :class:`ImportRefused` and its kinds."""
    format_ = format_of(path)
    check_header(format_.header(path), path.name)
    with rasterio.Env(**GDAL_OPTIONS):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a world file may place it
                dataset = rasterio.open(path, driver=format_.driver)
        except RasterioIOError as error:
            raise UnreadableFile(f"{path.name} 无法读取：{error}", f"{path.name} cannot be read: {error}") from error
        with dataset:
            _refuse_unusable(dataset, path.name)
            transform = _transform(dataset, path, format_)
            nodata = set(map(_comparable, dataset.nodatavals))
            indexes = tuple(
                i for i, c in zip(dataset.indexes, dataset.colorinterp, strict=True) if c != ColorInterp.alpha
            )
            masked = len(indexes) < dataset.count or len(nodata) > 1 or _has_mask(dataset)
            valid = None if masked else dataset.nodata
            source = Source(path, dataset, _crs(dataset, path, crs, towgs84), transform, indexes, valid, masked)
            with _unbound(source) as settled_source:
                yield settled_source


@contextmanager
def _unbound(source: Source) -> Iterator[Source]:
    """The image itself, or, where its datum is known by parameters only, the same on CGCS2000 degrees.

    Files and their readers disagree on how to carry such parameters, so nothing is stored in such a CRS. Pixels are
    taken as they are (nearest), so they move by half a pixel at most.
    """
    if not source.crs.is_bound:
        yield source
        return
    where = dict(src_crs=RasterCrs.from_wkt(source.crs.to_wkt("WKT1_GDAL")), src_transform=source.transform)
    # To WGS 84, to which the parameters lead; as numbers CGCS2000's degrees are the same.
    options = dict(crs=_WGS84, resampling=Resampling.nearest, add_alpha=source.nodata is None, warp_mem_limit=64)
    with WarpedVRT(source.dataset, **where, **options) as view:
        yield replace(
            source, dataset=view, crs=CRS.from_epsg(CGCS2000), transform=view.transform, masked=source.nodata is None
        )


def checksum_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _comparable(nodata: float | None) -> float | str | None:
    return "nan" if nodata is not None and math.isnan(nodata) else nodata


def _has_mask(dataset: Any) -> bool:
    flags = [flag.name for band in dataset.mask_flag_enums for flag in band]
    return "per_dataset" in flags


def _refuse_unusable(dataset: Any, name: str) -> None:
    if dataset.count < 1:
        raise UnreadableFile(f"{name} 没有波段", f"{name} has no band")
    if len(set(dataset.dtypes)) > 1 or dataset.dtypes[0].startswith("complex"):
        kinds = ", ".join(dataset.dtypes)
        raise ImportRefused(f"{name} 的波段类型不支持：{kinds}", f"{name} has bands of unsupported types: {kinds}")


def _transform(dataset: Any, path: Path, format_: Format) -> Affine:
    if not dataset.transform.is_identity:
        transform: Affine = dataset.transform
    else:
        transform = _world_file(path, format_)
    numbers = transform[:6]
    if not all(map(math.isfinite, numbers)) or transform.determinant == 0:
        raise UnreadableFile(f"{path.name} 的定位参数无效", f"{path.name} has an impossible geotransform {numbers}")
    return transform


def _world_file(path: Path, format_: Format) -> Affine:
    """The transform from the six lines of a world file, which tell the centre of the first pixel."""
    for suffix in format_.world:
        beside = _beside(path, suffix)
        if beside is None:
            continue
        lines = _text(beside).split()
        try:
            a, d, b, e, c, f = map(float, lines)
        except ValueError as error:
            raise UnreadableFile(f"{beside.name} 不是六个数", f"{beside.name} does not hold six numbers") from error
        return Affine(a, b, c, d, e, f) @ Affine.translation(-0.5, -0.5)
    raise ImportRefused(
        f"{path.name} 没有坐标：请把坐标文件（如 {format_.world[0] if format_.world else '.prj'}）与它压缩成一个 zip",
        f"{path.name} does not say where it lies: zip it with its world file"
        + (f" ({path.stem}{format_.world[0]})" if format_.world else ""),
    )


def _crs(dataset: Any, path: Path, told: str | None, towgs84: tuple[float, ...]) -> Any:
    """The CRS that the user told, the file has, or the ``.prj`` beside it; refused where PROJ would shift falsely."""
    if told:
        crs = parse_crs(told, towgs84)
    elif dataset.crs is not None:
        try:
            crs = settled(_pyproj(dataset.crs), towgs84)
        except CRSError as error:
            raise UnknownCrs(f"{path.name} 的坐标系无法识别", f"the CRS of {path.name} is unknown") from error
    elif beside := _beside(path, ".prj"):
        crs = parse_crs(_text(beside), towgs84)
    else:
        raise UnknownCrs(
            f"{path.name} 没有坐标系，请用 crs 指明，如 EPSG:4547",
            f"{path.name} has no CRS: say it by crs, like EPSG:4547",
        )
    transform_to(crs, CGCS2000)
    return crs


def _pyproj(crs: RasterCrs) -> Any:
    return CRS.from_wkt(crs.to_wkt())


def _beside(path: Path, suffix: str) -> Path | None:
    """The file of the same stem with that suffix, in whichever case."""
    for name in (path.stem + suffix, path.stem + suffix.upper(), path.name + suffix):
        found = path.with_name(name)
        if found.is_file() and not found.is_symlink():
            return found
    return None


def _text(path: Path) -> str:
    if path.stat().st_size > MAX_SIDECAR:
        raise UnsafeFile(f"{path.name} 超过 {MAX_SIDECAR} 字节", f"{path.name} exceeds {MAX_SIDECAR} bytes")
    return path.read_text("utf-8", errors="replace")
