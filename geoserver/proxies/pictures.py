"""Maps and tiles of another server's WMS or WMTS layer, in our tile matrix sets."""

import math
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.parameters import box_parameter, crs_parameter, query_values, whole
from geoserver.proxies.items import proxy_of, said
from geoserver.reply import Reply
from geoserver.tile_parameters import find_grid, tile_address
from geoserver.web.layer_groups import ELSEWHERE
from layers.catalogue import CGCS2000, Layer
from layers.crs import transformer
from layers.exchange.proxies.answers import host
from layers.exchange.proxies.errors import NotOffered
from layers.exchange.proxies.maps import map_url, picture_of, tile_url
from layers.exchange.proxies.model import Proxy
from tiles.matrix_sets import METRES_PER_DEGREE, PIXEL, MatrixSet, NoSuchTile

if TYPE_CHECKING:
    from geoserver.city import City

_SIDE, _MOST_SIDE, _TILE = 1024, 4096, 256
_WEB = "WebMercatorQuad"
_SYSTEMS = frozenset({3857, 4326, 4490})
_CODES = {"EPSG:3857": 3857, "EPSG:4490": 4490, "EPSG:4326": 4326, "CRS:84": 4326}
#: How far the scale of a tile matrix and the corners of tiles may be apart to be the same.
_NEAR, _OFF = 1e-4, 0.01
_WORLD = (-180.0, -85.0, 180.0, 85.0)
#: Deepest level that is announced of a server that draws maps at any scale.
_DEEPEST = 18


