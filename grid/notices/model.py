"""What is told to whom: events of cases, the words of a message, when a failed one is tried again. No I/O."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol
from zoneinfo import ZoneInfo

from grid.model import ACTS

type Audience = Literal["department", "area"]

#: Who gets a text message after an act: the people of the case's department, or those who work in its area.
AUDIENCES: Mapping[str, Audience] = {
    "dispatch": "department",
    "rework": "department",
    "remind": "department",
    "urge": "department",
    "supervise": "department",
    "extend": "department",
    "refuse-extension": "department",
    "feedback": "area",
}
#: Attempts after which a message is given up, and the pause after the first [s], which doubles up to a day.
MOST_ATTEMPTS = 10
_PAUSE, _LONGEST = 30, 86_400


class SmsGateway(Protocol):
    """A road for text messages."""

    def send(self, phone: str, words: str) -> None:
        """Hand a message over. Raises whatever went wrong; it is tried again later."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that waits."""

    id: int
    road: str
    receiver: str
    event: str
    body: Mapping[str, Any]
    attempts: int


def next_attempt(attempts: int, at: datetime) -> datetime | None:
    """When a message that failed so many times is tried again; None: it is given up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return at + timedelta(seconds=min(_PAUSE * 2 ** (attempts - 1), _LONGEST))


def words(act: str, code: str, title: str | None, deadline: datetime | None, timezone: str) -> str:
    """A text message in Chinese, as short as it can be."""
    until = f"，截止{deadline.astimezone(ZoneInfo(timezone)):%m-%d %H:%M}" if deadline else ""
    return f"【城市一张图】{ACTS[act].zh}：{(title or '')[:40]}（{code}）{until}"


def signature(secret: str, notice: str, timestamp: str, body: bytes) -> str:
    """What a receiver checks a webhook by: HMAC-SHA256 over id, time and body (Standard Webhooks 1.0)."""
    signed = b".".join((notice.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(secret.encode(), signed, hashlib.sha256)).decode()
