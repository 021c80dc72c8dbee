"""Who is told who edited: people of the administration, not the public."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from layers.access import Principal
from layers.catalogue import Layer
from layers.features import RowDenied
from layers.versions.history import State


def is_staff(principal: Principal, layer: Layer) -> bool:
    """Whether the principal reads what is internal of the layer, or edits it."""
    if principal.account is None:
        return False
    return any(
        grant.covers(layer, "read", "internal")
        or any(grant.covers(layer, action, layer.visibility) for action in ("create", "update", "delete", "manage"))
        for grant in principal.grants
    )


def require_staff(principal: Principal, layer: Layer) -> None:
    """Raise unless names may be told."""
    if not is_staff(principal, layer):
        raise RowDenied(f"who imported what into layer {layer.id!r} is told to those who work with it: sign in")


def told_of(principal: Principal, layer: Layer, states: Iterable[State]) -> Iterator[State]:
    """The states, without names for those who may not know them."""
    if is_staff(principal, layer):
        return iter(states)
    return (replace(state, actor=None, ended_by=None) for state in states)
