"""The tile routes: one layer, or several at once (OGC 20-057 URL forms)."""

from typing import TYPE_CHECKING

from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.parameters import only, single_values
from geoserver.reply import Reply
from geoserver.tile_parameters import TILE_PARAMETERS, collection_names, find_grid, tile_address, tile_query
from geoserver.tile_reply import tile_reply
from layers.catalogue import Layer
from layers.cql2 import Cql2Error
from tiles.rendered import MVT, Rendered
from tiles.vector import render_tile

if TYPE_CHECKING:
    from geoserver.city import City


def get_layer_tile(
    city: "City", request: Request, _body: bytes, collection: str, tms: str, z: str, y: str, x: str
) -> Reply:
    """``GET /collections/{collection}/tiles/{tms}/{z}/{y}/{x}``."""
    values = single_values(request.query_params.multi_items())
    only(values, TILE_PARAMETERS)
    return _tile(city, request, (find_layer(city, collection),), values, tms, (z, y, x))


def get_city_tile(city: "City", request: Request, _body: bytes, tms: str, z: str, y: str, x: str) -> Reply:
    """``GET /tiles/{tms}/{z}/{y}/{x}?collections=a,b``."""
    values = single_values(request.query_params.multi_items())
    only(values, ("collections", *TILE_PARAMETERS))
    layers = tuple(find_layer(city, name) for name in collection_names(values.get("collections")))
    return _tile(city, request, layers, values, tms, (z, y, x))


def _tile(
    city: "City",
    request: Request,
    layers: tuple[Layer, ...],
    values: dict[str, str],
    tms: str,
    address: tuple[str, str, str],
) -> Reply:
    grid = find_grid(city, tms)
    z, y, x = tile_address(*address)
    grid.level(z, y, x)
    asked = tile_query(city, layers, values)

    def render() -> Rendered:
        with city.reading(*layers) as reader:
            return render_tile(reader, asked, grid, z, y, x)

    try:
        tile = city.kept_tile(request, asked, (grid, z, y, x), render)
        if tile is None:
            return Reply(render().body, MVT, headers={"Cache-Control": "no-cache"})
    except Cql2Error as error:
        raise ParameterError("filter", str(error)) from None
    return tile_reply(request, tile)
