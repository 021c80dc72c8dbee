"""Routes by which 安全管理员 (security administrators) make roles and say what they may do."""

from dataclasses import asdict
from http import HTTPStatus

from sqlalchemy import text
from starlette.requests import Request

from geoserver import rights
from geoserver.identity import role_editing
from geoserver.identity.admin_routes import ACCOUNTS, ROLES, in_office
from geoserver.identity.bodies import PermissionBody, RoleBody, read_body
from geoserver.identity.own_routes import answer, nothing
from geoserver.identity.seen import SeenCity
from geoserver.parameters import query_values
from geoserver.process_adapter import PROCESSES
from geoserver.reply import Reply


def get_roles(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /admin/roles``: the roles, what they may do, the departments, and what may be permitted."""
    in_office(city, request, ROLES, ACCOUNTS)
    with city.gate.transaction() as conn:
        roles, departments = rights.list_roles(conn), rights.list_departments(conn)
        layers = conn.execute(
            text("SELECT id, title ->> 'zh' AS zh, title ->> 'en' AS en FROM citymap.layers ORDER BY id")
        )
        return answer({
            "roles": [asdict(r) for r in roles],
            "departments": [asdict(d) for d in departments],
            "collections": [dict(row._mapping) for row in layers],
            "processes": [{"id": name} for name in sorted(PROCESSES)],
        })  # fmt: skip


def post_role(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /admin/roles``: one that may do nothing yet."""
    in_office(city, request, ROLES)
    wanted = read_body(RoleBody, request, body)
    with city.gate.transaction(principal=city.principal) as conn:
        rights.add_role(conn, wanted.id, wanted.zh, wanted.en)
    return answer(wanted.model_dump(), HTTPStatus.CREATED)


def delete_role(city: SeenCity, request: Request, _body: bytes, role: str) -> Reply:
    """``DELETE /admin/roles/{role}``: one that nobody has."""
    asker = in_office(city, request, ROLES)
    with city.gate.transaction(principal=city.principal) as conn:
        role_editing.remove_role(conn, asker, role.replace("\0", ""))
    city.identities.forget()
    return nothing()


def post_permission(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /admin/permissions``: lets a role do something, or changes how far."""
    asker = in_office(city, request, ROLES)
    wanted = read_body(PermissionBody, request, body)
    with city.gate.transaction(principal=city.principal) as conn:
        role_editing.permit(conn, asker, **wanted.model_dump())
    city.identities.forget()
    return answer(wanted.model_dump(), HTTPStatus.CREATED)


def delete_permission(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``DELETE /admin/permissions?role=…&kind=…&resource=…&action=…``."""
    asker = in_office(city, request, ROLES)
    names = ("role", "kind", "resource", "action")
    given = query_values(request, names)
    role, kind, resource, action = (given.get(name, "").replace("\0", "") for name in names)
    with city.gate.transaction(principal=city.principal) as conn:
        role_editing.forbid(conn, asker, role, kind, resource, [action])
    city.identities.forget()
    return nothing()
