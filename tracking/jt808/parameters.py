"""Parameters of terminals (终端参数, JT/T 808-2019 table 12): numbers and texts by their id.

The wire tells an id and a length and no type. Texts are known by their ids; what is no text and has the length of a
number is one; anything else is its hexadecimal. An id that no table has may still be set and read.
"""

import struct
from collections.abc import Mapping

#: Ids whose values are texts (GBK): access points, accounts and servers; telephone numbers; the number plate.
TEXTS = frozenset((*range(0x10, 0x18), 0x1A, 0x1D, *range(0x23, 0x27), *range(0x40, 0x45), 0x48, 0x49, 0x83))
#: Ids whose numbers are no DWORD, with their bytes.
WIDTHS: Mapping[int, int] = {
    0x31: 2, 0x5B: 2, 0x5C: 2, 0x5D: 2, 0x5E: 2, 0x81: 2, 0x82: 2, 0x101: 2, 0x103: 2,
    0x84: 1, 0x90: 1, 0x91: 1, 0x92: 1, 0x94: 1,
}  # fmt: skip
_HEAD = struct.Struct(">IB")
_NUMBERS = (1, 2, 4)

type Values = dict[str, int | str]


def write_parameters(values: Mapping[int, int | str]) -> bytes:
    """The list of 0x8103: how many, and each with id and length. Raises :class:`ValueError` for what does not fit."""
    if len(values) > 255:
        raise ValueError(f"{len(values)} parameters are more than the 255 of one message")
    return bytes((len(values),)) + b"".join(_written(key, value) for key, value in values.items())


def read_parameters(items: bytes, count: int) -> Values:
    """The values of 0x0104 by their ids in decimal, as they are set too; what is cut short is kept as ``rest``."""
    found: Values = {}
    at = 0
    for _ in range(count):
        begin = at + _HEAD.size
        if begin > len(items) or begin + items[begin - 1] > len(items):
            if rest := items[at : at + 64]:
                found["rest"] = rest.hex()
            break
        key, length = _HEAD.unpack_from(items, at)
        at = begin + length
        found[str(key)] = _value(key, items[begin:at])
    return found


def _written(key: int, value: int | str) -> bytes:
    if not 0 <= key < 1 << 32:
        raise ValueError(f"parameter {key} has no id of four bytes")
    if isinstance(value, str):
        data = value.encode("gb18030")
        if len(data) > 255:
            raise ValueError(f"parameter {key}: a text has 255 bytes of GBK at most, not {len(data)}")
    else:
        width = WIDTHS.get(key, 4)
        if not 0 <= value < 1 << 8 * width:
            raise ValueError(f"parameter {key}: {value} is no number of {width} bytes")
        data = value.to_bytes(width)
    return _HEAD.pack(key, len(data)) + data


def _value(key: int, data: bytes) -> int | str:
    if key in TEXTS:
        return _text(data)
    if len(data) in _NUMBERS:
        return int.from_bytes(data)
    text = _text(data)
    return text if text and text.isprintable() and "\N{REPLACEMENT CHARACTER}" not in text else data.hex()


def _text(data: bytes) -> str:
    """GBK up to the first NUL, of what can be kept as JSON."""
    return data.split(b"\0", 1)[0].decode("gb18030", "replace").encode("utf-8", "replace").decode()
