"""Roles by the groups that a provider names at each sign-in (``access.oidc.<name>.roles``).

What somebody gave by hand stays; what came from the provider goes when it no longer says so. A role that is kept apart
stays with its last open account, as everywhere.
"""

import logging
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from geoserver.errors import Conflict
from geoserver.identity.administration import hold_roles, kept_apart_roles, require_holders
from geoserver.identity.memberships import Membership, explained, values_of
from geoserver.identity.record import record
from geoserver.identity.sessions import end_sessions
from geoserver.settings.access import OidcProvider

LOGGER = logging.getLogger("citymap")
#: Whether the role and the department are there; rules may name what has been removed since.
_KNOWN = text("""
    SELECT EXISTS (SELECT FROM access.roles WHERE id = :role)
       AND (:department = '' OR EXISTS (SELECT FROM access.departments WHERE id = :department))""")
_GIVE = text("""
    INSERT INTO access.memberships (account, role, department, area, provider)
    VALUES (:account, :role, :department, :area, :provider) ON CONFLICT DO NOTHING""")
_HELD = text("""
    SELECT account, role, department, area FROM access.memberships WHERE account = :account AND provider = :provider""")
_TAKE = text("""
    DELETE FROM access.memberships WHERE account = :account AND role = :role AND department = :department
        AND area = :area AND provider = :provider""")


def groups_of(settings: OidcProvider, claims: dict[str, Any]) -> frozenset[str]:
    """The groups that the provider names."""
    named = claims.get(settings.groups_claim)
    return frozenset(one for one in named if isinstance(one, str)) if isinstance(named, list) else frozenset()


def roles_by_groups(settings: OidcProvider, account: str, groups: frozenset[str]) -> frozenset[Membership]:
    """The roles that the configuration gives to who is in these groups."""
    return frozenset(Membership(account, r.role, r.department, r.area) for r in settings.roles if r.group in groups)


def apply_groups(conn: Connection, provider: str, settings: OidcProvider, account: str, claims: dict[str, Any]) -> None:
    """Give and take the account's roles from this provider as its groups say; its sessions end if that changes any.

    Raises :class:`Conflict` for two roles that are kept apart.
    """
    hold_roles(conn)
    wanted = roles_by_groups(settings, account, groups_of(settings, claims))
    held = {Membership(*row) for row in conn.execute(_HELD, {"account": account, "provider": provider})}
    taken = _take(conn, provider, held - wanted)
    given = _give(conn, provider, wanted - held)
    if taken or given:
        end_sessions(conn, account)
        told = {"given": sorted(m.role for m in given), "taken": sorted(m.role for m in taken)}
        record(conn, "administer", "account", account, change="roles by groups", provider=provider, **told)


def take_provided(conn: Connection, provider: str, account: str) -> None:
    """Take every role of the account that this provider gave, as when their link is removed."""
    hold_roles(conn)
    held = [Membership(*row) for row in conn.execute(_HELD, {"account": account, "provider": provider})]
    before = kept_apart_roles(conn, account)
    for membership in held:
        conn.execute(_TAKE, {**values_of(membership), "provider": provider})
    require_holders(conn, before)


def _take(conn: Connection, provider: str, memberships: Iterable[Membership]) -> list[Membership]:
    """Take these away, but for a kept-apart role of its last open account; returns those that went."""
    gone = []
    for membership in memberships:
        before = kept_apart_roles(conn, membership.account)
        try:
            with conn.begin_nested():
                conn.execute(_TAKE, {**values_of(membership), "provider": provider})
                require_holders(conn, before)
        except Conflict:
            LOGGER.warning("%s keeps the role %s as its last open account", membership.account, membership.role)
        else:
            gone.append(membership)
    return gone


def _give(conn: Connection, provider: str, memberships: Iterable[Membership]) -> list[Membership]:
    given = []
    for membership in memberships:
        values = values_of(membership)
        if not conn.execute(_KNOWN, values).scalar_one():
            LOGGER.warning("access.oidc.%s.roles: there is no role or department as in %s", provider, membership)
            continue
        try:
            with conn.begin_nested():
                made = conn.execute(_GIVE, {**values, "provider": provider})
        except DBAPIError as error:
            raise explained(error, membership) from None
        if made.rowcount:
            given.append(membership)
    return given
