"""Verify the chain of a database: links, entries, what waits, what was pruned, and the triggers that guard it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection

from geoserver.audit.chain import MOST_FAULTS, Fault, Link, Place, Report, check
from geoserver.audit.entries import COLUMNS, Document, document

#: Rows fetched at once.
_CHUNK = 2000
_LAST = 2**62
#: Entries may be pruned no earlier (six months).
_LEAST_KEPT = timedelta(days=183)

_ROWS = f"""
    SELECT l.seq, l.entry, to_char(l.sealed AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), l.algorithm,
           encode(l.digest, 'hex'), encode(l.hash, 'hex'), {COLUMNS}
    FROM audit.links l LEFT JOIN audit.entries e ON e.id = l.entry
    WHERE l.seq > %(after)s AND l.seq <= %(upto)s ORDER BY l.seq"""
#: The prune entry that tells of the links before the first one there is.
_PRUNED = """
    SELECT e.detail::text, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM audit.entries e
    WHERE e.action = 'prune' AND e.detail ->> 'upto' = (SELECT min(seq) - 1 FROM audit.links)::text
    ORDER BY e.id DESC LIMIT 1"""
_UNLINKED = """
    SELECT e.id, e.at::text FROM audit.entries e LEFT JOIN audit.links l ON l.entry = e.id
    WHERE l.seq IS NULL AND NOT EXISTS (SELECT FROM audit.unsealed u WHERE u.entry = e.id) ORDER BY e.id"""
_GONE = """
    SELECT DISTINCT u.entry FROM audit.unsealed u LEFT JOIN audit.entries e ON e.id = u.entry WHERE e.id IS NULL
    ORDER BY u.entry"""
_WAITING = "SELECT count(*) FROM audit.unsealed u JOIN audit.entries e ON e.id = u.entry"
#: Triggers that are not there, not as they were made, or switched off.
_UNGUARDED = """
    WITH guarding (place, name, function, states) AS (
        SELECT 'audit.' || place, name, function, '{A}'::text[]
        FROM unnest('{entries,links}'::text[]) place,
             (VALUES ('refuse_update', 'audit.refuse'), ('refuse_truncate', 'audit.refuse'),
                     ('refuse_delete', 'audit.refuse_unless_pruned')) AS t (name, function)
        UNION ALL
        SELECT format('city.%I', table_name), 'audit_' || event, 'audit.after_change', '{O,A}'
        FROM citymap.layers, unnest('{insert,update,delete}'::text[]) event
        WHERE id <> ALL ('{positions,trajectories}')  -- the server derives these itself: tracking.keep_no_history
        AND (SELECT relkind FROM pg_class WHERE oid = to_regclass(format('city.%I', table_name))) = 'r'
        UNION ALL
        SELECT place, 'audit_administration', 'audit.after_administration', '{O,A}'
        FROM unnest(ARRAY['citymap.layers', 'access.roles', 'access.departments', 'access.permissions',
                          'access.memberships', 'access.accounts']) place
        UNION ALL VALUES ('citymap.layers', 'watch_layer', 'audit.watch_layer', '{O,A}'::text[])
    )
    SELECT g.place, g.name, t.tgenabled = 'D' FROM guarding g
    LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(g.place) AND t.tgname = g.name
        AND t.tgfoid = to_regproc(g.function)
    WHERE t.tgenabled IS NULL OR t.tgenabled::text <> ALL (g.states) ORDER BY 1, 2"""


def verify(conn: Connection, heads: Iterable[Place] = ()) -> Report:
    """Everything that is wrong with the log, as the connection's snapshot has it.

    ``heads`` were exported before. The transaction should be REPEATABLE READ, so that one state is verified while
    others write.
    """
    after, pruned, early = pruned_part(conn)
    heads = list(heads)
    report = check(rows(conn, after), after, heads)
    report.pruned = pruned
    for head in heads:
        if head.seq < after.seq:
            report.remarks.append(
                f"link {head.seq} was pruned: its head says nothing here; verify the pruned file with it"
            )
    if early:
        text = f"links up to {after.seq} were pruned before they were {_LEAST_KEPT.days} days old"
        report.add(Fault("removed", text, after.seq))
    _find_unlinked(conn, report)
    _find_unguarded(conn, report)
    report.waiting = conn.exec_driver_sql(_WAITING).scalar_one()
    return report


def rows(conn: Connection, after: Place, upto: int = _LAST) -> Iterator[tuple[Link, Document | None]]:
    """Links and their entries in order, read as a stream."""
    width = len(Link.__slots__)
    found = conn.exec_driver_sql(
        _ROWS, {"after": after.seq, "upto": upto}, execution_options={"stream_results": True, "yield_per": _CHUNK}
    )
    for row in found:
        entry = document(row[width:]) if row[width] is not None else None
        yield Link(*row[:width]), entry


def pruned_part(conn: Connection) -> tuple[Place, Mapping[str, Any] | None, bool]:
    """Where the chain begins after, what its prune entry tells, and whether that was earlier than may be."""
    found = conn.exec_driver_sql(_PRUNED).first()
    if found is None:
        return Place(), None, False
    told = orjson.loads(found[0])
    return Place(int(told["upto"]), str(told.get("hash"))), told, _is_early(told.get("sealed_to"), found[1])


def _is_early(sealed: Any, pruned: str) -> bool:
    try:
        return datetime.fromisoformat(pruned) - datetime.fromisoformat(sealed) < _LEAST_KEPT
    except (ValueError, TypeError):
        return True


def _find_unlinked(conn: Connection, report: Report) -> None:
    """Entries that came into the table behind the function that appends, and such as went before they were sealed."""
    for entry, at in conn.exec_driver_sql(_UNLINKED):
        text = f"entry {entry} (dated {at}) was put into the table by hand: it neither waits for its link nor has one"
        report.add(Fault("inserted", text, None, entry))
    for (entry,) in conn.exec_driver_sql(_GONE):
        report.add(Fault("removed", f"entry {entry} is missing; it waited to be sealed", None, entry))


def _find_unguarded(conn: Connection, report: Report) -> None:
    for place, name, disabled in conn.exec_driver_sql(_UNGUARDED.replace("%", "%%")).fetchmany(MOST_FAULTS):
        state = "is switched off" if disabled else "is missing or another"
        report.add(Fault("guard", f"trigger {name} of {place} {state}: what happens there is not kept"))