def get_map(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/map`` of a WMS."""
    proxy = proxy_of(city, collection)
    if proxy.kind != "wms":
        raise NotOffered(f"collection {proxy.id!r} has no maps: {host(proxy.url)} gives {_given(proxy)}")
    taken = ("bbox", "bbox-crs", "crs", "width", "height", "f", "transparent", "lang")
    values = query_values(request, taken)
    format_ = _format(proxy, values.get("f", "png"))
    crs = crs_parameter("crs", values.get("crs"), _SYSTEMS)
    box = box_parameter(values, _SYSTEMS)
    west, south, east, north = proxy.extent or _WORLD
    place, srid = ((box.west, box.south, box.east, box.north), box.srid) if box else ((west, south, east, north), 4326)
    if srid != crs.srid and {srid, crs.srid} != {4326, CGCS2000}:
        place = transformer(srid, crs.srid).transform_bounds(*place)
    if not all(map(math.isfinite, place)) or place[0] >= place[2] or place[1] >= place[3]:
        raise ParameterError("bbox", "has no area in that coordinate system")
    size = _size(values, place)
    transparent = values.get("transparent", "true").lower() != "false"
    url = map_url(proxy, place, crs.srid, size, format_, transparent=transparent)
    return _answered(city, request, proxy, url)


def get_tile(city: "City", request: Request, _body: bytes, collection: str, tms: str, z: str, y: str, x: str) -> Reply:
    """``GET /collections/{collection}/tiles/{tms}/{z}/{y}/{x}``, also below ``/map``."""
    proxy = proxy_of(city, collection)
    if proxy.features:
        raise NotOffered(f"collection {proxy.id!r} has no tiles: {host(proxy.url)} gives {_given(proxy)}")
    values = query_values(request, ("f", "lang"))
    column, _, suffix = x.partition(".")
    format_ = _format(proxy, values.get("f") or suffix or proxy.details["formats"][0])
    grid = find_grid(city, tms)
    address = tile_address(z, y, column)
    if proxy.kind == "wmts":
        url = _tile_there(proxy, grid, *address, format_)
    else:
        url = map_url(proxy, grid.box(*address), grid.srid, (_TILE, _TILE), format_, transparent=True)
    return _answered(city, request, proxy, url)


def get_tilesets(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/tiles``."""
    from tiles.raster.tilesets import about
    from tiles.tilesets import link

    proxy = _pictured(city, collection)
    query_values(request, ("f", "lang"))
    here = f"{city.url}{request.url.path}"
    sets = [
        {**about(grid), "links": [link("self", f"{here}/{grid.id}", "application/json")]}
        for grid in _grids(city, proxy)
    ]
    return Reply(orjson.dumps({"tilesets": sets, "links": [link("self", here, "application/json")]}))


def get_tileset(city: "City", request: Request, _body: bytes, collection: str, tms: str) -> Reply:
    """``GET /collections/{collection}/tiles/{tms}``; ``f=tilejson`` for MapLibre and its like."""
    from tiles.raster.tilesets import picture_tile_json, picture_tileset

    proxy = _pictured(city, collection)
    values = query_values(request, ("f", "lang"))
    grid = find_grid(city, tms)
    if grid not in _grids(city, proxy):
        raise NotOffered(f"{host(proxy.url)} has no tiles that fit {grid.id}")
    here = f"{city.url}{request.url.path.rpartition('/')[0]}"
    layer, title = proxy.layer, proxy.title[city.language(request)]
    if values.get("f") == "tilejson" and grid.id == _WEB:
        return Reply(orjson.dumps(picture_tile_json(here, grid, (layer,), title, _DEEPEST)))
    return Reply(orjson.dumps(picture_tileset(here, city.url, grid, (layer,), title, _DEEPEST)))


def drawn_on_maps(city: "City") -> dict[str, Layer]:
    """The layers of other servers whose pictures come in tiles of web maps, by id."""
    web = city.grids[_WEB]
    shown = (proxy for proxy in city.proxies.values() if not proxy.features and web in _grids(city, proxy))
    return {proxy.id: proxy.layer.changed(keywords=(ELSEWHERE,)) for proxy in shown}


def _pictured(city: "City", collection: str) -> Proxy:
    proxy = proxy_of(city, collection)
    if proxy.features:
        raise NotOffered(f"collection {proxy.id!r} has no tiles: {host(proxy.url)} gives {_given(proxy)}")
    return proxy


def _grids(city: "City", proxy: Proxy) -> list[MatrixSet]:
    if proxy.kind == "wms":
        codes = {_CODES[name] for name in proxy.details["systems"]}
        codes |= {4326, 4490} if codes & {4326, 4490} else set()
        return [grid for grid in city.grids.values() if grid.srid in codes]
    return [grid for grid in city.grids.values() if any(_matching(proxy, grid, z) for z in range(len(grid.levels)))]


def _tile_there(proxy: Proxy, grid: MatrixSet, z: int, y: int, x: int, format_: str) -> str:
    """The address of the same tile there. Raises :class:`NotOffered`, :class:`NoSuchTile`."""
    grid.level(z, y, x)
    found = _matching(proxy, grid, z)
    if found is None:
        raise NotOffered(f"{host(proxy.url)} has no tiles that fit level {z} of {grid.id}")
    set_, matrix, row, column, rows, columns = found
    if not (0 <= y + row < rows and 0 <= x + column < columns):
        raise NoSuchTile(f"there is no tile {z}/{y}/{x} of {proxy.id!r}")
    return tile_url(proxy, set_, matrix, y + row, x + column, format_)


def _matching(proxy: Proxy, grid: MatrixSet, z: int) -> tuple[str, str, int, int, int, int] | None:
    """Set and matrix there whose tiles are those of our level, how far rows and columns are apart, and their number."""
    level = grid.levels[z]
    metres = METRES_PER_DEGREE if grid.geographic else 1.0
    for set_, found in proxy.details["sets"].items():
        if found["srid"] != grid.srid and {found["srid"], grid.srid} != {4326, 4490}:
            continue
        for matrix, scale, west, north, pixels, rows, columns in found["matrices"]:
            same_scale = abs(scale * PIXEL / metres / level.cell - 1) < _NEAR
            if not same_scale or abs(pixels * level.cell / level.width - 1) > _NEAR:
                continue
            column, row = (level.west - west) / level.width, (north - level.north) / level.height
            if max(abs(column - round(column)), abs(row - round(row))) < _OFF:
                return set_, matrix, round(row), round(column), rows, columns
    return None


def _answered(city: "City", request: Request, proxy: Proxy, url: str) -> Reply:
    kept = city.upstreams.cached(url, proxy.cache_seconds)
    picture = picture_of(proxy, kept.fetched)
    return Reply(picture.body, picture.media_type, headers=said(city, request, kept))


def _given(proxy: Proxy) -> str:
    return "features" if proxy.features else "tiles"


def _format(proxy: Proxy, name: str) -> str:
    wanted = {"jpg": "jpeg"}.get(name, name)
    if wanted not in proxy.details["formats"]:
        raise ParameterError("f", f"{name[:40]!r} is none of {', '.join(proxy.details['formats'])}")
    return wanted


def _size(values: dict[str, str], box: tuple[float, float, float, float]) -> tuple[int, int]:
    """Width and height [pixels]; what is not given follows from the box."""
    ratio = (box[2] - box[0]) / (box[3] - box[1])
    width = whole("width", values["width"], 1) if "width" in values else None
    height = whole("height", values["height"], 1) if "height" in values else None
    if width is None and height is None:
        width = _SIDE
    width = width if width is not None else round((height or _SIDE) * ratio)
    height = height if height is not None else round(width / ratio)
    for name, side in (("width", width), ("height", height)):
        if not 1 <= side <= _MOST_SIDE:
            raise ParameterError(name, f"is {side} pixels: 1 to {_MOST_SIDE} are drawn")
    return width, height
