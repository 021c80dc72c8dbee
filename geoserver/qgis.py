"""Layers for QGIS in the city's colours: ``.qlr`` of one, to be dragged into a project, and a ``.qgs`` project of all.

Vectors are read as OGC API Features, coverages as tiles; nothing is copied.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.requests import Request

from geoserver.features import find_layer
from geoserver.openapi import Json, content, operation, reference
from geoserver.parameters import query_values
from geoserver.reply import Reply
from geoserver.web.palette import LIGHT
from geoserver.web.symbols import Class, symbols_of
from layers.base_layers import BASE_LAYERS
from layers.catalogue import Layer

if TYPE_CHECKING:
    from geoserver.city import City

_BASE = {layer.id for layer in BASE_LAYERS}
_QLR, _QGS = "application/x-qgis-layer-definition", "application/x-qgis-project"
_SYMBOLS = {"Polygon": "fill", "LineString": "line", "Point": "marker"}


def get_layer_definition(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/layer.qlr``."""
    query_values(request, ("lang",))
    layer, language = find_layer(city, collection), city.language(request)
    root = Element("qlr")
    _tree(root, city, [layer], language)
    SubElement(root, "maplayers").append(_map_layer(city, layer, language))
    return _file(root, "qgis-layer-definition", _QLR, f"{layer.id}.qlr")


