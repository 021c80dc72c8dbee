"""Tiles of the archives that lie in the folder ``tiles.archives``: ``/archives/{archive}/tiles/{tms}/{z}/{y}/{x}``."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.parameters import query_values
from geoserver.reply import Reply
from geoserver.tile_parameters import find_grid, tile_address
from geoserver.tile_reply import tile_reply
from tiles.archives.errors import NoSuchArchive
from tiles.archives.facts import Facts
from tiles.archives.folder import Served
from tiles.cache.snapshot import Snapshot
from tiles.cache.tile import Tile, digest_of
from tiles.matrix_sets import MatrixSet, NoSuchTile
from tiles.rendered import MVT
from tiles.tilesets import item, limits, link, scheme

if TYPE_CHECKING:
    from geoserver.city import City

_DOCUMENT = ("f", "lang")
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
#: Archives are no part of the database.
_NEVER = Snapshot(0, 0)


def get_archives(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /archives``."""
    query_values(request, _DOCUMENT)
    here = f"{city.url}/archives"
    listed = [
        {
            "id": one.id,
            "title": one.archive.facts.name,
            "description": one.archive.facts.description,
            "attribution": one.archive.facts.attribution,
            "mediaType": one.archive.facts.media_type,
            "minZoom": one.archive.facts.lowest,
            "maxZoom": one.archive.facts.deepest,
            "bbox": list(one.archive.facts.bounds),
            "links": [link("http://www.opengis.net/def/rel/ogc/1.0/tilesets", "application/json", _below(city, one))],
        }
        for _, one in sorted(city.archives.items())
    ]
    return _json({"archives": listed, "links": [link("self", "application/json", here)]})


def get_archive_tilesets(city: "City", request: Request, _body: bytes, archive: str) -> Reply:
    """``GET /archives/{archive}/tiles``."""
    query_values(request, _DOCUMENT)
    one = _find(city, archive)
    tilesets = [_tileset(city, one, grid) for grid in _grids(city, one).values()]
    return _json({"tilesets": tilesets, "links": [link("self", "application/json", _below(city, one))]})


def get_archive_tileset(city: "City", request: Request, _body: bytes, archive: str, tms: str) -> Reply:
    """``GET /archives/{archive}/tiles/{tms}``; ``f=tilejson`` for MapLibre and its like."""
    values = query_values(request, _DOCUMENT)
    one = _find(city, archive)
    grid = _grid(city, one, tms)
    wanted = values.get("f", "json")
    if wanted == "tilejson":
        if grid.id != "WebMercatorQuad":
            raise ParameterError("f", "TileJSON describes tiles of WebMercatorQuad only")
        return _json(_tile_json(city, one, grid))
    if wanted != "json":
        raise ParameterError("f", f"{wanted[:40]!r} is neither 'json' nor 'tilejson'")
    return _json(_tileset(city, one, grid))


def get_archive_tile(
    city: "City", request: Request, _body: bytes, archive: str, tms: str, z: str, y: str, x: str
) -> Reply:
    """``GET /archives/{archive}/tiles/{tms}/{z}/{y}/{x}``; 204 where the archive has none."""
    query_values(request, ())
    one = _find(city, archive)
    grid = _grid(city, one, tms)
    address = tile_address(z, y, x)
    grid.level(*address)
    body = one.tile(grid, *address)
    if body is None:
        return Reply(status=HTTPStatus.NO_CONTENT, media_type=None, headers={"Cache-Control": "no-cache"})
    return tile_reply(request, Tile(body, digest_of(body), _NEVER, one.archive.facts.media_type))


