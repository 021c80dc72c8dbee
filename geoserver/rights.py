"""What roles may do, and which departments there are: rows of ``access.*`` that a city changes as it likes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.errors import ForeignKeyViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from geoserver.accounts import AccountError
from geoserver.errors import Conflict, NotThere
from layers.access import PUBLIC_ROLE

#: What may be permitted of each kind of thing.
ACTIONS = {
    "collection": ("read", "create", "update", "delete", "manage"),
    "process": ("execute",),
    "office": ("read", "manage"),
}
WITHIN = ("everywhere", "area", "department")
VISIBILITIES = ("public", "internal", "sensitive", "core")
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,50}")


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a role may do; ``resource`` is an id or ``*``."""

    kind: str
    resource: str
    action: str
    visibility: str
    within: str


@dataclass(frozen=True, slots=True)
class Role:
    """A role and its permissions. An account holds one at most of those that are ``kept_apart``."""

    id: str
    zh: str
    en: str
    kept_apart: bool
    permissions: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class Department:
    """A department; its parent sees what it sees."""

    id: str
    parent: str | None
    zh: str
    en: str


def list_roles(conn: Connection) -> list[Role]:
    """Every role with what it may do."""
    permissions = conn.execute(
        text("SELECT role, kind, resource, action, visibility, within FROM access.permissions ORDER BY 1, 2, 3, 4")
    ).all()
    roles = conn.execute(text("SELECT id, zh, en, kept_apart FROM access.roles ORDER BY position, id")).all()
    held = {row[0]: tuple(Permission(*p[1:]) for p in permissions if p[0] == row[0]) for row in roles}
    return [Role(row[0], row[1], row[2], row[3], held[row[0]]) for row in roles]


def add_role(conn: Connection, role: str, zh: str, en: str) -> None:
    """Make a role that may do nothing yet."""
    _require_id("role", role)
    made = conn.execute(
        text("INSERT INTO access.roles (id, zh, en) VALUES (:id, :zh, :en) ON CONFLICT DO NOTHING"),
        {"id": role, "zh": zh, "en": en},
    )
    if made.rowcount == 0:
        raise Conflict(f"role {role!r} exists already")


def remove_role(conn: Connection, role: str) -> None:
    """Remove a role that nobody has, with its permissions. Raises :class:`Conflict`, :class:`NotThere`."""
    if role == PUBLIC_ROLE:
        raise Conflict(f"role {role!r} is everybody's")
    if conn.execute(text("SELECT 1 FROM access.memberships WHERE role = :role"), {"role": role}).first():
        raise Conflict(f"role {role!r} still has people (`citymap user list`)")
    gone = conn.execute(text("DELETE FROM access.roles WHERE id = :role AND NOT kept_apart"), {"role": role})
    if gone.rowcount == 0:
        raise NotThere(f"there is no role {role!r} that can be removed")


def permit(
    conn: Connection, role: str, kind: str, resource: str, actions: Sequence[str], visibility: str, within: str
) -> None:
    """Let a role do something, or change how far. Raises :class:`AccountError` for what cannot be permitted."""
    _check(kind, actions, visibility, within)
    values = {"role": role, "kind": kind, "resource": resource, "visibility": visibility, "within": within}
    try:
        with conn.begin_nested():
            for action in actions:
                conn.execute(
                    text("INSERT INTO access.permissions"
                         " VALUES (:role, :kind, :resource, :action, :visibility, :within)"
                         " ON CONFLICT (role, kind, resource, action)"
                         " DO UPDATE SET visibility = excluded.visibility, within = excluded.within"),
                    {**values, "action": action},
                )  # fmt: skip
    except IntegrityError as error:
        if isinstance(error.orig, ForeignKeyViolation):
            raise NotThere(f"there is no role {role!r}") from None
        raise


def forbid(conn: Connection, role: str, kind: str, resource: str, actions: Sequence[str]) -> None:
    """Take permissions away. Raises :class:`NotThere` if it has none of them."""
    taken = conn.execute(
        text("DELETE FROM access.permissions WHERE role = :role AND kind = :kind AND resource = :resource"
             " AND action = ANY (:actions)"),
        {"role": role, "kind": kind, "resource": resource, "actions": list(actions)},
    )  # fmt: skip
    if taken.rowcount == 0:
        raise NotThere(f"role {role!r} has no such permission for {kind} {resource!r}")


def list_departments(conn: Connection) -> list[Department]:
    """Every department."""
    return [Department(*r) for r in conn.execute(text("SELECT id, parent, zh, en FROM access.departments ORDER BY id"))]


def add_department(conn: Connection, department: str, zh: str, en: str, parent: str | None = None) -> None:
    """Make a department, perhaps below another. Raises :class:`Conflict` or :class:`NotThere`."""
    _require_id("department", department)
    try:
        with conn.begin_nested():
            made = conn.execute(
                text("INSERT INTO access.departments VALUES (:id, :parent, :zh, :en) ON CONFLICT DO NOTHING"),
                {"id": department, "parent": parent, "zh": zh, "en": en},
            )
    except IntegrityError:
        raise NotThere(f"there is no department {parent!r} to be below") from None
    if made.rowcount == 0:
        raise Conflict(f"department {department!r} exists already")


def remove_department(conn: Connection, department: str) -> None:
    """Remove a department that nobody is in and none is below."""
    if conn.execute(text("SELECT 1 FROM access.memberships WHERE department = :id"), {"id": department}).first():
        raise Conflict(f"department {department!r} still has people in it (`citymap user list`)")
    try:
        with conn.begin_nested():
            gone = conn.execute(text("DELETE FROM access.departments WHERE id = :id"), {"id": department})
    except IntegrityError:
        raise Conflict(f"department {department!r} has others below it; remove those first") from None
    if gone.rowcount == 0:
        raise NotThere(f"there is no department {department!r}")


def _require_id(kind: str, name: str) -> None:
    if not _ID.fullmatch(name):
        raise AccountError(f"{kind} {name!r}: an id has lower-case letters, digits, '-' and '_', at most 51")


def _check(kind: str, actions: Sequence[str], visibility: str, within: str) -> None:
    given = (("kind", kind, tuple(ACTIONS)), ("visibility", visibility, VISIBILITIES), ("within", within, WITHIN))
    for name, value, known in given:
        if value not in known:
            raise AccountError(f"{name} {value!r} is none of {', '.join(known)}")
    for action in actions:
        if action not in ACTIONS[kind]:
            raise AccountError(f"action {action!r} of a {kind} is none of {', '.join(ACTIONS[kind])}")
    if not actions:
        raise AccountError(f"name an action: {', '.join(ACTIONS[kind])}")
