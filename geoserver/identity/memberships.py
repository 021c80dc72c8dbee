"""Who holds which role, in which department and area. 安全管理员 (security administrators) give and take roles."""

import re
from dataclasses import dataclass, field

from psycopg2.errors import CheckViolation, ForeignKeyViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from geoserver.accounts import AccountError
from geoserver.errors import Conflict, NotAllowed, NotThere
from geoserver.identity.administration import hold_roles, kept_apart_roles, require_account, require_holders
from geoserver.identity.sessions import end_sessions

SECURITY_ADMINISTRATOR = "security-administrator"
ADMINISTRATOR = "administrator"
#: Offices by which roles are given.
ROLES, ACCOUNTS = "roles:manage", "accounts:manage"


@dataclass(frozen=True, slots=True)
class Membership:
    """A role of an account; '' is every department, and the whole city.

    ``provider`` is by whose word it is held; '': somebody gave it.
    """

    account: str
    role: str
    department: str = ""
    area: str = ""
    provider: str = field(default="", compare=False)


def office_for(conn: Connection, membership: Membership) -> str:
    """The office that may give this role. While nobody is 安全管理员, not even a closed account, a 管理员 appoints the
    first one."""
    if membership.role == SECURITY_ADMINISTRATOR and not is_held(conn, SECURITY_ADMINISTRATOR):
        return ACCOUNTS
    return ROLES


def give_role(conn: Connection, asker: str | None, membership: Membership) -> None:
    """Give a role; the account's sessions end, so that none is older than its rights.

    ``asker`` None is the operator at the command line. Raises :class:`NotAllowed` for one's own account,
    :class:`NotThere` for what does not exist, :class:`Conflict` for two roles that are kept apart.
    """
    _require_other(asker, membership)
    require_account(conn, membership.account)
    if not re.fullmatch(r"[0-9]{0,18}", membership.area, re.ASCII):
        raise AccountError(f"area {membership.area!r} is no division code such as 420704: up to 18 digits")
    hold_roles(conn)
    try:
        with conn.begin_nested():
            given = conn.execute(
                text("""
                INSERT INTO access.memberships (account, role, department, area)
                VALUES (:account, :role, :department, :area) ON CONFLICT (account, role, department, area)
                DO UPDATE SET provider = '' WHERE memberships.provider <> ''"""),
                values_of(membership),
            )
    except DBAPIError as error:
        raise explained(error, membership) from None
    if given.rowcount == 0:
        raise Conflict(f"account {membership.account!r} has that role there already")
    end_sessions(conn, membership.account)


def take_role(conn: Connection, asker: str | None, membership: Membership) -> None:
    """Take a role away. Raises :class:`Conflict` for the last open account with a role that is kept apart."""
    _require_other(asker, membership)
    hold_roles(conn)
    before = kept_apart_roles(conn, membership.account)
    taken = conn.execute(text("""
        DELETE FROM access.memberships WHERE account = :account AND role = :role
            AND department = :department AND area = :area"""), values_of(membership))  # fmt: skip
    if taken.rowcount == 0:
        raise NotThere(f"account {membership.account!r} has no role {membership.role!r} in that department and area")
    require_holders(conn, before)
    end_sessions(conn, membership.account)


def list_memberships(conn: Connection, account: str | None = None) -> list[Membership]:
    """The roles of an account, or of all."""
    rows = conn.execute(
        text("""
        SELECT account, role, department, area, provider FROM access.memberships
        WHERE account = :account OR CAST(:account AS text) IS NULL ORDER BY 1, 2, 3, 4"""),
        {"account": account},
    )
    return [Membership(*row) for row in rows]


def explained(error: DBAPIError, membership: Membership) -> Exception:
    """What the database's refusal of a role means: :class:`Conflict`, :class:`NotThere`, or the error itself."""
    cause = error.orig
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    if isinstance(cause, CheckViolation) and constraint == "roles_kept_apart":
        return Conflict(
            f"account {membership.account!r} already holds one of 管理员, 安全管理员 and 审计管理员:"
            " they are kept apart, so choose another account"
        )
    if isinstance(cause, ForeignKeyViolation):
        missing = "department" if constraint == "membership_department" else "role"
        return NotThere(f"there is no {missing} {getattr(membership, missing)!r}")
    return error


def _require_other(asker: str | None, membership: Membership) -> None:
    if asker == membership.account:
        raise NotAllowed("nobody changes their own roles: ask another security administrator")


def is_held(conn: Connection, role: str) -> bool:
    """Whether anybody has the role, be the account open or closed."""
    found = conn.execute(text("SELECT 1 FROM access.memberships WHERE role = :role LIMIT 1"), {"role": role}).first()
    return found is not None


def values_of(membership: Membership) -> dict[str, str]:
    """As parameters of a statement."""
    return {
        "account": membership.account, "role": membership.role,
        "department": membership.department, "area": membership.area,
    }  # fmt: skip
