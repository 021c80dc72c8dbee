"""From the columns of a survey to the fields of a layer: units, codes, numbers that mean nothing, names made of several
columns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from layers.catalogue import Field, Layer
from layers.importing.errors import ImportRefused

Unit = Literal["mm", "cm", "m", "in", "ft", "us-ft"]
#: Metres of one.
_METRES = {"mm": 0.001, "cm": 0.01, "m": 1.0, "in": 0.0254, "ft": 0.3048, "us-ft": 1200 / 3937}
_BRACES = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Column:
    """Where the values of a field come from.

    ``column``: a column of the file, or a text with columns in braces such as ``MH-{MANHOLE_ID}``. ``unit`` is what
    the file measures in. ``codes`` translates values; others are left out. ``empty`` are numbers that mean unknown.
    ``value`` is the same for every feature, without a column.
    """

    column: str | None = None
    unit: Unit | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    empty: tuple[float, ...] = ()
    value: str | float | bool | None = None


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
        return pd.Series([column.value] * len(frame), index=frame.index, dtype=object)
    if _BRACES.search(column.column):
        return _composed(frame, column.column)
    values = frame[column.column]
    if column.codes:
        texts = values.map(plain)
        return texts.map(lambda text: column.codes.get(text) if text is not None else None)
    if target.type in ("number", "integer"):
        return _measured(values, target, column)
    return values.map(plain) if target.type == "string" else values


def _measured(values: Any, target: Field, column: Column) -> Any:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    numbers = numbers.mask(numbers.isin(column.empty))
    if column.unit:
        assert target.unit is not None
        numbers = (numbers * (_METRES[column.unit] / _METRES[target.unit])).round(4)
    return numbers.round().astype("Int64") if target.type == "integer" else numbers


def _composed(frame: pd.DataFrame, template: str) -> Any:
    """Each row's text; None where one of its columns is empty."""
    parts = {name: frame[name].map(plain) for name in _BRACES.findall(template)}
    known = np.logical_and.reduce([part.notna().to_numpy() for part in parts.values()])
    rows = [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]
    made = [
        _BRACES.sub(lambda match, row=row: row[match[1]], template) if whole else None  # type: ignore[misc]
        for row, whole in zip(rows, known.tolist(), strict=True)
    ]
    return pd.Series(made, index=frame.index, dtype=object)


def plain(value: Any) -> str | None:
    """A value as text: whole numbers without a point; None for null and blank."""
    if pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() or None
