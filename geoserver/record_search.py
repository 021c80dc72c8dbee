"""The parameters of a search in the catalogue of records."""

from collections.abc import Mapping
from typing import Any

from geoserver.errors import ParameterError
from geoserver.parameters import box_parameter, interval
from layers.exchange.records.catalogue import CATALOGUE
from layers.exchange.records.search import SORTABLES, Search, terms

HERE = f"/collections/{CATALOGUE.id}"
CATALOG = "application/ogc-catalog+json"
EQUAL = ("title", "description", "keywords", "topics", "classification")
SEARCHED = (
    *("q", "type", "ids", "externalIds", "externalId", "bbox", "datetime", "updated", "created", "sortby"),
    *EQUAL,
)
DEFAULT, MOST = 10, 1000


def search_of(values: Mapping[str, str]) -> Search:
    """The search that they ask for. Raises :class:`~geoserver.errors.ParameterError`."""
    box = box_parameter(dict(values), ())
    external = values.get("externalIds", values.get("externalId"))
    return Search(
        words=terms(values.get("q", "")),
        types=_listed(values.get("type")),
        ids=_listed(values.get("ids")),
        external=tuple(map(_external, external.split(","))) if external else (),
        box=(box.west, box.south, box.east, box.north) if box else None,
        time=interval(values["datetime"]) if "datetime" in values else None,
        updated=_span("updated", values),
        created=_span("created", values),
        equals=tuple((name, values[name]) for name in EQUAL if name in values),
        sort=_sort(values.get("sortby")),
    )


def _span(name: str, values: Mapping[str, str]) -> Any:
    try:
        return interval(values[name]) if name in values else None
    except ParameterError as error:
        raise ParameterError(name, str(error).partition(": ")[2]) from None


def _listed(value: str | None) -> frozenset[str] | None:
    return None if value is None else frozenset(part.strip() for part in value.split(",", 1000))


def _external(text: str) -> tuple[str | None, str | None]:
    """``scheme:value``, ``value`` or ``scheme:``; a scheme that is an address ends at the last colon."""
    scheme, colon, value = text.strip().rpartition(":")
    return (scheme or None if colon else None), value or None


def _sort(value: str | None) -> tuple[tuple[str, bool], ...]:
    keys = []
    for part in (value or "").split(",", 8):
        name = part.strip().lstrip("+-")
        if name and name not in SORTABLES:
            raise ParameterError("sortby", f"{name[:80]!r} is none of {', '.join(SORTABLES)}")
        if name:
            keys.append((name, part.strip().startswith("-")))
    return tuple(keys)
