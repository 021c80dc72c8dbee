"""CQL2 text made safe and plain for the ``cql2`` parser.

``cql2`` 0.6 recurses once per operator (it overflows the stack of the process near 3 000), takes 2^depth steps over a
malformed text with nested parentheses, reads every number as a double, and misses parts of the grammar (OGC 21-065r2,
Annex B): ``\\'`` in strings, ``.5``, exponents and ``+`` in coordinates, ``()``, names beginning with ``_`` or ``:``.
One pass over the tokens bounds the text and writes it so that none of this matters. What stays refused: ``NOT -name``
(write ``NOT (-name …)``), and ``EMPTY`` geometries.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from layers.cql2.errors import Cql2Error, excerpt

#: First character of names that stand for values ``cql2`` cannot carry; no filter may contain it.
STAND_IN = "\x01"

_TOKEN = re.compile(
    r"""(?P<string>'(?:[^'\\]|''|\\.)*+')
      | (?P<quoted>"(?:[^"]|"")*+")
      | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>(?:[^\W\d]|:)[\w:.\u0300-\u036f\u200c\u200d\u203f\u2040]*)
      | (?P<open>\() | (?P<close>\)) | (?P<comma>,)
      | (?P<space>[\s\x85\xa0]+)
      | (?P<operator><=|>=|<>|!=|[<>=+*/^%-])""",
    re.VERBOSE | re.DOTALL,
)
_KEYWORDS = frozenset(["and", "or", "not", "in", "between", "like", "is", "null", "true", "false", "div"])
_GEOMETRIES = frozenset(
    ["point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "bbox"]
)
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Scanned:
    """A text for ``cql2``, the values its stand-in names mean, and where each of its pieces was in the original."""

    text: str
    stand_ins: dict[str, Any]
    origins: tuple[tuple[int, int], ...]

    def origin(self, offset: int) -> int:
        """The offset in the original of an offset in the rewritten text."""
        return max((o for r, o in self.origins if r <= offset), default=0)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "name" else self.text


def position(text: str, offset: int) -> str:
    """``line 2, column 5`` of an offset in a text."""
    before = text[:offset]
    return f"line {before.count(chr(10)) + 1}, column {offset - before.rfind(chr(10))}"


def scan(text: str, max_depth: int, max_operators: int, max_work: int) -> Scanned:
    """Bound and rewrite a CQL2 text.

    ``max_depth`` bounds the nesting of parentheses, ``max_operators`` the keywords and operators, ``max_work`` the
    parser's steps over the text were it malformed (length · 2^depth). Raises :class:`Cql2Error`.
    """
    tokens = list(_tokens(text))
    deepest = _check_bounds(text, tokens, max_depth, max_operators)
    scanned = _rewritten(text, tokens)
    if len(scanned.text) << deepest > max_work:
        raise Cql2Error(
            f"the filter is too long ({len(text)} characters) for parentheses nested {deepest} deep; "
            "use fewer parentheses, or send it as CQL2 JSON"
        )
    return scanned


def _check_bounds(text: str, tokens: list[_Token], max_depth: int, max_operators: int) -> int:
    """How deep the parentheses are nested, if they are balanced and within the bounds."""
    depth = deepest = operators = 0
    for token in tokens:
        depth += (token.kind == "open") - (token.kind == "close")
        deepest = max(deepest, depth)
        operators += token.kind == "operator" or token.word in _KEYWORDS
        if depth < 0:
            fault = "')' closes nothing; remove it or open a parenthesis before it"
        elif depth > max_depth:
            fault = f"parentheses are nested deeper than {max_depth}; simplify the filter"
        elif operators > max_operators:
            fault = f"the filter has more than {max_operators} operators; split it into several requests"
        else:
            continue
        raise Cql2Error(f"{position(text, token.offset)}: {fault}")
    if depth:
        raise Cql2Error(f"the filter leaves {depth} '(' open; close every parenthesis")
    return deepest


def _rewritten(text: str, tokens: list[_Token]) -> Scanned:
    pieces: list[str] = []
    origins: list[tuple[int, int]] = []
    stand_ins: dict[str, Any] = {}
    depth = length = 0
    geometry: int | None = None  # the depth at which a geometry literal began
    empty = False  # an empty array has just been opened
    for i, token in enumerate(tokens):
        following = tokens[i + 1].word if i + 1 < len(tokens) else ""
        if geometry is None and token.word in _GEOMETRIES and following in {"(", "z", "m", "zm"}:
            geometry = depth
        depth += (token.kind == "open") - (token.kind == "close")
        if token.kind == "open" and following == ")" and not (i and _calls(tokens[i - 1])):
            piece, empty = _stand_in([], stand_ins), True
        elif empty:
            piece, empty = "", False
        else:
            piece = _written(text, token, following, geometry is not None, stand_ins)
        piece += "" if piece == "-" else " "  # a sign apart from its number is not always read
        if token.kind == "close" and depth == geometry:
            geometry = None
        origins.append((length, token.offset))
        pieces.append(piece)
        length += len(piece)
    return Scanned("".join(pieces), stand_ins, tuple(origins))


def _tokens(text: str) -> Iterator[_Token]:
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            hint = "close the quote (a quote inside is written twice)" if text[offset] in "'\"" else "remove it"
            raise Cql2Error(f"{position(text, offset)}: unexpected {excerpt(text[offset])}; {hint}")
        kind = match.lastgroup or ""
        if kind != "space":
            yield _Token(kind, match[0], offset)
        offset = match.end()


def _written(text: str, token: _Token, following: str, in_geometry: bool, stand_ins: dict[str, Any]) -> str:
    """The token as ``cql2`` reads it rightly."""
    match token.kind:
        case "string":
            return re.sub(r"\\(.)", lambda m: "''" if m[1] == "'" else m[0], token.text, flags=re.DOTALL)
        case "number":
            return _number(text, token, in_geometry, stand_ins)
        case "operator" if in_geometry and token.text == "+":
            return ""
        case "name" if not in_geometry and token.word not in _KEYWORDS and following != "(":
            return f'"{token.text}"'
    return token.text


def _calls(previous: _Token) -> bool:
    """Whether a parenthesis after this token belongs to it: a function's arguments, or an IN list."""
    return previous.kind in {"name", "quoted"} and (previous.word not in _KEYWORDS or previous.word == "in")


def _number(text: str, token: _Token, in_geometry: bool, stand_ins: dict[str, Any]) -> str:
    if len(token.text) > 60 or abs(float(token.text)) == float("inf"):
        raise _refused(text, token, "is too long or too large; shorten it")
    if token.text.isdecimal() and int(token.text) > _EXACT and not in_geometry:
        return _stand_in(int(token.text), stand_ins)
    if in_geometry and "e" in token.text.lower():
        exponent = int(token.text.lower().partition("e")[2])
        if abs(exponent) > 30:
            raise _refused(text, token, "is no coordinate of any CRS; correct it")
        return format(Decimal(token.text), "f")
    return "0" + token.text if token.text.startswith(".") else token.text


def _refused(text: str, token: _Token, fault: str) -> Cql2Error:
    return Cql2Error(f"{position(text, token.offset)}: the number {excerpt(token.text, 20)} {fault}")


def _stand_in(value: Any, stand_ins: dict[str, Any]) -> str:
    name = STAND_IN + str(len(stand_ins) + 1)
    stand_ins[name] = value
    return f'"{name}"'
