"""规划业务会议 meetings as values: an agenda in order, opinions on each item, decisions."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from layers.catalogue import Text

Stance = Literal["agree", "changes", "against", "remark"]
Decision = Literal["agreed", "changes", "deferred", "refused"]
STANCES = {
    "agree": Text("同意", "Agrees"),
    "changes": Text("修改后同意", "Agrees with changes"),
    "against": Text("不同意", "Against"),
    "remark": Text("说明", "Remark"),
}
DECISIONS = {
    "agreed": Text("通过", "Agreed"),
    "changes": Text("修改后通过", "Agreed with changes"),
    "deferred": Text("暂缓", "Deferred"),
    "refused": Text("不予通过", "Refused"),
}


@dataclass(frozen=True, slots=True)
class GivenItem:
    """An item of an agenda: a red line, or a subject in words, or both."""

    redline: Annotated[str, Field(max_length=100)] = ""
    subject: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True, slots=True)
class GivenDecision:
    """What was decided on the item of that place."""

    item: Annotated[int, Field(ge=1)]
    decision: Decision
    words: Annotated[str, Field(max_length=5000)] = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody said: ``speaker`` says it, ``actor`` wrote it down at ``at``."""

    at: datetime
    actor: str
    speaker: str
    stance: Stance
    opinion: str


@dataclass(frozen=True, slots=True)
class Item:
    """An item at its ``place``; ``name`` and ``status`` are of its red line as it is now."""

    place: int
    redline: str | None
    subject: str
    name: str | None
    status: str | None
    decision: Decision | None
    words: str
    decided_at: datetime | None
    decided_by: str | None
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting with its agenda. Closed, it changes no more."""

    number: str
    title: str
    held_on: date
    venue: str
    chair: str
    attendants: tuple[str, ...]
    state: Literal["planned", "closed"]
    conclusion: str
    arranged_by: str
    closed_at: datetime | None
    closed_by: str | None
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class MeetingHead:
    """A meeting in a list."""

    number: str
    title: str
    held_on: date
    venue: str
    state: Literal["planned", "closed"]
    items: int
