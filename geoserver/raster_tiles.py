"""The tile routes of a collection: pictures of a coverage, vector tiles of any other layer (OGC 20-057 URL forms).

``/collections/{id}/tiles`` and ``/collections/{id}/map/tiles`` have the same pictures of a coverage; its images'
footprints come as vector tiles with ``f=mvt``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request

from geoserver import tile_documents, vector_tiles
from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.parameters import only, query_values, single_values
from geoserver.raster_parameters import RASTER_TILE_PARAMETERS, look_parameters, tile_column
from geoserver.reply import Reply
from geoserver.tile_parameters import find_grid, tile_address
from geoserver.tile_reply import tile_reply
from layers.catalogue import Layer
from layers.raster.store import RasterStore
from tiles.rendered import Rendered

if TYPE_CHECKING:
    from geoserver.city import City

_DOCUMENT = ("f", "lang")
#: What a map tile of a vector layer takes.
MAP_TILE_PARAMETERS = ("f", "size", "lang", "transparent", "bgcolor", "datetime", "as-of")


def get_tile(city: "City", request: Request, body: bytes, collection: str, tms: str, z: str, y: str, x: str) -> Reply:
    """``GET /collections/{collection}/tiles/{tms}/{z}/{y}/{x}``."""
    layer = find_layer(city, collection)
    if layer.kind != "coverage" and _below(request) == "/map/tiles":
        from geoserver.maps import get_drawn_tile

        return get_drawn_tile(city, request, (layer,), query_values(request, MAP_TILE_PARAMETERS), (tms, z, y, x))
    if layer.kind != "coverage" or request.query_params.get("f") == "mvt":
        return vector_tiles.get_layer_tile(city, request, body, collection, tms, z, y, x)
    values = single_values(request.query_params.multi_items())
    only(values, RASTER_TILE_PARAMETERS)
    grid = find_grid(city, tms)
    column, size, suffix = tile_column(x, values)
    look = look_parameters(values, suffix)
    place = (grid, *tile_address(z, y, column))
    grid.level(*place[1:])
    read_from = sources_of(city, layer)

    def render() -> Rendered:
        # GDAL is loaded by those workers that read rasters.
        from tiles.raster.rendering import render_raster_tile

        with city.reading(*read_from) as reader:
            return render_raster_tile(reader, store_of(city), read_from, look, place, size)

    tile = city.kept(request, read_from, f"picture {size} {look!r}", place, render)
    if tile is None:
        rendered = render()
        return Reply(rendered.body, rendered.media_type, headers={"Cache-Control": "no-cache"})
    return tile_reply(request, tile)


def get_tilesets(city: "City", request: Request, body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/tiles``."""
    from tiles.raster.tilesets import about, deepest_level, finest_resolution, items, picture_limits
    from tiles.tilesets import link, scheme

    layer = find_layer(city, collection)
    if layer.kind != "coverage":
        return tile_documents.get_layer_tilesets(city, request, body, collection)
    query_values(request, _DOCUMENT)
    here = f"{city.url}/collections/{layer.id}{_below(request)}"
    source = sources_of(city, layer)[-1]
    with city.reading(source) as reader:
        finest = finest_resolution(reader, source)
    tilesets = [
        {
            **about(grid),
            **picture_limits(grid, (layer,), deepest_level(grid, layer, finest)),
            "links": [
                link("self", "application/json", f"{here}/{grid.id}"),
                scheme(city.url, grid),
                *items(f"{here}/{grid.id}"),
            ],
        }
        for grid in city.grids.values()
    ]
    return Reply(orjson.dumps({"tilesets": tilesets, "links": [link("self", "application/json", here)]}))


def get_tileset(city: "City", request: Request, body: bytes, collection: str, tms: str) -> Reply:
    """``GET /collections/{collection}/tiles/{tms}``; ``f=tilejson`` for MapLibre and its like."""
    from tiles.raster.tilesets import deepest_level, finest_resolution, picture_tile_json, picture_tileset

    layer = find_layer(city, collection)
    if layer.kind != "coverage":
        return tile_documents.get_layer_tileset(city, request, body, collection, tms)
    values = query_values(request, _DOCUMENT)
    grid, language = find_grid(city, tms), city.language(request)
    here = f"{city.url}/collections/{layer.id}{_below(request)}"
    source = sources_of(city, layer)[-1]
    with city.reading(source) as reader:
        deepest = deepest_level(grid, layer, finest_resolution(reader, source))
    title, headers = layer.title[language], {"Content-Language": language}
    wanted = values.get("f", "json")
    if wanted == "tilejson":
        if grid.id != "WebMercatorQuad":
            raise ParameterError("f", "TileJSON describes tiles of WebMercatorQuad only")
        return Reply(orjson.dumps(picture_tile_json(here, grid, (layer,), title, deepest)), headers=headers)
    if wanted != "json":
        raise ParameterError("f", f"{wanted[:40]!r} is neither 'json' nor 'tilejson'")
    return Reply(orjson.dumps(picture_tileset(here, city.url, grid, (layer,), title, deepest)), headers=headers)


def sources_of(city: "City", layer: Layer) -> tuple[Layer, ...]:
    """The coverage, and the layer that it is derived of if it is."""
    return layer, *(find_layer(city, name) for name in layer.inputs)


def store_of(city: "City") -> RasterStore:
    """Where the files of images are."""
    return RasterStore(Path(city.settings.rasters.directory))


def _below(request: Request) -> str:
    return "/map/tiles" if "/map/tiles" in request.url.path else "/tiles"


_COLLECTION = "/collections/{collection}"
#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = tuple(
    (f"{_COLLECTION}{below}{rest}", handler)
    for below in ("/tiles", "/map/tiles")
    for rest, handler in (("", get_tilesets), ("/{tms}", get_tileset), ("/{tms}/{z}/{y}/{x}", get_tile))
)
