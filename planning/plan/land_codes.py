"""用地代码 land codes of several schemes: whether one use fits another. Schemes are never mixed silently.

``2023`` 用地用海分类: a longer code is a part of the shorter that it begins with (070101 ⊂ 0701 ⊂ 07). ``2011``
GB 50137-2011: the same with letters (R21 ⊂ R2 ⊂ R).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import orjson
from sqlalchemy import Connection, text

Fit = Literal["fits", "differs", "unknown"]


@dataclass(frozen=True, slots=True)
class LandCode:
    """A code of a scheme."""

    scheme: str
    code: str

    def within(self, other: "LandCode") -> bool:
        """Whether it is the other use, or a part of it."""
        return self.scheme == other.scheme and bool(other.code) and self.code.startswith(other.code)


@dataclass(frozen=True, slots=True)
class CodeMapping:
    """What ``code`` of one scheme is in another. ``narrower``: it is a part of ``to``; ``broader``: it covers more."""

    code: LandCode
    to: LandCode
    relation: Literal["same", "narrower", "broader"]


@dataclass(frozen=True, slots=True)
class LandCodes:
    """The schemes that the city knows."""

    names: Mapping[LandCode, str]
    mappings: tuple[CodeMapping, ...] = ()

    def name(self, code: LandCode) -> str | None:
        """What the code means, or the longest one that it begins with."""
        known = (self.names.get(LandCode(code.scheme, code.code[:n])) for n in range(len(code.code), 0, -1))
        return next((name for name in known if name), None)

    def known(self, code: LandCode) -> bool:
        """Whether the scheme has the code, or one that it begins with."""
        return any(LandCode(code.scheme, code.code[:n]) in self.names for n in range(len(code.code), 0, -1))

    def fit(self, use: LandCode, allowed: LandCode) -> Fit:
        """Whether a use is allowed where ``allowed`` is planned; ``unknown`` without a mapping that decides it."""
        if not (self.known(use) and self.known(allowed)):
            return "unknown"
        if use.scheme == allowed.scheme:
            if use.within(allowed):
                return "fits"
            return "unknown" if allowed.within(use) else "differs"  # a use that is wider than what is planned
        found = self.translations(use, allowed.scheme)
        if any(relation != "broader" and code.within(allowed) for code, relation in found):
            return "fits"
        if not found or any(code.within(allowed) or allowed.within(code) for code, _ in found):
            return "unknown"  # nothing leads there, or the use is only partly what is planned
        return "differs"

    def fits_any(self, use: LandCode, allowed: Iterable[LandCode]) -> Fit:
        """Whether a use is one of those allowed."""
        found = {self.fit(use, code) for code in allowed}
        return "fits" if "fits" in found else "unknown" if "unknown" in found or not found else "differs"

    def translations(self, use: LandCode, scheme: str) -> tuple[tuple[LandCode, str], ...]:
        """What the use is in another scheme, by the mapping of the longest code that it begins with.

        Mappings are read both ways; read backwards, narrower is broader. A part of a mapped code stands for a part.
        """
        turned = {"same": "same", "narrower": "broader", "broader": "narrower"}
        both: list[tuple[LandCode, LandCode, str]] = [(m.code, m.to, m.relation) for m in self.mappings]
        both += [(m.to, m.code, turned[m.relation]) for m in self.mappings]
        for length in range(len(use.code), 0, -1):
            begin = LandCode(use.scheme, use.code[:length])
            found = [(to, relation) for code, to, relation in both if code == begin and to.scheme == scheme]
            if found:
                whole = length == len(use.code)
                return tuple((to, relation if whole or relation == "broader" else "narrower") for to, relation in found)
        return ()


def load_land_codes(conn: Connection) -> LandCodes:
    """The schemes and mappings of the city, in one round trip."""
    names, mappings = conn.execute(
        text("""SELECT (SELECT json_agg(ARRAY[scheme, code, name])::text FROM planning.land_codes),
            (SELECT json_agg(ARRAY[from_scheme, from_code, to_scheme, to_code, relation])::text
             FROM planning.land_code_mappings)""")
    ).one()
    return _land_codes(names or "[]", mappings or "[]")


@lru_cache(maxsize=4)
def _land_codes(names: str, mappings: str) -> LandCodes:
    """Of what the database tells; the same as long as it tells the same."""
    return LandCodes(
        {LandCode(scheme, code): name for scheme, code, name in orjson.loads(names)},
        tuple(CodeMapping(LandCode(a, b), LandCode(c, d), relation) for a, b, c, d, relation in orjson.loads(mappings)),
    )
