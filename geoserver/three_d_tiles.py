"""The routes of 3D Tiles: tilesets, availability and contents of a layer of buildings (OGC 22-025r4)."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.openapi import Json, content, operation, parameter
from geoserver.parameters import query_values
from geoserver.reply import Reply
from geoserver.tile_parameters import collection_names
from geoserver.tile_reply import tile_reply
from layers.catalogue import Layer
from layers.database import Reader
from layers.raster.store import RasterStore
from tiles.matrix_sets import NoSuchTile
from tiles.rendered import Rendered
from tiles.three_d.levels import GRID, LEVELS, ROOT, Address
from tiles.three_d.reading import shown_fields

if TYPE_CHECKING:
    from geoserver.city import City

_HERE = "/collections/{collection}/3dtiles"
_TREE = _HERE + "/{row}/{column}"
_TILINGS = ("implicit", "explicit")
#: CesiumJS asks for whatever a tileset names with the tileset's own parameters.
_HANDED_ON = ("tiling",)


def get_tileset(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/3dtiles/tileset.json``; ``tiling=explicit`` names every tile."""
    values = query_values(request, ("tiling",))
    tiling = values.get("tiling", "implicit")
    if tiling not in _TILINGS:
        raise ParameterError("tiling", f"{tiling[:40]!r} is neither 'implicit' nor 'explicit'")
    layer = _layer(city, collection)
    from tiles.three_d.render import render_tileset

    def render(reader: Reader) -> Rendered:
        return render_tileset(reader, layer, explicit=tiling == "explicit")

    return _answer(city, request, layer, _around(layer), f"3d {tiling}", render)


