"""WMS 1.3.0 (OGC 06-042) for old clients, and 1.1.1, which has other names and no swapped axes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.legends import legend_entries
from geoserver.map_contents import MOST_PIXELS, MOST_SIDE, contents_of, draw, map_layers
from geoserver.maps import background
from geoserver.ows.documents import document, failed
from geoserver.ows.feature_info import FORMATS as INFO_FORMATS
from geoserver.ows.feature_info import feature_info
from geoserver.ows.parameters import number, required, time_of, upper_values
from geoserver.ows.wmts import described
from geoserver.raster_parameters import picture_format
from geoserver.reply import Reply
from layers.crs import CRS84, CrsError, epsg
from tiles.raster.look import FORMATS, Look

if TYPE_CHECKING:
    from geoserver.city import City
    from tiles.maps.frame import Frame

_EXCEPTION = "wms_exception.xml"
_MOST_LAYERS = 32


def get_wms(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /wms``."""
    try:
        values = upper_values(request)
        asked = required(values, "REQUEST").lower()
        if values.get("SERVICE", "WMS").upper() != "WMS":
            raise ParameterError("SERVICE", "is WMS here")
        if asked in _ANSWERS:
            return _ANSWERS[asked](city, request, values)
        raise ParameterError("REQUEST", "is GetCapabilities, GetMap, GetFeatureInfo or GetLegendGraphic")
    except PermissionError:
        raise
    except Exception as error:
        return failed(_EXCEPTION, error)


def _capabilities(city: "City", request: Request, values: Mapping[str, str]) -> Reply:
    old = values.get("VERSION", values.get("WMTVER", "1.3.0")).startswith("1.1")
    return document(
        "wms111.xml" if old else "wms.xml",
        "application/vnd.ogc.wms_xml" if old else "text/xml; charset=UTF-8",
        here=f"{city.url}/wms?",
        metadata=city.settings.metadata,
        layers=_listed(city, city.language(request)),
        systems=["CRS:84", *(f"EPSG:{srid}" for srid in sorted({4326, 3857, *city.settings.crs.offered}))],
        formats=list(FORMATS.values()),
        info_formats=INFO_FORMATS,
        side=MOST_SIDE,
    )


def _map(city: "City", request: Request, values: Mapping[str, str]) -> Reply:
    layers = map_layers(city, _names(values, "LAYERS"))
    frame = _frame(city, values)
    format_ = picture_format(required(values, "FORMAT").split(";")[0])
    behind = background(values.get("BGCOLOR", "0xFFFFFF"), values.get("TRANSPARENT", "FALSE"))
    look = Look(format=format_, time=time_of(values))
    made = draw(city, contents_of(city, layers, None, look, city.language(request), behind), frame, format_)
    return Reply(made.body, made.media_type, headers={"Cache-Control": "no-cache"})


def _info(city: "City", _request: Request, values: Mapping[str, str]) -> Reply:
    layers = map_layers(city, _names(values, "QUERY_LAYERS"))
    frame = _frame(city, values)
    column, row = ("X", "Y") if _old(values) else ("I", "J")
    i, j = number(values, column, frame.width - 1), number(values, row, frame.height - 1)
    west, south, east, north = frame.bounds
    across, down = (east - west) / frame.width, (north - south) / frame.height
    point = (west + i * across, north - (j + 1) * down, west + (i + 1) * across, north - j * down)
    count = number(values, "FEATURE_COUNT", 1000, 1)
    format_ = values.get("INFO_FORMAT", INFO_FORMATS[0])
    return feature_info(city, layers, point, frame.srid, format_, count, time_of(values))


def _legend(city: "City", request: Request, values: Mapping[str, str]) -> Reply:
    """GetLegendGraphic (OGC 05-078r4 §12) of one layer, as PNG or another picture."""
    from tiles.maps.legends import draw_legend
    from tiles.raster.pictures import encode

    layers = map_layers(city, [required(values, "LAYER")])
    language = city.language(request)
    entries = [entry for layer in layers for entry in legend_entries(city, layer, Look(), language)]
    body, media_type = encode(draw_legend(entries), picture_format(values.get("FORMAT", "image/png")))
    return Reply(body, media_type, headers={"Cache-Control": "no-cache", "Content-Language": language})


def _listed(city: "City", language: str) -> list[dict[str, Any]]:
    """The layers of the capabilities, vector ones with the size of their legend [pixels]."""
    from tiles.maps.legends import legend_size

    listed = described(city, language)
    for one in listed:
        layer = city.layers.get(one["id"])
        if layer is not None and layer.kind != "coverage":
            one["legend"] = legend_size(legend_entries(city, layer, Look(), language))
    return listed


_ANSWERS: Mapping[str, Callable[["City", Request, Mapping[str, str]], Reply]] = {
    "getcapabilities": _capabilities,
    "capabilities": _capabilities,
    "getmap": _map,
    "getfeatureinfo": _info,
    "getlegendgraphic": _legend,
}


def _names(values: Mapping[str, str], parameter: str) -> list[str]:
    names = list(dict.fromkeys(required(values, parameter).split(",")))
    if len(names) > _MOST_LAYERS:
        raise ParameterError(parameter, f"names more than {_MOST_LAYERS} layers")
    return names


def _old(values: Mapping[str, str]) -> bool:
    return required(values, "VERSION").startswith("1.1")


def _frame(city: "City", values: Mapping[str, str]) -> "Frame":
    from tiles.maps.frame import Frame

    width, height = number(values, "WIDTH", MOST_SIDE), number(values, "HEIGHT", MOST_SIDE)
    if not (width and height and width * height <= MOST_PIXELS):
        raise ParameterError("WIDTH", f"a map of {width} × {height} pixels is not drawn; {MOST_PIXELS} are the bound")
    old = _old(values)
    name = "SRS" if old else "CRS"
    srid, swapped = _system(city, name, required(values, name))
    try:
        a, b, c, d = (float(part) for part in required(values, "BBOX").split(",", 4))
    except ValueError:
        raise ParameterError("BBOX", "is not four numbers separated by commas") from None
    bounds = (b, a, d, c) if swapped and not old else (a, b, c, d)
    if not (bounds[0] < bounds[2] and bounds[1] < bounds[3]):
        raise ParameterError("BBOX", "has no area: it is minx,miny,maxx,maxy in the order of the CRS's axes")
    return Frame(bounds, srid, width, height)


def _system(city: "City", name: str, text: str) -> tuple[int, bool]:
    """EPSG code, and whether its first axis points north."""
    authority, _, code = text.upper().rpartition(":")
    if (authority, code) == ("CRS", "84"):
        return CRS84.srid, False
    if authority == "EPSG" and code.isascii() and code.isdigit() and len(code) < 7:
        srid = {"900913": 3857}.get(code, int(code))
        if srid in {4326, 3857, *city.settings.crs.offered}:
            return srid, epsg(srid).axis_swapped
    raise CrsError(f"{name} {text[:40]!r} is not offered; see the capabilities")


#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (("/wms", get_wms),)
