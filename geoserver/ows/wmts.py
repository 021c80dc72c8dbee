"""WMTS 1.0.0 (OGC 07-057r7), by key and value and by address; profile ``ogc``, and ``tianditu`` (天地图).

天地图 calls its grids ``c`` (EPSG:4490) and ``w`` (web mercator), counts levels from 1, asks for ``FORMAT=tiles`` and
takes pixels of 96 dpi for its scales.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.map_contents import CITY, contents_of, map_layers, map_tile
from geoserver.ows.documents import document, failed
from geoserver.ows.feature_info import FORMATS as INFO_FORMATS
from geoserver.ows.feature_info import feature_info
from geoserver.ows.parameters import number, required, time_of, upper_values
from geoserver.raster_parameters import picture_format
from geoserver.reply import Reply
from geoserver.tile_parameters import tile_address
from geoserver.tile_reply import tile_reply
from layers.registry import LayerNotFound
from tiles.cache.tile import Tile
from tiles.matrix_sets import METRES_PER_DEGREE, PIXEL, MatrixSet, NoSuchTile
from tiles.raster.look import Look
from tiles.tilesets import extent

if TYPE_CHECKING:
    from geoserver.city import City

_EXCEPTION = "wmts_exception.xml"
_FORMATS = ("image/png", "image/jpeg", "image/webp")
_STYLE = "default"
_SIDE = 256
#: Side of a pixel at 96 dpi [m].
_PIXEL_96 = 0.0254 / 96


@dataclass(frozen=True, slots=True)
class Profile:
    """How a family of clients speaks: its grids by its own ids, the number of its first level, its format names."""

    id: str
    grids: Mapping[str, str]
    first: int
    formats: tuple[str, ...]
    pixel: float
    levels: int = 99


OGC = Profile("ogc", {}, 0, _FORMATS, PIXEL)
#: Its level 1 of degrees is that of two tiles, of mercator that of four.
TIANDITU = Profile("tianditu", {"c": "CGCS2000Quad", "w": "WebMercatorQuad"}, 1, ("tiles",), _PIXEL_96, 20)
_FIRST_SHOWN = {"c": 0, "w": 1}


def get_wmts(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /wmts``."""
    return _answered(city, request, OGC)


