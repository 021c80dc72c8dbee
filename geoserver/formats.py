"""The representations of a resource, and which one a request asks for."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from geoserver.errors import NotAcceptable
from layers.catalogue import Layer
from layers.exporting.export import FORMATS

#: Formats that are streamed from a cursor, and what ``f`` calls them.
EXPORTS = tuple(name for name in FORMATS if name != "geojson")
_MEDIA_TYPES = {name: FORMATS[name].media_type for name in EXPORTS} | {
    "json": "application/geo+json",
    "jsonld": "application/ld+json",
    "html": "text/html",
    "schema": "application/schema+json",
}
_ACCEPTED = {FORMATS[name].media_type: name for name in EXPORTS} | {
    "application/geo+json": "json",
    "application/json": "json",
    "application/ld+json": "jsonld",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/schema+json": "schema",
}


def exports_of(layer: Layer) -> tuple[str, ...]:
    """The export formats that a layer can be had in: a Shapefile holds one kind of geometry."""
    return tuple(name for name in EXPORTS if name != "shp" or layer.geometry_type != "Geometry")


def media_type(format_: str) -> str:
    """The media type of a format."""
    return _MEDIA_TYPES[format_]


def negotiate(request: Request, values: Mapping[str, str], formats: Sequence[str]) -> str:
    """The format that ``f`` names, else the best that Accept allows, else the first. Raises :class:`NotAcceptable`."""
    wanted = values.get("f")
    if wanted is None:
        return _accepted(request.headers.get("accept", "*/*"), formats)
    if wanted == "json" and "schema" in formats:
        return "schema"
    if wanted not in formats:
        names = ", ".join("json" if name == "schema" else name for name in formats)
        raise NotAcceptable(f"parameter 'f': {wanted[:80]!r} is not offered here; choose one of {names}")
    return wanted


def _accepted(accept: str, formats: Sequence[str]) -> str:
    """Accept is a wish: when nothing of it exists, the first format answers it (RFC 9110 §12.5.1 allows that)."""
    ranked = sorted(accept.split(",")[:50], key=_quality, reverse=True)
    for part in ranked:
        name = _ACCEPTED.get(part.split(";")[0].strip().lower())
        if name == "json" and "schema" in formats:
            return "schema"
        if name in formats and _quality(part) > 0:
            return str(name)
        if part.split(";")[0].strip() == "*/*":
            break
    return formats[0]


def _quality(part: str) -> float:
    for parameter in part.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
