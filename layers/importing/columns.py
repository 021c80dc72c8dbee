"""Attribute values made fit for a field: typed Arrow columns, with a remark for every value that does not fit."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from layers.catalogue import Field, FieldType, Text
from layers.importing.report import Findings, Remark

#: Times without a zone in files of Chinese offices are Beijing time.
LOCAL_TIME = ZoneInfo("Asia/Shanghai")

_TRUE = {"true", "t", "yes", "y", "1", "是", "有"}
_FALSE = {"false", "f", "no", "n", "0", "否", "无"}
_INT64 = 2**63
_DAY_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日")
_NAMES: dict[FieldType, Text] = {
    "string": Text("文本", "text"),
    "integer": Text("整数", "an integer"),
    "number": Text("数值", "a number"),
    "boolean": Text("真假值", "true or false"),
    "date": Text("日期", "a date"),
    "date-time": Text("时间", "a time"),
    "string-array": Text("文本列表", "a list of texts"),
}


def column(values: "pd.Series[Any]", field: Field, ids: Sequence[str], findings: Findings) -> pa.Array:
    """The values as the field's type, ready for COPY as CSV; a value that does not fit is left empty and reported.

    Numbers come as float64 or int64, texts as string, a list of texts as PostgreSQL's array literal; times without
    a zone are taken as Beijing time and stored as UTC.
    """
    quick = _quick(values, field.type)
    if quick is not None:
        if field.domain is not None:
            _check_domain(pc.unique(quick).to_pylist(), field, findings)
        return quick
    convert = _CONVERTERS[field.type]
    texts: list[Any] = []
    unfit: list[Remark] = []
    for position, value in enumerate(values.array):
        try:
            texts.append(None if is_null(value) else convert(value))
        except (ValueError, TypeError, OverflowError):
            texts.append(None)
            unfit.append(Remark(ids[position], _unfit(field, value)))
    findings.repair(unfit)
    _check_domain(texts, field, findings)
    return pa.array(texts, type=_ARROW[field.type])


def _quick(values: "pd.Series[Any]", kind: FieldType) -> pa.Array | None:
    """Columns that already have a machine type and need no look at each value."""
    if isinstance(values.dtype, pd.ArrowDtype):
        return _quick_arrow(pa.array(values), kind)
    if not isinstance(values.dtype, np.dtype):
        return None
    if kind == "integer" and values.dtype.kind in "iu" and values.dtype != np.uint64:
        return pa.array(values.to_numpy(), type=pa.int64())
    if kind == "number" and values.dtype.kind in "iuf":
        numbers = values.to_numpy(dtype=np.float64)
        if not np.isinf(numbers).any():
            return pa.array(numbers, type=pa.float64(), from_pandas=True)
    if kind == "boolean" and values.dtype.kind == "b":
        return pa.array(values.to_numpy(), type=pa.bool_())
    return None


def _quick_arrow(values: pa.Array, kind: FieldType) -> pa.Array | None:
    types, arrow = pa.types, values.type
    fits = {
        "integer": types.is_integer(arrow) and not types.is_uint64(arrow),
        "number": types.is_floating(arrow) or types.is_integer(arrow),
        "boolean": types.is_boolean(arrow),
        "date": types.is_date(arrow),
        "string": types.is_string(arrow) or types.is_large_string(arrow),
    }
    if types.is_null(arrow):
        return pa.nulls(len(values), _ARROW[kind])
    if not fits.get(kind, False):
        return None
    if types.is_floating(arrow):
        values = pc.if_else(pc.is_nan(values), None, values)
        if pc.any(pc.is_inf(values)).as_py():
            return None
    if kind == "string" and pc.any(pc.match_substring(values, "\0")).as_py():
        return None
    return values.cast(_ARROW[kind])


def is_null(value: Any) -> bool:
    """Whether pandas means "no value" by it."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)


def as_text(value: Any) -> str:
    """A value as text: whole floats without a fraction, lists and objects as JSON."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("PostgreSQL texts hold no NUL")
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, list | dict | np.ndarray):
        return json.dumps(value.tolist() if isinstance(value, np.ndarray) else value, ensure_ascii=False, default=str)
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))  # a code column that pandas widened because some values are missing
    if isinstance(value, bytes):
        raise ValueError("binary value")
    return str(value)


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        value = value.strip().replace(",", "")
        if not value:
            return None
    number = float(value)
    if not isfinite(number):
        raise ValueError("not finite")
    return number


def _integer(value: Any) -> int | None:
    if isinstance(value, str):
        value = value.strip().replace(",", "")
        if not value:
            return None
        try:
            value = int(value)
        except ValueError:
            value = float(value)
    number = int(value)
    if number != value or not -_INT64 <= number < _INT64:
        raise ValueError("not a 64-bit integer")
    return number


def _boolean(value: Any) -> bool | None:
    text = str(value).strip().lower().removesuffix(".0")
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if not text:
        return None
    raise ValueError("neither true nor false")


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    for pattern in _DAY_FORMATS:
        try:
            return datetime.strptime(text, pattern).date()
        except ValueError:
            continue
    return datetime.fromisoformat(text).date() if text else None


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        text = value.strip().replace("/", "-")
        if not text:
            return None
        value = datetime.fromisoformat(text)
    elif isinstance(value, pd.Timestamp):
        value = value.to_pydatetime(warn=False)
    elif not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    moment: datetime = value if value.tzinfo else value.replace(tzinfo=LOCAL_TIME)
    return moment.astimezone(UTC)


def _array(value: Any) -> str | None:
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else ([value] if value else [])
    parts = []
    for item in value:
        text = as_text(item).replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'"{text}"')
    return "{" + ",".join(parts) + "}"


_CONVERTERS: dict[FieldType, Callable[[Any], Any]] = {
    "string": as_text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "date-time": _time,
    "string-array": _array,
}
_ARROW: dict[FieldType, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "date-time": pa.timestamp("us", tz="UTC"),
    "string-array": pa.string(),
}


def _unfit(field: Field, value: Any) -> Text:
    shown, kind = repr(value)[:60], _NAMES[field.type]
    return Text(
        f"字段 {field.name} 的值 {shown} 不是{kind.zh}，已留空",
        f"field {field.name}: {shown} is not {kind.en}, left empty",
    )


def _check_domain(values: Sequence[Any], field: Field, findings: Findings) -> None:
    """Warn of codes that the field's list does not know; they are stored all the same."""
    if field.domain is None:
        return
    unknown = sorted({str(value) for value in values if value is not None} - set(field.domain))
    if unknown:
        shown = ", ".join(unknown[:5])
        findings.warn(
            Text(
                f"字段 {field.name} 有值域以外的值：{shown}",
                f"field {field.name} has values outside its list: {shown}",
            ),
            about=f"domain of {field.name}",
        )
