"""JSON Schemas of a layer: queryables (OGC 19-079r2 §6) and the schema of its features (OGC 23-058r1)."""

from collections.abc import Mapping
from typing import Any

from layers.catalogue import Field, FieldType, Layer

#: What each field type is in JSON Schema.
JSON_TYPES: Mapping[FieldType, Mapping[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "string-array": {"type": "array", "items": {"type": "string"}},
}


def queryables(layer: Layer, url: str, language: str) -> dict[str, Any]:
    """What filters and query parameters may name, as JSON Schema."""
    return {
        **_head(layer, f"{url}/collections/{layer.id}/queryables", language),
        "properties": {
            "id": {"title": "ID", "type": "integer", "x-ogc-role": "id"},
            **_fields(layer, language),
            "geom": _geometry(layer),
        },
        "additionalProperties": False,
    }


def schema(layer: Layer, url: str, language: str) -> dict[str, Any]:
    """The schema of the layer's features: what they return and what an edit may set."""
    return {
        **_head(layer, f"{url}/collections/{layer.id}/schema", language),
        "properties": {
            "id": {"title": "ID", "type": "integer", "x-ogc-role": "id", "readOnly": True},
            **_fields(layer, language),
            "geometry": _geometry(layer),
        },
    }


def _head(layer: Layer, identifier: str, language: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": identifier,
        "type": "object",
        "title": layer.title[language],
        "description": layer.description[language],
    }


def _fields(layer: Layer, language: str) -> dict[str, Any]:
    return {f.name: {**_field(f, language), "x-ogc-propertySeq": i} for i, f in enumerate(layer.fields, 2)}


def _field(field: Field, language: str) -> dict[str, Any]:
    described: dict[str, Any] = {"title": field.title[language], **JSON_TYPES[field.type]}
    if field.unit:
        described |= {"x-ogc-unit": field.unit, "x-ogc-unitLang": "UCUM"}
    if field.domain:
        described["x-citymap-domain"] = {code: text[language] for code, text in field.domain.items()}
    return described


def _geometry(layer: Layer) -> dict[str, Any]:
    kind = "any" if layer.geometry_type == "Geometry" else layer.geometry_type.lower()
    return {"format": f"geometry-{kind}", "x-ogc-role": "primary-geometry", "x-ogc-propertySeq": 1}
