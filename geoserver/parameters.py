"""Reads the query parameters of the features API: each is checked, and an unknown one is an error that names it."""

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import orjson
from starlette.requests import Request

from geoserver.errors import ParameterError
from layers.catalogue import Field, Layer
from layers.cql2 import Cql2Error, parse
from layers.crs import CRS84, Crs, CrsError, parse_crs
from layers.editing import EditError, checked_value
from layers.query import Box, CursorError, FeatureQuery, Filter, SortKey, decode_cursor

#: Rows that ``offset`` may skip: deeper pages are reached by the next link's cursor, which does not read them again.
MAX_OFFSET = 100_000
#: Longest filter [characters] that is kept parsed.
_KEPT_FILTER = 2000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
#: Parameters of an items request that are never field names.
RESERVED = (
    *("f", "lang", "limit", "offset", "cursor", "bbox", "bbox-crs", "datetime", "as-of", "crs", "sortby"),
    *("properties", "skipGeometry", "resulttype", "resultType", "filter", "filter-lang", "filter-crs"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Page sizes [features]."""

    default: int = 10
    maximum: int = 10_000


def single_values(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The parameters by name; one given twice is an error."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise ParameterError(name, "is given twice")
        values[name] = value
    return values


def query_values(request: Request, allowed: Collection[str]) -> dict[str, str]:
    """The parameters of a request to a resource that takes no others."""
    values = single_values(request.query_params.multi_items())
    only(values, allowed)
    return values


def only(values: dict[str, str], allowed: Collection[str]) -> None:
    """Refuse parameters that the resource does not have."""
    for name in values:
        if name not in allowed:
            raise ParameterError(name[:80], f"is not known here; this resource takes {', '.join(allowed)}")


def feature_query(
    layer: Layer, values: dict[str, str], offered: Collection[int], limits: Limits, measured_in: int
) -> FeatureQuery:
    """The query that the parameters of ``/collections/{id}/items`` ask for."""
    only(values, (*RESERVED, "id", *(f.name for f in layer.fields)))
    sort = _sort(layer, values.get("sortby"))
    cursor = values.get("cursor")
    time, as_of = _datetimes(layer, values)
    return FeatureQuery(
        limit=_limit(values.get("limit"), limits),
        offset=_offset(values.get("offset")),
        after=_named("cursor", lambda: decode_cursor(cursor, sort)) if cursor else None,
        box=box_parameter(values, offered),
        time=time,
        as_of=as_of,
        equals=tuple(
            (name, _field_value(layer, name, value)) for name, value in values.items() if name not in RESERVED
        ),
        filter=_filter(values, offered, measured_in),
        sort=sort,
        properties=_properties(layer, values.get("properties")),
        geometry=not _boolean("skipGeometry", values.get("skipGeometry", "false")),
        crs=crs_parameter("crs", values.get("crs"), offered),
    )


def filter_parameters(
    layer: Layer, values: dict[str, str], offered: Collection[int], measured_in: int
) -> FeatureQuery:
    """The query of ``filter``, ``datetime`` and ``as-of`` alone, as tiles take them."""
    time, as_of = _datetimes(layer, values)
    return FeatureQuery(time=time, as_of=as_of, filter=_filter(values, offered, measured_in))


def crs_parameter(name: str, value: str | None, offered: Collection[int]) -> Crs:
    """The CRS that a parameter names; CRS84 when it is absent."""
    return CRS84 if value is None else _named(name, lambda: parse_crs(value, offered))


def instant(name: str, text: str) -> datetime:
    """An RFC 3339 instant or date (its first moment, UTC)."""
    try:
        value = datetime.fromisoformat(text.strip().upper().replace(" ", "+"))
    except ValueError:
        raise ParameterError(name, f"{text[:80]!r} is no date or instant like 2026-11-22T08:00:00Z") from None
    if not _DATE.fullmatch(text.strip()) and value.tzinfo is None:
        raise ParameterError(name, f"{text[:80]!r} lacks a time zone: end it with Z or +08:00")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def result_type(values: dict[str, str]) -> Literal["results", "hits"]:
    """Whether features or only their number are asked for."""
    value = values.get("resulttype", values.get("resultType", "results"))
    if value not in ("results", "hits"):
        raise ParameterError("resulttype", f"{value[:80]!r} is neither 'results' nor 'hits'")
    return value  # type: ignore[return-value]


def _named(name: str, read: Any) -> Any:
    try:
        return read()
    except (CrsError, CursorError, Cql2Error, EditError) as error:
        raise ParameterError(name, str(error)) from None


def whole(name: str, value: str, least: int) -> int:
    """A parameter that is a whole number of at least ``least``."""
    if not re.fullmatch(r"[0-9]{1,18}", value) or int(value) < least:
        raise ParameterError(name, f"{value[:80]!r} is not a whole number of at least {least}")
    return int(value)


def _limit(value: str | None, limits: Limits) -> int:
    return limits.default if value is None else min(whole("limit", value, 1), limits.maximum)


def _offset(value: str | None) -> int:
    offset = 0 if value is None else whole("offset", value, 0)
    if offset > MAX_OFFSET:
        raise ParameterError("offset", f"is above {MAX_OFFSET}: follow the 'next' links instead, they stay fast")
    return offset


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise ParameterError(name, f"{value[:80]!r} is neither 'true' nor 'false'")
    return value.lower() == "true"


def box_parameter(values: dict[str, str], offered: Collection[int]) -> Box | None:
    """The box that ``bbox`` and ``bbox-crs`` name; None without them."""
    if "bbox" not in values:
        if "bbox-crs" in values:
            raise ParameterError("bbox-crs", "is given without bbox")
        return None
    crs = crs_parameter("bbox-crs", values.get("bbox-crs"), offered)
    numbers = _numbers("bbox", values["bbox"])
    if len(numbers) not in (4, 6):
        raise ParameterError("bbox", f"has {len(numbers)} numbers; it takes 4 (or 6 with heights)")
    half = len(numbers) // 2
    (a, b), (c, d) = numbers[:2], numbers[half : half + 2]
    west, south, east, north = (b, a, d, c) if crs.axis_swapped else (a, b, c, d)
    if south > north:
        raise ParameterError("bbox", f"its lower edge {south:g} is above its upper edge {north:g}")
    if crs.geographic and (max(abs(south), abs(north)) > 90 or max(abs(west), abs(east)) > 180):
        order = "latitude, longitude" if crs.axis_swapped else "longitude, latitude"
        raise ParameterError("bbox", f"is outside the earth: the order here is {order}")
    if west > east and not crs.geographic:
        raise ParameterError("bbox", f"its left edge {west:g} is right of its right edge {east:g}")
    return Box(west, south, east, north, crs.srid)


def _numbers(name: str, value: str) -> list[float]:
    try:
        numbers = [float(part) for part in value.split(",", 6)]
    except ValueError:
        raise ParameterError(name, f"{value[:80]!r} is not a list of numbers separated by commas") from None
    if not all(math.isfinite(n) for n in numbers):
        raise ParameterError(name, "has a number that is not finite")
    return numbers


def _datetimes(
    layer: Layer, values: dict[str, str]
) -> tuple[tuple[datetime | None, datetime | None] | None, datetime | None]:
    """The filter on the layer's own time, and the instant of the past state to read.

    A layer without a time field is timed by its history: ``datetime`` then reads the state at (the end of) that time.
    """
    as_of = instant("as-of", values["as-of"]) if "as-of" in values else None
    if "datetime" not in values:
        return None, as_of
    begin, end = interval(values["datetime"])
    if layer.time_field:
        return (begin, end), as_of
    return None, as_of or (end if end and end < datetime.now(UTC) else None)


def interval(text: str) -> tuple[datetime | None, datetime | None]:
    """Begin and end of the parameter ``datetime``; None is open."""
    parts = text.split("/")
    if len(parts) > 2 or (len(parts) == 2 and all(p in ("", "..") for p in parts)):
        raise ParameterError("datetime", f"{text[:80]!r} is neither an instant nor an interval like a/b, a/.. or ../b")
    # QGIS writes an open begin as the year 0, which no calendar here has.
    begin = None if len(parts) == 2 and parts[0][:5] in ("", "..", "0000-") else instant("datetime", parts[0])
    end = None if len(parts) == 2 and parts[1] in ("", "..") else _end(parts[-1])
    if begin and end and begin > end:
        raise ParameterError("datetime", "the interval ends before it begins")
    return begin, end


def _end(text: str) -> datetime:
    """The last moment of an instant or of a whole day."""
    moment = instant("datetime", text)
    return moment + timedelta(days=1, microseconds=-1) if _DATE.fullmatch(text.strip()) else moment


def _sort(layer: Layer, value: str | None) -> tuple[SortKey, ...]:
    if value is None:
        return ()
    keys = []
    for part in value.split(",", 8):
        name = part.strip().lstrip("+-")
        if layer.field(name) is None:
            raise ParameterError("sortby", f"{name[:80]!r} is not a field of layer {layer.id!r}")
        keys.append(SortKey(name, part.strip().startswith("-")))
    if len({key.name for key in keys}) != len(keys) or len(keys) > 8:
        raise ParameterError("sortby", "names a field twice, or more than 8 fields")
    return tuple(keys)


def _properties(layer: Layer, value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = [name.strip() for name in value.split(",") if name.strip()]
    for name in names:
        if layer.field(name) is None:
            raise ParameterError("properties", f"{name[:80]!r} is not a field of layer {layer.id!r}")
    return tuple(f.name for f in layer.fields if f.name in names)


def _field_value(layer: Layer, name: str, text: str) -> Any:
    field = layer.field(name)
    if name == "id" and field is None:
        return whole("id", text, 0)
    assert field is not None
    if field.type == "string-array":
        return _named(name, lambda: checked_value(field, [text]))[0]
    return _named(name, lambda: checked_value(field, _typed(field, text)))


def _typed(field: Field, text: str) -> object:
    """The JSON value that a query string means for a field of that type."""
    if field.type == "boolean" and text in ("0", "1"):  # as GDAL sends them
        return text == "1"
    if field.type in ("integer", "number", "boolean"):
        try:
            value = orjson.loads(text.lower())
        except orjson.JSONDecodeError:
            return text
        return text if value is None else value
    return text.replace(" ", "+") if field.type == "date-time" else text


def _filter(values: dict[str, str], offered: Collection[int], measured_in: int) -> Filter | None:
    if not values.get("filter"):
        if "filter-crs" in values:
            raise ParameterError("filter-crs", "is given without filter")
        return None
    language = values.get("filter-lang", "cql2-text")
    if language not in ("cql2-text", "cql2-json"):
        raise ParameterError("filter-lang", f"{language[:80]!r} is neither 'cql2-text' nor 'cql2-json'")
    text = values["filter"]
    read = _parsed if len(text) <= _KEPT_FILTER else _parsed.__wrapped__
    expression = _named("filter", lambda: read(text, language))
    crs = crs_parameter("filter-crs", values.get("filter-crs"), offered)
    return Filter(expression, crs, measured_in)


@lru_cache(maxsize=1024)
def _parsed(text: str, language: str) -> str:
    """The filter as CQL2-JSON text; kept, because the pages and tiles of one question repeat its filter."""
    return orjson.dumps(parse(text, language)).decode()
