"""Which identities of providers an account is linked to; listed and removed by its owner or an administrator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from geoserver.errors import Conflict, NotThere
from geoserver.identity.provider_roles import take_provided
from geoserver.identity.record import record
from geoserver.identity.sessions import end_sessions
from geoserver.settings.access import OidcProvider


@dataclass(frozen=True, slots=True)
class Link:
    """Who signs in at ``issuer`` as ``subject`` is ``account`` here. ``id`` is the link's name in addresses."""

    id: UUID
    account: str
    issuer: str
    subject: str
    made: datetime


def list_links(conn: Connection, account: str | None = None) -> list[Link]:
    """The links of an account, or of all."""
    rows = conn.execute(
        text("""
        SELECT id, account, issuer, subject, made FROM access.external_identities
        WHERE account = :account OR CAST(:account AS text) IS NULL ORDER BY account, made, id"""),
        {"account": account},
    )
    return [Link(*row) for row in rows]


def link_document(link: Link, providers: Mapping[str, OidcProvider]) -> dict[str, Any]:
    """The link as JSON; ``provider`` is '' where the configuration no longer has it."""
    names = providers_of(link.issuer, providers)
    return {
        "id": link.id, "account": link.account, "provider": names[0] if names else "", "issuer": link.issuer,
        "subject": link.subject, "made": link.made,
    }  # fmt: skip


def providers_of(issuer: str, providers: Mapping[str, OidcProvider]) -> list[str]:
    """The names that the configuration has for an issuer."""
    return [name for name, settings in providers.items() if settings.issuer == issuer]


def remove_own_link(conn: Connection, link: UUID | None, account: str, providers: Mapping[str, OidcProvider]) -> None:
    """Remove a link of one's own. Raises :class:`NotThere`, and :class:`Conflict` for one's only way to sign in."""
    found = list_links(conn, account)
    others = text("SELECT hash IS NOT NULL FROM access.accounts WHERE name = :name")
    if [one.id for one in found] == [link] and not conn.execute(others, {"name": account}).scalar():
        raise Conflict("this is the only way in which your account signs in: ask an administrator for a password first")
    remove_link(conn, link, account, providers)


def remove_link(conn: Connection, link: UUID | None, account: str | None, providers: Mapping[str, OidcProvider]) -> str:
    """Remove a link, of ``account`` or of anybody, with the roles that stood by that provider's word; returns whose.

    All sessions and tokens of the account end. Raises :class:`NotThere`, and :class:`Conflict` for a last kept-apart
    role.
    """
    gone = conn.execute(
        text("""
        DELETE FROM access.external_identities
        WHERE id = :id AND (account = :account OR CAST(:account AS text) IS NULL)
        RETURNING account, issuer, subject"""),
        {"id": link, "account": account},
    ).one_or_none()
    if gone is None:
        raise NotThere("there is no such link to a provider")
    if gone.issuer not in {one.issuer for one in list_links(conn, gone.account)}:
        for provider in providers_of(gone.issuer, providers):
            take_provided(conn, provider, gone.account)
    conn.execute(text("UPDATE access.accounts SET epoch = epoch + 1 WHERE name = :name"), {"name": gone.account})
    end_sessions(conn, gone.account)
    record(conn, "administer", "account", gone.account, change="unlinked", issuer=gone.issuer, subject=gone.subject)
    return str(gone.account)
