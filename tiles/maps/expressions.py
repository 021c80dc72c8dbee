"""Expressions of the MapLibre Style Specification v8, as far as the styles of this server use them.

Values of ``paint`` and ``layout`` and filters, for one feature at one zoom.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import ImageColor


class UnknownExpression(ValueError):
    """An expression has an operator that is not known here."""


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression may look at: a feature's fields, its kind (``Point`` …), the zoom."""

    fields: Mapping[str, Any]
    kind: str
    zoom: float


def evaluate(expression: Any, context: Context) -> Any:
    """The value. Raises :class:`UnknownExpression`."""
    if not isinstance(expression, list):
        return expression
    if not expression or not isinstance(expression[0], str):
        return expression
    operator = expression[0]
    if operator in _SPECIAL:
        return _SPECIAL[operator](expression, context)
    if operator not in _PLAIN:
        raise UnknownExpression(f"{operator[:40]!r} is not known to this renderer")
    return _PLAIN[operator](*(evaluate(argument, context) for argument in expression[1:]))


def depends_on_feature(expression: Any) -> bool:
    """Whether the value may differ from feature to feature."""
    if not isinstance(expression, list) or not expression:
        return False
    return expression[0] in ("get", "has", "geometry-type") or any(map(depends_on_feature, expression[1:]))


def _get(expression: Sequence[Any], context: Context) -> Any:
    return context.fields.get(expression[1])


def _match(expression: Sequence[Any], context: Context) -> Any:
    value = evaluate(expression[1], context)
    for label, output in zip(expression[2:-1:2], expression[3:-1:2], strict=True):
        if value in label if isinstance(label, list) else value == label:
            return evaluate(output, context)
    return evaluate(expression[-1], context)


def _case(expression: Sequence[Any], context: Context) -> Any:
    for condition, output in zip(expression[1:-1:2], expression[2:-1:2], strict=True):
        if evaluate(condition, context):
            return evaluate(output, context)
    return evaluate(expression[-1], context)


def _coalesce(expression: Sequence[Any], context: Context) -> Any:
    return next((v for argument in expression[1:] if (v := evaluate(argument, context)) is not None), None)


def _step(expression: Sequence[Any], context: Context) -> Any:
    value = float(evaluate(expression[1], context) or 0)
    output = expression[2]
    for stop, following in zip(expression[3::2], expression[4::2], strict=True):
        if value < stop:
            break
        output = following
    return evaluate(output, context)


def _interpolate(expression: Sequence[Any], context: Context) -> Any:
    curve, value = expression[1], float(evaluate(expression[2], context) or 0)
    stops, outputs = expression[3::2], expression[4::2]
    if value <= stops[0]:
        return evaluate(outputs[0], context)
    for low, high, first, second in zip(stops, stops[1:], outputs, outputs[1:], strict=False):
        if value < high:
            base = float(curve[1]) if curve[0] == "exponential" else 1.0
            span, part = high - low, value - low
            share = part / span if base == 1 else (base**part - 1) / (base**span - 1)
            return _between(evaluate(first, context), evaluate(second, context), share)
    return evaluate(outputs[-1], context)


def _between(first: Any, second: Any, share: float) -> Any:
    if isinstance(first, str):
        a, b = colour(first), colour(second)
        return tuple(x + (y - x) * share for x, y in zip(a, b, strict=True))
    if isinstance(first, list):
        return [_between(x, y, share) for x, y in zip(first, second, strict=True)]
    return first + (second - first) * share


def _all(expression: Sequence[Any], context: Context) -> bool:
    return all(evaluate(argument, context) for argument in expression[1:])


def _any(expression: Sequence[Any], context: Context) -> bool:
    return any(evaluate(argument, context) for argument in expression[1:])


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(first: Any, second: Any) -> bool:
        try:
            return compare(first, second)
        except TypeError:  # null, or texts with numbers: MapLibre leaves such a feature out
            return False

    return compared


def _number(*values: Any) -> float:
    for value in values:
        try:
            return float(value)
        except (TypeError, ValueError):
            continue
    return 0.0


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _slice(value: Any, start: int, end: int | None = None) -> Any:
    return (value or "")[int(start) : None if end is None else int(end)]


_SPECIAL: Mapping[str, Callable[[Sequence[Any], Context], Any]] = {
    "get": _get,
    "has": lambda expression, context: context.fields.get(expression[1]) is not None,
    "literal": lambda expression, _context: expression[1],
    "zoom": lambda _expression, context: context.zoom,
    "geometry-type": lambda _expression, context: context.kind,
    "match": _match,
    "case": _case,
    "coalesce": _coalesce,
    "step": _step,
    "interpolate": _interpolate,
    "all": _all,
    "any": _any,
}
_PLAIN: Mapping[str, Callable[..., Any]] = {
    "!": lambda value: not value,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": _compared(lambda a, b: a < b),
    "<=": _compared(lambda a, b: a <= b),
    ">": _compared(lambda a, b: a > b),
    ">=": _compared(lambda a, b: a >= b),
    "in": lambda value, within: value is not None and value in (within or ()),
    "+": lambda *values: sum(values),
    "-": lambda a, b=None: -a if b is None else a - b,
    "*": lambda *values: math.prod(values),
    "/": lambda a, b: a / b if b else 0.0,
    "%": lambda a, b: math.fmod(a, b) if b else 0.0,
    "min": min,
    "max": max,
    "slice": _slice,
    "length": lambda value: len(value or ""),
    "concat": lambda *values: "".join(map(_text, values)),
    "to-string": _text,
    "to-number": _number,
    "to-boolean": bool,
    "downcase": lambda value: _text(value).lower(),
    "upcase": lambda value: _text(value).upper(),
}


def colour(value: Any) -> tuple[float, float, float, float]:
    """Red, green, blue and alpha, each 0 to 1, of a CSS colour. Raises ValueError."""
    if isinstance(value, tuple):
        return value  # interpolated already
    parts = ImageColor.getrgb(str(value))
    red, green, blue = (part / 255 for part in parts[:3])
    return red, green, blue, parts[3] / 255 if len(parts) > 3 else 1.0
