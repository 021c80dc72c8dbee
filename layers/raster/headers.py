"""The size that a raster file declares, read without GDAL, so that absurd files are refused before it opens them."""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from layers.importing.errors import UnreadableFile, UnsafeFile
from layers.raster.limits import MAX_BANDS, MAX_CHUNK, MAX_PIXELS, MAX_SIDE

#: TIFF field types that hold whole numbers → struct code (TIFF 6.0 §2; BigTIFF adds 16).
_TIFF_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MOST_TAGS = 4096
#: JPEG markers that start a frame (ITU-T T.81 table B.1): SOF0–15 without DHT, JPG and DAC.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """Columns, rows, bands and bits per sample; ``chunk`` [bytes] is what the decoder must hold decoded at once."""

    width: int
    height: int
    bands: int
    bits: int
    chunk: int


def check_header(header: Header, name: str) -> None:
    """Raise :class:`UnsafeFile` where the declared size is beyond the bounds."""
    bounds = (
        (max(header.width, header.height), MAX_SIDE, "边长（像元）", "pixels along a side"),
        (header.width * header.height, MAX_PIXELS, "像元", "pixels"),
        (header.bands, MAX_BANDS, "个波段", "bands"),
        (header.bits, 64, "位每样本", "bits per sample"),
        (header.chunk, MAX_CHUNK, "字节的整块，请分块（tiled）存储", "bytes in one piece: store it in tiles"),
    )
    if header.width < 1 or header.height < 1 or header.bands < 1:
        raise UnreadableFile(f"{name} 没有像元", f"{name} has no pixels")
    for given, bound, zh, en in bounds:
        if given > bound:
            raise UnsafeFile(f"{name} 有 {given} {zh}，上限 {bound}", f"{name} has {given} {en}; the bound is {bound}")


def tiff_header(path: Path) -> Header:
    """Of the first directory of a TIFF or BigTIFF."""
    with path.open("rb") as file:
        tags = _tiff_tags(file, path.name)
    width, height = tags.get(256, 0), tags.get(257, 0)
    bands, bits = tags.get(277, 1), tags.get(258, 1)
    strip = width * min(tags.get(278, height), height)
    piece = tags[322] * tags.get(323, 0) if 322 in tags else strip
    together = 1 if tags.get(284, 1) == 2 else bands
    return Header(width, height, bands, bits, piece * together * bits // 8)


def _tiff_tags(file: BinaryIO, name: str) -> dict[int, int]:
    """The first value of each whole-number tag of the first directory."""
    try:
        start = file.read(16)
        order = "<" if start[:2] == b"II" else ">"
        big = struct.unpack(order + "H", start[2:4])[0] == 43
        offset = struct.unpack(order + ("Q" if big else "I"), start[8:16] if big else start[4:8])[0]
        file.seek(offset)
        count = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))[0]
        if count > _MOST_TAGS:
            raise UnsafeFile(f"{name} 的目录有 {count} 项", f"{name} has {count} tags; the bound is {_MOST_TAGS}")
        size = 20 if big else 12
        entries = file.read(size * count)
        tags = {}
        for at in range(0, len(entries) - size + 1, size):
            tag, kind, number = struct.unpack(order + ("HHQ" if big else "HHI"), entries[at : at + (12 if big else 8)])
            if kind in _TIFF_INTEGERS:
                inline = entries[at + (12 if big else 8) : at + size]
                tags[tag] = _first_value(file, order, _TIFF_INTEGERS[kind], number, inline)
    except (struct.error, OverflowError, ValueError, OSError) as error:
        if isinstance(error, UnsafeFile):
            raise
        raise UnreadableFile(f"{name} 的 TIFF 目录已损坏", f"the TIFF directory of {name} is damaged") from error
    return tags


def _first_value(file: BinaryIO, order: str, code: str, number: int, inline: bytes) -> int:
    size = struct.calcsize(code)
    if size * number <= len(inline):
        raw = inline[:size]
    else:
        file.seek(struct.unpack(order + ("Q" if len(inline) == 8 else "I"), inline)[0])
        raw = file.read(size)
    return int(struct.unpack(order + code, raw)[0])


def png_header(path: Path) -> Header:
    """Of the IHDR chunk (PNG, ISO/IEC 15948 §11.2.2)."""
    with path.open("rb") as file:
        start = file.read(33)
    if len(start) < 33 or start[12:16] != b"IHDR":
        raise UnreadableFile(f"{path.name} 的 PNG 头已损坏", f"the PNG header of {path.name} is damaged")
    width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", start[16:29])
    bands = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, MAX_BANDS + 1)
    row = width * bands * bits // 8
    return Header(width, height, bands, bits, row * height if interlaced else row)


def jpeg_header(path: Path) -> Header:
    """Of the frame header (ITU-T T.81 §B.2.2). A progressive frame is held whole, 2 bytes a coefficient."""
    with path.open("rb") as file:
        file.seek(2)
        while len(marker := file.read(4)) == 4 and marker[0] == 0xFF:
            (length,) = struct.unpack(">H", marker[2:])
            if marker[1] in _FRAMES:
                frame = file.read(6)
                if len(frame) < 6:
                    break
                bits, height, width, bands = struct.unpack(">BHHB", frame)
                progressive = marker[1] in (0xC2, 0xC6, 0xCA, 0xCE)
                return Header(width, height, bands, bits, width * bands * (2 * height if progressive else 16))
            file.seek(length - 2, 1)
    raise UnreadableFile(f"{path.name} 没有 JPEG 帧头", f"{path.name} has no JPEG frame header")


def jp2_header(path: Path) -> Header:
    """Of the SIZ marker segment (ITU-T T.800 §A.5.1), which stands at the start of the codestream."""
    with path.open("rb") as file:
        head = file.read(2**20)
    at = head.find(b"\xff\x4f\xff\x51")
    if at < 0 or len(head) < at + 43:
        raise UnreadableFile(f"{path.name} 没有 JPEG 2000 码流", f"{path.name} has no JPEG 2000 codestream")
    right, bottom, left, top, tile_width, tile_height = struct.unpack(">6I", head[at + 8 : at + 32])
    bands, depth = struct.unpack(">HB", head[at + 40 : at + 43])
    width, height = right - left, bottom - top
    # OpenJPEG decodes a tile's component into 32-bit numbers.
    held = min(tile_width, width) * min(tile_height, height) * bands * 4
    return Header(width, height, bands, (depth & 0x7F) + 1, held)


def asc_header(path: Path) -> Header:
    """Of the ``ncols`` and ``nrows`` lines of an ESRI ASCII grid."""
    with path.open("rb") as file:
        words = file.read(1024).lower().split()
    try:
        width, height = (int(words[words.index(name) + 1]) for name in (b"ncols", b"nrows"))
    except (ValueError, IndexError) as error:
        raise UnreadableFile(f"{path.name} 没有 ncols 与 nrows", f"{path.name} lacks ncols and nrows") from error
    return Header(width, height, 1, 32, width * 64)
