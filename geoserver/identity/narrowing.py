"""What remains of an account's rights within the scope of a key or token. It never adds any."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from geoserver.identity.model import Scope
from layers.access import Grant, Principal


def narrowed(principal: Principal, scope: Scope | None, editing: Collection[str]) -> Principal:
    """The principal within a scope; ``editing`` are the ids of all processes that edit, which ``*`` does not mean."""
    if scope is None:
        return principal
    grants = tuple(inner for grant in principal.grants for inner in _within(grant, scope))
    return replace(
        principal, grants=grants, processes=_processes(principal.processes, scope, editing), offices=frozenset()
    )


def _within(grant: Grant, scope: Scope) -> Iterator[Grant]:
    actions = grant.actions if scope.actions is None else grant.actions & scope.actions
    if not actions:
        return
    for collection, besides in _collections(grant, scope):
        for area in _areas(grant, scope):
            yield replace(grant, collection=collection, besides=besides, actions=actions, area=area)


def _collections(grant: Grant, scope: Scope) -> Iterator[tuple[str, tuple[str, ...]]]:
    if scope.collections is None:
        yield grant.collection, grant.besides
    elif grant.collection == "*":
        yield from ((collection, ()) for collection in sorted(scope.collections - set(grant.besides)))
    elif grant.collection in scope.collections:
        yield grant.collection, grant.besides


def _areas(grant: Grant, scope: Scope) -> Iterator[str]:
    if scope.areas is None:
        yield grant.area
        return
    if grant.departments is not None:  # rows of a department and an area at once cannot be granted: rather none
        return
    for area in sorted(scope.areas):
        if area.startswith(grant.area):
            yield area
        elif grant.area.startswith(area):
            yield grant.area


def _processes(held: frozenset[str], scope: Scope, editing: Collection[str]) -> frozenset[str]:
    if scope.processes is None:
        return held
    readers = scope.processes - set(editing) if "*" in held else frozenset()
    return (held & scope.processes - {"*"}) | (readers - {"*"})