def get_tianditu(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /wmts/tianditu``."""
    return _answered(city, request, TIANDITU)


def get_capabilities_document(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /wmts/1.0.0/WMTSCapabilities.xml``."""
    return _capabilities(city, request, OGC)


def get_rest_tile(
    city: "City", request: Request, _body: bytes, collection: str, style: str, tms: str, z: str, y: str, x: str
) -> Reply:
    """``GET /wmts/{layer}/{style}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.{png|jpg|webp}``."""
    try:
        column, _, suffix = x.partition(".")
        values = {"LAYER": collection, "STYLE": style, "TILEMATRIXSET": tms, "TILEMATRIX": z, "TILEROW": y,
                  "TILECOL": column, "FORMAT": suffix or "image/png", **upper_values(request)}  # fmt: skip
        return _tile(city, request, OGC, values)
    except PermissionError:
        raise
    except Exception as error:
        return failed(_EXCEPTION, error)


def get_rest_info(
    city: "City", request: Request, _body: bytes, collection: str, style: str, tms: str, z: str, y: str, x: str,
    j: str, i: str,
) -> Reply:  # fmt: skip
    """``GET /wmts/{layer}/{style}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}/{J}/{I}``."""
    try:
        values = {"LAYER": collection, "STYLE": style, "TILEMATRIXSET": tms, "TILEMATRIX": z, "TILEROW": y,
                  "TILECOL": x, "J": j, "I": i.partition(".")[0], "INFOFORMAT": INFO_FORMATS[0]}  # fmt: skip
        return _info(city, OGC, values)
    except PermissionError:
        raise
    except Exception as error:
        return failed(_EXCEPTION, error)


def _answered(city: "City", request: Request, profile: Profile) -> Reply:
    try:
        values = upper_values(request)
        asked = required(values, "REQUEST").lower()
        if values.get("SERVICE", "WMTS").upper() != "WMTS":
            raise ParameterError("SERVICE", "is WMTS here")
        if asked == "getcapabilities":
            return _capabilities(city, request, profile)
        if asked == "gettile":
            return _tile(city, request, profile, values)
        if asked == "getfeatureinfo":
            return _info(city, profile, values)
        raise ParameterError("REQUEST", "is GetCapabilities, GetTile or GetFeatureInfo")
    except PermissionError:
        raise
    except Exception as error:
        return failed(_EXCEPTION, error)


def _tile(city: "City", request: Request, profile: Profile, values: Mapping[str, str]) -> Reply:
    layers = map_layers(city, [required(values, "LAYER")])
    if values.get("STYLE", _STYLE) not in (_STYLE, ""):
        raise LayerNotFound(f"style {values['STYLE'][:40]!r} is not offered; there is {_STYLE!r}")
    wanted = required(values, "FORMAT")
    format_ = picture_format("auto" if wanted == "tiles" else wanted)
    look = Look(format=format_, time=time_of(values))
    shown = contents_of(city, layers, None, look, city.language(request), None)
    made = map_tile(city, request, shown, _place(city, profile, values), _SIDE, format_)
    if isinstance(made, Tile):
        return tile_reply(request, made)
    return Reply(made.body, made.media_type, headers={"Cache-Control": "no-cache"})


def _info(city: "City", profile: Profile, values: Mapping[str, str]) -> Reply:
    layers = map_layers(city, [required(values, "LAYER")])
    grid, z, y, x = _place(city, profile, values)
    west, _south, _east, north = grid.box(z, y, x)
    side = grid.levels[z].width / _SIDE
    i, j = number(values, "I", _SIDE - 1), number(values, "J", _SIDE - 1)
    point = (west + i * side, north - (j + 1) * side, west + (i + 1) * side, north - j * side)
    format_ = values.get("INFOFORMAT", values.get("INFO_FORMAT", INFO_FORMATS[0]))
    return feature_info(city, layers, point, grid.srid, format_, 10, time_of(values))


def _place(city: "City", profile: Profile, values: Mapping[str, str]) -> tuple[MatrixSet, int, int, int]:
    tms = required(values, "TILEMATRIXSET")
    grid = city.grids.get(profile.grids.get(tms, tms if not profile.grids else ""))
    if grid is None:
        offered = ", ".join(profile.grids or city.grids)
        raise NoSuchTile(f"tile matrix set {tms[:40]!r} is not offered here; {offered} are")
    names = ("TILEMATRIX", "TILEROW", "TILECOL")
    z, y, x = tile_address(*(required(values, name) for name in names))
    shift = profile.first - _FIRST_SHOWN.get(tms, 0) if profile.grids else 0
    if z < profile.first:
        raise NoSuchTile(f"levels begin at {profile.first} here")
    grid.level(z - shift, y, x)
    return grid, z - shift, y, x


def _capabilities(city: "City", request: Request, profile: Profile) -> Reply:
    language = city.language(request)
    return document(
        "wmts.xml",
        url=city.url,
        here=f"{city.url}/wmts" + (f"/{profile.id}" if profile.grids else ""),
        metadata=city.settings.metadata,
        layers=described(city, language),
        grids=_grids(city, profile),
        profile=profile,
        info_formats=INFO_FORMATS,
    )


def described(city: "City", language: str) -> list[dict[str, Any]]:
    """What capabilities tell of each layer, the city's map first."""
    base = {"id": CITY, "title": "城市一张图" if language.startswith("zh") else "City map", "text": ""}
    shown = [{**base, "bounds": extent(map_layers(city, [CITY]))}]
    for layer in city.layers.values():
        text = layer.description[language]
        shown.append({"id": layer.id, "title": layer.title[language], "text": text, "bounds": layer.extent})
    return shown


def _grids(city: "City", profile: Profile) -> list[dict[str, Any]]:
    named = profile.grids or {name: name for name in city.grids}
    found = []
    for name, grid in ((name, city.grids[own]) for name, own in named.items()):
        matrices = grid.document["tileMatrices"]
        shift = profile.first - _FIRST_SHOWN.get(name, 0) if profile.grids else 0
        shown = []
        for z, matrix in enumerate(matrices):
            if z + shift < profile.first or z + shift > profile.levels:
                continue
            metres = matrix["cellSize"] * (METRES_PER_DEGREE if grid.geographic else 1.0)
            scale = matrix["scaleDenominator"] if profile.pixel == PIXEL else metres / profile.pixel
            shown.append({**matrix, "id": z + shift, "scaleDenominator": scale})
        found.append({"id": name, "crs": _urn(grid), "matrices": shown})
    return found


def _urn(grid: MatrixSet) -> str:
    """``urn:ogc:def:crs:EPSG::4490`` of ``http://www.opengis.net/def/crs/EPSG/0/4490``."""
    crs = grid.document["crs"]
    uri = crs if isinstance(crs, str) else str(crs.get("uri", ""))
    authority, version, code = uri.rstrip("/").split("/")[-3:]
    return f"urn:ogc:def:crs:{authority}:{'' if version == '0' else version}:{code}"


_TILE = "/wmts/{collection}/{style}/{tms}/{z}/{y}/{x}"
#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/wmts", get_wmts),
    ("/wmts/tianditu", get_tianditu),
    ("/wmts/1.0.0/WMTSCapabilities.xml", get_capabilities_document),
    (_TILE, get_rest_tile),
    (f"{_TILE}/{{j}}/{{i}}", get_rest_info),
)