def get_project(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /styles/city/project.qgs``: what the map client lists, the base layers switched on."""
    query_values(request, ("lang",))
    language = city.language(request)
    entries = city.style(language)["metadata"]["citymap:layers"]
    shown = [city.layers[entry["id"]] for entry in entries]
    on = {entry["id"] for entry in entries if entry["visible"]}
    root = Element("qgis", {"version": "3.22.0", "projectname": city.settings.metadata.identification.title.zh})
    _tree(root, city, shown, language, on)
    layers = SubElement(root, "projectlayers")
    for layer in shown:
        layers.append(_map_layer(city, layer, language))
    _system(SubElement(root, "projectCrs"), "EPSG:3857")
    # Without this QGIS leaves a project's system unread.
    enabled = SubElement(SubElement(SubElement(root, "properties"), "SpatialRefSys"), "ProjectionsEnabled", type="int")
    enabled.text = "1"
    return _file(root, "qgis", _QGS, "citymap.qgs")


def qgis_paths() -> Json:
    """These routes in OpenAPI."""
    collection = {"name": "collectionId", "in": "path", "required": True, "schema": {"type": "string"}}
    lang, text = reference("parameters", "lang"), {"type": "string", "format": "binary"}
    return {
        "/collections/{collectionId}/layer.qlr": {
            "get": operation(
                "getQgisLayer", "The layer for QGIS", [collection, lang], {"200": content("QLR", _QLR, schema=text)}
            )
        },
        "/styles/city/project.qgs": {
            "get": operation("getQgisProject", "The city for QGIS", [lang], {"200": content("QGS", _QGS, schema=text)})
        },
    }


def _tree(root: Element, city: "City", layers: Iterable[Layer], language: str, on: set[str] | None = None) -> None:
    group = SubElement(root, "layer-tree-group", {"name": "", "checked": "Qt::Checked", "expanded": "1"})
    SubElement(group, "customproperties")
    for layer in layers:
        checked = "Qt::Checked" if on is None or layer.id in on else "Qt::Unchecked"
        named = {"id": _id(layer), "name": layer.title[language], "checked": checked, "expanded": "0"}
        source, provider = _source(city, layer)
        one = SubElement(group, "layer-tree-layer", {**named, "source": source, "providerKey": provider})
        SubElement(one, "customproperties")


def _map_layer(city: "City", layer: Layer, language: str) -> Element:
    source, provider = _source(city, layer)
    vector = layer.kind != "coverage"
    found = Element("maplayer", {"type": "vector" if vector else "raster", "autoRefreshEnabled": "0"})
    for name, text in (("id", _id(layer)), ("datasource", source), ("layername", layer.title[language])):
        SubElement(found, name).text = text
    _system(SubElement(found, "srs"), "OGC:CRS84" if vector else "EPSG:3857")
    SubElement(found, "provider", {"encoding": "UTF-8"} if vector else {}).text = provider
    kind = layer.geometry_type.removeprefix("Multi")
    if vector and kind in _SYMBOLS:
        found.set("geometry", {"LineString": "Line"}.get(kind, kind))
        found.append(_renderer(city, layer, language, _SYMBOLS[kind]))
    return found


def _renderer(city: "City", layer: Layer, language: str, kind: str) -> Element:
    thematic = sorted((la for la in city.layers.values() if la.id not in _BASE), key=lambda la: (la.order, la.id))
    made = symbols_of(layer, LIGHT, language, thematic.index(layer) if layer in thematic else 0)
    if made.expression is None:
        renderer = Element("renderer-v2", {"type": "singleSymbol", "symbollevels": "0"})
    else:
        renderer = Element("renderer-v2", {"type": "categorizedSymbol", "symbollevels": "0", "attr": made.expression})
        categories = SubElement(renderer, "categories")
        for n, one in enumerate(made.classes):
            for value in one.values:
                values = {"value": str(value), "label": one.label, "symbol": str(n), "render": "true", "type": "string"}
                SubElement(categories, "category", values)
    symbols = SubElement(renderer, "symbols")
    for n, one in enumerate(made.classes):
        symbols.append(_symbol(str(n), kind, one))
    return renderer


def _symbol(name: str, kind: str, one: Class) -> Element:
    symbol = Element("symbol", {"type": kind, "name": name, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"})
    drawn = {
        "fill": (
            "SimpleFill",
            {"color": one.colour, "outline_color": one.outline or one.colour, "outline_width": "0.2"},
        ),
        "line": ("SimpleLine", {"line_color": one.colour, "line_width": "0.6", "capstyle": "round"}),
        "marker": ("SimpleMarker", {"color": one.colour, "outline_color": "#ffffff", "name": "circle", "size": "2.4"}),
    }
    class_, values = drawn[kind]
    layer = SubElement(symbol, "layer", {"class": class_, "enabled": "1", "locked": "0", "pass": "0"})
    for key, value in values.items():
        SubElement(layer, "prop", {"k": key, "v": _rgba(value) if value.startswith("#") else value})
    return symbol


def _rgba(colour: str) -> str:
    return ",".join(str(int(colour[n : n + 2], 16)) for n in (1, 3, 5)) + ",255"


def _source(city: "City", layer: Layer) -> tuple[str, str]:
    """The data source as QGIS writes it, and its provider."""
    if layer.kind != "coverage":
        return f" restrictToRequestBBOX='1' typename='{layer.id}' url='{city.url}'", "OAPIF"
    tiles = f"{city.url}/collections/{layer.id}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"
    return f"type=xyz&url={tiles}&zmin=0&zmax=20", "wms"


def _system(parent: Element, authority: str) -> None:
    """QGIS reads the authority's code only beside a number of its own, which is that of EPSG for 3857."""
    system = SubElement(parent, "spatialrefsys", {"nativeFormat": "Wkt"})
    number = authority.partition(":")[2]
    if number.isdigit():
        SubElement(system, "srsid").text = SubElement(system, "srid").text = number
    SubElement(system, "authid").text = authority


def _id(layer: Layer) -> str:
    return f"citymap_{layer.id.replace('-', '_')}"


def _file(root: Element, document: str, media_type: str, name: str) -> Reply:
    kind = f"<!DOCTYPE {document}>\n"
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    headers = {"Content-Disposition": f'attachment; filename="{plain}"', "Cache-Control": "no-cache"}
    return Reply(kind.encode() + tostring(root, encoding="utf-8"), media_type, headers=headers)


#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/collections/{collection}/layer.qlr", get_layer_definition),
    ("/styles/city/project.qgs", get_project),
)
