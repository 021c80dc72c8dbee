"""The description of these routes for the OpenAPI document, from the list of routes and their bodies."""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter

from geoserver.identity import admin_routes as admin
from geoserver.identity import bodies, pages
from geoserver.identity import link_routes as links
from geoserver.identity import own_routes as own
from geoserver.identity import provider_routes as provider
from geoserver.identity import role_routes as roles
from geoserver.identity.bodies import Body
from geoserver.identity.routes import ROUTES
from geoserver.openapi import content, operation, parameter, reference
from geoserver.process_schema import schema_of
from geoserver.reply import Reply

type Json = dict[str, Any]
type Handler = Callable[..., Reply]

_TEXT = {"type": "string"}
_ACCOUNT: list[Json] = [{"account": []}]
_BODIES: dict[Handler, type[Body]] = {
    own.sign_in: bodies.SignInBody,
    own.post_token: bodies.TokenBody,
    own.post_password: bodies.PasswordBody,
    own.post_totp: bodies.ProofBody,
    own.confirm_totp: bodies.CodeBody,
    own.remove_totp: bodies.ProofBody,
    own.post_key: bodies.KeyBody,
    admin.post_account: bodies.AccountBody,
    admin.post_department: bodies.DepartmentBody,
    admin.post_membership: bodies.MembershipBody,
    admin.post_device: bodies.DeviceBody,
    roles.post_role: bodies.RoleBody,
    roles.post_permission: bodies.PermissionBody,
}
_QUERIES: dict[Handler, tuple[str, ...]] = {
    pages.sign_in_page: ("next",),
    provider.to_provider: ("next",),
    provider.from_provider: ("code", "state", "iss", "error"),
    admin.get_memberships: ("account",),
    admin.delete_membership: ("account", "role", "department", "area"),
    roles.delete_permission: ("role", "kind", "resource", "action"),
    links.delete_own_link: ("link",),
    links.get_links: ("account",),
}
_SUMMARIES: dict[Handler, str] = {
    pages.sign_in_page: "The page for signing in; it returns to `next`, a path of this server",
    own.sign_in: "Sign in with a browser",
    provider.to_provider: "To an OpenID provider, to sign in there",
    provider.from_provider: "Back from an OpenID provider",
    provider.link_provider: "The address at which to prove an identity that one's account is linked to",
    own.sign_out: "End the session at hand",
    own.post_token: "A bearer token for a password (and code), a session or a key",
    own.get_departments: "The names of departments by their ids",
    own.get_account: "Who asks, how it signed in, and its CSRF token",
    own.post_password: "Change one's own password",
    own.post_totp: "Begin one-time codes",
    own.confirm_totp: "Turn one-time codes on; answers the recovery codes, once",
    own.remove_totp: "Turn one-time codes off",
    own.get_sessions: "Where one is signed in",
    own.delete_sessions: "Sign out everywhere else",
    own.delete_session: "End one of one's own sessions",
    own.get_keys: "One's own API keys",
    own.post_key: "Make an API key, which is shown once",
    own.delete_key: "Revoke one of one's own API keys",
    pages.admin_page: "The page for administration",
    admin.get_accounts: "The accounts",
    admin.post_account: "Make an account; a random password is shown once",
    admin.disable_account: "Disable an account and end its sessions",
    admin.enable_account: "Enable an account again",
    admin.unlock_account: "Lift the locks that failures have put on an account",
    admin.reset_account: "Give an account a random password, which is shown once",
    admin.sign_out_account: "Sign an account out everywhere",
    links.get_own_links: "The identities of providers that one's account is linked to",
    links.delete_own_link: "Remove such a link of one's own; signs out everywhere",
    links.get_links: "The links of all accounts to identities of providers",
    links.delete_link: "Remove a link and the roles that stood by its provider's word",
    roles.get_roles: "The roles, what they may do, the departments, and what may be permitted",
    roles.post_role: "Make a role that may do nothing yet",
    roles.delete_role: "Remove a role that nobody has",
    roles.post_permission: "Let a role do something, or change how far",
    roles.delete_permission: "Take a permission away from a role",
    admin.post_department: "Make a department",
    admin.delete_department: "Remove a department that nobody is in",
    admin.get_memberships: "Who holds which role, in which department and area",
    admin.post_membership: "Give a role",
    admin.delete_membership: "Take a role away",
    admin.get_keys: "The API keys of all accounts",
    admin.delete_key: "Revoke an API key",
    admin.get_devices: "Which devices have secrets",
    admin.post_device: "Make a secret for a device, which is shown once",
    admin.delete_device: "Revoke a device's secret",
}
#: What may be asked without an account.
_OPEN = (provider.to_provider, provider.from_provider, pages.sign_in_page, own.sign_in, own.post_token)
_CREATED = (
    own.post_key, admin.post_account, admin.post_department, admin.post_membership, admin.post_device, roles.post_role,
    roles.post_permission,
)  # fmt: skip
#: What is for people only.
_PAGES = (pages.sign_in_page, pages.admin_page)
_NOTHING = (
    own.sign_out, own.delete_sessions, own.delete_session, own.delete_key, admin.disable_account, admin.enable_account,
    admin.unlock_account, admin.delete_department, admin.delete_membership, admin.delete_key, admin.delete_device,
    links.delete_own_link, links.delete_link, roles.delete_role, roles.delete_permission,
)  # fmt: skip


def identity_paths() -> Json:
    """The paths of signing in, of one's own account and of administration."""
    paths: Json = {}
    for method, path, handler in ROUTES:
        paths.setdefault(path, {})[method.lower()] = _described(method, path, handler)
    return paths


def _described(method: str, path: str, handler: Handler) -> Json:
    named = [parameter(name, f"The {name}", _TEXT, "path") for name in re.findall(r"\{(\w+)\}", path)]
    asked = [parameter(name, f"The {name}", _TEXT) for name in _QUERIES.get(handler, ())]
    words = re.findall(r"[a-z]+", path.replace("{", " "))
    name = method.lower() + "".join(word.capitalize() for word in words)
    more: Json = {} if handler in _OPEN else {"security": _ACCOUNT}
    if body := _BODIES.get(handler):
        schema = schema_of(TypeAdapter(body))
        schema.pop("description", None)
        more["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    tag = "administration" if path.startswith("/admin") else "account"
    return operation(name, _SUMMARIES[handler], [*named, *asked], _answers(handler), tag, **more)


def _answers(handler: Handler) -> Json:
    if handler in _NOTHING:
        return {str(int(HTTPStatus.NO_CONTENT)): {"description": "Done"}}
    status = HTTPStatus.CREATED if handler in _CREATED else HTTPStatus.OK
    if handler in (provider.to_provider, provider.from_provider):
        return {str(int(HTTPStatus.SEE_OTHER)): {"description": "Where the browser goes on"}}
    if handler in _PAGES:
        return {str(int(status)): content("The page, or what it is about", "text/html", "application/json")}
    there = {"409": reference("responses", "Conflict")} if handler in _CREATED else {}
    return {str(int(status)): content("Done", "application/json"), **there}
