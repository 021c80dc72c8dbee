"""Frames: ``7E … 7E`` on the wire, escaped and with a checksum (JT/T 808-2019 §4.4).

Terminals in the field differ from the standard; what is let pass is named where it is. A frame whose checksum is wrong,
or which is shorter than it says, is refused.
"""

import struct
from typing import NamedTuple

from tracking.jt808.errors import FrameRefused

MARK = b"\x7e"
#: Bytes of the longest frame between its marks: header 21, body 1023 (10 bits), checksum, each byte escaped.
LONGEST = 2 * (21 + 1023 + 1)
#: Bytes between the body and the checksum that are let pass: padding of terminals that count wrongly.
_SURPLUS = 3
#: What a damaged escape looks like: its XOR is that of the whole one, and only the length tells.
_BROKEN_ESCAPES = (b"\x7c\x01", b"\x7c\x02")
_V2013, _V2019 = 12, 17
_IS_2019, _SUBPACKAGE, _ENCRYPTED, _LENGTH = 0x4000, 0x2000, 0x1C00, 0x03FF
_HEAD_2013 = struct.Struct(">HH6sH")
_HEAD_2019 = struct.Struct(">HHB10sH")
_PART = struct.Struct(">HH")


class Message(NamedTuple):
    """One frame, checked and unescaped.

    ``device`` is the terminal's number: digits without leading zeros, or hexadecimal where it is no BCD. ``layout``
    is the header that it has (2013 or 2019), whatever its version bit says; ``version`` is the byte of a 2019 header.
    ``part`` of ``parts`` counts from 1; 1 of 1 is a whole message.
    """

    id: int
    device: str
    serial: int
    body: bytes
    layout: int = 2013
    version: int = 0
    encryption: int = 0
    parts: int = 1
    part: int = 1


class Splitter:
    """Cuts a stream of bytes into frames: several in one packet, one in many, with a mark between two or only one.

    Holds :data:`LONGEST` bytes at most; ``dropped`` counts bytes that were in no frame.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._inside = False
        self.dropped = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole now, still escaped and without their marks."""
        pieces = (self._rest + data).split(MARK)
        self._rest = pieces.pop()
        frames = []
        for piece in pieces:
            # Empty: the mark that ends a frame and the one that begins the next.
            if piece and (self._inside and len(piece) <= LONGEST):
                frames.append(piece)
            else:
                self.dropped += len(piece)
            self._inside = True
        if len(self._rest) > LONGEST or not self._inside:
            self.dropped += len(self._rest)
            self._rest = b""
            self._inside = False
        return frames


def unescape(frame: bytes) -> bytes:
    """``7D 02`` is 7E and ``7D 01`` is 7D. Raises :class:`FrameRefused` for any other pair."""
    if b"\x7d" not in frame:
        return frame
    if frame.count(b"\x7d") != frame.count(b"\x7d\x01") + frame.count(b"\x7d\x02"):
        raise FrameRefused("7D is followed by neither 01 nor 02")
    return frame.replace(b"\x7d\x02", MARK).replace(b"\x7d\x01", b"\x7d")


def escape(data: bytes) -> bytes:
    """The reverse of :func:`unescape`."""
    return data.replace(b"\x7d", b"\x7d\x01").replace(MARK, b"\x7d\x02")


def checksum(data: bytes) -> int:
    """XOR of all bytes (校验码)."""
    folded = int.from_bytes(data)
    width = 1 << max(3, (len(data) * 8 - 1).bit_length())
    while width > 8:
        width >>= 1
        folded = (folded >> width) ^ (folded & ((1 << width) - 1))
    return folded


def read_frame(frame: bytes) -> Message:
    """The message in a frame without its marks. Raises :class:`FrameRefused`."""
    data = unescape(frame)
    if len(data) < _V2013 + 1:
        raise FrameRefused(f"{len(data)} bytes are less than a header")
    if checksum(data):  # with the sum itself the XOR is zero
        raise FrameRefused(f"checksum is {data[-1]:02X}, not {checksum(data[:-1]):02X}")
    attributes = data[2] << 8 | data[3]
    layout, surplus = _layout(len(data) - 1, attributes)
    if not 0 <= surplus <= _SURPLUS or (surplus and any(pair in data for pair in _BROKEN_ESCAPES)):
        told = attributes & _LENGTH
        raise FrameRefused(f"the header tells of a body of {told} bytes, {max(0, told + surplus)} came")
    version = 0
    if layout == 2019:
        message, _, version, number, serial = _HEAD_2019.unpack_from(data)
        begin = _V2019
    else:
        message, _, number, serial = _HEAD_2013.unpack_from(data)
        begin = _V2013
    parts = part = 1
    if attributes & _SUBPACKAGE:
        parts, part = _PART.unpack_from(data, begin)
        begin += _PART.size
        if not 1 <= part <= parts:
            raise FrameRefused(f"part {part} of {parts}")
    body = data[begin : begin + (attributes & _LENGTH)]
    return Message(
        message, device_number(number), serial, body, layout, version, (attributes & _ENCRYPTED) >> 10, parts, part
    )


def _layout(length: int, attributes: int) -> tuple[int, int]:
    """Which header a frame of so many bytes has, and how many bytes are then left over.

    Terminals set the version bit over a header of 2013, or leave it out over one of 2019: the one whose length comes
    out decides, the bit where neither does.
    """
    rest = length - (attributes & _LENGTH) - (_PART.size if attributes & _SUBPACKAGE else 0)
    told, other = ((2019, _V2019), (2013, _V2013)) if attributes & _IS_2019 else ((2013, _V2013), (2019, _V2019))
    for layout, size in (told, other):
        if rest == size:
            return layout, 0
    return told[0], rest - told[1]


def device_number(number: bytes) -> str:
    """The terminal's number of its BCD bytes, as the layer ``devices`` has it.

    Some terminals put an IMEI's half-bytes or letters there: then it is the hexadecimal, as it stands.
    """
    return number.hex().lstrip("0") or "0"


def write_frame(message: Message) -> bytes:
    """The bytes on the wire, marks included. Raises :class:`ValueError` for a body of more than 1023 bytes."""
    if len(message.body) > _LENGTH:
        raise ValueError(f"a body has 1023 bytes at most, not {len(message.body)}: cut it into parts")
    attributes = len(message.body) | message.encryption << 10
    if message.parts > 1:
        attributes |= _SUBPACKAGE
    if message.layout == 2019:
        number = bytes.fromhex(message.device.rjust(20, "0"))
        head = _HEAD_2019.pack(message.id, attributes | _IS_2019, message.version or 1, number, message.serial)
    else:
        head = _HEAD_2013.pack(message.id, attributes, bytes.fromhex(message.device.rjust(12, "0")), message.serial)
    if message.parts > 1:
        head += _PART.pack(message.parts, message.part)
    data = head + message.body
    return MARK + escape(data + bytes((checksum(data),))) + MARK


def cut(message: Message, most: int = _LENGTH) -> list[Message]:
    """A message in as many parts as its body needs; their serials follow each other."""
    pieces = [message.body[at : at + most] for at in range(0, len(message.body), most)] or [b""]
    return [
        message._replace(body=piece, serial=(message.serial + n) & 0xFFFF, parts=len(pieces), part=n + 1)
        for n, piece in enumerate(pieces)
    ]
