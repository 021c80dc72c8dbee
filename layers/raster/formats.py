"""What a raster file is, by name and by content: both must agree before GDAL sees it, and GDAL gets one driver only."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from zipfile import BadZipFile, ZipFile

from layers.importing.errors import ImportRefused, UnreadableFile
from layers.raster.headers import Header, asc_header, jp2_header, jpeg_header, png_header, tiff_header

_HEAD = 65536
_HGT_NAME = re.compile(r"[NS]\d{2}[EW]\d{3}\.hgt", re.IGNORECASE)
#: Sides of a square HGT tile, 16-bit big-endian: 3″ and 1″ (USGS SRTM Topo documentation).
_HGT_SIDES = {1201 * 1201 * 2: 1201, 3601 * 3601 * 2: 3601}


@dataclass(frozen=True, slots=True)
class Format:
    """A raster format: GDAL's driver, what its first bytes are, how its size is read, suffixes of its world files."""

    driver: str
    matches: Callable[[bytes], bool]
    header: Callable[[Path], Header]
    world: tuple[str, ...] = ()


def _hgt_header(path: Path) -> Header:
    side = _HGT_SIDES.get(path.stat().st_size)
    if side is None or not _HGT_NAME.fullmatch(path.name):
        raise UnreadableFile(
            f"{path.name} 不是 SRTM 高程文件：名称应如 N30E114.hgt，边长 1201 或 3601",
            f"{path.name} is no SRTM tile: its name must be like N30E114.hgt, its side 1201 or 3601",
        )
    return Header(side, side, 1, 16, 0)


def _is_tiff(head: bytes) -> bool:
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _is_jp2(head: bytes) -> bool:
    return head.startswith((b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"))


_TIFF = Format("GTiff", _is_tiff, tiff_header, (".tfw", ".tifw", ".wld"))
_JP2 = Format("JP2OpenJPEG", _is_jp2, jp2_header, (".j2w", ".jp2w", ".wld"))
_PNG = Format("PNG", lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), png_header, (".pgw", ".pngw", ".wld"))
_JPEG = Format("JPEG", lambda head: head.startswith(b"\xff\xd8\xff"), jpeg_header, (".jgw", ".jpgw", ".jpegw", ".wld"))
_ASC = Format("AAIGrid", lambda head: head.lstrip()[:5].lower() == b"ncols", asc_header)
_HGT = Format("SRTMHGT", lambda head: True, _hgt_header)

FORMATS = {
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".jp2": _JP2,
    ".j2k": _JP2,
    ".png": _PNG,
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".asc": _ASC,
    ".hgt": _HGT,
}
#: Suffixes of files that say where an image lies, beside it.
SIDECARS = frozenset((".prj", *(suffix for format in FORMATS.values() for suffix in format.world)))


def holds_rasters(path: Path) -> bool:
    """Whether a file is a raster by its name, or a zip of such; decides nothing about its content."""
    if path.suffix.lower() != ".zip":
        return path.suffix.lower() in FORMATS
    try:
        with ZipFile(path) as archive:
            return any(PurePath(name).suffix.lower() in FORMATS for name in archive.namelist())
    except (BadZipFile, OSError):
        return False


def format_of(path: Path) -> Format:
    """The format that both name and content tell. Raises :class:`ImportRefused`."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        known = "GeoTIFF, JPEG 2000, PNG, JPEG, ASC, HGT"
        raise ImportRefused(
            f"不支持影像格式 {path.suffix or path.name}，可用 {known}",
            f"{path.suffix or path.name} is no supported raster format; {known} are",
        )
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head or not found.matches(head):
        raise UnreadableFile(
            f"{path.name} 的内容不是 {found.driver} 格式",
            f"the content of {path.name} is no {found.driver}, whatever its name says",
        )
    return found
