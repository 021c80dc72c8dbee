"""OGC API – Maps (20-058): one collection, or several, drawn on the server by the styles of the map client."""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.map_contents import CITY, MOST_PIXELS, MOST_SIDE, contents_of, draw, map_layers, map_tile
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.parameters import box_parameter, crs_parameter, only, single_values, whole
from geoserver.raster_parameters import LOOK_PARAMETERS, look_parameters, picture_format, tile_column
from geoserver.reply import Reply
from geoserver.tile_parameters import collection_names, find_grid, tile_address, tile_query
from geoserver.tile_reply import tile_reply
from layers.catalogue import CGCS2000, Layer
from layers.crs import Crs, coincident, meets, transformer
from layers.raster.errors import OutOfReach
from tiles.cache.tile import Tile
from tiles.matrix_sets import Box
from tiles.raster.look import FORMATS, Look
from tiles.tilesets import extent
from tiles.vector import TileQuery

if TYPE_CHECKING:
    from geoserver.city import City
    from tiles.maps.frame import Frame

_PLACE = ("bbox", "bbox-crs", "crs", "width", "height")
_DRAWING = (*LOOK_PARAMETERS, "transparent", "bgcolor", "filter", "filter-lang", "filter-crs", "lang")
PARAMETERS = (*_PLACE, *_DRAWING)
_SIDE = 1024
_WORLD = (-180.0, -90.0, 180.0, 90.0)
type _Drawing = tuple[TileQuery | None, Look, str, str | None]
_OFFERED_FORMATS = ("png", "jpeg", "webp", "avif")


