"""What terminals say (终端 → 平台): bodies of messages as values."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tracking.jt808.errors import BodyRefused
from tracking.jt808.frames import Message
from tracking.jt808.location import read_location
from tracking.jt808.parameters import Values, read_parameters
from tracking.model import Fix

GENERAL_REPLY, HEARTBEAT, LOGOUT, REGISTER, AUTHENTICATE = 0x0001, 0x0002, 0x0003, 0x0100, 0x0102
PARAMETERS, PROPERTIES, LOCATION, LOCATION_REPLY, VEHICLE_REPLY = 0x0104, 0x0107, 0x0200, 0x0201, 0x0500
BATCH, MEDIA_EVENT, MEDIA, CAN, PASSTHROUGH = 0x0704, 0x0800, 0x0801, 0x0705, 0x0900
#: Fixes of one batch: a body of parts could hold more than a day's.
MOST_FIXES = 5000


@dataclass(frozen=True, slots=True)
class Reply:
    """0x0001 终端通用应答: to which message of ours (its serial and id), and the result (0 done … 3 not supported)."""

    serial: int
    id: int
    result: int


@dataclass(frozen=True, slots=True)
class Registration:
    """0x0100 注册: province and county by the first 2 and the next 4 digits of GB/T 2260, maker, model, terminal id,
    the plate's colour (0: no plate yet) and the plate, or the VIN."""

    province: int
    county: int
    maker: str
    model: str
    terminal: str
    colour: int
    plate: str


@dataclass(frozen=True, slots=True)
class Authentication:
    """0x0102 鉴权: the code that registration gave; of 2019 also the IMEI and the software's version."""

    code: str
    imei: str = ""
    software: str = ""


@dataclass(frozen=True, slots=True)
class Locations:
    """Fixes of 0x0200, 0x0704, 0x0201 or 0x0500; ``answers`` is the serial of our question, if it was one.

    ``refused`` are items of a batch that are none, as bytes: the others are good.
    """

    fixes: tuple[Fix, ...]
    answers: int | None = None
    refused: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something else that is worth keeping as it stands: a multimedia event, parameters, properties.

    ``answers`` is the serial of our question, where it answers one, and ``told`` what it says as values.
    """

    kind: str
    data: bytes
    answers: int | None = None
    told: Values | None = None


@dataclass(frozen=True, slots=True)
class Plain:
    """A message without a body that matters: ``heartbeat``, ``logout``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message that this platform does not take: answered with result 3 (不支持)."""


type Said = Reply | Registration | Authentication | Locations | Note | Plain | Unknown


def read_message(message: Message) -> Said:
    """The values in a whole message. Raises :class:`BodyRefused`."""
    reader = _READERS.get(message.id)
    if reader is None:
        return Unknown()
    if message.encryption:
        raise BodyRefused("the body is encrypted, and this platform has given no key")
    return reader(message)


def _reply(message: Message) -> Reply:
    _require(message, 5)
    return Reply(*struct.unpack_from(">HHB", message.body))


def _registration(message: Message) -> Registration:
    """Widths of maker, model and terminal id: 2011 5/8/7, 2013 5/20/7, 2019 11/30/30."""
    body = message.body
    short = (5, 20, 7) if len(body) >= 37 else (5, 8, 7)
    widths = (11, 30, 30) if message.layout == 2019 else short
    _require(message, 5 + sum(widths))
    province, county = struct.unpack_from(">HH", body)
    texts, at = [], 4
    for width in widths:
        texts.append(_text(body[at : at + width]))
        at += width
    return Registration(province, county, texts[0], texts[1], texts[2], body[at], _text(body[at + 1 :]))


def _authentication(message: Message) -> Authentication:
    """2019 puts the code's length before it, and IMEI and software after; what has the bit set but not that form is
    read as 2013, the code alone."""
    body = message.body
    _require(message, 1)
    if message.layout == 2019 and len(body) >= 1 + body[0] + 15:
        end = 1 + body[0]
        return Authentication(_text(body[1:end]), _text(body[end : end + 15]), _text(body[end + 15 : end + 35]))
    return Authentication(_text(body))


def _location(message: Message) -> Locations:
    return Locations((read_location(message.body),))


def _answer(message: Message) -> Locations:
    _require(message, 2)
    return Locations((read_location(message.body[2:]),), int.from_bytes(message.body[:2]))


def _batch(message: Message) -> Locations:
    """0x0704: count, kind (1: blind zone), and items with their lengths."""
    body = message.body
    _require(message, 3)
    count, late = int.from_bytes(body[:2]), body[2] == 1
    if count > MOST_FIXES:
        raise BodyRefused(f"{count} fixes in one batch are more than {MOST_FIXES}")
    fixes: list[Fix] = []
    refused: list[bytes] = []
    at = 3
    for n in range(count):
        length = int.from_bytes(body[at : at + 2])
        item = body[at + 2 : at + 2 + length]
        if at + 2 > len(body) or len(item) < length:
            raise BodyRefused(f"fix {n + 1} of {count} is cut short")
        at += 2 + length
        try:
            fixes.append(read_location(item, late))
        except BodyRefused:
            refused.append(item)
    return Locations(tuple(fixes), None, tuple(refused))


def _note(kind: str, least: int) -> Callable[[Message], Note]:
    def read(message: Message) -> Note:
        _require(message, least)
        return Note(kind, message.body)

    return read


def _parameters(message: Message) -> Note:
    """0x0104: the serial of our question, how many, and each with its id and length."""
    body = message.body
    _require(message, 3)
    return Note("parameters", body, int.from_bytes(body[:2]), read_parameters(body[3:], body[2]))


def _plain(kind: str) -> Callable[[Message], Plain]:
    return lambda _message: Plain(kind)


_READERS: Mapping[int, Callable[[Message], Said]] = {
    GENERAL_REPLY: _reply,
    HEARTBEAT: _plain("heartbeat"),
    LOGOUT: _plain("logout"),
    REGISTER: _registration,
    AUTHENTICATE: _authentication,
    PARAMETERS: _parameters,
    PROPERTIES: _note("properties", 2),
    LOCATION: _location,
    LOCATION_REPLY: _answer,
    VEHICLE_REPLY: _answer,
    BATCH: _batch,
    MEDIA_EVENT: _note("media-event", 8),
}


def _require(message: Message, least: int) -> None:
    if len(message.body) < least:
        raise BodyRefused(f"the body of 0x{message.id:04X} has {least} bytes at least, not {len(message.body)}")


def _text(data: bytes) -> str:
    """GBK up to the first NUL; bytes that are none become U+FFFD."""
    return data.split(b"\0", 1)[0].decode("gb18030", "replace").strip()