def get_together(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /3dtiles/tileset.json?collections=buildings-3d,schemes-3d``: several layers in one tileset."""
    values = query_values(request, ("collections",))
    layers = [_layer(city, name) for name in collection_names(values.get("collections"))]
    from tiles.three_d.render import render_together

    addresses = {f"../collections/{quote(layer.id, safe='')}/3dtiles/tileset.json": layer for layer in layers}
    with city.reading(*layers) as reader:
        made = render_together(reader, addresses)
    return Reply(made.body, made.media_type, headers={"Cache-Control": "no-cache"})


def get_root_tileset(city: "City", request: Request, _body: bytes, collection: str, row: str, column: str) -> Reply:
    """``GET /collections/{collection}/3dtiles/{row}/{column}/tileset.json``: the tiles of one root, one by one."""
    query_values(request, _HANDED_ON)
    layer, root = _layer(city, collection), _root(row, column)
    from tiles.three_d.render import render_root

    return _answer(city, request, layer, root, "3d root", lambda reader: render_root(reader, layer, root))


def get_subtree(
    city: "City", request: Request, _body: bytes, collection: str, row: str, column: str, level: str, x: str, y: str
) -> Reply:
    """``GET /collections/{collection}/3dtiles/{row}/{column}/{level}/{x}/{y}.subtree``."""
    query_values(request, _HANDED_ON)
    layer, root = _layer(city, collection), _root(row, column)
    if (level, x, y) != ("0", "0", "0"):
        raise NoSuchTile("the tree of a root is one subtree: 0/0/0.subtree")
    from tiles.three_d.render import render_subtree

    return _answer(city, request, layer, root, "3d subtree", lambda reader: render_subtree(reader, layer, root))


def get_content(
    city: "City", request: Request, _body: bytes, collection: str, row: str, column: str, level: str, x: str, y: str
) -> Reply:
    """``GET /collections/{collection}/3dtiles/{row}/{column}/{level}/{x}/{y}.glb``."""
    query_values(request, _HANDED_ON)
    layer, root = _layer(city, collection), _root(row, column)
    depth, across, up = (_whole(part) for part in (level, x, y))
    if depth >= LEVELS or max(across, up) >= 1 << depth:
        raise NoSuchTile(f"there is no tile {level[:9]}/{x[:9]}/{y[:9]}: levels are 0 to {LEVELS - 1}")
    tile = root.below(depth, across, up)
    from tiles.three_d.render import render_tile

    ground = _ground(city, layer)
    return _answer(city, request, layer, tile, "3d glb", lambda reader: render_tile(reader, layer, tile, ground))


def three_d_paths() -> Json:
    """These routes in OpenAPI."""
    collection: Json = {"name": "collectionId", "in": "path", "required": True, "schema": {"type": "string"}}
    tiling = parameter("tiling", "Implicit trees, or every tile named", {"type": "string", "enum": list(_TILINGS)})
    ids: Json = {"type": "array", "items": {"type": "string"}}
    named = parameter("collections", "Ids of layers", ids) | {"required": True}
    parts = {
        name: {"name": name, "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
        for name in ("row", "column", "level", "x", "y")
    }
    cell = [collection, parts["row"], parts["column"], tiling]
    tile = [*cell, parts["level"], parts["x"], parts["y"]]
    here = "/collections/{collectionId}/3dtiles"
    tree = here + "/{row}/{column}"
    glb, subtree = (content("A tile", kind) for kind in ("model/gltf-binary", "application/octet-stream"))

    def get(name: str, summary: str, parameters: list[Json], answer: Json | None = None) -> Json:
        return {"get": operation(name, summary, parameters, {"200": answer} if answer else None)}

    return {
        "/3dtiles/tileset.json": get("get3dTogether", "3D Tiles of several collections", [named]),
        f"{here}/tileset.json": get("get3dTileset", "3D Tiles of a collection", [collection, tiling]),
        f"{tree}/tileset.json": get("get3dRoot", "The tiles of one cell, named one by one", cell),
        f"{tree}/{{level}}/{{x}}/{{y}}.subtree": get("get3dSubtree", "Which tiles of a cell there are", tile, subtree),
        f"{tree}/{{level}}/{{x}}/{{y}}.glb": get("get3dContent", "The buildings of a tile", tile, glb),
    }


def _answer(
    city: "City",
    request: Request,
    layer: Layer,
    place: Address | None,
    said: str,
    render: Callable[[Reader], Rendered],
) -> Reply:
    def rendered() -> Rendered:
        with city.reading(layer) as reader:
            return render(reader)

    grid = city.grids[GRID]
    cell = (grid, place.z, place.row, place.column) if place else None
    tile = city.kept(request, (layer,), said, cell, rendered) if cell else None
    if tile is None:
        made = rendered()
        return Reply(made.body, made.media_type, headers={"Cache-Control": "no-cache"})
    return tile_reply(request, tile)


def _layer(city: "City", collection: str) -> Layer:
    layer = find_layer(city, collection)
    shown_fields(layer)
    return layer


def _around(layer: Layer) -> Address | None:
    """The smallest cell that all of the layer lies in, if there is one: else its tileset is made each time."""
    if layer.extent is None:
        return None
    west, south, east, north = layer.extent
    for z in range(ROOT, -1, -1):
        side = 180 / 2**z
        corners = {(int((90 - y) // side), int((x + 180) // side)) for x in (west, east) for y in (south, north)}
        if len(corners) == 1:
            return Address(z, *corners.pop())
    return None


def _ground(city: "City", layer: Layer) -> Callable[[NDArray[Any]], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """What elevation says below footprints that are so new that nobody has looked yet."""
    dem = city.layers.get(layer.inputs[1]) if len(layer.inputs) > 1 else None

    def look(shapes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if dem is None or dem.extent is None:
            return np.zeros(len(shapes)), np.zeros(len(shapes))
        from layers.derived.footprints import ground_below
        from layers.raster.registry import coverage_of

        store = RasterStore(Path(city.settings.rasters.directory))
        with city.transaction(dem) as conn:
            found = ground_below(conn, store, coverage_of(conn, dem), shapes)
        return found.mean, found.least

    return look


def _root(row: str, column: str) -> Address:
    root = Address(ROOT, _whole(row), _whole(column))
    if root.row >= 1 << ROOT or root.column >= 1 << (ROOT + 1):
        raise NoSuchTile(f"there is no cell {row[:9]}/{column[:9]} of level {ROOT}")
    return root


def _whole(part: str) -> int:
    if not (part.isascii() and part.isdigit() and len(part) < 10):
        raise NoSuchTile("a tile's address is whole numbers")
    return int(part)


#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/3dtiles/tileset.json", get_together),
    (_HERE + "/tileset.json", get_tileset),
    (_TREE + "/tileset.json", get_root_tileset),
    (_TREE + "/{level}/{x}/{y}.subtree", get_subtree),
    (_TREE + "/{level}/{x}/{y}.glb", get_content),
)
