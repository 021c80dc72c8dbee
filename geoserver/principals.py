"""From an account to its principal: memberships and permissions of ``access.*``, worked out once and remembered."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text

from geoserver.process_adapter import EDITING
from layers.access import Duty, Grant, Principal
from layers.database import Database

#: Seconds for which a principal is remembered should the notice of a change be lost, and how many are.
_REMEMBERED = 30.0
_MOST = 5000

_PERMISSIONS = text("""
    WITH RECURSIVE held AS (
        SELECT m.role, m.department, m.area FROM access.memberships m
        JOIN access.accounts a ON a.name = m.account AND NOT a.disabled
        WHERE a.name = :account AND (m.provider = '' OR m.provider = ANY (:providers))
        UNION ALL SELECT 'public', '', ''
    ), below AS (
        SELECT DISTINCT department AS top, department AS id FROM held WHERE department <> ''
        UNION SELECT below.top, d.id FROM below JOIN access.departments d ON d.parent = below.id
    )
    SELECT h.role, h.area, ARRAY(SELECT id FROM below WHERE top = h.department ORDER BY id) AS departments,
           p.kind, p.resource, p.action, p.visibility, p.within
    FROM held h LEFT JOIN access.permissions p ON p.role = h.role
    ORDER BY 1, 2, 3, 4, 5, 6
""")


@dataclass(frozen=True, slots=True)
class _Permission:
    role: str
    area: str
    departments: Sequence[str]
    kind: str
    resource: str
    action: str
    visibility: Any
    within: str

    def grant(self, named: frozenset[tuple[str, str, str]]) -> Grant:
        """What it lets its holder do; a ``*`` is for no layer that the role names for the same action."""
        besides = sorted(r for role, r, action in named if (role, action) == (self.role, self.action) and r != "*")
        return Grant(
            self.resource,
            frozenset({self.action}),
            self.visibility,
            self.area if self.within == "area" else "",
            tuple(self.departments) if self.within == "department" else None,
            tuple(besides) if self.resource == "*" else (),
        )

    def duty(self) -> Duty:
        """The role and the rows for which its holder may execute the process."""
        area = self.area if self.within == "area" else ""
        return Duty(self.role, self.resource, area, tuple(self.departments) if self.within == "department" else None)


class Principals:
    """Makes principals of accounts, over the connection that may read ``access.*``.

    ``providers`` are those of ``access.oidc``: a role by the word of another does not count.
    """

    def __init__(self, gate: Database, *, anonymous_edit: bool = False, providers: Iterable[str] = ()) -> None:
        self._gate = gate
        self._anonymous_edit = anonymous_edit
        self._providers = list(providers)
        self._known: dict[str | None, tuple[Principal, float]] = {}
        self._generation = 0
        self._lock = threading.Lock()

    def of(self, account: str | None) -> Principal:
        """The principal of an account, None being the public. A closed account has the public's rights only."""
        known = self._known.get(account)
        if known and known[1] > time.monotonic():
            return known[0]
        generation = self._generation
        principal = self._load(account)
        with self._lock:
            if generation == self._generation:  # else it may have been read before the change
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[account] = (principal, time.monotonic() + _REMEMBERED)
        return principal

    def forget(self) -> None:
        """Somebody's rights have changed."""
        with self._lock:
            self._generation += 1
            self._known = {}

    def _load(self, account: str | None) -> Principal:
        values = {"account": account, "providers": self._providers}
        with self._gate.engine.connect() as conn:
            rows = [_Permission(*row) for row in conn.execute(_PERMISSIONS, values)]
        held = [row for row in rows if row.kind is not None]
        principal = Principal(
            account,
            frozenset(row.role for row in rows),
            _merged(held),
            frozenset(row.resource for row in held if row.kind == "process"),
            frozenset(f"{row.resource}:{row.action}" for row in held if row.kind == "office"),
            "anonymous" if account is None else "password",
            duties=tuple(dict.fromkeys(row.duty() for row in held if row.kind == "process")),
        )
        return _opened(principal) if self._anonymous_edit else principal


def _merged(held: Iterable[_Permission]) -> tuple[Grant, ...]:
    """One grant for all actions that are granted alike."""
    collections = [row for row in held if row.kind == "collection"]
    named = frozenset((row.role, row.resource, row.action) for row in collections)
    actions: dict[Grant, set[str]] = defaultdict(set)
    for grant in (row.grant(named) for row in collections):
        actions[replace(grant, actions=frozenset())] |= grant.actions
    return tuple(replace(grant, actions=frozenset(found)) for grant, found in actions.items())


def _opened(principal: Principal) -> Principal:
    """``access.anonymous_edit``: anyone may do with public layers what editors may."""
    edits = Grant("*", frozenset({"create", "update", "delete", "manage"}), "public")
    return replace(principal, grants=(*principal.grants, edits), processes=principal.processes | EDITING)
