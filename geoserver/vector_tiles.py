"""The tile routes: one layer, or several at once (OGC 20-057 URL forms)."""

from typing import TYPE_CHECKING

from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.parameters import only, single_values
from geoserver.reply import Reply
from geoserver.tile_parameters import TILE_PARAMETERS, collection_names, find_grid, tile_address, tile_query
from layers.catalogue import Layer
from layers.cql2 import Cql2Error
from tiles.vector import render_tile

if TYPE_CHECKING:
    from geoserver.city import City

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"


def get_layer_tile(
    city: "City", request: Request, _body: bytes, collection: str, tms: str, z: str, y: str, x: str
) -> Reply:
    """``GET /collections/{collection}/tiles/{tms}/{z}/{y}/{x}``."""
    values = single_values(request.query_params.multi_items())
    only(values, TILE_PARAMETERS)
    return _tile(city, (find_layer(city, collection),), values, tms, (z, y, x))


def get_city_tile(city: "City", request: Request, _body: bytes, tms: str, z: str, y: str, x: str) -> Reply:
    """``GET /tiles/{tms}/{z}/{y}/{x}?collections=a,b``."""
    values = single_values(request.query_params.multi_items())
    only(values, ("collections", *TILE_PARAMETERS))
    layers = tuple(find_layer(city, name) for name in collection_names(values.get("collections")))
    return _tile(city, layers, values, tms, (z, y, x))


def _tile(
    city: "City", layers: tuple[Layer, ...], values: dict[str, str], tms: str, address: tuple[str, str, str]
) -> Reply:
    grid = find_grid(city, tms)
    z, y, x = tile_address(*address)
    grid.level(z, y, x)
    asked = tile_query(city, layers, values)
    try:
        with city.reading(*layers) as reader:
            tile = render_tile(reader, asked, grid, z, y, x)
    except Cql2Error as error:
        raise ParameterError("filter", str(error)) from None
    return Reply(tile.body, MEDIA_TYPE, headers={"Cache-Control": "no-cache"})
