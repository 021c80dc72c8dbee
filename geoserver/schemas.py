"""JSON Schemas of a layer: queryables (OGC 19-079r2 §6) and the schema of its features (OGC 23-058r1)."""

from collections.abc import Collection, Mapping
from typing import Any

from layers.catalogue import Field, FieldType, Layer
from layers.raster.coverage import Coverage

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
            "id": _identifier(),
            # By this address, and no other sign, QGIS knows the geometry and sends spatial filters to the server.
            "geom": {"$ref": f"https://geojson.org/schema/{layer.geometry_type}.json", **_geometry(layer)},
            **_fields(layer, language),
        },
        "additionalProperties": False,
    }


def schema(layer: Layer, url: str, language: str) -> dict[str, Any]:
    """The schema of the layer's features: what they return and what an edit may set."""
    return {
        **_head(layer, f"{url}/collections/{layer.id}/schema", language),
        "properties": {
            "id": {**_identifier(), "readOnly": True},
            "geometry": _geometry(layer),
            **_fields(layer, language),
        },
    }


def coverage_schema(coverage: Coverage, found: Collection[str], url: str, language: str) -> dict[str, Any]:
    """The bands of a coverage: those it declares, else those ``found`` in its images."""
    members = {band.name: _field(band, language) for band in coverage.bands}
    members = members or {name: {"title": name, "type": "number"} for name in sorted(found)}
    return {
        **_head(coverage.layer, f"{url}/collections/{coverage.layer.id}/schema", language),
        "properties": {
            name: {**member, "x-ogc-propertySeq": n} for n, (name, member) in enumerate(members.items(), 1)
        },
    }


def geojson_schema(layer: Layer, url: str, language: str, wide: Collection[str] = ()) -> dict[str, Any]:
    """The schema of the layer's features as GeoJSON, where the fields are members of ``properties``.

    GDAL takes the types of fields from it (link relation ``describedby``), else it guesses them from the first
    features, and cuts 3.5 to 3 where those had whole numbers. It reads single types only, so null is not among them,
    and an integer as 32 bits, so the fields in ``wide``, whose values need more, are called numbers.
    """
    members = schema(layer, url, language)["properties"]
    wanted = ("title", "type", "format", "items")
    fields = {f.name: {k: v for k, v in members[f.name].items() if k in wanted} for f in layer.fields}
    for name in wide:
        fields[name]["type"] = "number"
    return {
        **_head(layer, f"{url}/collections/{layer.id}/schema?f=geojson", language),
        "properties": {
            "type": {"type": "string", "const": "Feature"},
            "id": {"type": "integer"},
            "geometry": {"type": "object"},
            "properties": {"type": "object", "properties": fields},
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
    return {f.name: {**_field(f, language), "x-ogc-propertySeq": i} for i, f in enumerate(layer.fields, 3)}


def _identifier() -> dict[str, Any]:
    """QGIS orders the fields by their sequence numbers only if every one has its own."""
    return {"title": "ID", "type": "integer", "x-ogc-role": "id", "x-ogc-propertySeq": 1}


def _field(field: Field, language: str) -> dict[str, Any]:
    described: dict[str, Any] = {"title": field.title[language], **JSON_TYPES[field.type]}
    if field.unit:
        described |= {"x-ogc-unit": field.unit, "x-ogc-unitLang": "UCUM"}
    if field.domain:
        described["x-citymap-domain"] = {code: text[language] for code, text in field.domain.items()}
    return described


def _geometry(layer: Layer) -> dict[str, Any]:
    kind = "any" if layer.geometry_type == "Geometry" else layer.geometry_type.lower()
    return {"format": f"geometry-{kind}", "x-ogc-role": "primary-geometry", "x-ogc-propertySeq": 2}
