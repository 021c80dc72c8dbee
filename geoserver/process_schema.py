"""JSON Schemas of a process's inputs and outputs, as OpenAPI 3.0 writes them: nothing referred to, all in one piece."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

type Json = dict[str, Any]

_DEPTH = 30
#: What OpenAPI 3.0 does not know, or needs no more.
_LEFT_OUT = ("$defs", "title", "discriminator", "propertyNames")


def schema_of(adapter: TypeAdapter[Any], mode: str = "validation") -> Json:
    """The schema of a type. Raises :class:`ValueError` for a type that contains itself."""
    schema = adapter.json_schema(mode="serialization" if mode == "serialization" else "validation")
    return _plain(schema, schema.get("$defs", {}), 0)


def _plain(schema: Json, definitions: Mapping[str, Json], depth: int) -> Json:
    """OpenAPI 3.0 knows ``nullable`` instead of the type null, ``enum`` instead of ``const``, and no tuples."""
    if depth > _DEPTH:
        raise ValueError("a process's input or output may not contain itself")
    if "$ref" in schema:
        definition = definitions[schema["$ref"].rsplit("/", 1)[1]]
        schema = {**definition, **{k: v for k, v in schema.items() if k != "$ref"}}
    plain = {name: value for name, value in schema.items() if name not in _LEFT_OUT}
    if isinstance(plain.get("default"), dict) and plain["default"].keys() == {"zh", "en"}:
        del plain["default"]  # pygeoapi would take it for a text of the page, and tell one language of it
    for name in ("items", "additionalProperties"):
        if isinstance(plain.get(name), dict):
            plain[name] = _plain(plain[name], definitions, depth + 1)
    if "properties" in plain:
        plain["properties"] = {k: _plain(v, definitions, depth + 1) for k, v in plain["properties"].items()}
    if "const" in plain:
        plain["enum"] = [plain.pop("const")]
    if "prefixItems" in plain:
        plain["items"] = _any([_plain(one, definitions, depth + 1) for one in plain.pop("prefixItems")])
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if bound in plain:
            plain[limit], plain[bound] = plain[bound], True
    for name in ("anyOf", "oneOf"):
        if name in plain:
            plain |= _alternatives(name, [_plain(one, definitions, depth + 1) for one in plain.pop(name)])
    return plain


def _alternatives(name: str, choices: list[Json]) -> Json:
    kept = [choice for choice in choices if choice.get("type") != "null"]
    nullable: Json = {"nullable": True} if len(kept) < len(choices) else {}
    return {**(kept[0] if len(kept) == 1 else {name: kept}), **nullable}


def _any(schemas: list[Json]) -> Json:
    different = [schema for i, schema in enumerate(schemas) if schema not in schemas[:i]]
    return different[0] if len(different) == 1 else {"anyOf": different}
