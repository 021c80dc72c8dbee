"""From the columns of a survey to the fields of a layer: units, codes, numbers that mean nothing, names made of several
columns."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from layers.catalogue import Field, Layer
from layers.importing.errors import ImportRefused
from layers.pipes.column import Column

#: Metres of one.
_METRES = {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254, "ft": 0.3048, "us-ft": 1200 / 3937}
_BRACES = re.compile(r"\{([^{}]+)\}")


def columns_used(column: Column) -> list[str]:
    """The columns of the file that a field needs."""
    if column.column is None:
        return []
    return _BRACES.findall(column.column) or [column.column]


def check(layer: Layer, mapping: Mapping[str, Column], known: list[str]) -> None:
    """Raise :class:`ImportRefused` naming a field, column or unit that is not there."""
    for name, column in mapping.items():
        target = layer.field(name)
        if target is None:
            raise ImportRefused(f"图层 {layer.id} 没有字段 {name}", f"layer {layer.id!r} has no field {name[:60]!r}")
        missing = [used for used in columns_used(column) if used not in known]
        if missing:
            shown = ", ".join(known[:40])
            raise ImportRefused(
                f"文件没有列 {missing[0]}，有：{shown}", f"the file has no column {missing[0]!r}: {shown}"
            )
        if column.unit and target.unit not in _METRES:
            raise ImportRefused(f"字段 {name} 不是长度", f"field {name!r} is no length, so it takes no unit")


def values_of(frame: pd.DataFrame, target: Field, column: Column) -> Any:
    """The values of one field for a batch."""
    if column.column is None:
        return _objects(frame, [column.value] * len(frame))
    if _BRACES.search(column.column):
        return _composed(frame, column.column)
    values = frame[column.column]
    if column.codes:
        return _objects(frame, [column.codes.get(plain(value) or "") for value in values])
    if target.type in ("number", "integer"):
        return _measured(values, target, column)
    return _objects(frame, [plain(value) for value in values]) if target.type == "string" else values


def _measured(values: Any, target: Field, column: Column) -> Any:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    numbers = numbers.mask(numbers.isin(column.empty))
    if column.unit:
        assert target.unit is not None
        numbers = (numbers * (_METRES[column.unit] / _METRES[target.unit])).round(4)
    return numbers.round().astype("Int64") if target.type == "integer" else numbers


def _composed(frame: pd.DataFrame, template: str) -> Any:
    """Each row's text; None where one of its columns is empty."""
    parts = {name: [plain(value) for value in frame[name]] for name in _BRACES.findall(template)}
    rows = [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]
    made = [
        None if None in row.values() else _BRACES.sub(lambda match, row=row: row[match[1]], template)  # type: ignore[misc]
        for row in rows
    ]
    return _objects(frame, made)


def _objects(frame: pd.DataFrame, values: list[Any]) -> Any:
    """A column whose empty values stay None: pandas' own ways make numbers of them."""
    return pd.Series(values, index=frame.index, dtype=object)


def plain(value: Any) -> str | None:
    """A value as text: whole numbers without a point; None for null and blank."""
    if pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None