def archive_paths() -> Json:
    """These routes in OpenAPI."""
    archive = {"name": "archive", "in": "path", "required": True, "schema": {"type": "string"}}
    numbers = [{"name": n, "in": "path", "required": True, "schema": {"type": "integer"}} for n in "zyx"]
    tms, lang = reference("parameters", "tms"), reference("parameters", "lang")
    plain = parameter("f", "Representation", {"type": "string", "enum": ["json"]})
    shape = parameter("f", "Representation", {"type": "string", "enum": ["json", "tilejson"]})
    binary: Json = {"type": "string", "format": "binary"}
    tile = {
        "200": content("A tile", MVT, "image/png", "image/jpeg", "image/webp", schema=binary),
        "204": {"description": "The archive has no such tile"},
    }
    here = "/archives/{archive}/tiles"
    return {
        "/archives": {"get": operation("getArchives", "Archives of tiles", [plain, lang])},
        here: {"get": operation("getArchiveTileSets", "Tilesets of an archive", [archive, plain, lang])},
        f"{here}/{{tms}}": {
            "get": operation("getArchiveTileSet", "A tileset of an archive", [archive, tms, shape, lang])
        },
        f"{here}/{{tms}}/{{z}}/{{y}}/{{x}}": {
            "get": operation("getArchiveTile", "A tile of an archive", [archive, tms, *numbers], tile)
        },
    }


def _find(city: "City", name: str) -> Served:
    found = city.archives.get(name)
    if found is None:
        raise NoSuchArchive(f"there is no archive {name[:80]!r}; /archives lists those there are")
    return found


def _grids(city: "City", one: Served) -> Mapping[str, MatrixSet]:
    among = one.archive.grids
    return {name: grid for name, grid in city.grids.items() if among is None or name in among}


def _grid(city: "City", one: Served, tms: str) -> MatrixSet:
    grid = find_grid(city, tms)
    if grid.id not in _grids(city, one):
        raise NoSuchTile(f"archive {one.id!r} has tiles in {', '.join(_grids(city, one))} only")
    return grid


def _below(city: "City", one: Served) -> str:
    return f"{city.url}/archives/{one.id}/tiles"


def _tileset(city: "City", one: Served, grid: MatrixSet) -> Json:
    facts = one.archive.facts
    here = f"{_below(city, one)}/{grid.id}"
    named = {"tileMatrixSetURI": grid.document["uri"]} if "uri" in grid.document else {}
    corners = {"lowerLeft": list(facts.bounds[:2]), "upperRight": list(facts.bounds[2:]), "crs": _CRS84}
    return {
        "title": facts.name,
        "dataType": "vector" if facts.media_type == MVT else "map",
        "crs": grid.document["crs"],
        "tileMatrixSetId": grid.id,
        **named,
        "boundingBox": corners,
        "tileMatrixSetLimits": [li for li in limits(grid, facts.bounds) if _has(facts, int(li["tileMatrix"]))],
        "links": [link("self", "application/json", here), scheme(city.url, grid), item(facts.media_type, here)],
    }


def _has(facts: Facts, z: int) -> bool:
    return facts.lowest <= z <= facts.deepest


def _tile_json(city: "City", one: Served, grid: MatrixSet) -> Json:
    facts = one.archive.facts
    pictures = {} if facts.media_type == MVT else {"tileSize": 256}
    return {
        "tilejson": "3.0.0",
        "name": facts.name,
        "attribution": facts.attribution.replace("&", "&amp;").replace("<", "&lt;"),
        "scheme": "xyz",
        "tiles": [f"{_below(city, one)}/{grid.id}/{{z}}/{{y}}/{{x}}"],
        "minzoom": facts.lowest,
        "maxzoom": min(facts.deepest, len(grid.levels) - 1),
        "bounds": list(facts.bounds),
        **pictures,
        **facts.more,
    }


def _json(document: Json) -> Reply:
    return Reply(orjson.dumps(document))


_HERE = "/archives/{archive}/tiles"
#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/archives", get_archives),
    (_HERE, get_archive_tilesets),
    (f"{_HERE}/{{tms}}", get_archive_tileset),
    (f"{_HERE}/{{tms}}/{{z}}/{{y}}/{{x}}", get_archive_tile),
)
