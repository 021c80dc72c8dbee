"""The terrain routes of a coverage of heights: layer.json and meshes for Cesium, colours for MapLibre."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request

from geoserver.coverages import find_coverage_layer
from geoserver.errors import ParameterError
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.parameters import only, query_values, single_values
from geoserver.raster_parameters import picture_format, tile_column
from geoserver.raster_tiles import sources_of, store_of
from geoserver.reply import Reply
from geoserver.tile_parameters import find_grid, tile_address
from geoserver.tile_reply import tile_reply
from layers.catalogue import Layer
from layers.registry import LayerNotFound
from tiles.matrix_sets import MatrixSet, NoSuchTile
from tiles.rendered import Rendered

if TYPE_CHECKING:
    from geoserver.city import City

_MESHES = "CGCS2000Quad"


def get_layer_json(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/terrain/layer.json``."""
    from tiles.terrain.documents import layer_json

    query_values(request, ("lang",))
    layer = _heights(city, collection)
    grid = city.grids[_MESHES]
    # A mesh has a quarter of a picture's cells: two levels more show as much.
    deepest = min(_deepest(city, grid, layer) + 1, len(grid.levels) - 1)
    return Reply(orjson.dumps(layer_json(grid, layer, layer.title[city.language(request)], deepest)))


def get_mesh(city: "City", request: Request, _body: bytes, collection: str, z: str, x: str, y: str) -> Reply:
    """``GET /collections/{collection}/terrain/{z}/{x}/{y}.terrain``; rows count from the south."""
    from tiles.terrain.documents import row_from_south

    values = single_values(request.query_params.multi_items())
    only(values, ("v",))  # Cesium adds the version to the address
    layer = _heights(city, collection)
    grid = city.grids[_MESHES]
    level, row, column = tile_address(z, y, x)
    grid.level(level, row, column)
    place = (grid, level, row_from_south(grid, level, row), column)
    read_from = sources_of(city, layer)

    def render() -> Rendered:
        from tiles.terrain.rendering import render_mesh_tile

        with city.reading(*read_from) as reader:
            return render_mesh_tile(reader, store_of(city), read_from, place)

    return _reply(city, request, read_from, "mesh", place, render)


def get_tile_json(city: "City", request: Request, _body: bytes, collection: str, encoding: str) -> Reply:
    """``GET /collections/{collection}/terrain/{encoding}``: TileJSON of a ``raster-dem`` source."""
    from tiles.raster.tilesets import picture_tile_json
    from tiles.terrain.rgb import ENCODINGS

    query_values(request, ("f", "lang"))
    layer, grid = _heights(city, collection), city.grids["WebMercatorQuad"]
    how = ENCODINGS.get(encoding)
    if how is None:
        raise LayerNotFound(f"there is no terrain {encoding[:40]!r}; there are {', '.join(ENCODINGS)}, and layer.json")
    here = f"{city.url}/collections/{layer.id}/terrain/{how.id}"
    deepest = _deepest(city, grid, layer)
    title = layer.title[city.language(request)]
    return Reply(orjson.dumps(picture_tile_json(here, grid, (layer,), title, deepest, encoding=how.maplibre)))


def get_height_tile(
    city: "City", request: Request, _body: bytes, collection: str, encoding: str, tms: str, z: str, y: str, x: str
) -> Reply:
    """``GET /collections/{collection}/terrain/{encoding}/{tms}/{z}/{y}/{x}``: PNG, or WebP without loss."""
    from tiles.terrain.rgb import ENCODINGS

    values = single_values(request.query_params.multi_items())
    only(values, ("f", "size"))
    layer, how = _heights(city, collection), ENCODINGS.get(encoding)
    if how is None:
        raise NoSuchTile(f"there is no terrain {encoding[:40]!r}; there are {', '.join(ENCODINGS)}, and layer.json")
    column, size, suffix = tile_column(x, values)
    format_ = picture_format(values.get("f") or suffix or "png")
    if format_ not in ("png", "webp"):
        raise ParameterError("f", "heights come as png or webp: other formats would change them")
    place = (find_grid(city, tms), *tile_address(z, y, column))
    place[0].level(*place[1:])
    read_from = sources_of(city, layer)

    def render() -> Rendered:
        from tiles.terrain.rendering import render_height_tile

        with city.reading(*read_from) as reader:
            return render_height_tile(reader, store_of(city), read_from, place, size, how, format_)

    return _reply(city, request, read_from, f"{how.id} {size} {format_}", place, render)


def _reply(
    city: "City",
    request: Request,
    read_from: tuple[Layer, ...],
    said: str,
    place: tuple[MatrixSet, int, int, int],
    render: Callable[[], Rendered],
) -> Reply:
    tile = city.kept(request, read_from, said, place, render)
    if tile is None:
        rendered = render()
        return Reply(rendered.body, rendered.media_type, headers={"Cache-Control": "no-cache"})
    return tile_reply(request, tile)


def _heights(city: "City", collection: str) -> Layer:
    layer = find_coverage_layer(city, collection)
    if layer.inputs:
        raise LayerNotFound(f"collection {collection[:80]!r} has no heights; that which it is made of has")
    return layer


def _deepest(city: "City", grid: MatrixSet, layer: Layer) -> int:
    from tiles.raster.tilesets import deepest_level, finest_resolution

    with city.reading(layer) as reader:
        return deepest_level(grid, layer, finest_resolution(reader, layer))


def terrain_paths() -> Json:
    """These routes in OpenAPI."""
    collection = {"name": "collectionId", "in": "path", "required": True, "schema": {"type": "string"}}
    encoding = {"name": "encoding", "in": "path", "required": True,
                "schema": {"type": "string", "enum": ["terrain-rgb", "terrarium"]}}  # fmt: skip
    numbers = {name: {"name": name, "in": "path", "required": True, "schema": {"type": "integer"}} for name in "zyx"}
    tms, here = reference("parameters", "tms"), "/collections/{collectionId}/terrain"
    shape = parameter("f", "Format", {"type": "string", "enum": ["png", "webp"]})
    size = parameter("size", "Side of the tile [pixels]", {"type": "integer", "enum": [256, 512, 1024]})
    binary: Json = {"type": "string", "format": "binary"}
    mesh = {"200": content("A mesh", "application/vnd.quantized-mesh", schema=binary)}
    picture = {"200": content("Heights as colours", "image/png", "image/webp", schema=binary)}
    zyx = [numbers["z"], numbers["y"], numbers["x"]]
    lang = reference("parameters", "lang")
    return {
        f"{here}/layer.json": {"get": operation("getTerrain", "Terrain for Cesium", [collection, lang])},
        f"{here}/{{z}}/{{x}}/{{y}}.terrain": {
            "get": operation("getTerrainMesh", "A terrain tile as triangles", [collection, *zyx], mesh)
        },
        f"{here}/{{encoding}}": {
            "get": operation("getTerrainTileJson", "Terrain for MapLibre", [collection, encoding, lang])
        },
        f"{here}/{{encoding}}/{{tms}}/{{z}}/{{y}}/{{x}}": {
            "get": operation(
                "getHeightTile", "A terrain tile as colours", [collection, encoding, tms, *zyx, shape, size], picture
            )
        },
    }


_HERE = "/collections/{collection}/terrain"
#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    (f"{_HERE}/layer.json", get_layer_json),
    (f"{_HERE}/{{z}}/{{x}}/{{y}}.terrain", get_mesh),
    (f"{_HERE}/{{encoding}}", get_tile_json),
    (f"{_HERE}/{{encoding}}/{{tms}}/{{z}}/{{y}}/{{x}}", get_height_tile),
)
