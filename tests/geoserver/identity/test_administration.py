"""What administrators may do, and what keeps each of them in bounds."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from geoserver.errors import Conflict
from geoserver.identity.administration import close_account
from tests.geoserver.identity.site import OTHER, PASSWORD, Client, IdentitySite

ADMIN, SECURITY, AUDIT = "administrator", "security-administrator", "audit-administrator"


def as_(door: IdentitySite, name: str, *roles: str) -> Client:
    """A browser in which a new account with those roles signed in."""
    door.add(name, *roles)
    client, token = door.signed_in(name)
    client.headers["X-CSRF-Token"] = token
    return client


@pytest.fixture
def admin(door: IdentitySite) -> Client:
    return as_(door, "admin", ADMIN)


@pytest.fixture
def security(door: IdentitySite) -> Client:
    return as_(door, "guan", SECURITY)


def give(client: Client, account: str, role: str, **place: str) -> int:
    return client.post("/admin/memberships", json={"account": account, "role": role, **place}).status_code


def take(client: Client, account: str, role: str) -> int:
    return client.delete("/admin/memberships", params={"account": account, "role": role}).status_code


ROUTES = [
    ("GET", "/admin", "accounts departments roles keys sessions audit"),
    ("POST", "/admin/departments", "departments"), ("DELETE", "/admin/departments/x", "departments"),
    ("GET", "/admin/accounts", "roles accounts"), ("POST", "/admin/accounts", "accounts"),
    ("POST", "/admin/accounts/li/disable", "accounts"), ("POST", "/admin/accounts/li/enable", "accounts"),
    ("POST", "/admin/accounts/li/unlock", "accounts"), ("POST", "/admin/accounts/li/reset", "accounts"),
    ("POST", "/admin/accounts/li/sign-out", "sessions"), ("GET", "/admin/roles", "roles accounts"),
    ("POST", "/admin/roles", "roles"), ("DELETE", "/admin/roles/x", "roles"),
    ("POST", "/admin/permissions", "roles"), ("DELETE", "/admin/permissions", "roles"),
    ("GET", "/admin/links", "keys"), ("DELETE", "/admin/links/x", "keys"),
    ("GET", "/admin/memberships", "roles accounts"), ("POST", "/admin/memberships", "roles"),
    ("DELETE", "/admin/memberships", "roles"), ("GET", "/admin/keys", "keys"), ("DELETE", "/admin/keys/x", "keys"),
    ("GET", "/admin/devices", "keys"), ("POST", "/admin/devices", "keys"), ("DELETE", "/admin/devices/x", "keys"),
]  # fmt: skip
OFFICES = {
    ADMIN: {"accounts", "departments"}, SECURITY: {"roles", "keys", "sessions"}, AUDIT: {"audit"}, "planner": set(),
}  # fmt: skip


def test_every_administrative_route_is_in_the_table() -> None:
    from geoserver.identity.routes import ROUTES as ALL

    listed = {(method, re.sub("/li(?=/|$)", "/{account}", path).replace("/x", "/{id}")) for method, path, _ in ROUTES}
    there = {(m, re.sub("{(key|secret|department|role|link)}", "{id}", p)) for m, p, _ in ALL if p.startswith("/admin")}
    assert listed == there


def test_each_route_opens_to_its_office_alone(door: IdentitySite) -> None:
    """Without the right body or object the right office gets 400, 404 or 2xx; everybody else 401 or 403."""
    door.add("li")
    door.add("other", SECURITY)  # so that no first appointment is open
    clients = {role: as_(door, f"a-{role}", role) for role in OFFICES}
    for method, path, offices in ROUTES:
        body = {"account": "nobody", "role": "planner"} if path == "/admin/memberships" else {}
        assert door.client().request(method, path, json=body).status_code == 401, (method, path)
        for role, client in clients.items():
            status = client.request(method, path, json=body if method == "POST" else None).status_code
            assert (status not in (401, 403)) == bool(OFFICES[role] & set(offices.split())), (
                role,
                method,
                path,
                status,
            )
            if "sign-out" in path or "reset" in path:
                door.city.identities.forget()


def test_keys_and_tokens_administer_nothing(door: IdentitySite, admin: Client) -> None:
    key = admin.post("/account/keys", json={"label": "x"}).json()["key"]
    token = admin.post("/token", json={}).json()["access_token"]
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {token}"}):
        assert door.client().get("/admin/accounts", headers=headers).status_code == 403
    assert door.client().get("/admin/accounts", auth=("admin", PASSWORD)).status_code == 200


def test_a_new_account_gets_a_password_shown_once_that_must_be_changed(door: IdentitySite, admin: Client) -> None:
    made = admin.post("/admin/accounts", json={"account": "zhao"})
    assert made.status_code == 201 and made.headers["Cache-Control"] == "no-store"
    first = made.json()["password"]
    signed = door.client().post("/sign-in", json={"account": "zhao", "password": first}).json()
    assert signed["mustChangePassword"] is True
    assert first not in admin.get("/admin/accounts").text
    assert admin.post("/admin/accounts", json={"account": "zhao"}).status_code == 400
    weak = admin.post("/admin/accounts", json={"account": "qian", "password": "Password123!"})
    assert weak.status_code == 400 and weak.json()["type"] == "PasswordRefused"


def test_a_reset_ends_sessions_and_must_be_changed(door: IdentitySite, admin: Client) -> None:
    wang = as_(door, "wang")
    first = admin.post("/admin/accounts/wang/reset").json()["password"]
    assert wang.get("/who").status_code == 401
    assert door.client().get("/who", auth=("wang", first)).status_code == 403
    assert admin.post("/admin/accounts/nobody/reset").status_code == 404
    assert admin.post("/admin/accounts/%00/reset").status_code == 404


def test_an_administrator_cannot_take_over_one_who_watches_it(door: IdentitySite, admin: Client) -> None:
    for name, role in (("guan", SECURITY), ("shen", AUDIT), ("admin2", ADMIN)):
        door.add(name, role)
        answer = admin.post(f"/admin/accounts/{name}/reset")
        assert answer.status_code == 403 and "citymap user passwd" in answer.json()["description"]
        assert door.client().get("/who", auth=(name, PASSWORD)).status_code == 200


def test_a_locked_account_is_shown_and_unlocked(door: IdentitySite, admin: Client) -> None:
    door.add("wang")
    stranger = door.client("127.0.0.9")
    for n in range(5):
        stranger.get("/who", auth=("wang", f"{OTHER}{n}"))
    assert [a["name"] for a in admin.get("/admin/accounts").json()["accounts"] if a["locked"]] == ["wang"]
    assert admin.post("/admin/accounts/wang/unlock").status_code == 204
    assert stranger.get("/who", auth=("wang", PASSWORD)).status_code == 200


def test_disabling_takes_effect_at_once_in_this_worker(door: IdentitySite, admin: Client) -> None:
    wang = as_(door, "wang")
    basic = door.client()
    key = wang.post("/account/keys", json={"label": "x"}).json()["key"]
    assert basic.get("/who", auth=("wang", PASSWORD)).status_code == wang.get("/who").status_code == 200
    assert basic.get("/who", headers={"X-API-Key": key}).status_code == 200
    assert admin.post("/admin/accounts/wang/disable").status_code == 204
    assert basic.get("/who", auth=("wang", PASSWORD)).status_code == wang.get("/who").status_code == 401
    assert basic.get("/who", headers={"X-API-Key": key}).status_code == 401
    assert admin.post("/admin/accounts/wang/enable").status_code == 204
    assert basic.get("/who", auth=("wang", PASSWORD)).status_code == 200


@pytest.mark.parametrize("role", [ADMIN, SECURITY, AUDIT])
def test_the_last_open_holder_of_a_kept_apart_role_stays(door: IdentitySite, role: str) -> None:
    admin, security = as_(door, "x-admin", ADMIN), as_(door, "x-security", SECURITY)
    door.sql("DELETE FROM access.memberships WHERE role = :role", role=role)
    door.add("one", role)
    if role == SECURITY:
        security, token = door.signed_in("one")
        security.headers["X-CSRF-Token"] = token
    door.add("two", role)
    if role != ADMIN:
        assert admin.post("/admin/accounts/two/disable").status_code == 204
        answer = admin.post("/admin/accounts/one/disable")
        assert answer.status_code == 409 and role in answer.json()["description"]
        assert admin.post("/admin/accounts/two/enable").status_code == 204
    if role != SECURITY:
        assert take(security, "two", role) == 204
        assert take(security, "one", role) == 409


def test_two_administrators_cannot_close_each_other_at_once(door: IdentitySite) -> None:
    door.add("one", ADMIN)
    door.add("two", ADMIN)

    def close(name: str) -> bool:
        try:
            with door.city.gate.transaction() as conn:
                close_account(conn, None, name)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(1) as threads:
        with door.city.gate.transaction() as conn:
            close_account(conn, None, "one")
            second = threads.submit(close, "two")
            time.sleep(0.5)  # it sees the first one open still, unless it waits
        assert second.result() is False


def test_nobody_disables_or_resets_their_own_account(door: IdentitySite, admin: Client) -> None:
    door.add("admin2", ADMIN)
    assert admin.post("/admin/accounts/admin/disable").status_code == 403
    assert admin.post("/admin/accounts/admin/reset").status_code == 403


# --- roles -----------------------------------------------------------------------------------------------------------


def test_roles_are_given_in_a_department_and_area_and_taken(door: IdentitySite, security: Client) -> None:
    door.add("wang")
    door.sql(
        "INSERT INTO access.departments VALUES ('chengguan', NULL, '城管', 'Urban management') ON CONFLICT DO NOTHING"
    )
    place = {"department": "chengguan", "area": "420704"}
    assert give(security, "wang", "grid-worker", **place) == 201
    assert give(security, "wang", "grid-worker", **place) == 409
    assert security.get("/admin/memberships", params={"account": "wang"}).json()["memberships"] == [
        {"account": "wang", "role": "grid-worker", **place, "provider": ""}
    ]
    assert (
        security.delete("/admin/memberships", params={"account": "wang", "role": "grid-worker", **place}).status_code
        == 204
    )
    assert take(security, "wang", "grid-worker") == 404
    door.sql("DELETE FROM access.departments WHERE id = 'chengguan'")


def test_what_does_not_exist_is_named(door: IdentitySite, security: Client) -> None:
    door.add("wang")
    for body, named in (
        ({"account": "nobody", "role": "planner"}, "account 'nobody'"),
        ({"account": "wang", "role": "emperor"}, "role 'emperor'"),
        ({"account": "wang", "role": "planner", "department": "moon"}, "department 'moon'"),
    ):
        answer = security.post("/admin/memberships", json=body)
        assert answer.status_code == 404 and named in answer.json()["description"]
    assert give(security, "wang", "planner", area="4207x") == 400


def test_the_three_roles_stay_apart(door: IdentitySite, security: Client) -> None:
    door.add("wang", ADMIN)
    for role in (SECURITY, AUDIT):
        answer = security.post("/admin/memberships", json={"account": "wang", "role": role})
        assert answer.status_code == 409 and "kept apart" in answer.json()["description"]
    assert give(security, "wang", "planner") == 201


def test_nobody_raises_their_own_rights(door: IdentitySite, security: Client, admin: Client) -> None:
    assert give(security, "guan", "planner") == 403
    assert give(security, "guan", "leader", area="420704") == 403
    assert give(admin, "admin", "planner") == 403
    door.add("guan2", SECURITY)
    assert take(security, "guan", SECURITY) == 403


def test_what_a_role_kept_apart_or_ones_own_may_do_is_not_changed_here(door: IdentitySite, security: Client) -> None:
    door.sql("INSERT INTO access.memberships (account, role, department, area) VALUES ('guan', 'leader', '', '') RETURNING role")
    more = {"kind": "collection", "resource": "*", "actions": ["read"], "visibility": "core"}
    for role, said in ((AUDIT, "kept apart"), (ADMIN, "kept apart"), ("leader", "own roles")):
        of_role = {"role": role, "kind": "collection", "resource": "*", "action": "read"}
        for answer in (
            security.post("/admin/permissions", json={"role": role, **more}),
            security.delete("/admin/permissions", params=of_role),
        ):
            assert answer.status_code == 403 and said in answer.json()["description"], answer.text
    assert security.post("/admin/permissions", json={"role": "planner", **more}).status_code == 201


def test_an_administrator_appoints_the_first_security_administrator_and_no_other(
    door: IdentitySite, admin: Client
) -> None:
    door.add("wang")
    door.add("li")
    assert give(admin, "wang", "planner") == 403
    assert give(admin, "admin", SECURITY) == 403
    assert give(admin, "wang", SECURITY) == 201
    assert give(admin, "li", SECURITY) == 403
    door.sql("UPDATE access.accounts SET disabled = true WHERE name = 'wang'")
    assert give(admin, "li", SECURITY) == 403  # closing the first one opens no second appointment


def test_a_change_of_rights_ends_sessions(door: IdentitySite, security: Client) -> None:
    wang = as_(door, "wang")
    assert wang.get("/who").status_code == 200
    give(security, "wang", "planner")
    assert wang.get("/who").status_code == 401


def test_who_did_what_is_in_the_audit_log(door: IdentitySite, admin: Client, security: Client) -> None:
    door.add("wang")
    [(start,)] = door.sql("SELECT coalesce(max(id), 0) FROM audit.entries")
    admin.post("/admin/accounts/wang/reset")
    give(security, "wang", "planner")
    admin.post("/admin/accounts/wang/disable")
    rows = door.sql(
        "SELECT actor, kind, object FROM audit.entries WHERE id > :start AND action = 'administer' ORDER BY id",
        start=start,
    )
    assert rows == [
        ("admin", "account", "wang"),
        ("guan", "membership", "wang planner  "),
        ("admin", "account", "wang"),
    ]


def test_keys_sessions_and_devices_are_looked_after(door: IdentitySite, security: Client) -> None:
    wang = as_(door, "wang")
    made = wang.post("/account/keys", json={"label": "x"}).json()
    assert [k["id"] for k in security.get("/admin/keys").json()["keys"]] == [made["id"]]
    assert security.delete(f"/admin/keys/{made['id']}").status_code == 204
    assert door.client().get("/who", headers={"X-API-Key": made["key"]}).status_code == 401
    assert security.post("/admin/accounts/wang/sign-out").json()["sessions"] == 1
    assert wang.get("/who").status_code == 401
    device = security.post("/admin/devices", json={"device": "bus-7"}).json()
    assert [d["device"] for d in security.get("/admin/devices").json()["secrets"]] == ["bus-7"]
    assert device["secret"] not in security.get("/admin/devices").text
    assert security.delete(f"/admin/devices/{device['id']}").status_code == 204
    assert security.delete(f"/admin/devices/{device['id']}").status_code == 404
