"""What 安全管理员 (security administrators) change of roles; the command line at the server may change all of it.

Three things stay out of reach here: what the roles may do that are kept apart, administrative offices, and what one's
own roles may do. Else who gives rights could take them.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text

from geoserver import rights
from geoserver.errors import NotAllowed
from geoserver.identity.memberships import list_memberships


def permit(
    conn: Connection, asker: str, role: str, kind: str, resource: str, actions: Sequence[str], visibility: str,
    within: str,
) -> None:  # fmt: skip
    """Let a role do something. Raises :class:`NotAllowed`, and what :func:`geoserver.rights.permit` raises."""
    _require_editable(conn, asker, role)
    rights.permit(conn, role, kind, resource, actions, visibility, within)


def forbid(conn: Connection, asker: str, role: str, kind: str, resource: str, actions: Sequence[str]) -> None:
    """Take permissions away from a role. Raises :class:`NotAllowed`, :class:`NotThere`."""
    _require_editable(conn, asker, role)
    rights.forbid(conn, role, kind, resource, actions)


def remove_role(conn: Connection, asker: str, role: str) -> None:
    """Remove a role that nobody has. Raises :class:`NotAllowed`, :class:`Conflict`, :class:`NotThere`."""
    _require_editable(conn, asker, role)
    rights.remove_role(conn, role)


def _require_editable(conn: Connection, asker: str, role: str) -> None:
    apart = text("SELECT kept_apart FROM access.roles WHERE id = :role")
    if conn.execute(apart, {"role": role}).scalar():
        raise NotAllowed(f"role {role!r} is kept apart: what it may do is changed only by 'citymap role' at the server")
    if role in {m.role for m in list_memberships(conn, asker)}:
        raise NotAllowed("nobody changes what their own roles may do: ask another security administrator")
