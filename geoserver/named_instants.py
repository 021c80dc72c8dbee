"""``as-of`` by the name of a version: read as the instant that it names, wherever ``as-of`` is taken."""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request

from geoserver.errors import ParameterError
from layers.versions.errors import NoSuchVersion
from layers.versions.instants import reads_like_instant
from layers.versions.names import instant_of

if TYPE_CHECKING:
    from geoserver.city import City

_NAME = "as-of"


def with_instant(city: "City", request: Request) -> Request:
    """The request with an instant where ``as-of`` names a version of its collection (or of any that it asks for).

    Raises :class:`ParameterError`.
    """
    if b"as-of" not in request.scope["query_string"]:
        return request
    name = request.query_params.get(_NAME, "")
    if not name or reads_like_instant(name):
        return request
    layers = _asked_for(city, request)
    with city.reading() as reader:
        try:
            instant = instant_of(reader, name, layers).isoformat()
        except NoSuchVersion:
            problem = f"{name[:80]!r} is neither an instant like 2026-11-22T08:00:00Z nor the name of a version"
            raise ParameterError(_NAME, problem) from None
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    query = urlencode([(key, instant if key == _NAME else value) for key, value in pairs])
    return Request({**request.scope, "query_string": query.encode("ascii")}, request.receive)


def _asked_for(city: "City", request: Request) -> tuple[str, ...]:
    """The layers of a request, and those that they are derived of; none where it asks for a whole map."""
    named = request.path_params.get("collection") or request.query_params.get("collections", "")
    found = tuple(filter(None, named.split(",")))
    inputs = [name for layer_id in found if layer_id in city.layers for name in city.layers[layer_id].inputs]
    return (*found, *inputs)
