"""The SQL of imports: cases with their past, entered many at a time, and which repeat which."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

from grid.importing.repeating import Known, repeats

#: Members of a line's case and their types.
_MEMBERS = {
    "lon": "float8", "lat": "float8", "source_id": "text", "class": "text", "class_name": "text", "description": "text",
    "place": "text", "department": "text", "reporter_name": "text", "reporter_phone": "text", "state": "text",
    "channel": "text", "satisfaction": "int", "reported_at": "timestamptz", "accepted_at": "timestamptz",
    "filed_at": "timestamptz", "dispatched_at": "timestamptz", "handled_at": "timestamptz", "checked_at": "timestamptz",
    "closed_at": "timestamptz", "deadline": "timestamptz", "limit_unit": "text", "limit_amount": "float8",
    "limit_seconds": "bigint", "used_seconds": "bigint",
}  # fmt: skip
_KEPT = ", ".join(name for name in _MEMBERS if name not in ("lon", "lat"))
_TYPED = ", ".join(f"{name} {kind}" for name, kind in _MEMBERS.items())
_ENTER = text(f"""
    INSERT INTO city.cases (geom, kind, scheme, source, {_KEPT})
    SELECT ST_SetSRID(ST_MakePoint(r.lon, r.lat), 4490), 'event', :scheme, :source, {_KEPT}
    FROM jsonb_to_recordset(CAST(:cases AS jsonb)) AS r ({_TYPED})
    RETURNING id""")
_COMPARED = text("""
    WITH new AS (SELECT min(reported_at) AS first, max(reported_at) AS last FROM city.cases WHERE id = ANY (:ids))
    SELECT c.id, c.class, c.reported_at, c.closed_at, ST_X(c.geom), ST_Y(c.geom), c.duplicate_of IS NOT NULL
    FROM city.cases c, new
    WHERE c.scheme = :scheme AND c.kind = 'event'
      AND c.reported_at BETWEEN new.first - :hours * interval '1 hour' AND new.last""")
_MARK = text("""
    WITH said AS MATERIALIZED (
        SELECT s.later, s.earlier, e.code
        FROM unnest(CAST(:later AS bigint[]), CAST(:earlier AS bigint[])) AS s (later, earlier)
        JOIN city.cases e ON e.id = s.earlier),
    counted AS MATERIALIZED (
        SELECT id, max(code) AS of_code, sum(more) AS more FROM (
            SELECT later AS id, code, 0 AS more FROM said
            UNION ALL SELECT earlier, NULL, count(*) FROM said GROUP BY earlier) n GROUP BY id)
    UPDATE city.cases c SET duplicate_of = n.of_code, reports = c.reports + n.more FROM counted n WHERE c.id = n.id""")


def known_ids(conn: Connection, source: str, ids: Sequence[str]) -> set[str]:
    """Those of the ids whose cases of that source are there already."""
    rows = conn.execute(
        text("SELECT source_id FROM city.cases WHERE source = :source AND source_id = ANY (:ids)"),
        {"source": source, "ids": list(ids)},
    )
    return set(rows.scalars())


def enter_cases(conn: Connection, source: str, scheme: str, cases: Sequence[Mapping[str, Any]]) -> list[int]:
    """Enter cases with their past; the triggers of the layer number and locate them. Returns their ids."""
    _acting(conn, "import")
    rows = conn.execute(_ENTER, {"scheme": scheme, "source": source, "cases": orjson.dumps(cases).decode()})
    ids = [int(one) for one in rows.scalars()]
    _acting(conn, "")
    return ids


def mark_repeats(conn: Connection, ids: Sequence[int], scheme: str, metres: float, hours: float) -> int:
    """Name for each of these cases the earlier open one of the same problem, as reports are compared when they come;
    how many repeat another. Their states stay as the source says."""
    rows = conn.execute(_COMPARED, {"ids": list(ids), "scheme": scheme, "hours": hours})
    found = repeats([Known(*tuple(row)) for row in rows], frozenset(ids), metres, hours)
    if found:
        _acting(conn, "attach")
        conn.execute(_MARK, {"later": list(found), "earlier": list(found.values())})
        _acting(conn, "")
    return len(found)


def _acting(conn: Connection, act: str) -> None:
    conn.execute(text("SELECT set_config('citymap.case_act', :act, true)"), {"act": act})
