"""Sends what waits in ``tracking.commands`` to devices that are connected here, and enters what they answer."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import orjson
import psycopg2
from psycopg2.extensions import connection
from psycopg2.extras import execute_values

from tracking.commands import CommandRefused, message_of
from tracking.gateway.connection import connect
from tracking.gateway.session import Session
from tracking.jt808.parameters import Values

LOGGER = logging.getLogger("citymap")
#: Seconds between looks, and after which an unanswered command is sent again; how often at most.
EVERY, AGAIN, TRIES = 1.0, 30.0, 3
_MOST = 500
_WAITING = """
    SELECT id, device, kind, words FROM tracking.commands
    WHERE answered IS NULL AND expires > now() AND device = ANY (%s) AND tries < %s
        AND (sent IS NULL OR sent < now() - make_interval(secs => %s))
    ORDER BY id LIMIT %s"""
_SENT = """
    UPDATE tracking.commands c SET sent = now(), tries = c.tries + 1, serial = n.serial
    FROM (VALUES %s) AS n (id, serial) WHERE c.id = n.id"""
_ANSWERED = """
    UPDATE tracking.commands c SET answered = now(), result = n.result, answer = n.answer
    FROM (VALUES %s) AS n (id, result, answer) WHERE c.id = n.id AND c.answered IS NULL"""


class Dispatch:
    """The commands of one gateway; ``sessions`` are those of connected devices, by the device's id."""

    def __init__(self, url: str, sessions: Mapping[int, Session], codes: dict[int, str]) -> None:
        self._url = url
        self._sessions = sessions
        self._codes = codes
        self._connection: connection | None = None
        self._under_way: dict[tuple[int, int], int] = {}
        self._answers: dict[int, tuple[int, str | None]] = {}

    def answered(self, device: int, serial: int, result: int, told: Values | None = None) -> None:
        """A device answered the message of ours with this serial, perhaps with values."""
        command = self._under_way.pop((device, serial), None)
        if command is not None:
            self._answers[command] = (result, None if told is None else orjson.dumps(told).decode())

    async def run(self) -> None:
        """Send and enter until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                waiting = await asyncio.to_thread(self._enter_and_read, list(self._sessions))
                sent = self._send(waiting)
                if sent:
                    await asyncio.to_thread(self._enter_sent, sent)
            except psycopg2.Error as error:
                LOGGER.warning("commands wait for the database: %s", str(error).strip().split("\n")[0])
                self.close()
            except Exception:  # terminals go on being taken in, whatever it is
                LOGGER.exception("commands could not be sent")
                self.close()

    def close(self) -> None:
        """Close the connection to the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, waiting: list[tuple[int, int, str, Mapping[str, Any]]]) -> list[tuple[int, int]]:
        """In the event loop: the ids that were sent, with their serials."""
        sent = []
        for command, device, kind, words in waiting:
            session, code = self._sessions.get(device), self._codes.get(device)
            if session is None or code is None:
                continue
            try:
                message, body = message_of(kind, words, v2019=session.layout(code) == 2019)
            except CommandRefused as error:
                LOGGER.warning("command %d cannot be sent: %s", command, error)
                self._answers[command] = (2, None)
                continue
            serials = session.tell(code, message, body)
            if len(self._under_way) > 100_000:
                self._under_way.clear()
            self._under_way |= {(device, serial): command for serial in serials}
            sent.append((command, serials[0]))
        return sent

    def _enter_and_read(self, devices: list[int]) -> list[tuple[int, int, str, Mapping[str, Any]]]:
        if not devices and not self._answers:
            return []
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url)
        with self._connection.cursor() as cursor:
            answers = dict(self._answers)
            if answers:
                rows = [(command, *answer) for command, answer in answers.items()]
                execute_values(cursor, _ANSWERED, rows, "(%s::bigint, %s::smallint, %s::jsonb)")
            cursor.execute(_WAITING, (devices, TRIES, AGAIN, _MOST))
            waiting = cursor.fetchall()
        self._connection.commit()
        for command in answers:
            self._answers.pop(command, None)
        return waiting

    def _enter_sent(self, sent: list[tuple[int, int]]) -> None:
        assert self._connection is not None
        with self._connection.cursor() as cursor:
            execute_values(cursor, _SENT, sent, "(%s::bigint, %s::integer)")
        self._connection.commit()
