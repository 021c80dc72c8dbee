"""The words of GeoReport v2 (wiki.open311.org/GeoReport_v2) for classes and cases. No I/O.

A service code is the kind and code of a class of the city's schemes, such as ``event-0102``; a service request is a
case, and its id the case's number. Services are realtime: an id is given at once, and a token is the id itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from grid.open311.errors import Open311Error

#: A query spans so many days and returns so many requests (GeoReport v2, Response Volume).
MOST_DAYS, MOST_REQUESTS = timedelta(days=90), 1000
#: Ids or codes that one argument may list.
_MOST_LISTED = 1000
#: Characters of a description.
MOST_DESCRIPTION = 4000
_CODE = re.compile(r"(event|component)-([0-9A-Za-z]{1,20})")
_W3C = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?")
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,80})\](?:\[\d{0,3}\])?")


@dataclass(frozen=True, slots=True)
class Service:
    """A class of the city's; ``conditions`` are its 立案条件, which the reporter may tell."""

    kind: Literal["event", "component"]
    code: str
    name: str
    group: str | None
    conditions: tuple[str, ...] = ()

    @property
    def service_code(self) -> str:
        """Its code here."""
        return f"{self.kind}-{self.code}"


@dataclass(frozen=True, slots=True)
class RequestQuery:
    """Which service requests are asked for; ``ids`` override all else. ``services`` are (kind, code)."""

    ids: tuple[str, ...] = ()
    services: tuple[tuple[str, str], ...] = ()
    begin: datetime | None = None
    end: datetime | None = None
    statuses: tuple[str, ...] = ()
    page: int = 1
    size: int = MOST_REQUESTS


def class_of(service_code: str) -> tuple[str, str] | None:
    """Kind and code of a class by its service code; None for what is none."""
    match = _CODE.fullmatch(service_code)
    return (match[1], match[2]) if match else None


def listed(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The values of an argument with commas; empty counts as not given. Raises :class:`Open311Error`."""
    found = tuple(part.strip() for part in values.get(name, "").split(",") if part.strip())
    if len(found) > _MOST_LISTED:
        raise Open311Error(f"{name} 最多 {_MOST_LISTED} 个", f"{name}: at most {_MOST_LISTED} are taken at once")
    return found


def request_query(values: Mapping[str, str], now: datetime) -> RequestQuery:
    """What ``GET requests`` asks for. Without dates, the last 90 days; a longer range is refused.

    Raises :class:`Open311Error`.
    """
    page, size = _count(values, "page", 1, 100_000), _count(values, "page_size", MOST_REQUESTS, MOST_REQUESTS)
    if ids := listed(values, "service_request_id"):
        return RequestQuery(ids=ids, page=page, size=size)
    classes = [class_of(one) or ("", one) for one in listed(values, "service_code")]
    statuses = listed(values, "status")
    if wrong := next((one for one in statuses if one not in ("open", "closed")), None):
        raise Open311Error(
            f"status 应为 open 或 closed，不是 {wrong[:40]}", f"status is open or closed, not {wrong[:40]!r}"
        )
    begin, end = instant(values, "start_date"), instant(values, "end_date")
    begin, end = _span(begin, end, now)
    return RequestQuery((), tuple(classes), begin, end, statuses, page, size)


def _span(begin: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    if end is None:
        end = begin + MOST_DAYS if begin else now
    begin = begin or end - MOST_DAYS
    if begin > end:
        raise Open311Error("start_date 晚于 end_date", "start_date lies after end_date")
    if end - begin > MOST_DAYS:
        raise Open311Error(
            "start_date 与 end_date 相差不能超过 90 天", "start_date and end_date span more than 90 days"
        )
    return begin, end


def instant(values: Mapping[str, str], name: str) -> datetime | None:
    """An argument as W3C writes times, with its offset; a date alone is its midnight, UTC. Raises
    :class:`Open311Error`."""
    given = values.get(name, "").strip()
    if not given:
        return None
    # A plus sign that was not encoded arrives as a blank.
    text = re.sub(r" (?=\d\d:\d\d$)", "+", given)
    try:
        if not _W3C.fullmatch(text):
            raise ValueError
        found = datetime.fromisoformat(text)
        if not 1900 < found.year < 2200:
            raise ValueError
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Open311Error(
            f"{name} 应如 2010-01-01T00:00:00Z，不是 {given[:40]}",
            f"{name} is such as 2010-01-01T00:00:00Z, not {given[:40]!r}",
        ) from None


def _count(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    given = values.get(name, "").strip()
    if not given:
        return default
    if not given.isascii() or not given.isdecimal() or len(given) > 9 or int(given) < 1:
        raise Open311Error(f"{name} 应为正整数", f"{name} is a positive whole number")
    return min(int(given), most)


def attributes(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The values of ``attribute[code]`` and ``attribute[code][]``, by code."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if match := _ATTRIBUTE.fullmatch(name):
            found.setdefault(match[1], []).append(value)
    return found


def definition(service: Service) -> dict[str, Any]:
    """The service definition: its 立案条件 as a list to choose from, where it has any."""
    if not service.conditions:
        return {"service_code": service.service_code, "attributes": []}
    attribute = {
        "variable": True, "code": "condition", "datatype": "singlevaluelist", "required": False,
        "datatype_description": None, "order": 1, "description": "立案条件 Which of these is it?",
        "values": [{"key": one, "name": one} for one in service.conditions],
    }  # fmt: skip
    return {"service_code": service.service_code, "attributes": [attribute]}


def told(service: Service, description: str, given: Mapping[str, list[str]], media_url: str) -> str:
    """The description as the case keeps it: what was written, the condition chosen, the address of a picture.

    Raises :class:`Open311Error` for an attribute that the service does not define, or a value that is none of its own.
    """
    for code, values in given.items():
        if code != "condition" or not service.conditions:
            raise Open311Error(
                f"服务 {service.service_code} 没有属性 {code}",
                f"service {service.service_code} has no attribute {code!r}",
            )
        if len(values) > 1 or values[0] not in (*service.conditions, ""):
            raise Open311Error(
                f"attribute[{code}] 应为 {'、'.join(service.conditions)[:300]} 之一",
                f"attribute[{code}] is one of {', '.join(service.conditions)[:300]}",
            )
    chosen = next((values[0] for values in given.values() if values[0]), "")
    lines = [description.strip(), f"立案条件：{chosen}" if chosen else "", media_url.strip()]
    found = "\n".join(line for line in lines if line)
    if len(found) > MOST_DESCRIPTION:
        raise Open311Error(
            f"描述超过 {MOST_DESCRIPTION} 字", f"description is longer than {MOST_DESCRIPTION} characters"
        )
    return found
