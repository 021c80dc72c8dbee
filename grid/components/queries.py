"""The SQL of components: give codes, check them, inspect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.features import RowDenied


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection; ``metres`` is how far the inspector stood from the component."""

    at: datetime
    actor: str
    state_before: str | None
    state: str
    note: str | None
    metres: float | None


def without_code(conn: Connection, scheme: str, most: int) -> list[Mapping[str, Any]]:
    """Components of a scheme that have no code yet, in the order in which they get one: by area, class, place."""
    rows = conn.execute(
        text("""
            SELECT id, area_code, class AS class_code FROM city.components
            WHERE (code IS NULL OR code = '') AND scheme = :scheme
            ORDER BY left(area_code, 6), class, ST_Y(geom) DESC, ST_X(geom), id LIMIT :most FOR NO KEY UPDATE"""),
        {"scheme": scheme, "most": most},
    )
    return [dict(row) for row in rows.mappings()]


def highest_code(conn: Connection, prefix: str, digits: int) -> str | None:
    """The highest code with a prefix that was ever given."""
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('grid.components ' || :prefix))"), {"prefix": prefix})
    found: str | None = conn.execute(
        text("""
            SELECT max(code) FROM (SELECT code FROM city.components UNION ALL SELECT code FROM history.components) c
            WHERE starts_with(code, :prefix) AND length(code) = :digits AND code ~ '^[0-9]+$'"""),
        {"prefix": prefix, "digits": digits},
    ).scalar()
    return found


def give_codes(conn: Connection, codes: Sequence[tuple[int, str]]) -> None:
    """Write codes by feature id. Raises :class:`RowDenied`."""
    changed = conn.execute(
        text("""
            UPDATE city.components c SET code = n.code, changed_date = current_date,
                first_date = coalesce(first_date, current_date)
            FROM unnest(CAST(:ids AS bigint[]), CAST(:codes AS text[])) AS n (id, code) WHERE c.id = n.id"""),
        {"ids": [one for one, _ in codes], "codes": [code for _, code in codes]},
    )
    if changed.rowcount != len(codes):
        raise RowDenied("some components lie outside the area or department of yours")


def components_in(conn: Connection, area: str, most: int) -> list[Mapping[str, Any]]:
    """Components of an area with what their codes are checked against."""
    rows = conn.execute(
        text("""
            SELECT c.id, c.code, c.scheme, c.class AS class_code, c.area_code, c.grid, c.accuracy_class, c.state,
                   k.code IS NOT NULL AS known, count(*) OVER (PARTITION BY c.code) AS times
            FROM city.components c
            LEFT JOIN grid.classes k ON (k.scheme, k.kind, k.code) = (c.scheme, 'component', c.class)
            WHERE starts_with(coalesce(c.area_code, ''), :area) ORDER BY c.id LIMIT :most"""),
        {"area": area, "most": most},
    )
    return [dict(row) for row in rows.mappings()]


def inspect(
    conn: Connection, component: str, state: str, note: str | None, place: tuple[float, float] | None
) -> tuple[str | None, float | None] | None:
    """Enter an inspection and keep the state it found; the state before and the distance [m]. None: no such component.

    Raises :class:`RowDenied` where the principal may only look.
    """
    lon, lat = place or (None, None)
    found = conn.execute(
        text("""
            SELECT state, ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)::geography)
            FROM city.components WHERE code = :code"""),
        {"code": component, "lon": lon, "lat": lat},
    ).first()
    if found is None:
        return None
    changed = conn.execute(
        text("""
            UPDATE city.components SET state = :state, inspected_at = now(),
                changed_date = CASE WHEN state IS DISTINCT FROM :state THEN current_date ELSE changed_date END
            WHERE code = :code"""),
        {"code": component, "state": state},
    )
    if changed.rowcount == 0:
        raise RowDenied(f"component {component} lies outside the area or department of yours")
    conn.execute(
        text("""
            INSERT INTO grid.inspections (component, actor, state_before, state, note, metres)
            VALUES (:code, citymap.actor(), :before, :state, :note, :metres)"""),
        {"code": component, "before": found[0], "state": state, "note": note, "metres": found[1]},
    )
    return found[0], found[1]


def inspections_of(conn: Connection, component: str) -> tuple[Inspection, ...]:
    """Every inspection of a component, the latest first."""
    rows = conn.execute(
        text("""
            SELECT at, actor, state_before, state, note, metres FROM grid.inspections
            WHERE component = :code ORDER BY id DESC LIMIT 1000"""),
        {"code": component},
    )
    return tuple(Inspection(*tuple(row)) for row in rows)
