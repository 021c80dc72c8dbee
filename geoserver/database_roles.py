"""The roles under which the server works in PostgreSQL: they own nothing and no policy lets them by.

The configured address is the owner's, who migrates. Requests and jobs connect as ``citymap_app``, sign-in and the
administration of access as ``citymap_access``. Their passwords follow from the owner's, so that nothing more is kept:
who knows that one could do more than they can.
"""

import hashlib
import hmac

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from layers.access import APP_ROLE

ACCESS_ROLE = "citymap_access"
ROLES = (APP_ROLE, ACCESS_ROLE)


# Another database of this server made, or is changing, the same role at this moment (PostgreSQL's error codes).
DUPLICATE_OBJECT, UNIQUE_VIOLATION = "42710", "23505"
TUPLE_CONCURRENTLY_UPDATED = "XX000"


class RolesMissing(RuntimeError):
    """The database lacks the server's roles, and its owner may not make them."""


def role_url(owner_url: str, role: str) -> str:
    """The owner's address of the database, for another role."""
    url = make_url(owner_url)
    password = role_password(str(url.password), role) if url.password else None
    return url.set(username=role, password=password).render_as_string(hide_password=False)


def role_password(owner_password: str, role: str) -> str:
    """The password of a role, which follows from the owner's."""
    return hmac.digest(owner_password.encode(), role.encode(), hashlib.sha256).hex()


def create_roles(conn: Connection) -> None:
    """Make the roles that are missing. Raises :class:`RolesMissing` where the owner may not."""
    for role in ROLES:
        if conn.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first():
            continue
        try:
            with conn.begin_nested():
                conn.exec_driver_sql(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS")
        except DBAPIError as error:
            if pgcode(error) in (DUPLICATE_OBJECT, UNIQUE_VIOLATION):
                continue
            raise RolesMissing(
                f"role {role} is missing and this account may not make it: as a superuser, run "
                f"CREATE ROLE {role} LOGIN PASSWORD '…' and configure its address (docs/install.md)"
            ) from error


def set_passwords(conn: Connection, owner_password: str | None) -> None:
    """Give the roles the passwords that :func:`role_url` uses; nothing without a password of the owner's."""
    if not owner_password:
        return
    for role in ROLES:
        secret = role_password(owner_password, role)
        try:
            with conn.begin_nested():
                conn.exec_driver_sql(f"ALTER ROLE {role} PASSWORD '{secret}'")
        except DBAPIError as error:  # the other one gives it the same password: it has the same owner
            if pgcode(error) != TUPLE_CONCURRENTLY_UPDATED:
                raise


def pgcode(error: DBAPIError) -> str | None:
    """PostgreSQL's five-character code of an error."""
    return getattr(error.orig, "pgcode", None)
