"""Who asks, and what it may do with layers: one rule, applied here to the catalogue and by PostgreSQL to the rows.

公开/内部/敏感/核心 visibility · 角色 role · 部门 department · 区域 area · 主体 principal. A :class:`Principal` is made
once per request. :func:`visible` gives the layer as it sees it, so that nothing built on it names a hidden field; the
transaction carries :func:`grants_text`, by which the policies of ``layers/access.sql`` choose the rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import orjson

from layers.catalogue import Layer, Visibility
from layers.derived.model import told_by

Action = Literal["read", "create", "update", "delete", "manage"]

#: From the least to the most protected.
VISIBILITIES: tuple[Visibility, ...] = ("public", "internal", "sensitive", "core")
#: The role in PostgreSQL of requests and jobs: it owns nothing, and every policy binds it.
APP_ROLE = "citymap_app"
#: The role that everybody has, signed in or not.
PUBLIC_ROLE = "public"


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be done with a collection, or with all (``*``) but ``besides``, up to a visibility.

    ``area`` is a division code that covers all codes beginning with it; ``departments`` (None: all) those whose rows.
    """

    collection: str
    actions: frozenset[str]
    visibility: Visibility
    area: str = ""
    departments: tuple[str, ...] | None = None
    besides: tuple[str, ...] = ()

    def covers(self, layer: Layer, action: Action, visibility: Visibility) -> bool:
        """Whether some rows of the layer may be so acted on, at that visibility."""
        named = self.collection == layer.id or (self.collection == "*" and layer.id not in self.besides)
        return named and action in self.actions and rank(visibility) <= rank(self.visibility)

    @property
    def everywhere(self) -> bool:
        """Whether it is for all rows."""
        return not self.area and self.departments is None


@dataclass(frozen=True, slots=True)
class Duty:
    """A process that a role may execute, and for whose rows: as in :class:`Grant`. A case's life cycle asks for the
    role in which somebody acts."""

    role: str
    process: str
    area: str = ""
    departments: tuple[str, ...] | None = None

    def covers(self, area: str | None, department: str | None) -> bool:
        """Whether it reaches a row of that division code and department."""
        if self.departments is not None:
            return department in self.departments
        return (area or "").startswith(self.area)


