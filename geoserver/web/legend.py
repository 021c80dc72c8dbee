"""What the colours mean: legend entries of a layer, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from geoserver.web.palette import Palette
from geoserver.web.thematic_style import thematic_colour
from layers.base_layers import ADMIN_LEVELS, BUILDING_USES, POI_CATEGORIES, ROAD_CLASSES
from layers.catalogue import Layer, Text

#: First-level classes of 用地用海分类指南 (2023), by the first two digits of the code.
LAND_USE_CLASSES: Mapping[str, Text] = {
    "01": Text("耕地", "Cropland"),
    "02": Text("园地", "Orchards"),
    "03": Text("林地", "Woodland"),
    "04": Text("草地", "Grassland"),
    "05": Text("湿地", "Wetland"),
    "07": Text("居住用地", "Residential"),
    "08": Text("公共管理与公共服务", "Public services"),
    "09": Text("商业服务业", "Commerce"),
    "10": Text("工矿用地", "Industry and mining"),
    "11": Text("仓储用地", "Storage"),
    "12": Text("交通运输", "Transport"),
    "13": Text("公用设施", "Utilities"),
    "14": Text("绿地与开敞空间", "Green and open space"),
    "17": Text("陆地水域", "Inland water"),
}

type Entry = dict[str, Any]

_SHAPES = {"fill": "fill", "line": "line", "circle": "circle", "fill-extrusion": "fill"}


def legend_of(layer: Layer, palette: Palette, language: str, position: int) -> list[Entry]:
    """``label``, ``color``, ``shape`` (fill, line, circle, text, picture), ``outline``, in the classes' order."""
    title = layer.title[language]
    tables: dict[str, list[Entry]] = {
        "admin-areas": _by_domain(ADMIN_LEVELS, palette.boundary, language, "line"),
        "land-use": _by_domain(LAND_USE_CLASSES, palette.land_use, language, "fill"),
        "water": [_entry(title, palette.water, "fill", palette.water_line)],
        "waterways": [_entry(title, palette.water_line, "line")],
        "roads": _roads(palette, language),
        "buildings": _by_domain(BUILDING_USES, palette.building, language, "fill", palette.building_line),
        "addresses": [_entry(title, palette.text_soft, "text")],
        "pois": _by_domain(POI_CATEGORIES, palette.poi, language, "circle"),
        "places": [_entry(title, palette.text_place, "text")],
    }
    return tables.get(layer.id) or _of_style(layer, language) or [_by_geometry(layer, palette, title, position)]


def _roads(palette: Palette, language: str) -> list[Entry]:
    paths = {name: palette.path for name in ("track", "cycleway", "footway")}
    entries = _by_domain(ROAD_CLASSES, {**palette.road, **paths}, language, "line")
    classes = [code for code in ROAD_CLASSES if code in palette.road or code in paths]
    return [{**entry, "outline": palette.casing.get(code)} for code, entry in zip(classes, entries, strict=True)]


def _by_domain(
    domain: Mapping[str, Text], colours: Mapping[str, str], language: str, shape: str, outline: str | None = None
) -> list[Entry]:
    return [_entry(text[language], colours[code], shape, outline) for code, text in domain.items() if code in colours]


def _of_style(layer: Layer, language: str) -> list[Entry]:
    """What the layer's own style says: its one colour, or a colour per class where it is a ``match`` on a field.

    A part whose metadata have a ``citymap:legend`` names its only colour by it, or that of what is in no class.
    """
    parts = [part for part in layer.style if part["type"] in _SHAPES]
    if not parts:
        return []
    first = next((part for part in parts if is_classed(part)), parts[0])
    named = (first, *(part for part in parts if part is not first))
    return _classes(layer, first, language) + [entry for part in named for entry in _named(part, language)]


def is_classed(part: Mapping[str, Any]) -> bool:
    """Whether a part of a style has a colour for each value of a field."""
    match part.get("paint", {}).get(f"{part['type']}-color"):
        case ["match", ["get", str()], *_]:
            return True
    return False


def _named(part: Mapping[str, Any], language: str) -> list[Entry]:
    """The entry that a part's metadata give a name."""
    label = part.get("metadata", {}).get("citymap:legend")
    colour = part.get("paint", {}).get(f"{part['type']}-color")
    tint = colour[-1] if isinstance(colour, list) else colour
    if label is None or not isinstance(tint, str):
        return []
    return [_entry(Text(label["zh"], label["en"])[language], tint, _SHAPES[part["type"]])]


def _classes(layer: Layer, first: Mapping[str, Any], language: str) -> list[Entry]:
    shape = _SHAPES[first["type"]]
    colour = first.get("paint", {}).get(f"{first['type']}-color")
    if isinstance(colour, str):
        return [_entry(layer.title[language], colour, shape)]
    match colour:
        case ["match", ["get", str(name)] | ["to-string", ["get", str(name)]], *classes]:
            return [
                _entry(_class_name(layer, name, value, language), tint, shape)
                for value, tint in zip(classes[:-1:2], classes[1::2], strict=True)
                if isinstance(tint, str)
            ]
    return []


def _class_name(layer: Layer, field_name: str, value: Any, language: str) -> str:
    field = layer.field(field_name)
    domain = field.domain if field and field.domain else {}
    values = value if isinstance(value, list) else [value]
    return "、".join(domain[str(v)][language] if str(v) in domain else str(v) for v in values)


def _by_geometry(layer: Layer, palette: Palette, title: str, position: int) -> Entry:
    kind = layer.geometry_type
    if layer.kind == "coverage":
        return _entry(title, thematic_colour(palette, position), "picture")
    shape = "circle" if kind.endswith("Point") else "line" if kind.endswith("LineString") else "fill"
    return _entry(title, thematic_colour(palette, position), shape)


def _entry(label: str, colour: str, shape: str, outline: str | None = None) -> Entry:
    return {"label": label, "color": colour, "shape": shape, "outline": outline}
