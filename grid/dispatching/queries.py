"""The SQL of dispatch: rules and work lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from grid.dispatching.duties import waiting_condition
from grid.dispatching.rules import Rule
from layers.access import Duty


def rules_for(conn: Connection, scheme: str, kind: str) -> list[Rule]:
    """The rules that may be for cases of a scheme and kind."""
    rows = conn.execute(
        text("""
            SELECT id, scheme, kind, class, area, department, rank, note FROM grid.dispatch_rules
            WHERE scheme IN ('', :scheme) AND kind IN ('', :kind)"""),
        {"scheme": scheme, "kind": kind},
    )
    return [Rule(*tuple(row)) for row in rows]


def waiting(
    conn: Connection, duties: Sequence[Duty], lights: Sequence[str], limit: int, offset: int
) -> list[Mapping[str, Any]]:
    """The cases that wait for somebody, the most urgent first: red before amber before green, then by deadline."""
    condition, values = waiting_condition(duties)
    rows = conn.execute(
        text(f"""
            SELECT code, id, revision, title, place, state, light, department, area_code, deadline,
                   coalesce(deadline, CASE state WHEN 'accepted' THEN filing_due
                                                 WHEN 'handled' THEN check_due END) AS due,
                   reported_at, reports, supervised, asked_extension, suspended_from, channel, escalation, extensions
            FROM city.cases WHERE closed_at IS NULL AND ({condition}) AND (:any OR light = ANY (:lights))
            ORDER BY supervised DESC, array_position(ARRAY['red', 'amber', 'green'], light), deadline, reported_at, id
            LIMIT :limit OFFSET :offset"""),
        {**values, "any": not lights, "lights": list(lights), "limit": limit, "offset": offset},
    )
    return [dict(row) for row in rows.mappings()]


def waiting_counts(conn: Connection, duties: Sequence[Duty]) -> list[tuple[str, str | None, int]]:
    """How many cases wait, by state and light."""
    condition, values = waiting_condition(duties)
    rows = conn.execute(
        text(f"""
            SELECT state, light, count(*) FROM city.cases WHERE closed_at IS NULL AND ({condition})
            GROUP BY state, light ORDER BY state, light"""),
        values,
    )
    return [(row[0], row[1], row[2]) for row in rows]
