"""Which routes answer for layers of other servers too; any other says that they are none of ours."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from geoserver.proxies import items, pictures
from geoserver.reply import Reply

if TYPE_CHECKING:
    from geoserver.city import City

_COLLECTION = "/collections/{collection}"
_TILES = (("", pictures.get_tilesets), ("/{tms}", pictures.get_tileset), ("/{tms}/{z}/{y}/{x}", pictures.get_tile))
_THEIRS: Mapping[str, Callable[..., Reply]] = {
    f"{_COLLECTION}/items": items.get_items,
    f"{_COLLECTION}/items/{{item}}": items.get_item,
    f"{_COLLECTION}/schema": items.get_schema,
    f"{_COLLECTION}/queryables": items.get_queryables,
    f"{_COLLECTION}/map": pictures.get_map,
    **{f"{_COLLECTION}{below}/tiles{rest}": handler for below in ("", "/map") for rest, handler in _TILES},
}


def either(path: str, ours: Callable[..., Reply]) -> Callable[..., Reply]:
    """The handler of a route that reads: ours, or for a layer of another server theirs."""
    theirs = _THEIRS.get(path)
    if theirs is None:
        return ours

    def answer(city: "City", request: Request, body: bytes, collection: str, **more: Any) -> Reply:
        handler = theirs if collection in city.proxies else ours
        return handler(city, request, body, collection, **more)

    return answer
