"""CQL2 text or CQL2 JSON to a checked CQL2-JSON value (OGC 21-065r2)."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

import cql2

from layers.cql2.errors import Cql2Error, excerpt
from layers.cql2.scanner import STAND_IN, Scanned, position, scan

LANGUAGES = ("cql2-text", "cql2-json")
#: A filter in CQL2 JSON: an object, or TRUE/FALSE alone.
Expression = dict[str, Any] | bool

_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a filter may cost. ``max_work`` bounds the text parser's steps over a malformed text (up to 0.3 µs each)."""

    max_bytes: int = 100_000
    max_depth: int = 32
    max_nodes: int = 2_000
    max_operators: int = 1_000
    max_coordinates: int = 10_000
    max_work: int = 2_000_000


def parse(text: str | bytes | dict[str, Any], language: str, bounds: Bounds = Bounds()) -> Expression:  # noqa: B008
    """The CQL2-JSON form of a filter in ``cql2-text`` or ``cql2-json``; all of it can be written as JSON again.

    Raises :class:`Cql2Error` for what is not CQL2, or exceeds ``bounds``.
    """
    if language not in LANGUAGES:
        raise Cql2Error(f"the filter language {excerpt(language)} is not offered; use one of {', '.join(LANGUAGES)}")
    source = _decoded(text, language, bounds)
    if "\0" in source or STAND_IN in source:
        raise Cql2Error("the filter contains a control character; remove it")
    expression = _parse_text(source, bounds) if language == "cql2-text" else _parse_json(source, bounds)
    _measure(expression, bounds)
    if not isinstance(expression, dict | bool):
        raise Cql2Error("the filter is a bare value, not a condition; compare it with something")
    return expression


def _decoded(text: str | bytes | dict[str, Any], language: str, bounds: Bounds) -> str:
    try:
        if isinstance(text, dict):
            if language != "cql2-json":
                raise Cql2Error("the filter is a JSON object; send it with filter-lang=cql2-json")
            text = json.dumps(text, ensure_ascii=False)
        data = text if isinstance(text, bytes) else text.encode()
        if len(data) > bounds.max_bytes:
            raise Cql2Error(f"the filter has {len(data)} bytes, more than {bounds.max_bytes}; shorten it")
        return data.decode()
    except UnicodeError:
        raise Cql2Error("the filter is not valid UTF-8; encode it as UTF-8") from None
    except (RecursionError, TypeError):
        raise Cql2Error("the filter is not a plain JSON object, or nested too deep; simplify it") from None


def _parse_text(source: str, bounds: Bounds) -> Any:
    scanned = scan(source, bounds.max_depth, bounds.max_operators, bounds.max_work)
    try:
        parsed = cql2.parse_text(scanned.text).to_json()
    except Exception as error:  # cql2 raises bare Exception besides its own types
        raise Cql2Error(_located(source, scanned, str(error))) from None
    _measure(parsed, bounds)
    return _resolved(parsed, scanned.stand_ins)


def _located(source: str, scanned: Scanned, message: str) -> str:
    """What ``cql2`` said, with the place in the text as the user wrote it."""
    advice = "check operators, quotes, commas and parentheses there"
    found = re.match(r"\s*--> 1:(\d+)", message)
    if not found:
        return f"not valid CQL2 text: {message[:200]}"
    if int(found[1]) > len(scanned.text):
        return f"not valid CQL2 text: it ends too early; {advice}"
    offset = scanned.origin(int(found[1]) - 1)
    return f"not valid CQL2 text at {position(source, offset)}, near {source[offset : offset + 20]!r}; {advice}"


def _resolved(value: Any, stand_ins: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"property"} and value["property"] in stand_ins:
            stood_for = stand_ins[value["property"]]
            return _number(stood_for) if isinstance(stood_for, int) else stood_for
        return {key: _resolved(part, stand_ins) for key, part in value.items()}
    return [_resolved(part, stand_ins) for part in value] if isinstance(value, list) else value


def _parse_json(source: str, bounds: Bounds) -> Any:
    depth = deepest = 0
    for mark in re.findall(r"[\[\]{}]", re.sub(r'"(?:[^"\\]|\\.)*+"', "", source)):
        depth += 1 if mark in "[{" else -1
        deepest = max(deepest, depth)
    if deepest > 2 * bounds.max_depth + 8:
        raise Cql2Error(f"the filter is nested deeper than {bounds.max_depth} operations; simplify it")
    try:
        expression = json.loads(source, parse_constant=_reject, parse_int=lambda digits: _number(int(digits)))
        json.dumps(expression, allow_nan=False).encode()
        cql2.parse_json(source)
    except json.JSONDecodeError as error:
        raise Cql2Error(f"not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except Cql2Error:
        raise
    except Exception as error:
        raise Cql2Error(f"not valid CQL2 JSON ({str(error)[:120]}); see the CQL2 JSON schema") from None
    return expression


def _reject(name: str) -> NoReturn:
    raise Cql2Error(f"{name} is not a JSON number; remove it")


def _number(value: int) -> int | float:
    """Integers stay exact in the range that a column can hold; beyond it only their size matters."""
    return value if -_INT64 <= value < _INT64 else float(value)


def _measure(expression: Any, bounds: Bounds) -> None:
    """Count nodes, coordinates and levels without recursion, and check every text in it can be sent to PostgreSQL."""
    nodes = coordinates = 0
    stack: list[tuple[Any, int, bool]] = [(expression, 0, False)]
    while stack:
        value, depth, in_geometry = stack.pop()
        coordinates += in_geometry
        nodes += not in_geometry
        if nodes > bounds.max_nodes:
            raise Cql2Error(f"the filter has more than {bounds.max_nodes} parts; split it into several requests")
        if coordinates > 4 * bounds.max_coordinates:
            raise Cql2Error(f"the filter's geometries exceed {bounds.max_coordinates} positions; generalise them")
        if depth > 2 * bounds.max_depth + 8:
            raise Cql2Error(f"the filter is nested deeper than {bounds.max_depth} operations; simplify it")
        if isinstance(value, dict):
            stack += [(part, depth + 1, in_geometry or key == "coordinates") for key, part in value.items()]
        elif isinstance(value, list):
            stack += [(part, depth + 1, in_geometry) for part in value]
        elif isinstance(value, str):
            _check_text(value)
        elif isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise Cql2Error("a number in the filter is too large; use a smaller one")


def _check_text(value: str) -> None:
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise Cql2Error("a text in the filter contains NUL or half a surrogate pair; remove it")
