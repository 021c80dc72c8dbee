"""What a scope leaves of an account's rights: never more than before, held against a slow plain reading of both."""

from itertools import product

import pytest

from geoserver.identity.model import Scope
from geoserver.identity.narrowing import narrowed
from layers.access import Grant, Principal

LAYERS = ("roads", "pois", "cases", "buildings")
ACTIONS = ("read", "create", "update", "delete")
#: Places of rows: a district, a street of it, another district.
CODES = ("420704", "420704001", "420703")
EDITING = ("report-case", "import-layer")

PRINCIPAL = Principal(
    account="wang",
    roles=frozenset({"planner"}),
    grants=(
        Grant("*", frozenset({"read"}), "internal", besides=("cases",)),
        Grant("cases", frozenset({"read", "update"}), "internal", area="420704"),
        Grant("pois", frozenset({"create", "update", "delete"}), "sensitive"),
        Grant("buildings", frozenset({"update"}), "internal", departments=("d1",)),
    ),
    processes=frozenset({"*", "report-case"}),
    offices=frozenset({"accounts:manage"}),
)


def may(principal: Principal, layer: str, action: str, code: str, department: str) -> bool:
    return any(
        (g.collection == layer or (g.collection == "*" and layer not in g.besides))
        and action in g.actions
        and (department in g.departments if g.departments is not None else code.startswith(g.area))
        for g in principal.grants
    )


SCOPES = [
    Scope(), Scope(collections=frozenset({"roads"})), Scope(collections=frozenset({"cases", "pois"})),
    Scope(actions=frozenset({"read"})), Scope(actions=frozenset({"update", "manage"})), Scope(areas=frozenset({"4207"})),
    Scope(areas=frozenset({"420704001"})), Scope(areas=frozenset({"420703", "420704"})), Scope(areas=frozenset()),
    Scope(frozenset({"cases", "buildings"}), frozenset({"update"}), None, frozenset({"420704001"})),
]  # fmt: skip


@pytest.mark.parametrize("scope", SCOPES)
def test_rows_within_a_scope_are_those_that_both_allow(scope: Scope) -> None:
    inner = narrowed(PRINCIPAL, scope, EDITING)
    for layer, action, code, department in product(LAYERS, ACTIONS, CODES, ("d1", "d2")):
        in_scope = (
            (scope.collections is None or layer in scope.collections)
            and (scope.actions is None or action in scope.actions)
            and (scope.areas is None or any(code.startswith(a) for a in scope.areas))
        )
        wanted = in_scope and may(PRINCIPAL, layer, action, code, department)
        found = may(inner, layer, action, code, department)
        by_department = layer == "buildings" and action == "update" and scope.areas is not None
        assert found == wanted or (by_department and not found), (layer, action, code, department)


def test_without_a_scope_nothing_changes() -> None:
    assert narrowed(PRINCIPAL, None, EDITING) is PRINCIPAL


def test_whatever_has_a_scope_holds_no_office() -> None:
    assert narrowed(PRINCIPAL, Scope(), EDITING).offices == frozenset()


@pytest.mark.parametrize(("asked", "reading", "editing"), [
    (None, {"buffer", "overlay"}, {"report-case"}),
    ({"buffer"}, {"buffer"}, set()),
    ({"import-layer", "report-case"}, set(), {"report-case"}),
    ({"*"}, set(), set()),
    (set(), set(), set()),
])  # fmt: skip
def test_a_scope_opens_no_process_that_edits(asked: set[str] | None, reading: set[str], editing: set[str]) -> None:
    inner = narrowed(PRINCIPAL, Scope(processes=None if asked is None else frozenset(asked)), EDITING)
    assert {p for p in ("buffer", "overlay") if inner.may_execute(p, edits=False)} == reading
    assert {p for p in EDITING if inner.may_execute(p, edits=True)} == editing