#: What the public may do in a city that grants nothing else.
PUBLIC_GRANTS = (Grant("*", frozenset({"read"}), "public"),)


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity of one request.

    ``account`` None is the public. ``processes`` are those that may be executed (``*``: all that edit nothing);
    ``offices`` administrative tasks such as ``accounts:manage`` or ``audit:read``. ``via`` says how it signed in
    (``password``, ``session``, ``key:…``, ``token``, ``oidc``, ``device:…``), ``address`` from where it asks,
    ``request`` the id of the request; ``scope`` is how a key or token narrows the account's rights, as JSON.
    """

    account: str | None = None
    roles: frozenset[str] = frozenset({PUBLIC_ROLE})
    grants: tuple[Grant, ...] = PUBLIC_GRANTS
    processes: frozenset[str] = frozenset({"*"})
    offices: frozenset[str] = frozenset()
    via: str = "anonymous"
    scope: str | None = None
    duties: tuple[Duty, ...] = ()
    address: str | None = field(default=None, compare=False)
    request: str | None = field(default=None, compare=False)

    def may(self, action: Action, layer: Layer) -> bool:
        """Whether some rows of the layer may be so acted on; which ones, PostgreSQL decides."""
        if action == "read" and layer.visibility == "public":
            return True
        return any(grant.covers(layer, action, layer.visibility) for grant in self.grants)

    def roles_over(self, process: str, area: str | None, department: str | None) -> frozenset[str]:
        """The roles in which the process may be executed for a row of that division code and department."""
        if process not in self.processes:
            return frozenset()
        return frozenset(d.role for d in self.duties if d.process == process and d.covers(area, department))

    def may_execute(self, process: str, *, edits: bool) -> bool:
        """Whether a process may be executed."""
        return process in self.processes or (not edits and "*" in self.processes)


ANONYMOUS = Principal()


def rank(visibility: Visibility) -> int:
    """0 for public … 3 for core."""
    return VISIBILITIES.index(visibility)


def visible_layers(layers: Mapping[str, Layer], grants: tuple[Grant, ...]) -> dict[str, Layer]:
    """The layers that may be read, each as it may be seen, by id; derived ones where all of their inputs may."""
    found = ((layer_id, visible(layer, grants)) for layer_id, layer in layers.items())
    seen = {layer_id: layer for layer_id, layer in found if layer is not None}
    return {
        layer_id: _as_inputs(layer, layers, seen) if layer.inputs else layer
        for layer_id, layer in seen.items()
        if all(name in seen and _serves(layer, seen[name]) for name in layer.inputs)
    }


def _serves(layer: Layer, seen: Layer) -> bool:
    """Whether a derived layer may be shown to somebody who sees its input so. What vectors tell of pixels cannot be
    cut to a part of them."""
    return not (layer.kind == "vector" and seen.kind == "coverage" and seen.partial)


def _as_inputs(layer: Layer, layers: Mapping[str, Layer], seen: Mapping[str, Layer]) -> Layer:
    """A derived layer without what may not be seen of the one that it has its rows of."""
    first = layer.inputs[0]
    hidden = {f.name for f in layers[first].fields} - {f.name for f in seen[first].fields}
    shown = tuple(f for f in layer.fields if not hidden & told_by(f.name))
    if layer.kind == "coverage" or (len(shown) == len(layer.fields) and not seen[first].partial):
        return layer
    partial = layer.partial or seen[first].partial
    zooms = layer.zooms.among({f.name for f in shown})
    return layer.changed(fields=shown, zooms=zooms, partial=partial, extent=None if partial else layer.extent)


def visible(layer: Layer, grants: tuple[Grant, ...]) -> Layer | None:
    """The layer without what may not be seen of it: hidden fields, and the extent of rows that others have.

    None if it may not be read at all.
    """
    reading = [g for g in grants if g.covers(layer, "read", layer.visibility)]
    if not reading and layer.visibility != "public":
        return None
    level = _level(layer, reading)
    partial = layer.visibility != "public" and not any(g.everywhere for g in reading)
    shown = tuple(f for f in layer.fields if rank(f.visibility) <= level)
    if len(shown) == len(layer.fields) and not partial:
        return layer
    hidden = {f.name for f in layer.fields} - {f.name for f in shown}
    return layer.changed(
        fields=shown,
        time_field=None if layer.time_field in hidden else layer.time_field,
        style=tuple(s for s in layer.style if not _names(s, hidden)),
        zooms=layer.zooms.among({f.name for f in shown}),
        extent=None if partial else layer.extent,
        partial=partial,
    )


@lru_cache(maxsize=1024)
def watched(layer: Layer) -> bool:
    """Whether reads of the layer are audited: it, or a field that is seen of it, is sensitive or core."""
    levels = (layer.visibility, *(f.visibility for f in layer.fields))
    return any(rank(level) >= rank("sensitive") for level in levels)


def _level(layer: Layer, reading: Iterable[Grant]) -> int:
    """Up to which visibility fields are shown. All rows have the same fields, so what may be seen of some rows only
    shows none of the others' fields: a grant for an area or department counts where no row is seen without one."""
    everywhere = [rank(g.visibility) for g in reading if g.everywhere]
    if layer.visibility == "public" or everywhere:
        return max(everywhere, default=0)
    return min(rank(g.visibility) for g in reading)


def _names(style: Mapping[str, object], hidden: Iterable[str]) -> bool:
    """Whether a style layer reads one of these fields, by an expression or in a text (``{name}``)."""
    text = orjson.dumps(style).decode()
    quoted = (orjson.dumps(name).decode() for name in hidden)
    return any(name in text or f"{{{name[1:-1]}}}" in text for name in quoted)


@lru_cache(maxsize=1024)
def grants_text(grants: tuple[Grant, ...]) -> str:
    """The value of ``citymap.grants`` in a transaction; empty for the public, which the policies let read nothing more
    than public layers anyway."""
    if grants == PUBLIC_GRANTS:
        return ""
    return orjson.dumps(
        [
            {
                "collection": g.collection,
                "besides": g.besides,
                "actions": sorted(g.actions),
                "visibility": g.visibility,
                "area": g.area,
                "departments": g.departments,
            }
            for g in grants
        ]
    ).decode()


def grants_from(text: str) -> tuple[Grant, ...]:
    """The grants in such a value."""
    if not text:
        return PUBLIC_GRANTS
    return tuple(
        Grant(
            g["collection"], frozenset(g["actions"]), g["visibility"], g["area"],
            None if g["departments"] is None else tuple(g["departments"]), tuple(g["besides"]),
        )
        for g in orjson.loads(text)
    )  # fmt: skip