def get_map(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/map``."""
    values = single_values(request.query_params.multi_items())
    only(values, PARAMETERS)
    return _map(city, request, (find_layer(city, collection),), values)


def get_city_map(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /styles/city/map``: of ``collections``, or of what the map client shows at first."""
    values = single_values(request.query_params.multi_items())
    only(values, (*PARAMETERS, "collections"))
    names = collection_names(values.pop("collections")) if "collections" in values else [CITY]
    return _map(city, request, map_layers(city, names), values)


def get_city_map_tile(city: "City", request: Request, _body: bytes, tms: str, z: str, y: str, x: str) -> Reply:
    """``GET /styles/city/map/tiles/{tms}/{z}/{y}/{x}``."""
    values = single_values(request.query_params.multi_items())
    only(values, ("collections", "size", *_DRAWING))
    names = collection_names(values.pop("collections")) if "collections" in values else [CITY]
    return get_drawn_tile(city, request, map_layers(city, names), values, (tms, z, y, x))


def get_drawn_tile(
    city: "City", request: Request, layers: Sequence[Layer], values: dict[str, str], address: tuple[str, str, str, str]
) -> Reply:
    """A tile of a map of these layers."""
    tms, z, y, x = address
    column, size, suffix = tile_column(x, values)
    format_ = picture_format(values.get("f") or suffix or "auto")
    grid = find_grid(city, tms)
    shown = contents_of(city, layers, *_drawing(city, request, layers, values))
    made = map_tile(city, request, shown, (grid, *tile_address(z, y, column)), size, format_)
    if isinstance(made, Tile):
        return tile_reply(request, made)
    return Reply(made.body, made.media_type, headers={"Cache-Control": "no-cache"})


def _map(city: "City", request: Request, layers: Sequence[Layer], values: dict[str, str]) -> Reply:
    shown = contents_of(city, layers, *_drawing(city, request, layers, values))
    format_ = picture_format(values.get("f") or "auto")
    frame, crs = _frame(city, layers, values)
    made = draw(city, shown, frame, format_)
    west, south, east, north = frame.bounds
    corners = (south, west, north, east) if crs.axis_swapped else frame.bounds
    headers = {
        "Content-Crs": f"<{crs.uri}>",
        "Content-Bbox": ",".join(f"{value:.{crs.decimals}f}" for value in corners),
        "Cache-Control": "no-cache",
    }
    return Reply(made.body, made.media_type, headers=headers)


def _drawing(city: "City", request: Request, layers: Sequence[Layer], values: dict[str, str]) -> _Drawing:
    """Query of the vector layers, look of the coverages, language, background: what :func:`contents_of` takes."""
    vectors = tuple(layer for layer in layers if layer.kind != "coverage")
    narrowing = ("filter", "filter-lang", "filter-crs", "datetime", "as-of")
    query = tile_query(city, vectors, {name: values[name] for name in narrowing if name in values}) if vectors else None
    look = look_parameters({name: values[name] for name in LOOK_PARAMETERS if name in values})
    return query, look, city.language(request), background(values.get("bgcolor"), values.get("transparent"))


def background(colour: str | None, transparent: str | None) -> str | None:
    """The CSS colour behind a map; None leaves it transparent. White where ``transparent=false`` alone is asked for."""
    if transparent is not None and transparent.lower() not in ("true", "false"):
        raise ParameterError("transparent", f"{transparent[:40]!r} is neither 'true' nor 'false'")
    opaque = (transparent or "").lower() == "false"
    if colour is None:
        return "#ffffff" if opaque else None
    found = re.fullmatch(r"(?:#|0x)?([0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?)", colour.strip())
    if found is None:
        raise ParameterError("bgcolor", f"{colour[:40]!r} is not like 0xf7f5f1")
    if transparent is not None and not opaque:
        return None
    digits = found[1]
    # OGC 20-058 has the opacity first: 0xAARRGGBB.
    return f"#{digits}" if len(digits) == 6 else f"#{digits[2:]}{digits[:2]}"


def _frame(city: "City", layers: Sequence[Layer], values: dict[str, str]) -> "tuple[Frame, Crs]":
    from tiles.maps.frame import Frame

    offered = frozenset(city.settings.crs.offered).union(*(city.offered_for(layer) for layer in layers))
    crs = crs_parameter("crs", values.get("crs", values.get("bbox-crs")), offered)
    bounds = _bounds(layers, values, offered, crs)
    west, south, east, north = bounds
    width = _side("width", values)
    height = _side("height", values)
    shape = (east - west) / (north - south)
    if width is None:
        width = _SIDE if height is None else max(1, round(height * shape))
    if height is None:
        height = max(1, round(width / shape))
    if width > MOST_SIDE or height > MOST_SIDE or width * height > MOST_PIXELS:
        raise ParameterError("width", f"a map of {width} × {height} pixels is too large; {MOST_PIXELS} are the bound")
    return Frame(bounds, crs.srid, width, height), crs


def _side(name: str, values: dict[str, str]) -> int | None:
    return whole(name, values[name], 1) if name in values else None


def _bounds(layers: Sequence[Layer], values: dict[str, str], offered: frozenset[int], crs: Crs) -> Box:
    box = box_parameter(values, offered)
    if box is None:
        bounds, srid = _with_area(extent(layers) or _WORLD), CGCS2000
    else:
        bounds, srid = (box.west, box.south, box.east, box.north), box.srid
    if not (bounds[0] < bounds[2] and bounds[1] < bounds[3]):
        raise ParameterError("bbox", "has no area, or crosses the antimeridian: ask for its two sides by themselves")
    if coincident(srid, crs.srid):
        return bounds
    if not meets(srid, bounds, crs.srid):
        raise OutOfReach(f"the bounds {bounds} lie where {crs.uri} does not reach")
    moved: Box = transformer(srid, crs.srid).transform_bounds(*bounds)
    return moved


def _with_area(box: Box) -> Box:
    """The box, a little larger where it is a point or a line."""
    west, south, east, north = box
    wide, high = (0.0005 if first >= last else 0.0 for first, last in ((west, east), (south, north)))
    return west - wide, south - high, east + wide, north + high


def map_paths() -> Json:
    """These routes in OpenAPI."""
    collection = {"name": "collectionId", "in": "path", "required": True, "schema": {"type": "string"}}
    numbers = [{"name": n, "in": "path", "required": True, "schema": {"type": "integer"}} for n in "zyx"]
    text: Json = {"type": "string"}
    pixels: Json = {"type": "integer", "minimum": 1, "maximum": MOST_SIDE}
    names = parameter("collections", "Of these", {"type": "array", "items": text, "maxItems": 32})
    common = [
        parameter("f", "Format", {"type": "string", "enum": list(_OFFERED_FORMATS)}),
        reference("parameters", "lang"),
        parameter("transparent", "Whether nothing is drawn behind", {"type": "boolean"}),
        parameter("bgcolor", "Colour behind, such as 0xf7f5f1", text),
    ]
    place = [
        *(reference("parameters", name) for name in ("bbox", "bbox-crs", "crs", "datetime", "as-of")),
        parameter("width", "Columns", pixels),
        parameter("height", "Rows", pixels),
    ]
    binary: Json = {"type": "string", "format": "binary"}
    answer = {"200": content("A map", *FORMATS.values(), schema=binary)}
    tms = reference("parameters", "tms")
    return {
        "/collections/{collectionId}/map": {
            "get": operation("getCollectionMap", "A map of a collection", [collection, *place, *common], answer)
        },
        "/collections/{collectionId}/map/tiles": {
            "get": operation("getCollectionMapTilesets", "Tilesets of its map", [collection])
        },
        "/collections/{collectionId}/map/tiles/{tms}": {
            "get": operation("getCollectionMapTileset", "A tileset of its map", [collection, tms])
        },
        "/collections/{collectionId}/map/tiles/{tms}/{z}/{y}/{x}": {
            "get": operation("getCollectionMapTile", "A tile of its map", [collection, tms, *numbers, *common], answer)
        },
        "/collections/{collectionId}/legend": {
            "get": operation("getLegend", "What the colours mean", [collection, reference("parameters", "lang")])
        },
        "/styles/city/map": {
            "get": operation("getCityMap", "A map of several collections", [names, *place, *common], answer)
        },
        "/styles/city/map/tiles/{tms}/{z}/{y}/{x}": {
            "get": operation("getCityMapTile", "A tile of the city's map", [tms, *numbers, names, *common], answer)
        },
    }


#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/collections/{collection}/map", get_map),
    ("/styles/city/map", get_city_map),
    ("/styles/city/map/tiles/{tms}/{z}/{y}/{x}", get_city_map_tile),
)
