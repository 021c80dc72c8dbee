"""A layer with other protection: who may see it and its fields, and which fields say to whom its rows belong."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from layers.access import VISIBILITIES
from layers.catalogue import CatalogueError, Field, Layer


def protected(
    layer: Layer,
    visibility: str | None = None,
    fields: Mapping[str, str] | None = None,
    area_field: str | None = None,
    department_field: str | None = None,
) -> Layer:
    """The layer with what is given changed; None leaves a part as it is.

    Raises :class:`CatalogueError` for an unknown visibility or field.
    """
    levels = dict(fields or {})
    for level in (*levels.values(), visibility or layer.visibility):
        if level not in VISIBILITIES:
            raise CatalogueError(f"visibility {level!r} is none of {', '.join(VISIBILITIES)}")
    for name in (*levels, *filter(None, (area_field, department_field))):
        if layer.field(name) is None:
            raise CatalogueError(f"layer {layer.id!r} has no field {name!r}")
    changed = [_with_level(field, levels.get(field.name)) for field in layer.fields]
    for role, owner in (("area", area_field), ("department", department_field)):
        changed = [_with_role(field, role, owner) for field in changed] if owner else changed
    return layer.changed(visibility=visibility or layer.visibility, fields=tuple(changed))


def _with_level(field: Field, level: Any) -> Field:
    return replace(field, visibility=level) if level else field


def _with_role(field: Field, role: Any, name: str) -> Field:
    """The field, with the role if it is the one named, and without it if it had it before."""
    if field.name == name:
        if field.type != "string" or field.role not in (None, role):
            raise CatalogueError(f"field {name!r} cannot be the {role}: it is no text, or already the {field.role}")
        return replace(field, role=role)
    return replace(field, role=None) if field.role == role else field
