"""Accounts of people who sign in at a provider, linked by issuer and subject; never by a name or an e-mail address."""

from typing import Any

from sqlalchemy import Connection, text

from geoserver.errors import NotAllowed
from geoserver.identity.model import WrongCredentials
from geoserver.identity.provider_roles import groups_of
from geoserver.identity.providers import ProviderRefused
from geoserver.identity.record import record
from geoserver.settings.access import OidcProvider


def require_admitted(settings: OidcProvider, claims: dict[str, Any]) -> None:
    """Raise :class:`ProviderRefused` unless the claims are of an admitted mail domain and group."""
    mail = str(claims.get("email", "")) if claims.get("email_verified") is True else ""
    _, at, domain = mail.rpartition("@")
    if settings.domains and not (at and domain.lower() in settings.domains):
        raise ProviderRefused("the provider's account has no verified address in an admitted domain")
    if settings.groups and not groups_of(settings, claims) & set(settings.groups):
        raise ProviderRefused("the provider's account is in no admitted group")


def account_of(conn: Connection, settings: OidcProvider, claims: dict[str, Any], link: str | None) -> str:
    """The open account behind the claims; linked or made where that is wanted. Raises :class:`NotAllowed`."""
    subject = str(claims["sub"])
    values = {"issuer": settings.issuer, "subject": subject}
    query = text("SELECT account FROM access.external_identities WHERE issuer = :issuer AND subject = :subject")
    found: str | None = conn.execute(query, values).scalar()
    if found is not None and link not in (None, found):
        raise NotAllowed("that identity of the provider belongs to another account already")
    account = found or link or _made(conn, settings, claims)
    if found is None:
        conn.execute(text("""
            INSERT INTO access.external_identities (issuer, subject, account) VALUES (:issuer, :subject, :account)"""),
            {**values, "account": account})  # fmt: skip
        record(conn, "administer", "account", account, change="linked", issuer=settings.issuer, subject=subject)
    open_ = text("SELECT 1 FROM access.accounts WHERE name = :name AND NOT disabled")
    if conn.execute(open_, {"name": account}).first() is None:
        raise WrongCredentials
    return account


def _made(conn: Connection, settings: OidcProvider, claims: dict[str, Any]) -> str:
    if not settings.create_accounts:
        raise NotAllowed("no account is linked to that identity: sign in by password once and link it at /account")
    name = str(claims.get(settings.account_claim) or "")
    if not name.isprintable() or set(name) & set(":/") or not 1 <= len(name.strip()) == len(name) <= 64:
        raise NotAllowed(f"the provider's claim {settings.account_claim!r} is no account name")
    made = conn.execute(
        text("INSERT INTO access.accounts (name, hash) VALUES (:name, NULL) ON CONFLICT DO NOTHING"), {"name": name}
    )
    if made.rowcount == 0:
        raise NotAllowed(f"there is an account {name!r} already: sign in to it by password and link it at /account")
    return name
