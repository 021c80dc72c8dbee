"""Parameters of WMTS and WMS: their names are written in any case (OGC 06-121r3 §11.5.2)."""

from collections.abc import Mapping

from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.parameters import interval, single_values
from layers.raster.images import Interval


def upper_values(request: Request) -> dict[str, str]:
    """The values by names in capitals. Raises :class:`ParameterError` for one given twice."""
    return single_values((name.upper(), value) for name, value in request.query_params.multi_items())


def required(values: Mapping[str, str], name: str) -> str:
    """A value that must be there. Raises :class:`ParameterError`."""
    if not values.get(name):
        raise ParameterError(name, "is missing")
    return values[name]


def number(values: Mapping[str, str], name: str, most: int, default: int | None = None) -> int:
    """A whole number from 0. Raises :class:`ParameterError`."""
    text = values.get(name, "" if default is None else str(default))
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > most:
        raise ParameterError(name, f"{text[:40]!r} is not a whole number from 0 to {most}")
    return int(text)


def time_of(values: Mapping[str, str]) -> Interval | None:
    """``TIME``, of which ``current`` and ``default`` mean the newest."""
    text = values.get("TIME", "")
    return interval(text) if text and text.lower() not in ("current", "default") else None
