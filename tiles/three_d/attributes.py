"""Attributes of buildings as a property table of EXT_structural_metadata (3D Metadata 1.0)."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from layers.catalogue import Field

type Json = dict[str, Any]

#: What stands for a number that is not known: no survey has it, and it is the same in every float.
NO_NUMBER = -9999.0
CLASS = "building"
_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def property_names(fields: Sequence[Field]) -> dict[str, Field]:
    """The fields by the id that the schema calls them: their name, or ``field_<n>`` for one in Chinese characters."""
    return {f.name if _PLAIN.fullmatch(f.name) else f"field_{n}": f for n, f in enumerate(fields)}


def schema(fields: Sequence[Field]) -> Json:
    """The class of a building. Numbers are 64-bit floats, whole up to 2⁵³; whatever else is a text."""
    properties: Json = {"id": {"name": "id", "type": "SCALAR", "componentType": "FLOAT64", "required": True}}
    for name, field in property_names(fields).items():
        about = {"name": field.title.zh, "description": _described(field)}
        if field.type in ("integer", "number"):
            properties[name] = {**about, "type": "SCALAR", "componentType": "FLOAT64", "noData": NO_NUMBER}
        else:
            properties[name] = {**about, "type": "STRING", "noData": ""}
    return {"id": "citymap", "classes": {CLASS: {"name": "建筑 building", "properties": properties}}}


def told_fields(fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> tuple[Field, ...]:
    """The fields that some row says something of: texts of which none is left could not be written."""
    return tuple(
        f for f in fields if f.type in ("integer", "number") or any(row[f.name] not in (None, "") for row in rows)
    )


def _described(field: Field) -> str:
    return field.title.en + (f" [{field.unit}]" if field.unit else "")


def columns(fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[bytes, bytes | None]]:
    """Per property its values as bytes, and of texts where each begins."""
    found: dict[str, tuple[bytes, bytes | None]] = {
        "id": (np.array([row["id"] for row in rows], "<f8").tobytes(), None)
    }
    for name, field in property_names(fields).items():
        values = [row[field.name] for row in rows]
        found[name] = _numbers(values) if field.type in ("integer", "number") else _texts(values)
    return found


def _numbers(values: Sequence[Any]) -> tuple[bytes, None]:
    known = [NO_NUMBER if v is None or not math.isfinite(v) else float(v) for v in values]
    return np.array(known, "<f8").tobytes(), None


def _texts(values: Sequence[Any]) -> tuple[bytes, bytes]:
    texts = ["" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for v in values]
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)])
    return b"".join(encoded), ends.astype("<u4").tobytes()
