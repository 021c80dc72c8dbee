"""What differs in a layer between two instants: features that were added, changed and deleted, with both states.

A feature that was edited and put back between them does not differ. Exact: states are compared as they are stored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from sqlalchemy import (
    BindParameter,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import BYTEA, array
from sqlalchemy.sql import FromClause
from sqlalchemy.sql.visitors import replacement_traverse
from sqlalchemy.types import ARRAY, TIMESTAMP, Text

from layers.catalogue import Layer
from layers.database import Reader
from layers.query import FeatureQuery, compiled, feature_text, selection
from layers.tables import feature_table, history_table

Kind = Literal["added", "changed", "deleted"]
#: Later than every edit: the present state.
PRESENT = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """How one feature differs: its state after as GeoJSON (of a deleted one that before), the names of the fields (and
    ``geometry``) that differ, and of a changed one the state before."""

    id: int
    kind: Kind
    feature: dict[str, Any]
    changed: tuple[str, ...]
    before: dict[str, Any] | None

    def as_geojson(self) -> dict[str, Any]:
        """A Feature with what became of it beside it."""
        more = {"change": self.kind, "changed": list(self.changed)}
        former = {"before": {key: self.before[key] for key in ("geometry", "properties")}} if self.before else {}
        return {**self.feature, **more, **former}


@dataclass(frozen=True, slots=True)
class Counts:
    """How many features differ."""

    added: int
    changed: int
    deleted: int


def changes_between(
    reader: Reader, layer: Layer, begin: datetime, end: datetime, query: FeatureQuery, after: int = -1
) -> list[Change]:
    """Changes from ``begin`` to ``end``, by id, at most ``query.limit`` behind id ``after``.

    The query's box and filters choose features that meet them before or after; its CRS is that of the answer.
    """
    page = _differing(layer, begin, end, query).where(literal_column("id") > literal(after))
    chosen = page.order_by(literal_column("id")).limit(literal(query.limit)).cte("page").prefix_with("MATERIALIZED")
    then, now = (_text(layer, chosen, query, instant) for instant in (begin, end))
    statement = compiled(select(chosen.c.id, chosen.c.kind, chosen.c.changed, then, now).order_by(chosen.c.id))
    return [_change(*row) for row in reader.fetch(statement.sql, statement.constants)]


def count_changes(reader: Reader, layer: Layer, begin: datetime, end: datetime, query: FeatureQuery) -> Counts:
    """How many features the query chooses among those that differ."""
    kinds = _differing(layer, begin, end, query).subquery("d")
    statement = compiled(select(kinds.c.kind, func.count()).group_by(kinds.c.kind))
    found = dict(reader.fetch(statement.sql, statement.constants))
    return Counts(found.get("added", 0), found.get("changed", 0), found.get("deleted", 0))


def every_change(
    reader: Reader, layer: Layer, begin: datetime, end: datetime, query: FeatureQuery
) -> Iterator[list[Change]]:
    """All changes, in pages of the query's limit."""
    after = -1
    while page := changes_between(reader, layer, begin, end, query, after):
        yield page
        after = page[-1].id


def _change(id_: int, kind: Kind, changed: list[str], then: str | None, now: str | None) -> Change:
    former, feature = then and orjson.loads(then), now and orjson.loads(now)
    return Change(id_, kind, feature or former, tuple(changed), former if kind == "changed" else None)  # type: ignore[arg-type]


def _differing(layer: Layer, begin: datetime, end: datetime, query: FeatureQuery) -> Select[Any]:
    """Rows (id, kind, changed) of the features that differ and meet the query."""
    names = [f.name for f in layer.fields]
    a, b = (_states(layer, instant, begin, end, query, f"s{n}") for n, instant in enumerate((begin, end)))
    both = and_(a.c.id.is_not(None), b.c.id.is_not(None))
    told = [case((a.c[name].is_distinct_from(b.c[name]), name)) for name in names]
    told.append(case((a.c["#shape"].is_distinct_from(b.c["#shape"]), "geometry")))
    different = cast(array(told), ARRAY(Text))
    changed = case((both, func.array_remove(different, None)), else_=literal_column("'{}'::text[]"))
    kind = case((a.c.id.is_(None), "added"), (b.c.id.is_(None), "deleted"), else_="changed")
    met = or_(func.coalesce(a.c["#met"], False), func.coalesce(b.c["#met"], False))
    found = (
        select(func.coalesce(a.c.id, b.c.id).label("id"), kind.label("kind"), changed.label("changed"))
        .select_from(a.outerjoin(b, a.c.id == b.c.id, full=True))
        .where(met)
        .subquery("f")
    )
    differs = or_(found.c.kind != "changed", func.cardinality(found.c.changed) > 0)
    return select(found.c.id.label("id"), found.c.kind.label("kind"), found.c.changed.label("changed")).where(differs)


def _states(
    layer: Layer, instant: datetime, begin: datetime, end: datetime, query: FeatureQuery, name: str
) -> FromClause:
    """The touched rows as they were at an instant, with whether they meet the query."""
    asked = replace(query, as_of=instant)
    t, condition = selection(layer, asked)
    columns = [t.c[f.name] for f in layer.fields]
    shape = func.ST_AsEWKB(t.c.geom, type_=BYTEA).label("#shape")
    statement = select(t.c.id, *columns, shape, condition.label("#met")).where(
        t.c.id.in_(select(_touched(layer, begin, end).c.id))
    )
    return _bound(statement, asked.values()).subquery(name)


def _touched(layer: Layer, begin: datetime, end: datetime) -> FromClause:
    """The ids of rows of which a state began or ended after ``begin``, up to ``end``."""
    since, until = (bindparam(None, moment, TIMESTAMP(timezone=True)) for moment in (begin, end))
    present, past = feature_table(layer), history_table(layer)
    return union(
        select(present.c.id).where(present.c.valid_from > since, present.c.valid_from <= until),
        select(past.c.id).where(past.c.valid_to > since, past.c.valid_to <= until),
        # begun between, and ended later
        select(past.c.id).where(past.c.valid_from > since, past.c.valid_from <= until, past.c.valid_to > until),
    ).subquery()


def _text(layer: Layer, page: Any, query: FeatureQuery, instant: datetime) -> Any:
    """The feature of each row of a page as it was at an instant, as GeoJSON text."""
    asked = FeatureQuery(crs=query.crs, properties=query.properties, geometry=query.geometry, as_of=instant)
    t, _ = selection(layer, asked)
    one = select(feature_text(layer, t, asked)).where(t.c.id == page.c.id)
    return _bound(one, asked.values()).scalar_subquery()


def _bound(statement: Select[Any], values: Mapping[str, Any]) -> Select[Any]:
    """The statement with these values for its parameters, so that another state may stand beside it with its own."""

    def replaced(element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter) and element.key in values:
            return bindparam(None, values[element.key], element.type)
        return None

    found: Any = replacement_traverse(statement, {}, replaced)
    return found  # type: ignore[no-any-return]
