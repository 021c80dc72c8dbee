"""Routes that show and remove the links of accounts to identities of providers."""

from starlette.requests import Request

from geoserver.identity.admin_routes import KEYS, in_office
from geoserver.identity.links import link_document, list_links, remove_link, remove_own_link
from geoserver.identity.own_account import parse_id
from geoserver.identity.own_routes import answer, nothing, person
from geoserver.identity.seen import SeenCity
from geoserver.parameters import query_values
from geoserver.reply import Reply


def get_own_links(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /account/links``."""
    identity = person(city, request)
    return _listed(city, identity.account)


def delete_own_link(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``DELETE /account/links?link=…``; the account is signed out everywhere."""
    identity = person(city, request)
    link = parse_id(query_values(request, ("link",)).get("link", ""))
    with city.gate.transaction(principal=city.principal) as conn:
        remove_own_link(conn, link, identity.account, city.settings.access.oidc)
    city.identities.forget()
    return nothing()


def get_links(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /admin/links``, of all or of ``account``."""
    in_office(city, request, KEYS)
    return _listed(city, query_values(request, ("account",)).get("account"))


def delete_link(city: SeenCity, request: Request, _body: bytes, link: str) -> Reply:
    """``DELETE /admin/links/{link}``."""
    in_office(city, request, KEYS)
    with city.gate.transaction(principal=city.principal) as conn:
        remove_link(conn, parse_id(link), None, city.settings.access.oidc)
    city.identities.forget()
    return nothing()


def _listed(city: SeenCity, account: str | None) -> Reply:
    with city.gate.transaction() as conn:
        return answer({"links": [link_document(one, city.settings.access.oidc) for one in list_links(conn, account)]})
