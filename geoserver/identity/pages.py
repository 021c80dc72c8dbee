"""Pages for people: signing in, one's own account, and administration. What they show, their scripts fetch as JSON."""

import re
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, text
from starlette.requests import Request

from geoserver.formats import negotiate
from geoserver.identity import totp
from geoserver.identity.memberships import SECURITY_ADMINISTRATOR, is_held, list_memberships
from geoserver.identity.model import Identity
from geoserver.parameters import query_values
from geoserver.reply import Reply

if TYPE_CHECKING:
    from geoserver.city import City

#: A path of this server, nothing else: ``//host`` and ``/\\host`` lead elsewhere; browsers drop control characters.
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")
_UNKEPT = {"Cache-Control": "no-store"}


def wants_page(request: Request, *parameters: str) -> bool:
    """Whether a person's browser asks, rather than a program; checks the query parameters."""
    return negotiate(request, query_values(request, ("f", "lang", *parameters)), ("json", "html")) == "html"


def own_path(wanted: str | None, root: str) -> str:
    """Where to go after signing in: the wanted path if it is one of this server, else its landing page."""
    return wanted if wanted and _OWN_PATH.fullmatch(wanted) else f"{root}/"


def sign_in_page(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /sign-in``: the form, which returns to ``next``."""
    values = query_values(request, ("f", "lang", "next"))
    following = own_path(values.get("next"), str(request.scope.get("root_path", "")))
    return city.pages.page(request, "people/sign_in.html", {"next": following, "providers": _titles(city)}, _UNKEPT)


def account_page(city: "City", request: Request, identity: Identity) -> Reply:
    """One's own account as a page; after a change of the password it returns to ``next``."""
    following = request.query_params.get("next")
    with city.gate.transaction() as conn:
        data: dict[str, Any] = {
            "account": identity.account,
            "next": following and own_path(following, str(request.scope.get("root_path", ""))),
            "in_person": identity.in_person,
            "must_change": identity.must_change_password,
            "held": _held(conn, identity.account),
            "providers": _titles(city),
            "codes": totp.is_on(conn, identity.account),
        }
    rules = city.settings.access
    data |= {"rules": rules.password, "key_days": rules.key_days, "offices": sorted(city.principal.offices)}
    return city.pages.page(request, "people/account.html", data, _UNKEPT)


def admin_page(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /admin``: a section for each office that the asker holds."""
    offices = city.principal.offices
    if not offices:
        city.require_office("accounts:manage")
    if not wants_page(request):
        document = {"offices": sorted(offices), "description": "its routes are in the API description"}
        return Reply(orjson.dumps(document), headers=_UNKEPT)
    with city.gate.transaction() as conn:
        data: dict[str, Any] = {"offices": sorted(offices), "appoints": not is_held(conn, SECURITY_ADMINISTRATOR)}
    return city.pages.page(request, "people/admin.html", data, _UNKEPT)


def _titles(city: "City") -> list[tuple[str, dict[str, str]]]:
    """The providers by name, with their titles in both languages."""
    return [(name, {"zh": p.title.zh, "en": p.title.en}) for name, p in city.settings.access.oidc.items()]


def _held(conn: Connection, account: str) -> list[dict[str, str]]:
    """The account's roles with the names of role and department in both languages."""
    roles = {row.id: row for row in conn.execute(text("SELECT id, zh, en FROM access.roles"))}
    departments = {row.id: row for row in conn.execute(text("SELECT id, zh, en FROM access.departments"))}
    return [
        {
            "zh": roles[held.role].zh, "en": roles[held.role].en, "area": held.area,
            "department_zh": departments[held.department].zh if held.department else "",
            "department_en": departments[held.department].en if held.department else "",
        }
        for held in list_memberships(conn, account)
    ]  # fmt: skip
