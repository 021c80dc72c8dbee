"""Every route of signing in, of one's own account and of administration, in one list: method, path, handler.

Handlers are ``handler(city, request, body, **path) -> Reply``; bodies are no larger than
:data:`~geoserver.identity.bodies.MAX_BODY`.
"""

from collections.abc import Callable

from geoserver.identity import admin_routes as admin
from geoserver.identity import link_routes as links
from geoserver.identity import own_routes as own
from geoserver.identity import pages
from geoserver.identity import provider_routes as provider
from geoserver.identity import role_routes as roles
from geoserver.reply import Reply

_ACCOUNT = "/admin/accounts/{account}"

ROUTES: tuple[tuple[str, str, Callable[..., Reply]], ...] = (
    ("GET", "/sign-in", pages.sign_in_page),
    ("POST", "/sign-in", own.sign_in),
    ("GET", "/sign-in/{provider}", provider.to_provider),
    ("GET", "/sign-in/{provider}/callback", provider.from_provider),
    ("POST", "/account/links/{provider}", provider.link_provider),
    ("GET", "/account/links", links.get_own_links),
    ("DELETE", "/account/links", links.delete_own_link),
    ("POST", "/sign-out", own.sign_out),
    ("POST", "/token", own.post_token),
    ("GET", "/account", own.get_account),
    ("GET", "/departments", own.get_departments),
    ("POST", "/account/password", own.post_password),
    ("POST", "/account/totp", own.post_totp),
    ("POST", "/account/totp/confirm", own.confirm_totp),
    ("POST", "/account/totp/remove", own.remove_totp),
    ("GET", "/account/sessions", own.get_sessions),
    ("DELETE", "/account/sessions", own.delete_sessions),
    ("DELETE", "/account/sessions/{session}", own.delete_session),
    ("GET", "/account/keys", own.get_keys),
    ("POST", "/account/keys", own.post_key),
    ("DELETE", "/account/keys/{key}", own.delete_key),
    ("GET", "/admin", pages.admin_page),
    ("GET", "/admin/accounts", admin.get_accounts),
    ("POST", "/admin/accounts", admin.post_account),
    ("POST", f"{_ACCOUNT}/disable", admin.disable_account),
    ("POST", f"{_ACCOUNT}/enable", admin.enable_account),
    ("POST", f"{_ACCOUNT}/unlock", admin.unlock_account),
    ("POST", f"{_ACCOUNT}/reset", admin.reset_account),
    ("POST", f"{_ACCOUNT}/sign-out", admin.sign_out_account),
    ("GET", "/admin/roles", roles.get_roles),
    ("POST", "/admin/roles", roles.post_role),
    ("DELETE", "/admin/roles/{role}", roles.delete_role),
    ("POST", "/admin/permissions", roles.post_permission),
    ("DELETE", "/admin/permissions", roles.delete_permission),
    ("POST", "/admin/departments", admin.post_department),
    ("DELETE", "/admin/departments/{department}", admin.delete_department),
    ("GET", "/admin/memberships", admin.get_memberships),
    ("POST", "/admin/memberships", admin.post_membership),
    ("DELETE", "/admin/memberships", admin.delete_membership),
    ("GET", "/admin/keys", admin.get_keys),
    ("DELETE", "/admin/keys/{key}", admin.delete_key),
    ("GET", "/admin/links", links.get_links),
    ("DELETE", "/admin/links/{link}", links.delete_link),
    ("GET", "/admin/devices", admin.get_devices),
    ("POST", "/admin/devices", admin.post_device),
    ("DELETE", "/admin/devices/{secret}", admin.delete_device),
)
