"""Which colour a layer's classes have, for programs that do not read MapLibre's styles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geoserver.web.legend import LAND_USE_CLASSES, legend_of
from geoserver.web.palette import Palette
from layers.base_layers import ADMIN_LEVELS, BUILDING_USES, POI_CATEGORIES, ROAD_CLASSES
from layers.catalogue import Layer, Text

#: Base layers that are coloured by a field: an expression of SQL and QGIS alike, and its values.
_CLASSES: Mapping[str, tuple[str, Mapping[str, Text]]] = {
    "admin-areas": ('"level"', ADMIN_LEVELS),
    "land-use": ('substr("code", 1, 2)', LAND_USE_CLASSES),
    "roads": ('"class"', ROAD_CLASSES),
    "buildings": ('"use"', BUILDING_USES),
    "pois": ('"category"', POI_CATEGORIES),
}


@dataclass(frozen=True, slots=True)
class Class:
    """Features with one of ``values``; without values all others."""

    values: tuple[Any, ...]
    label: str
    colour: str
    outline: str | None


@dataclass(frozen=True, slots=True)
class Symbols:
    """Classes by the value of ``expression``; without one, all features look like the only class."""

    expression: str | None
    classes: tuple[Class, ...]


def symbols_of(layer: Layer, palette: Palette, language: str, position: int) -> Symbols:
    """What the layer's legend says, with the values that it is said of."""
    entries = legend_of(layer, palette, language, position)
    by_label = {entry["label"]: entry for entry in entries}
    if layer.id in _CLASSES:
        expression, domain = _CLASSES[layer.id]
        named = [((value,), by_label[text[language]]) for value, text in domain.items() if text[language] in by_label]
    else:
        field, values = _matched(layer)
        expression = field or ""
        named = list(zip(values, entries, strict=False)) if field else []
    classes = tuple(Class(values, e["label"], e["color"], e["outline"]) for values, e in named)
    if not classes:
        first = entries[0]
        return Symbols(None, (Class((), first["label"], first["color"], first["outline"]),))
    return Symbols(expression, classes)


def _matched(layer: Layer) -> tuple[str | None, list[tuple[Any, ...]]]:
    """The expression by which the layer's own style is coloured, and the values of each class."""
    for part in layer.style:
        match part.get("paint", {}).get(f"{part['type']}-color"):
            case ["match", ["get", str(name)], *classes] if layer.field(name):
                values = [tuple(v) if isinstance(v, list) else (v,) for v in classes[:-1:2]]
                if "citymap:legend" not in part.get("metadata", {}):
                    return _only(part, f'"{name}"'), values
                return _only(part, f"coalesce(\"{name}\", 'none')"), [*values, ("none",)]
    return None, []


def _only(part: Mapping[str, Any], expression: str) -> str:
    """The expression for what a part draws alone: features that lack a field."""
    match part.get("filter"):
        case ["!", ["has", str(lacking)]]:
            return f'CASE WHEN "{lacking}" IS NULL THEN {expression} END'
    return expression
