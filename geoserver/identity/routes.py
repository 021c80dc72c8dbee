"""Every route of signing in, of one's own account and of administration, in one list: method, path, handler.

Handlers are ``handler(city, request, body, **path) -> Reply``; bodies are no larger than
:data:`~geoserver.identity.bodies.MAX_BODY`.
"""

from collections.abc import Callable

from geoserver.identity import admin_routes as admin
from geoserver.identity import own_routes as own
from geoserver.identity import pages
from geoserver.identity import provider_routes as provider
from geoserver.reply import Reply

_ACCOUNT = "/admin/accounts/{account}"

ROUTES: tuple[tuple[str, str, Callable[..., Reply]], ...] = (
    ("GET", "/sign-in", pages.sign_in_page),
    ("POST", "/sign-in", own.sign_in),
    ("GET", "/sign-in/{provider}", provider.to_provider),
    ("GET", "/sign-in/{provider}/callback", provider.from_provider),
    ("POST", "/account/links/{provider}", provider.link_provider),
    ("POST", "/sign-out", own.sign_out),
    ("POST", "/token", own.post_token),
    ("GET", "/account", own.get_account),
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
    ("GET", "/admin/roles", admin.get_roles),
    ("POST", "/admin/departments", admin.post_department),
    ("DELETE", "/admin/departments/{department}", admin.delete_department),
    ("GET", "/admin/memberships", admin.get_memberships),
    ("POST", "/admin/memberships", admin.post_membership),
    ("DELETE", "/admin/memberships", admin.delete_membership),
    ("GET", "/admin/keys", admin.get_keys),
    ("DELETE", "/admin/keys/{key}", admin.delete_key),
    ("GET", "/admin/devices", admin.get_devices),
    ("POST", "/admin/devices", admin.post_device),
    ("DELETE", "/admin/devices/{secret}", admin.delete_device),
)
