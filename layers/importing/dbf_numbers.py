"""Texts in the numeric fields of a DBF: GDAL reads them as 0 with a mere complaint; they are no number at all."""

import re
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_COMPLAINT = re.compile(r"Value '.*' of field (?:source\.)?(.+) parsed incompletely to (?:real|integer)")
_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def field_complained_of(message: str) -> str | None:
    """The field that GDAL's complaint is about, if it is about a text where a number should be."""
    match = _COMPLAINT.search(message)
    return match[1] if match else None


def not_numbers(dbf: Path, position: int) -> NDArray[np.bool_]:
    """For each record that is not deleted, in file order: whether its field at that position (from 0) is no number.

    Empty values and overflow stars are missing values, which GDAL reads as such.
    """
    with dbf.open("rb") as file:
        header = file.read(32)
        count, header_size, record_size = struct.unpack_from("<IHH", header, 4)
        widths = [file.read(32)[16] for _ in range((header_size - 33) // 32)]
    count = min(count, (dbf.stat().st_size - header_size) // record_size)
    records = np.memmap(dbf, dtype=np.uint8, mode="r", offset=header_size, shape=(count, record_size))
    begin = 1 + sum(widths[:position])
    values = np.ascontiguousarray(records[records[:, 0] != ord("*"), begin : begin + widths[position]])
    texts, place = np.unique(values.view(f"S{widths[position]}").ravel(), return_inverse=True)
    odd = [bool(text.strip(b" *\0")) and not _NUMBER.fullmatch(text.strip()) for text in texts.tolist()]
    return np.asarray(odd, dtype=bool)[place]
