"""Writes PNG with ISA-L's deflate: a tile takes a fraction of the time that zlib needs for the same size.

W3C PNG (third edition) §5 and §9: each row is told by its difference from the one above (filter type 2).
"""

import struct
import zlib

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_UP = 2
_ISAL_BEST = 3


def png(pixels: NDArray[np.uint8], level: int = 1) -> bytes:
    """The file of (row, column, channel): grey, grey and alpha, colours, or colours and alpha.

    ``level`` 0 to 3 of ISA-L, or above it zlib's, which is slower and smaller.
    """
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(pixels).reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    body = (isal_zlib if level <= _ISAL_BEST else zlib).compress(filtered.tobytes(), level)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
