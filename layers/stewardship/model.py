"""What a steward reads and changes of a layer, as plain values. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field as Bounded

from layers.catalogue import CatalogueError, Field, Layer, Text, Visibility, Zooms
from layers.stewardship.simple_style import SimpleStyle, simple_of, style_layers

_Title = Annotated[str, Bounded(max_length=200)]


@dataclass(frozen=True, slots=True)
class CityLayers:
    """Ids of the layers that the server itself made and works with: they may be changed, but not removed."""

    ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Another 别名 alias, unit or visibility of a field; None leaves each as it is."""

    zh: _Title | None = None
    en: _Title | None = None
    unit: Annotated[str, Bounded(max_length=40)] | None = None
    visibility: Visibility | None = None


@dataclass(frozen=True, slots=True)
class FieldAbout:
    """A field as a steward sees it."""

    name: str
    type: str
    title: Text
    unit: str | None
    visibility: Visibility
    role: str | None
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LayerAbout:
    """A layer as a steward sees it. ``style`` is None where it was not made by simple means; ``removable`` unless the
    server itself works with it; ``manageable`` by whoever asks; ``features`` how many it has."""

    id: str
    title: Text
    description: Text
    keywords: tuple[str, ...]
    kind: str
    geometry_type: str
    srid: int
    visibility: Visibility
    editable: bool
    source: str
    licence: str
    order: int
    updated: str | None
    features: int
    fields: tuple[FieldAbout, ...]
    style: SimpleStyle | None
    styled: bool
    zooms: Zooms
    removable: bool
    manageable: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be changed of a layer; None leaves each part as it is."""

    order: int | None = None
    visibility: Visibility | None = None
    fields: Mapping[str, FieldChange] | None = None
    style: SimpleStyle | None = None
    zooms: Zooms | None = None


def about(layer: Layer, features: int, *, removable: bool, manageable: bool) -> LayerAbout:
    """A layer in the words of a steward."""
    return LayerAbout(
        layer.id, layer.title, layer.description, layer.keywords, layer.kind, layer.geometry_type, layer.srid,
        layer.visibility, layer.editable, layer.source, layer.licence, layer.order, layer.updated, features,
        tuple(map(_about_field, layer.fields)), simple_of(layer), bool(layer.style), layer.zooms, removable, manageable,
    )  # fmt: skip


def _about_field(field: Field) -> FieldAbout:
    return FieldAbout(
        field.name, field.type, field.title, field.unit, field.visibility, field.role, tuple(field.domain or ())
    )


def changed(layer: Layer, changes: Changes) -> Layer:
    """The layer with what is given changed. Raises :class:`CatalogueError` for a field that it has not."""
    for name in changes.fields or ():
        if layer.field(name) is None:
            raise CatalogueError(f"layer {layer.id!r} has no field {name!r}")
    found = layer.changed(
        order=layer.order if changes.order is None else changes.order,
        visibility=changes.visibility or layer.visibility,
        zooms=changes.zooms or layer.zooms,
        fields=tuple(_field(field, (changes.fields or {}).get(field.name)) for field in layer.fields),
    )
    return found.changed(style=style_layers(found, changes.style)) if changes.style else found


def _field(field: Field, change: FieldChange | None) -> Field:
    if change is None:
        return field
    unit = field.unit if change.unit is None else change.unit or None
    zh, en = field.title.zh if change.zh is None else change.zh, field.title.en if change.en is None else change.en
    return replace(field, title=Text(zh, en), unit=unit, visibility=change.visibility or field.visibility)
