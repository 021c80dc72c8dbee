"""What clients get of red lines."""

from dataclasses import dataclass
from typing import Any

from layers.catalogue import Text


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a red line's life. ``document`` is the number of what was issued; ``digest`` seals it and those
    before it."""

    place: int
    action: str
    before: str | None
    after: str
    at: str
    actor: str
    role: str
    opinion: str
    document: str | None
    check: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class NextStep:
    """A step that is possible now, and for whom."""

    action: str
    title: Text
    after: str
    roles: tuple[str, ...]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RedLineAnswer:
    """A red line: where it stands, how it came there, what may come next, what it was made of and became.

    ``unbroken``: every step's digest still follows from what is stored.
    """

    number: str
    name: str
    status: str
    facts: dict[str, Any]
    steps: tuple[Step, ...]
    possible: tuple[NextStep, ...]
    parents: tuple[str, ...]
    children: tuple[str, ...]
    unbroken: bool
