"""命名版本 named versions: a name for an instant of one or more layers, such as 2026版控规.

A state with a name stays as it is, whichever transactions were under way.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg2.errors import InsufficientPrivilege, LockNotAvailable, UniqueViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from layers.database import Reader
from layers.features import RowDenied
from layers.versions.errors import NoSuchVersion, VersionError
from layers.versions.instants import reads_like_instant

#: How long to wait for those who are writing to a layer [s].
LOCK_SECONDS = 15
_LIST = """
    SELECT v.name, v.at, v.note, v.actor, v.created, array_agg(l.layer ORDER BY l.layer)
    FROM citymap.versions v JOIN citymap.version_layers l ON l.version = v.id
    {where} GROUP BY v.id ORDER BY v.at DESC, v.name"""


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """A name for the state of ``layers`` at an instant; ``layers`` are those of them that may be seen."""

    name: str
    at: datetime
    note: str
    actor: str | None
    created: datetime
    layers: tuple[str, ...]


def name_version(
    conn: Connection, name: str, layers: Sequence[str], at: datetime | None = None, note: str = ""
) -> NamedVersion:
    """Give a name to the state of layers at an instant, by default now.

    Waits for edits that are under way. Raises :class:`VersionError` for a name that is taken or reads like an instant,
    and :class:`RowDenied` for a layer that the principal does not manage.
    """
    _check(name, at)
    try:
        with conn.begin_nested():
            conn.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'"))
            made = conn.execute(
                text("INSERT INTO citymap.versions (name, at, note) VALUES (:name, now(), :note) RETURNING id"),
                {"name": name, "note": note},
            ).scalar_one()
            conn.execute(
                text("INSERT INTO citymap.version_layers SELECT :id, unnest(CAST(:layers AS text[]))"),
                {"id": made, "layers": sorted(set(layers))},
            )
            conn.execute(text("SELECT citymap.date_version(:id, :at)"), {"id": made, "at": at})
    except DBAPIError as error:
        raise _told(error, name) from None
    return find_version(conn, name)


def versions(conn: Connection, layer_id: str | None = None) -> list[NamedVersion]:
    """The versions of a layer, or all that may be seen; the latest instant first."""
    where = "WHERE v.id IN (SELECT version FROM citymap.version_layers WHERE layer = :layer)" if layer_id else ""
    rows = conn.execute(text(_LIST.format(where=where)), {"layer": layer_id} if layer_id else {})
    return [_version(row) for row in rows]


def find_version(conn: Connection, name: str) -> NamedVersion:
    """The version of that name. Raises :class:`NoSuchVersion`."""
    rows = conn.execute(text(_LIST.format(where="WHERE v.name = :name")), {"name": name}).all()
    if not rows:
        raise _missing(name)
    return _version(rows[0])


def forget_version(conn: Connection, name: str) -> NamedVersion:
    """Delete a name; the states of the layers stay in their history. Raises as :func:`name_version`."""
    found = find_version(conn, name)
    if conn.execute(text("DELETE FROM citymap.versions WHERE name = :name"), {"name": name}).rowcount == 0:
        raise RowDenied(f"version {name[:80]!r} is of layers that you do not manage")
    return found


def instant_of(reader: Reader, name: str, layers: Collection[str]) -> datetime:
    """The instant of a version of (one of) these layers; of any layers where none are named.

    Raises :class:`NoSuchVersion`.
    """
    if "\0" in name:  # no text of PostgreSQL's
        raise _missing(name, layers)
    rows = reader.fetch(
        "SELECT v.at, array_agg(l.layer) FROM citymap.versions v JOIN citymap.version_layers l ON l.version = v.id"
        " WHERE v.name = %(name)s GROUP BY v.id",
        {"name": name},
    )
    if not rows or (layers and not set(layers) & set(rows[0][1])):
        raise _missing(name, layers)
    found: datetime = rows[0][0]
    return found


def _version(row: Any) -> NamedVersion:
    name, at, note, actor, created, layers = row
    return NamedVersion(name, at, note, actor, created, tuple(layers))


def _check(name: str, at: datetime | None) -> None:
    if not name.strip() or name != name.strip() or len(name) > 80 or "\0" in name or "/" in name:
        raise VersionError(
            "版本名须为 1 至 80 个字，首尾无空格，不含 /", "a name has 1 to 80 letters, no blank at its ends, and no /"
        )
    if reads_like_instant(name):
        raise VersionError(f"{name} 像一个时刻，不能作版本名", f"{name!r} reads like an instant: choose another name")
    if at is not None and at > datetime.now(UTC):
        raise VersionError("时刻在未来", "the instant lies in the future")


def _missing(name: str, layers: Collection[str] = ()) -> NoSuchVersion:
    of = f" of {', '.join(sorted(layers)[:5])}" if layers else ""
    return NoSuchVersion(f"没有名为 {name[:80]} 的版本", f"{name[:80]!r} is neither an instant nor a named version{of}")


def _told(error: DBAPIError, name: str) -> Exception:
    if isinstance(error.orig, UniqueViolation):
        return VersionError(f"已有名为 {name} 的版本", f"there is a version {name!r} already")
    if isinstance(error.orig, InsufficientPrivilege):
        return RowDenied("only who manages a layer may name its versions; one of these layers is not yours to manage")
    if isinstance(error.orig, LockNotAvailable):
        return VersionError(
            f"图层正在写入，等了 {LOCK_SECONDS} 秒；请稍后再试",
            f"a layer is being written to; after {LOCK_SECONDS} s it still was: try again when that has ended",
        )
    return error
