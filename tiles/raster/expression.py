"""波段运算 band math: a small grammar of arithmetic over the bands of an image, such as ``(nir-red)/(nir+red)``.

sum = product {("+" | "-") product} · product = factor {("*" | "/") factor} ·
factor = "-" factor | "(" sum ")" | number | band | function "(" sum {"," sum} ")". Nothing else can be said with it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Values = Mapping[str, NDArray[np.float32]]
type Term = Callable[[Values], Any]

LONGEST = 200
_DEEPEST = 20
_MOST_BANDS = 8
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][-+]?\d{1,2})?|\.\d+)|([^\W\d]\w{0,49})|([-+*/(),]))")
_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "abs": (1, np.abs),
    "sqrt": (1, np.sqrt),
    "log": (1, np.log),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}


class ExpressionError(ValueError):
    """An expression is not of the grammar, or too long; the message says where."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression: its text, the bands that it names in their order, and what works it out."""

    text: str
    bands: tuple[str, ...]
    evaluate: Term = field(compare=False, repr=False)


def parse(text: str) -> Expression:
    """The expression of a text. Raises :class:`ExpressionError`."""
    if len(text) > LONGEST:
        raise ExpressionError(f"is longer than {LONGEST} characters")
    parser = _Parser(text)
    term = parser.sum(0)
    if parser.kind:
        raise parser.error("does not belong there")
    if not 1 <= len(parser.bands) <= _MOST_BANDS:
        raise ExpressionError(f"names {len(parser.bands)} bands; 1 to {_MOST_BANDS} are allowed")
    return Expression(text, tuple(parser.bands), term)


class _Parser:
    """Recursive descent; ``kind`` of the present token is ``number``, ``name``, a sign, or empty at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.bands: list[str] = []
        self.kind = self.token = ""
        self._next()

    def error(self, problem: str) -> ExpressionError:
        return ExpressionError(f"{self.token or 'its end'!r} {problem}; write it like (nir-red)/(nir+red)")

    def sum(self, depth: int) -> Term:
        if depth > _DEEPEST:
            raise ExpressionError(f"is nested deeper than {_DEEPEST}")
        left = self._product(depth)
        while self.kind in ("+", "-"):
            left = _joined(np.add if self._take() == "+" else np.subtract, left, self._product(depth))
        return left

    def _product(self, depth: int) -> Term:
        left = self._factor(depth)
        while self.kind in ("*", "/"):
            left = _joined(np.multiply if self._take() == "*" else np.divide, left, self._factor(depth))
        return left

    def _factor(self, depth: int) -> Term:
        if depth > _DEEPEST:
            raise ExpressionError(f"is nested deeper than {_DEEPEST}")
        if self.kind == "-":
            self._take()
            inner = self._factor(depth + 1)
            return lambda values: np.negative(inner(values))
        if self.kind == "(":
            self._take()
            inner = self.sum(depth + 1)
            self._expect(")")
            return inner
        if self.kind == "number":
            number = np.float32(self._take())
            return lambda _values: number
        if self.kind == "name":
            return self._named(self._take(), depth)
        raise self.error("is where a band or number should be")

    def _named(self, name: str, depth: int) -> Term:
        if self.kind != "(":
            if name not in self.bands:
                self.bands.append(name)
            return lambda values: values[name]
        count, function = _FUNCTIONS.get(name, (0, np.abs))
        if not count:
            raise ExpressionError(f"{name!r} is no function; there are {', '.join(_FUNCTIONS)}")
        self._take()
        given = [self.sum(depth + 1)]
        while self.kind == ",":
            self._take()
            given.append(self.sum(depth + 1))
        self._expect(")")
        if len(given) != count:
            raise ExpressionError(f"{name!r} takes {count} values, not {len(given)}")
        return lambda values: function(*(term(values) for term in given))

    def _expect(self, sign: str) -> None:
        if self.kind != sign:
            raise self.error(f"is where {sign!r} should be")
        self._take()

    def _take(self) -> str:
        token = self.token
        self._next()
        return token

    def _next(self) -> None:
        if not self._text[self._at :].strip():
            self.kind = self.token = ""
            return
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            self.token = self._text[self._at : self._at + 10].strip()
            raise self.error("is no band, number or sign")
        number, name, sign = found.groups()
        self.kind = "number" if number else "name" if name else sign
        self.token = number or name or sign
        self._at = found.end()


def _joined(operation: Callable[[Any, Any], Any], left: Term, right: Term) -> Term:
    return lambda values: operation(left(values), right(values))
