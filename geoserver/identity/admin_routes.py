"""Routes by which administrators look after the accounts of others, each behind the office that it needs."""

from dataclasses import asdict
from http import HTTPStatus

from starlette.requests import Request

from geoserver.accounts import list_accounts
from geoserver.errors import NotThere
from geoserver.identity import administration as work
from geoserver.identity import devices
from geoserver.identity.api_keys import key_document, list_keys
from geoserver.identity.bodies import AccountBody, DepartmentBody, DeviceBody, MembershipBody, read_body
from geoserver.identity.lockout import locked_accounts
from geoserver.identity.memberships import Membership, give_role, list_memberships, office_for, take_role
from geoserver.identity.own_account import parse_id
from geoserver.identity.own_routes import answer, nothing, person
from geoserver.identity.record import record
from geoserver.identity.seen import SeenCity
from geoserver.parameters import query_values
from geoserver.reply import Reply
from geoserver.rights import add_department, remove_department

#: Offices, by the routes that need them.
ACCOUNTS, ROLES, KEYS, SESSIONS = "accounts:manage", "roles:manage", "keys:manage", "sessions:manage"
_DEPARTMENTS = "departments:manage"


def get_accounts(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /admin/accounts``: also for who gives them roles."""
    in_office(city, request, ACCOUNTS, ROLES)
    with city.gate.transaction() as conn:
        locked = locked_accounts(conn)
        found = [{**asdict(a), "locked": a.name in locked} for a in list_accounts(conn)]
    return answer({"accounts": found})


def post_account(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /admin/accounts``: 201 with the password, which is shown once and must be changed."""
    in_office(city, request, ACCOUNTS)
    wanted = read_body(AccountBody, request, body)
    with city.gate.transaction(principal=city.principal) as conn:
        password = work.make_account(conn, wanted.account, wanted.password, city.settings.access.password)
    shown = {} if wanted.password is not None else {"password": password}
    return answer({"account": wanted.account, **shown}, HTTPStatus.CREATED)


def disable_account(city: SeenCity, request: Request, _body: bytes, account: str) -> Reply:
    """``POST /admin/accounts/{account}/disable``."""
    asker = in_office(city, request, ACCOUNTS)
    with city.gate.transaction(principal=city.principal) as conn:
        work.close_account(conn, asker, account)
    city.identities.forget()
    return nothing()


def enable_account(city: SeenCity, request: Request, _body: bytes, account: str) -> Reply:
    """``POST /admin/accounts/{account}/enable``."""
    asker = in_office(city, request, ACCOUNTS)
    with city.gate.transaction(principal=city.principal) as conn:
        work.open_account(conn, asker, account)
    return nothing()


def unlock_account(city: SeenCity, request: Request, _body: bytes, account: str) -> Reply:
    """``POST /admin/accounts/{account}/unlock``."""
    in_office(city, request, ACCOUNTS)
    with city.gate.transaction(principal=city.principal) as conn:
        work.unlock_account(conn, account)
    return nothing()


def reset_account(city: SeenCity, request: Request, _body: bytes, account: str) -> Reply:
    """``POST /admin/accounts/{account}/reset``: a random password, shown once."""
    asker = in_office(city, request, ACCOUNTS)
    with city.gate.transaction(principal=city.principal) as conn:
        password = work.reset_password(conn, asker, account, None, city.settings.access.password)
    city.identities.forget()
    return answer({"account": account, "password": password})


def sign_out_account(city: SeenCity, request: Request, _body: bytes, account: str) -> Reply:
    """``POST /admin/accounts/{account}/sign-out``: everywhere."""
    in_office(city, request, SESSIONS)
    with city.gate.transaction(principal=city.principal) as conn:
        ended = work.end_sessions_of(conn, account)
    city.identities.forget()
    return answer({"account": account, "sessions": ended})


def post_department(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /admin/departments``."""
    in_office(city, request, _DEPARTMENTS)
    wanted = read_body(DepartmentBody, request, body)
    with city.gate.transaction(principal=city.principal) as conn:
        add_department(conn, wanted.id, wanted.zh, wanted.en, wanted.parent or None)
    city.identities.forget()
    return answer(wanted.model_dump(), HTTPStatus.CREATED)


def delete_department(city: SeenCity, request: Request, _body: bytes, department: str) -> Reply:
    """``DELETE /admin/departments/{department}``: one that nobody is in and none is below."""
    in_office(city, request, _DEPARTMENTS)
    with city.gate.transaction(principal=city.principal) as conn:
        remove_department(conn, department.replace("\0", ""))
    city.identities.forget()
    return nothing()


def get_memberships(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /admin/memberships``, of all or of ``account``."""
    in_office(city, request, ROLES, ACCOUNTS)
    account = query_values(request, ("account",)).get("account")
    with city.gate.transaction() as conn:
        return answer({"memberships": [asdict(m) for m in list_memberships(conn, account)]})


def post_membership(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /admin/memberships``."""
    asker = person(city, request).account
    wanted = Membership(**read_body(MembershipBody, request, body).model_dump())
    with city.gate.transaction(principal=city.principal) as conn:
        work.hold_roles(conn)  # so that the first appointment is one
        city.require_office(office_for(conn, wanted))
        give_role(conn, asker, wanted)
    city.identities.forget()
    return answer(asdict(wanted), HTTPStatus.CREATED)


def delete_membership(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``DELETE /admin/memberships?account=…&role=…&department=…&area=…``."""
    asker = in_office(city, request, ROLES)
    given = query_values(request, ("account", "role", "department", "area"))
    wanted = Membership(*(given.get(name, "") for name in ("account", "role", "department", "area")))
    with city.gate.transaction(principal=city.principal) as conn:
        take_role(conn, asker, wanted)
    city.identities.forget()
    return nothing()


def get_keys(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /admin/keys``."""
    in_office(city, request, KEYS)
    with city.gate.transaction() as conn:
        return answer({"keys": [key_document(key) for key in list_keys(conn)]})


def delete_key(city: SeenCity, request: Request, _body: bytes, key: str) -> Reply:
    """``DELETE /admin/keys/{key}``: revoked for good."""
    in_office(city, request, KEYS)
    with city.gate.transaction(principal=city.principal) as conn:
        work.revoke_key_of(conn, key)
    city.identities.forget()
    return nothing()


def get_devices(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /admin/devices``: which devices have secrets."""
    in_office(city, request, KEYS)
    with city.gate.transaction() as conn:
        return answer({"secrets": [asdict(s) for s in devices.list_device_secrets(conn)]})


def post_device(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /admin/devices``: a secret for a device, shown once."""
    asker = in_office(city, request, KEYS)
    wanted = read_body(DeviceBody, request, body)
    with city.gate.transaction(principal=city.principal) as conn:
        secret, made = devices.make_device_secret(conn, wanted.device, asker)
        record(conn, "administer", "device", wanted.device, change="create", secret=str(made))
    return answer({"device": wanted.device, "id": made, "secret": secret}, HTTPStatus.CREATED)


def delete_device(city: SeenCity, request: Request, _body: bytes, secret: str) -> Reply:
    """``DELETE /admin/devices/{id of the secret}``."""
    in_office(city, request, KEYS)
    found = parse_id(secret)
    with city.gate.transaction(principal=city.principal) as conn:
        if found is None or not devices.revoke_device_secret(conn, found):
            raise NotThere("there is no such live secret of a device")
        record(conn, "administer", "device", str(found), change="revoke")
    city.identities.forget()
    return nothing()


def in_office(city: SeenCity, request: Request, office: str, or_office: str | None = None) -> str:
    """The account that asks, in person and in office. Raises :class:`NotAllowed`, :class:`SignInNeeded`."""
    account = person(city, request).account
    held = or_office if or_office in city.principal.offices else office
    city.require_office(held or office)
    return account
