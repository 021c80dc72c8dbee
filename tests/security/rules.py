"""Who may see what, said once more in plain Python, from docs and issue; nothing here knows the code under test.

A marker ``SECRET-<layer>-<row>-<field>`` stands in every text of the site's layers. Whoever reads an answer may find
there only the markers that :func:`may_see` allows.
"""

import re
from dataclasses import dataclass

LEVELS = ("public", "internal", "sensitive", "core")

#: Division codes whose ground a row without an area field lies on; squares of 0.04° (see secrets_site).
EAST, WEST = "420704", "420703"


@dataclass(frozen=True)
class Row:
    """One feature: its division code, its department, and the district whose square holds it."""

    area: str | None
    department: str | None
    ground: str


#: The rows of every layer of the site, by their ids.
ROWS = {
    1: Row("420704001001", "roads", EAST),
    2: Row("420704002", "water", EAST),
    3: Row("420703001", "roads-east", WEST),
    4: Row("420703002", "water", WEST),
    5: Row(None, None, ""),
}
#: department → itself and what is below it
BELOW = {"roads": {"roads", "roads-east"}, "roads-east": {"roads-east"}, "water": {"water"}}


@dataclass(frozen=True)
class Secrets:
    """A layer of the site. ``area`` and ``department`` tell whether it has such fields."""

    id: str
    visibility: str
    area: bool = False
    department: bool = False


LAYERS = {
    found.id: found
    for found in (
        Secrets("open", "public"),
        Secrets("inner", "internal"),
        Secrets("delicate", "sensitive"),
        Secrets("kernel", "core"),
        Secrets("cases", "internal", area=True, department=True),
        Secrets("visits", "internal"),
        Secrets("positions", "internal", department=True),
    )
}
#: Text fields of every layer, and the least level at which they are seen.
FIELDS = {
    "name": "public", "code": "public", "note_internal": "internal", "note_sensitive": "sensitive", "note_core": "core",
    "key_core": "core",
}  # fmt: skip


MARKER = re.compile(rf"SECRET-([a-z]+)-(\d+)-({'|'.join(FIELDS)})")


@dataclass(frozen=True)
class Read:
    """A right to read: of one layer or all others (``*``), up to a level, within the holder's area or department."""

    layer: str
    level: str
    within: str = "everywhere"


_PUBLIC, _INTERNAL, _SENSITIVE = Read("*", "public"), Read("*", "internal"), Read("*", "sensitive")
#: What each role may read in a city that has changed nothing, and two roles of this site's own.
READS: dict[str, tuple[Read, ...]] = {
    "administrator": (_INTERNAL,),
    "security-administrator": (),
    "audit-administrator": (),
    "planner": (_SENSITIVE,),
    "grid-worker": (_INTERNAL, Read("cases", "internal", "area"), Read("visits", "sensitive", "area")),
    "intake-clerk": (_INTERNAL,),
    "shift-leader": (_INTERNAL,),
    "case-dispatcher": (_INTERNAL,),
    "case-handler": (_INTERNAL, Read("cases", "internal", "department")),
    "case-verifier": (_INTERNAL, Read("cases", "internal", "area")),
    "fleet-dispatcher": (_INTERNAL, Read("cases", "internal"), Read("positions", "internal", "department")),
    "leader": (_SENSITIVE,),
    # may read what is core, of its own area or department only
    "area-guard": (Read("*", "core", "area"),),
    "unit-guard": (Read("*", "core", "department"),),
}


@dataclass(frozen=True)
class Person:
    """An account of the site; None is the public."""

    account: str | None
    roles: tuple[str, ...] = ()
    department: str = ""
    area: str = ""


PEOPLE = {
    person.account or "anonymous": person
    for person in (
        Person(None),
        *(Person(f"a-{role}", (role,), "roads", EAST) for role in READS),
        Person("b-handler", ("case-handler",), "water", WEST),
        Person("b-verifier", ("case-verifier",), "water", WEST),
        Person("b-grid", ("grid-worker",), "water", WEST),
        Person("b-fleet", ("fleet-dispatcher",), "water", WEST),
        Person("b-child", ("case-handler",), "roads-east", EAST),
        # sees all rows at one level, and some of them at a higher one
        Person("mixed", ("intake-clerk", "area-guard"), "roads", EAST),
        Person("mixed-unit", ("leader", "unit-guard"), "water", WEST),
        # the same role twice would be two memberships; two roles that each see a part
        Person("two-parts", ("case-handler", "case-verifier"), "water", EAST),
    )
}


def covers(person: Person, read: Read, layer: Secrets, row: int) -> bool:
    """Whether a right reaches a row, levels aside."""
    where = ROWS[row]
    if read.within == "everywhere":
        return True
    if read.within == "department":
        return layer.department and where.department in BELOW.get(person.department, set())
    if layer.area:
        return where.area is not None and where.area.startswith(person.area)
    return where.ground == person.area


def rights(person: Person, layer: Secrets) -> list[Read]:
    """The rights to read that reach a layer: what a role says of a layer by name replaces what it says of all."""
    found = [_PUBLIC]
    for role in person.roles:
        named = [read for read in READS[role] if read.layer == layer.id]
        found += named or [read for read in READS[role] if read.layer == "*"]
    return [read for read in found if LEVELS.index(read.level) >= LEVELS.index(layer.visibility)]


def may_see(person: Person, layer_id: str, row: int, field: str) -> bool:
    """Whether one right lets the person see the row, and that field of it."""
    layer = LAYERS[layer_id]
    needed = max(LEVELS.index(layer.visibility), LEVELS.index(FIELDS[field]))
    return any(
        LEVELS.index(read.level) >= needed and covers(person, read, layer, row) for read in rights(person, layer)
    )


def seen_rows(person: Person, layer_id: str) -> set[int]:
    """The rows of a layer that the person may see."""
    layer = LAYERS[layer_id]
    return {row for row in ROWS if any(covers(person, read, layer, row) for read in rights(person, layer))}


def seen_fields(person: Person, layer_id: str) -> set[str]:
    """The fields that the person may see of every row it sees; no more are shown, since rows have the same fields."""
    rows = seen_rows(person, layer_id)
    return {field for field in FIELDS if rows and all(may_see(person, layer_id, row, field) for row in rows)}


def seen_markers(person: Person, layer_id: str) -> set[tuple[str, int, str]]:
    """The markers of a layer that an answer with all of its rows and fields holds."""
    return {(layer_id, row, field) for row in seen_rows(person, layer_id) for field in seen_fields(person, layer_id)}


def seen_layers(person: Person) -> set[str]:
    """The layers that the person may read at all (perhaps none of their rows)."""
    return {layer.id for layer in LAYERS.values() if rights(person, layer)}


def markers(text: str) -> set[tuple[str, int, str]]:
    """The markers in a text."""
    return {(layer, int(row), field) for layer, row, field in MARKER.findall(text)}


def forbidden(person: Person, text: str) -> set[tuple[str, int, str]]:
    """The markers in a text that the person may not see; those of other accounts' jobs and files among them."""
    return {found for found in markers(text) if not _allowed(person, *found)}


def _allowed(person: Person, layer: str, row: int, field: str) -> bool:
    if layer in ("job", "upload"):  # SECRET-job-<number of its account>-input
        return (person.account or "") == OWNERS[row]
    return layer in LAYERS and row in ROWS and field in FIELDS and may_see(person, layer, row, field)


#: Whose jobs and uploads carry which number.
OWNERS = {1: "a-planner", 2: "a-leader", 3: "b-handler"}
