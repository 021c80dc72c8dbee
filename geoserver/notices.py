"""Sends the messages that wait: text messages by the configured gateway, webhooks signed, all through :mod:`outbound`.

Each is handed over at least once: a worker that dies between the answer and the commit sends it again, under the same
id, by which a receiver knows it. What fails is tried again after longer and longer pauses, and at last is dead.
"""

import time
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from geoserver.outbound import Outbound, OutboundFailed, OutboundRefused
from geoserver.settings import Settings
from geoserver.settings.grid import Sms
from grid.cases.queries import database_now
from grid.clock.escalation import CLOCK_PRINCIPAL
from grid.notices.model import Notice, SmsGateway, next_attempt, signature
from grid.notices.queries import mark_failed, mark_sent, take_due
from layers.database import Database

#: Messages sent in one transaction: each may take as long as ``outbound.seconds``.
_AT_ONCE = 5


class DeliveryFailed(RuntimeError):
    """The receiver did not take the message."""


class FileGateway:
    """Appends text messages to a file, a JSON object per line: for trials, and for gateways that read files."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, phone: str, words: str) -> None:
        """See :class:`SmsGateway`."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        line = orjson.dumps({"phone": phone, "text": words, "at": int(time.time())}) + b"\n"
        with self._path.open("ab") as file:
            file.write(line)


class HttpGateway:
    """Posts text messages to a provider's address, in the form that its configuration gives."""

    def __init__(self, settings: Sms, outbound: Outbound) -> None:
        self._settings = settings
        self._outbound = outbound

    def send(self, phone: str, words: str) -> None:
        """See :class:`SmsGateway`."""
        settings = self._settings
        body = {name: value.replace("{phone}", phone).replace("{text}", words) for name, value in settings.body.items()}
        kind = "application/x-www-form-urlencoded" if settings.form else "application/json"
        sent = urlencode(body).encode() if settings.form else orjson.dumps(body)
        answer = self._outbound.call(
            settings.url or "", method="POST", headers={**settings.headers, "content-type": kind}, body=sent
        )
        if not 200 <= answer.status < 300 or settings.success.encode() not in answer.body:
            raise DeliveryFailed(f"the gateway answered {answer.status}: {answer.body[:200].decode(errors='replace')}")


class Delivery:
    """Run by every worker; several at once send each message once."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._outbound = Outbound(settings.outbound)
        self._hooks = {hook.url: hook for hook in settings.grid.notices.webhooks}
        self._gateway = _gateway(settings.grid.notices.sms, self._outbound)

    def run(self) -> int:
        """Send what is due; returns how many were tried."""
        tried = 0
        while True:
            with self._database.transaction(principal=CLOCK_PRINCIPAL) as conn:
                at = database_now(conn)
                due = take_due(conn, at, _AT_ONCE)
                for notice in due:
                    problem = self._try(notice, at)
                    if problem is None:
                        mark_sent(conn, notice.id)
                    else:
                        mark_failed(conn, notice.id, problem, next_attempt(notice.attempts + 1, at))
            tried += len(due)
            if not due:
                return tried

    def _try(self, notice: Notice, at: datetime) -> str | None:
        """Hand a message over; what went wrong, or None."""
        try:
            if notice.road == "sms":
                self._send(notice)
            else:
                self._post(notice, at)
        except (OutboundFailed, OutboundRefused, DeliveryFailed, OSError) as error:
            return str(error) or type(error).__name__
        return None

    def _send(self, notice: Notice) -> None:
        if self._gateway is None:
            raise DeliveryFailed("no gateway for text messages is configured (grid.notices.sms)")
        self._gateway.send(notice.receiver, str(notice.body["words"]))

    def _post(self, notice: Notice, at: datetime) -> None:
        hook = self._hooks.get(notice.receiver)
        if hook is None:
            raise DeliveryFailed("this webhook is configured no longer (grid.notices.webhooks)")
        body = orjson.dumps({**notice.body, "timestamp": at.isoformat()})
        stamp, name = str(int(at.timestamp())), f"notice-{notice.id}"
        headers = {
            "content-type": "application/json", "webhook-id": name, "webhook-timestamp": stamp,
            "webhook-signature": signature(hook.secret, name, stamp, body),
        }  # fmt: skip
        answer = self._outbound.call(hook.url, method="POST", headers=headers, body=body)
        if not 200 <= answer.status < 300:
            raise DeliveryFailed(f"it answered {answer.status}")


def _gateway(settings: Sms, outbound: Outbound) -> SmsGateway | None:
    gateways: dict[str, Any] = {
        "file": lambda: FileGateway(Path(settings.file)),
        "http": lambda: HttpGateway(settings, outbound),
    }
    made: SmsGateway | None = gateways[settings.gateway]() if settings.gateway in gateways else None
    return made
