"""What devices are told: a queue in ``tracking.commands``, and the messages of JT/T 808 that its entries become."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from layers.features import RowDenied
from tracking.jt808 import downlink
from tracking.jt808.downlink import Area
from tracking.model import Device

_MAY = text("""
    SELECT current_user <> 'citymap_app' OR tracking.all_devices('update')
        OR coalesce(:department = ANY (tracking.departments('update')), false)""")
#: Commands that may wait for one device.
MOST_WAITING = 100


class CommandRefused(ValueError):
    """No terminal takes what the command says."""


class TooManyCommands(CommandRefused):
    """A device has as many commands waiting as it may."""


@dataclass(frozen=True, slots=True)
class Command:
    """An entry of the queue as people see it. ``result`` is 0 done, 1 failed, 2 wrong, 3 not supported; ``answer`` has
    what else the terminal said, as values."""

    id: int
    kind: str
    words: Mapping[str, Any]
    made: datetime
    made_by: str
    sent: datetime | None
    answered: datetime | None
    result: int | None
    answer: Mapping[str, int | str] | None


def enqueue(conn: Connection, device: Device, kind: str, words: Mapping[str, Any]) -> int:
    """Let a device be told something as soon as it can be; the entry's id.

    Raises :class:`CommandRefused` for what no terminal takes, :class:`TooManyCommands`, and :class:`RowDenied` where
    the principal may not change the device.
    """
    message_of(kind, words, v2019=True)
    require_change(conn, device)
    waiting = conn.execute(
        text("SELECT count(*) FROM tracking.commands WHERE device = :d AND answered IS NULL AND expires > now()"),
        {"d": device.id},
    ).scalar_one()
    if waiting >= MOST_WAITING:
        raise TooManyCommands(f"{waiting} commands wait for device {device.code!r} already")
    made: int = conn.execute(
        text("INSERT INTO tracking.commands (device, department, kind, words)"
             " VALUES (:device, :department, :kind, CAST(:words AS jsonb)) RETURNING id"),
        {"device": device.id, "department": device.department, "kind": kind, "words": orjson.dumps(words).decode()},
    ).scalar_one()  # fmt: skip
    return made


def require_change(conn: Connection, device: Device) -> None:
    """Raise :class:`RowDenied` where the principal may not change the device."""
    if not conn.execute(_MAY, {"department": device.department}).scalar():
        raise RowDenied(f"you may not send commands to device {device.code!r}, nor report for it")


def read_commands(conn: Connection, device: Device, most: int = 100) -> list[Command]:
    """The newest commands of a device that the principal may see, newest first."""
    rows = conn.execute(
        text("SELECT id, kind, words, made, made_by, sent, answered, result, answer FROM tracking.commands"
             " WHERE device = :device ORDER BY id DESC LIMIT :most"),
        {"device": device.id, "most": most},
    )  # fmt: skip
    return [Command(*row) for row in rows]


def message_of(kind: str, words: Mapping[str, Any], *, v2019: bool) -> tuple[int, bytes]:
    """The message id and body of a command. Raises :class:`CommandRefused` for what is none."""
    make = _KINDS.get(kind)
    if make is None:
        raise CommandRefused(f"command {kind[:40]!r} is none of {', '.join(_KINDS)}")
    try:
        return make(words, v2019)
    except KeyError as error:
        raise CommandRefused(f"command {kind!r} lacks {error}") from None
    except (ValueError, TypeError, AttributeError, struct.error) as error:
        raise CommandRefused(f"command {kind!r}: {error}") from None


def _text(words: Mapping[str, Any], v2019: bool) -> tuple[int, bytes]:
    return downlink.TEXT, downlink.text(words["text"], emergency=bool(words.get("emergency")), v2019=v2019)


def _locate(_words: Mapping[str, Any], _v2019: bool) -> tuple[int, bytes]:
    return downlink.LOCATE, downlink.locate()


def _follow(words: Mapping[str, Any], _v2019: bool) -> tuple[int, bytes]:
    return downlink.TRACK, downlink.track(int(words["interval"]), int(words["seconds"]))


def _parameters(words: Mapping[str, Any], _v2019: bool) -> tuple[int, bytes]:
    return downlink.SET_PARAMETERS, downlink.set_parameters({int(key): value for key, value in words["values"].items()})


def _ask_parameters(words: Mapping[str, Any], _v2019: bool) -> tuple[int, bytes]:
    ids = [int(key) for key in words.get("ids", ())]
    return downlink.GET_NAMED_PARAMETERS if ids else downlink.GET_PARAMETERS, downlink.get_parameters(ids)


def _circle(words: Mapping[str, Any], v2019: bool) -> tuple[int, bytes]:
    lon, lat = words["centre"]
    return downlink.SET_CIRCLES, downlink.set_circle(_area(words), lon, lat, int(words["radius"]), v2019=v2019)


def _rectangle(words: Mapping[str, Any], v2019: bool) -> tuple[int, bytes]:
    west, south, east, north = words["box"]
    return downlink.SET_RECTANGLES, downlink.set_rectangle(_area(words), west, south, east, north, v2019=v2019)


def _polygon(words: Mapping[str, Any], v2019: bool) -> tuple[int, bytes]:
    return downlink.SET_POLYGON, downlink.set_polygon(_area(words), words["ring"], v2019=v2019)


def _route(words: Mapping[str, Any], v2019: bool) -> tuple[int, bytes]:
    return downlink.SET_ROUTE, downlink.set_route(_area(words), words["line"], int(words["width"]), v2019=v2019)


def _forget_areas(words: Mapping[str, Any], _v2019: bool) -> tuple[int, bytes]:
    return _FORGET[words["what"]], downlink.delete_areas(words.get("ids", ()))


def _area(words: Mapping[str, Any]) -> Area:
    return Area(int(words["id"]), words.get("speed"), int(words.get("seconds", 10)), str(words.get("name", "")))


_FORGET = {
    "circles": downlink.DELETE_CIRCLES, "rectangles": downlink.DELETE_RECTANGLES, "polygons": downlink.DELETE_POLYGONS,
    "routes": downlink.DELETE_ROUTES,
}  # fmt: skip
_KINDS: Mapping[str, Callable[[Mapping[str, Any], bool], tuple[int, bytes]]] = {
    "text": _text,
    "locate": _locate,
    "follow": _follow,
    "parameters": _parameters,
    "ask-parameters": _ask_parameters,
    "circle": _circle,
    "rectangle": _rectangle,
    "polygon": _polygon,
    "route": _route,
    "forget-areas": _forget_areas,
}
