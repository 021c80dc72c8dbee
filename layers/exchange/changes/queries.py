"""The SQL of the change feed."""

from sqlalchemy import BigInteger, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from layers.catalogue import Layer
from layers.database import Reader
from layers.exchange.changes.model import Logged, Place
from layers.query import Statement, compiled
from layers.tables import history_table

#: What tells this database from others, and its state from one that was restored: transaction numbers begin anew there.
_SERVER = """
    SELECT concat_ws('-', s.system_identifier, c.timeline_id, d.oid), pg_current_snapshot()::text,
        citymap.layer_created(%(layer)s)::text
    FROM pg_control_system() s, pg_control_checkpoint() c, pg_database d WHERE d.datname = current_database()"""

#: The log is kept of tables that note their changes, back to the transaction at which it was cut.
_KEPT = """
    SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass(%(table)s) AND tgname = 'note_insert'),
        coalesce((SELECT tx FROM citymap.changes_cut) >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
            OR pg_snapshot_xmax(%(seen)s::pg_snapshot) > pg_snapshot_xmax(pg_current_snapshot()), false),
        EXISTS (SELECT FROM citymap.changes WHERE layer = 'admin-areas'
            AND tx >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
            AND NOT pg_visible_in_snapshot(tx, %(seen)s::pg_snapshot))"""

#: What the snapshot `seen` did not see, of what is seen now or was by the snapshot `until`, behind a place.
_LOG = """
    SELECT now.seen, logged.* FROM (SELECT pg_current_snapshot()::text AS seen) AS now LEFT JOIN LATERAL (
        SELECT c.tx::text, c.seq, touched.n, touched.id, c.operation, c.at::text
        FROM citymap.changes c CROSS JOIN LATERAL unnest(c.ids) WITH ORDINALITY AS touched (id, n)
        WHERE c.layer = %(layer)s AND c.tx >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
            AND NOT pg_visible_in_snapshot(c.tx, %(seen)s::pg_snapshot)
            AND (%(until)s::text IS NULL OR pg_visible_in_snapshot(c.tx, %(until)s::pg_snapshot))
            AND (c.tx, c.seq) >= (%(tx)s::text::xid8, %(seq)s)
            AND (c.tx, c.seq, touched.n) > (%(tx)s::text::xid8, %(seq)s, %(n)s)
        ORDER BY c.tx, c.seq, touched.n LIMIT %(limit)s
    ) AS logged ON true"""


def server_of(reader: Reader, layer: Layer) -> tuple[str, str]:
    """A name of the database and of the layer's making in it, and its snapshot now."""
    [(server, now, created)] = reader.fetch(_SERVER, {"layer": layer.id})
    return f"{server} {created}", now


def log_state(reader: Reader, layer: Layer, seen: str) -> tuple[bool, bool, bool]:
    """Whether the layer's changes are logged; whether those since a snapshot are no longer all there; whether the
    ground of areas has changed since."""
    found = reader.fetch(_KEPT, {"table": f'city."{layer.table}"', "seen": seen})[0]
    return found[0], found[1], found[2]


def logged_since(
    reader: Reader, layer: Layer, seen: str, until: str | None, place: Place, limit: int
) -> tuple[str, list[Logged]]:
    """The snapshot now, and features that were touched, in the order of the log."""
    values = {"layer": layer.id, "seen": seen, "until": until, "limit": limit}
    rows = reader.fetch(_LOG, {**values, "tx": str(place.tx), "seq": place.seq, "n": place.n})
    found = [Logged(row[4], row[5], Place(int(row[1]), row[2], row[3]), row[6]) for row in rows if row[4] is not None]
    return rows[0][0], found


def were_seen(reader: Reader, layer: Layer, ids: list[int]) -> set[int]:
    """Those of the features of which some past state may be seen by whoever asks."""
    statement = _past_states(layer)
    return {row[0] for row in reader.fetch(statement.sql, statement.bind({"ids": ids}))}


def _past_states(layer: Layer) -> Statement:
    past = history_table(layer)
    wanted = past.c.id == func.any(cast(bindparam("ids"), ARRAY(BigInteger)))
    return compiled(select(past.c.id).where(wanted).distinct())
