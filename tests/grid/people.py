"""Principals by role, as the first rights of a city make them (layers/access_roles.sql)."""

from typing import Any

from sqlalchemy import Connection, text

from layers.access import Duty, Grant, Principal
from layers.database import acting_as

AREA = {"grid-worker", "case-verifier"}
WRITES: dict[str, dict[str, set[str]]] = {
    "grid-worker": {
        "cases": {"read", "create", "update"},
        "visits": {"read", "create", "update"},
        "service-requests": {"read", "create", "update"},
        "components": {"read", "update"},
    },
    "intake-clerk": {"cases": {"read", "create", "update"}},
    "shift-leader": {"cases": {"read", "create", "update"}},
    "case-dispatcher": {"cases": {"read", "update"}},
    "case-handler": {"cases": {"read", "update"}},
    "case-verifier": {"cases": {"read", "update"}},
    "leader": {"cases": {"read", "update"}},
}


def principal_of(account: str, *roles: str, area: str = "", departments: tuple[str, ...] = ()) -> Principal:
    """Somebody with these roles in an area and departments."""
    grants, duties = [Grant("*", frozenset({"read"}), "public")], []
    for role in roles:
        limits: dict[str, Any] = {"area": area} if role in AREA else {}
        if role == "case-handler":
            limits = {"departments": departments}
        for layer, actions in WRITES[role].items():
            grants.append(Grant(layer, frozenset(actions), "internal", **limits))
        duties += [Duty(role, process, **limits) for process in ("advance-case", "report-case")]
    processes = frozenset({"*", "advance-case", "report-case"}) if roles else frozenset({"*"})
    return Principal(account, frozenset(roles) | {"public"}, tuple(grants), processes, duties=tuple(duties))


def act_as(conn: Connection, principal: Principal) -> None:
    """From now on the transaction does what the server does for that principal, bound by the policies."""
    conn.exec_driver_sql("SET LOCAL ROLE citymap_app")
    conn.execute(
        text("SELECT set_config('citymap.actor', :actor, true), set_config('citymap.grants', :grants, true)"),
        {k: v for k, v in acting_as(principal).items() if k != "request"},
    )


def act_as_owner(conn: Connection) -> None:
    """The database's owner again."""
    conn.exec_driver_sql("RESET ROLE")
    conn.exec_driver_sql("SELECT set_config('citymap.grants', '', true), set_config('citymap.actor', 'owner', true)")
