"""Which devices there are, as the gateway knows them; read again every few seconds."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import connection

from tracking.gateway.connection import connect
from tracking.model import Device
from tracking.tracks import MOST_DEVICES

LOGGER = logging.getLogger("citymap")
#: Seconds between readings, and at least between those that strangers cause.
EVERY, _SOON = 10.0, 1.0
_DEVICES = """
    SELECT id, code, coalesce(name, code), department, coalesce(kind, 'other'), coalesce(person, false),
           coalesce(enabled, true), speed_limit, duty, coalesce(plate, ''), coalesce(terminal, '')
    FROM city.devices WHERE code IS NOT NULL ORDER BY id LIMIT %s"""


@dataclass(frozen=True, slots=True)
class Known:
    """A device with what it must tell when it registers."""

    device: Device
    plate: str
    terminal: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """How devices prove themselves: whether a code is a device's, and a new code for one (in a thread each); None
    where codes are given out by people only."""

    verify: Callable[[str, str], bool]
    issue: Callable[[str], str] | None


class Roster:
    """The devices by code. A device that a reading does not find any more is unknown from then on."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: connection | None = None
        self._known: Mapping[str, Known] = {}
        self._reading = threading.Lock()
        self._read_at = 0.0

    def find(self, code: str) -> Known | None:
        """The device of that code, if it is enabled."""
        found = self._known.get(code)
        return found if found is not None and found.device.enabled else None

    async def look_for(self, code: str) -> Known | None:
        """The same, read again if it is not known: it may be new. Raises :class:`psycopg2.Error`."""
        if self.find(code) is None and time.monotonic() - self._read_at > _SOON:
            await asyncio.to_thread(self.read)
        return self.find(code)

    @property
    def devices(self) -> list[Device]:
        """All of them."""
        return [known.device for known in self._known.values()]

    def read(self) -> None:
        """Read the layer ``devices``. Raises :class:`psycopg2.Error`."""
        with self._reading:
            self._read_at = time.monotonic()
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._url)
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute(_DEVICES, (MOST_DEVICES,))
                    rows = cursor.fetchall()
                self._connection.commit()
            except psycopg2.Error:
                self._connection.close()
                raise
            self._known = {row[1]: Known(Device(*row[:9]), row[9], row[10]) for row in rows}

    async def follow(self) -> None:
        """Read again and again until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.read)
            except psycopg2.Error as error:
                LOGGER.warning("devices cannot be read, trying again: %s", str(error).strip().split("\n")[0])
            await asyncio.sleep(EVERY)

    def close(self) -> None:
        """Close the connection to the database."""
        if self._connection is not None:
            self._connection.close()
