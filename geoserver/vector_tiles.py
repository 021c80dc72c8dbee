"""The tile routes: one layer, or several at once (OGC 20-057 URL forms)."""

from typing import TYPE_CHECKING

from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.parameters import query_values
from geoserver.reply import Reply
from layers.catalogue import Layer
from tiles.vector import MAX_LAYERS, NoSuchTile, read_tile

if TYPE_CHECKING:
    from geoserver.city import City

_MEDIA_TYPE = "application/vnd.mapbox-vector-tile"


def get_layer_tile(
    city: "City", request: Request, _body: bytes, collection: str, tms: str, z: str, y: str, x: str
) -> Reply:
    """``GET /collections/{collection}/tiles/{tms}/{z}/{y}/{x}``."""
    query_values(request, ("f",))
    return _tile(city, (find_layer(city, collection),), tms, (z, y, x))


def get_city_tile(city: "City", request: Request, _body: bytes, tms: str, z: str, y: str, x: str) -> Reply:
    """``GET /tiles/{tms}/{z}/{y}/{x}?collections=a,b``."""
    values = query_values(request, ("collections", "f"))
    names = list(dict.fromkeys(values.get("collections", "").split(",")))
    if not values.get("collections") or len(names) > MAX_LAYERS:
        raise ParameterError("collections", f"names 1 to {MAX_LAYERS} collections, separated by commas")
    return _tile(city, tuple(find_layer(city, name) for name in names), tms, (z, y, x))


def _tile(city: "City", layers: tuple[Layer, ...], tms: str, address: tuple[str, ...]) -> Reply:
    if tms != "WebMercatorQuad":
        raise NoSuchTile(f"tile matrix set {tms[:40]!r} is not offered here; WebMercatorQuad is")
    if not all(part.isascii() and part.isdigit() and len(part) < 9 for part in address):
        raise NoSuchTile("a tile address is three whole numbers: z/y/x")
    z, y, x = map(int, address)
    with city.reading(*layers) as reader:
        tile = read_tile(reader, layers, z, y, x)
    return Reply(tile, _MEDIA_TYPE, headers={"Cache-Control": "no-cache"})
