"""Ways from what is asked to features: by the beginning of a name, its pinyin, initials, tokens or parts.

Every statement joins the layer's own table before it cuts off, so that a row which the caller's policies hide neither
appears nor takes another's place.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, Layer
from layers.gazetteer.model import Candidate, Point, Reading
from layers.gazetteer.queries import table_of

#: Features that one text may bring at least: an address may have as many units.
_FEATURES = 12
#: Sorts behind every text that begins alike.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A way from a stem to texts. ``condition`` compares ``t`` (name_terms) with ``s`` (stem, parts) or with the bound
    ``:tokens``; at most ``most`` names are taken for ten answers, in ``order``."""

    condition: str
    most: int
    order: str = ""


#: The text itself comes first, as the shortest.
BEGINNING = Lookup("t.text >= s.stem AND t.text < s.stem || :last", 60, "length(t.text), t.text")
PINYIN = Lookup(
    "t.pinyin >= s.stem AND t.pinyin < s.stem || :last AND t.pinyin <> t.text", 60, "length(t.pinyin), t.text"
)
INITIALS = Lookup(
    "t.initials >= s.stem AND t.initials < s.stem || :last AND t.pinyin <> t.text", 60, "length(t.initials), t.text"
)
#: Unordered, because the words that many names share would all be read to be sorted.
TOKENS = Lookup("t.tokens @@ CAST(:tokens AS tsquery)", 300)
CONTAINED = Lookup("t.text = ANY (s.parts)", 60, "length(t.text) DESC")
SAME_INITIALS = Lookup("t.initials = ANY (s.parts) AND t.pinyin <> t.text", 60, "length(t.pinyin)")
PATTERNS = Lookup(
    "t.text > left(s.stem, 1) AND t.text < left(s.stem, 1) || :last AND t.text LIKE ANY (s.parts)", 60, "length(t.text)"
)
BY_PARTS = (CONTAINED, SAME_INITIALS, PATTERNS)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where to look: the layers as the caller sees them, those of them that are searched, the point to prefer, and how
    many answers are wanted."""

    layers: Mapping[str, Layer]
    searched: tuple[str, ...]
    near: Point | None = None
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Ask:
    """One lookup of one reading, with the tokens (as tsquery) or parts that it compares with where it takes them."""

    lookup: Lookup
    reading: Reading
    tokens: str | None = None
    parts: tuple[str, ...] = ()


def look_up(conn: Connection, scope: Scope, asks: Sequence[Ask]) -> list[Candidate]:
    """The features whose names are found, at most ``lookup.most`` by each, in one statement."""
    if not asks or not scope.searched:
        return []
    values: dict[str, Any] = {"rows": _rows(asks), "last": _LAST}
    asked = _Asked(scope, any(ask.reading.areas for ask in asks), any(ask.reading.number for ask in asks))
    entries = " UNION ALL ".join(f"({asked.entries(name, values)})" for name in scope.searched)
    branches = []
    for lookup in dict.fromkeys(ask.lookup for ask in asks):
        of = [n for n, ask in enumerate(asks) if ask.lookup is lookup]
        if lookup is TOKENS:
            # the planner must see each tsquery itself, or it reads the whole table
            values |= {f"tokens{n}": asks[n].tokens for n in of}
            branches += [_branch(lookup, scope, entries, f"tokens{n}", str(n)) for n in of]
        else:
            branches.append(_branch(lookup, scope, entries, "", ", ".join(map(str, of))))
    found = conn.execute(text(" UNION ALL ".join(branches)), values)
    return [Candidate(asks[row[0]].reading, *row[1:]) for row in found]


def _rows(asks: Sequence[Ask]) -> str:
    rows = [
        {"n": n, "stem": a.reading.stem, "number": a.reading.number, "unit": a.reading.unit,
         "areas": a.reading.areas or None, "parts": a.parts or None}
        for n, a in enumerate(asks)
    ]  # fmt: skip
    return orjson.dumps(rows).decode()


def _branch(lookup: Lookup, scope: Scope, entries: str, tokens: str, of: str) -> str:
    condition = lookup.condition.replace(":tokens", f":{tokens}")
    order = f" ORDER BY {lookup.order}" if lookup.order else ""
    return f"""
        SELECT f.* FROM jsonb_to_recordset(CAST(:rows AS jsonb))
            AS s (n int, stem text, number text, unit text, areas bigint[], parts text[]),
        LATERAL (
            SELECT s.n, e.layer, e.feature, e.field, t.text, t.pinyin, t.initials, e.number, e.unit, e.inside,
                   e.distance
            FROM (SELECT * FROM citymap.name_terms t WHERE {condition}{order}) AS t, LATERAL ({entries}) AS e
            LIMIT {max(lookup.most, lookup.most * scope.limit // 10):d}
        ) AS f WHERE s.n IN ({of})"""


def nearest_numbers(conn: Connection, scope: Scope, readings: Sequence[Reading], most: int) -> list[Candidate]:
    """The house numbers that are nearest to the ones that roads lack, at most so many of each road and layer."""
    numbered = [name for name in scope.searched if any(scope.layers[name].field(f) for f in ("number", "address"))]
    branches, values = [], dict[str, Any]()
    for n, reading in enumerate(readings):
        digits = re.search("[0-9]{1,9}", reading.number or "")
        values |= {f"stem{n}": reading.stem, f"wanted{n}": int(digits[0]) if digits else 0}
        for m, name in enumerate(numbered):
            values |= {f"layer{m}": name, f"fields{m}": searched_fields(scope.layers[name])}
            branches.append(f"""(
                SELECT {n}, n.layer, n.feature, n.field, t.text, t.pinyin, t.initials, n.number, n.unit,
                       NULL::boolean, NULL::float8
                FROM citymap.name_terms t JOIN citymap.names n ON n.term = t.id
                    JOIN {table_of(scope.layers[name])} f ON f.id = n.feature
                WHERE t.text = :stem{n} AND n.layer = :layer{m} AND n.number IS NOT NULL AND n.field = ANY (:fields{m})
                ORDER BY abs(CAST(substring(n.number FROM '[0-9]{{1,9}}') AS bigint) - :wanted{n}), n.number, n.feature
                LIMIT {most:d})""")
    if not branches:
        return []
    found = conn.execute(text(" UNION ALL ".join(branches)), values)
    return [Candidate(readings[row[0]], *row[1:]) for row in found]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the entries of a text must tell, beside which features they are."""

    scope: Scope
    areas: bool
    number: bool

    def entries(self, name: str, values: dict[str, Any]) -> str:
        """The features of one layer that have the text ``t``, as far as the number of ``s`` allows. Binds values."""
        layer, n = self.scope.layers[name], self.scope.searched.index(name)
        values |= {f"layer{n}": name, f"fields{n}": searched_fields(layer)}
        inside, distance, order = "NULL::boolean", "NULL::float8", []
        if self.areas and "admin-areas" in self.scope.layers:
            inside = self._inside(layer)
            order.append("inside DESC NULLS LAST")
        if self.scope.near is not None:
            values |= {"lon": self.scope.near.lon, "lat": self.scope.near.lat}
            distance = f"f.geom <-> ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), {CGCS2000}), {layer.srid:d})"
            order.append("distance")
        if self.number:
            order += ["n.number IS NULL", "n.unit IS DISTINCT FROM s.unit", "n.unit IS NOT NULL"]
        number = " AND (s.number IS NULL OR n.number = s.number OR n.number IS NULL)" if self.number else ""
        return (
            f"SELECT n.layer, n.feature, n.field, n.number, n.unit, {inside} AS inside, {distance} AS distance "
            f"FROM citymap.names n JOIN {table_of(layer)} f ON f.id = n.feature "
            f"WHERE n.term = t.id AND n.layer = :layer{n} AND n.field = ANY (:fields{n}){number}"
            + (f" ORDER BY {', '.join(order)}" if order else "")
            + f" LIMIT {max(_FEATURES, self.scope.limit):d}"
        )

    def _inside(self, layer: Layer) -> str:
        areas = self.scope.layers["admin-areas"]
        shape = "a.geom" if areas.srid == layer.srid else f"ST_Transform(a.geom, {layer.srid:d})"
        return f"(SELECT bool_or(ST_Intersects({shape}, f.geom)) FROM {table_of(areas)} a WHERE a.id = ANY (s.areas))"


def searched_fields(layer: Layer) -> list[str]:
    """The fields whose names may lead to a feature; a road's entries tell its numbers too."""
    seen = {field.name for field in layer.fields}
    return sorted(seen if "number" in seen else seen - {"road"})
