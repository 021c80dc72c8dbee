"""What the colours mean: legend entries of a layer, in the reader's language."""

from collections.abc import Iterable, Mapping
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


def legend_of(layer: Layer, palette: Palette, language: str, position: int) -> list[Entry]:
    """``label``, ``color``, ``shape`` (fill, line, circle) and perhaps ``outline``, in the order of the map's classes."""
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
    return tables.get(layer.id) or list(_of_style(layer, palette, title, position))


def _roads(palette: Palette, language: str) -> list[Entry]:
    paths = {name: palette.path for name in ("track", "cycleway", "footway")}
    entries = _by_domain(ROAD_CLASSES, {**palette.road, **paths}, language, "line")
    classes = [code for code in ROAD_CLASSES if code in palette.road or code in paths]
    return [
        {**entry, "outline": palette.casing.get(code)} for code, entry in zip(classes, entries, strict=True)
    ]


def _by_domain(
    domain: Mapping[str, Text], colours: Mapping[str, str], language: str, shape: str, outline: str | None = None
) -> list[Entry]:
    return [_entry(text[language], colours[code], shape, outline) for code, text in domain.items() if code in colours]


def _of_style(layer: Layer, palette: Palette, title: str, position: int) -> Iterable[Entry]:
    """One entry for a plain style; one per class where a style's colour is a ``match``."""
    paints = [(part["type"], part.get("paint", {})) for part in layer.style if part["type"] != "symbol"]
    for kind, paint in paints[:1]:
        colour = paint.get(f"{kind}-color")
        if isinstance(colour, str):
            yield _entry(title, colour, _SHAPES.get(kind, "fill"))
            return
        if isinstance(colour, list) and colour[:1] == ["match"]:
            field = layer.field(str(colour[1][-1]))
            for value, code_colour in zip(colour[2:-1:2], colour[3:-1:2], strict=True):
                values = value if isinstance(value, list) else [value]
                labels = [
                    field.domain[str(v)][language] if field and field.domain and str(v) in field.domain else str(v)
                    for v in values
                ]
                yield _entry("、".join(labels), code_colour, _SHAPES.get(kind, "fill"))
            return
    shape = "circle" if layer.geometry_type.endswith("Point") else "line" if "Line" in layer.geometry_type else "fill"
    yield _entry(title, thematic_colour(palette, position), shape)


_SHAPES = {"fill": "fill", "line": "line", "circle": "circle", "fill-extrusion": "fill"}


def _entry(label: str, colour: str, shape: str, outline: str | None = None) -> Entry:
    return {"label": label, "color": colour, "shape": shape, "outline": outline}
