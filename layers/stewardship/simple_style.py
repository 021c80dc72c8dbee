"""简单样式 a simple style: colours, widths and a label, from which MapLibre's layers are made, and read back.

Source: MapLibre Style Specification v8.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from layers.catalogue import CatalogueError, Layer

_Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
_Value = Annotated[str, Field(max_length=200)]
_FieldName = Annotated[str, Field(min_length=1, max_length=60)]
#: Where the simple style of a layer stands in its style, so that an editor can go on with it.
KEPT = "citymap:simple"
_FONTS = ["CityMap Regular", "Noto Sans CJK SC"]


@dataclass(frozen=True, slots=True)
class ColourClass:
    """One value of a field, and its colour."""

    value: _Value
    color: _Colour


@dataclass(frozen=True, slots=True)
class SimpleStyle:
    """How a layer is drawn: its colour, or colours by the values of the field ``by``; ``opacity`` of areas; ``width``
    of lines, outlines and half that of points [px]; the field ``label``, written beside each feature."""

    color: _Colour = "#2f6fb0"
    outline: _Colour | None = None
    opacity: Annotated[float, Field(ge=0, le=1)] = 0.35
    width: Annotated[float, Field(ge=0, le=30)] = 1.5
    by: _FieldName | None = None
    classes: Annotated[tuple[ColourClass, ...], Field(max_length=60)] = ()
    label: _FieldName | None = None


_READ: TypeAdapter[SimpleStyle] = TypeAdapter(SimpleStyle)


def style_layers(layer: Layer, style: SimpleStyle) -> tuple[Mapping[str, Any], ...]:
    """The MapLibre layers that draw a layer so. Raises :class:`CatalogueError` for a field that it has not."""
    for name in filter(None, (style.by, style.label)):
        if layer.field(name) is None:
            raise CatalogueError(f"layer {layer.id!r} has no field {name!r}")
    colour = _colour(style)
    parts: list[dict[str, Any]] = []
    kind = layer.geometry_type
    if kind.endswith("Polygon") or kind == "Geometry":
        parts.append(_part("fill", "Polygon", {"fill-color": colour, "fill-opacity": style.opacity}))
        parts.append(_part("line", "Polygon", {"line-color": style.outline or colour, "line-width": style.width}))
    if kind.endswith("LineString") or kind == "Geometry":
        parts.append(_part("line", "LineString", {"line-color": colour, "line-width": style.width}))
    if kind.endswith("Point") or kind == "Geometry":
        edge = {"circle-stroke-color": style.outline or "#ffffff", "circle-stroke-width": 1}
        parts.append(_part("circle", "Point", {"circle-color": colour, "circle-radius": 2 + style.width * 2, **edge}))
    if style.label:
        text = {"text-field": ["to-string", ["get", style.label]], "text-font": _FONTS, "text-size": 12}
        halo = {"text-color": "#17222d", "text-halo-color": "#ffffff", "text-halo-width": 1.4}
        parts.append({"type": "symbol", "minzoom": 13, "layout": text, "paint": halo})
    parts[0]["metadata"] = {KEPT: asdict(style)}
    return tuple(parts)


def simple_of(layer: Layer) -> SimpleStyle | None:
    """The simple style from which the layer's style was made; None for any other style."""
    kept = layer.style[0].get("metadata", {}).get(KEPT) if layer.style else None
    try:
        return None if kept is None else _READ.validate_python(kept)
    except ValidationError:
        return None


def _colour(style: SimpleStyle) -> Any:
    if style.by is None or not style.classes:
        return style.color
    classes = {one.value: one.color for one in style.classes}
    pairs = [part for pair in classes.items() for part in pair]
    return ["match", ["to-string", ["get", style.by]], *pairs, style.color]


def _part(kind: str, geometry: str, paint: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "filter": ["==", ["geometry-type"], geometry], "paint": paint}
