"""Group commit: what many devices say goes into one transaction, and only then each is answered.

While one transaction is on its way to the disk the next gathers, so that a transaction is as large as the load. Where
the database is away nobody is answered and nothing is thrown away; whoever reads from sockets looks at
:attr:`GroupCommit.full` and stops reading, so devices wait, and send again.
"""

import asyncio
import logging
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import psycopg2
from psycopg2.extensions import connection, cursor

from tracking.gateway.connection import connect
from tracking.model import Stored
from tracking.storing import Note, Quarantined, day_of, make_days, quarantine, store, store_notes

LOGGER = logging.getLogger("citymap")
#: Works of one transaction; works that wait before reading stops, and below which it goes on.
MOST, HIGH, LOW = 5_000, 20_000, 5_000
#: Seconds between tries while the database is away.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
#: Days back for which a position makes a partition by itself; what is older lies in the default one.
_DAYS_BACK = 400
#: What a value that cannot be written raises: in the table, and on the way there.
_POISON = (psycopg2.DataError, psycopg2.IntegrityError, ValueError, TypeError, OverflowError, struct.error)


class Sender(Protocol):
    """Who wants to know that its work is stored."""

    def stored(self, work: "Work", wrong: bool) -> None:
        """The work is on the disk; ``wrong``: in quarantine, as the table would not take it."""

    def flush(self) -> None:
        """All works of one transaction have been told of."""


@dataclass(slots=True, eq=False)
class Work:
    """What one message has to store, and whom that answers. ``frame`` is the message as it came, its last part where
    it came in several; their serials follow ``serial``."""

    sender: Sender
    message: int
    serial: int
    frame: bytes
    parts: int = 1
    rows: Sequence[Stored] = ()
    notes: Sequence[Note] = ()
    bad: Sequence[Quarantined] = ()
    wrong: bool = False


class GroupCommit:
    """Stores works in the order they came, one transaction at a time.

    ``told`` is called with the works of each transaction after it; ``answer_first`` is for the fault tests only: it
    answers before the commit, which loses positions.
    """

    def __init__(
        self, url: str, told: Callable[[Sequence[Work]], None], *, answer_first: bool = False, high: int = HIGH
    ) -> None:
        self._url = url
        self._told = told
        self._answer_first = answer_first
        self._high = high
        self._waiting: deque[Work] = deque()
        self._wake = asyncio.Event()
        self._room: list[Callable[[], None]] = []
        self._connection: connection | None = None
        self._days: set[int] = set()
        self._under_way = 0
        self.transactions = self.positions = 0

    @property
    def full(self) -> bool:
        """Whether no more should be read."""
        return len(self._waiting) + self._under_way >= self._high

    def on_room(self, call: Callable[[], None]) -> None:
        """What else to call when there is room again."""
        self._room.append(call)

    def add(self, work: Work) -> None:
        """Store this; its sender is told when it is."""
        self._waiting.append(work)
        self._wake.set()

    async def run(self) -> None:
        """Commit until cancelled."""
        while True:
            await self._wake.wait()
            works = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            if not self._waiting:
                self._wake.clear()
            self._under_way = len(works)
            if self._answer_first:
                _answer(works)
            await self._commit(works)
            self._under_way = 0
            if not self._answer_first:
                _answer(works)
            self._told(works)
            if len(self._waiting) <= LOW:
                for call in self._room:
                    call()

    async def drain(self, seconds: float) -> None:
        """Wait until nothing waits, but no longer than that."""
        until = time.monotonic() + seconds
        while (self._waiting or self._under_way) and time.monotonic() < until:
            await asyncio.sleep(0.02)

    async def _commit(self, works: Sequence[Work]) -> None:
        """Returns when the works are on the disk, however long that takes."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await asyncio.to_thread(self._transaction, works)
            except _POISON as error:
                await self._without_poison(works, str(error))
            except psycopg2.Error as error:
                LOGGER.warning("positions wait for the database: %s", str(error).strip().split("\n")[0])
                self._disconnect()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            return

    async def _without_poison(self, works: Sequence[Work], reason: str) -> None:
        """Something in these is what the table will not take: the others are stored, it goes into quarantine."""
        if len(works) == 1:
            (work,) = works
            if work.wrong:
                LOGGER.error("a message cannot even be put into quarantine: %s: %s", reason, work.frame[:200].hex())
                return
            found = Quarantined("gateway", None, work.rows[0].device.code if work.rows else None, reason, work.frame)
            work.rows, work.notes, work.bad, work.wrong = (), (), (found,), True
            LOGGER.warning("a message goes into quarantine: %s", reason.strip().split("\n")[0])
            await self._commit(works)
            return
        middle = len(works) // 2
        await self._commit(works[:middle])
        await self._commit(works[middle:])

    def _transaction(self, works: Sequence[Work]) -> None:
        """One transaction, in a thread."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url)
        try:
            with self._connection.cursor() as to:
                rows = [row for work in works for row in work.rows]
                received = time.time()
                self._make_days(to, (day_of(row.fix.time) for row in rows), day_of(received))
                store(to, rows, received)
                store_notes(to, [note for work in works for note in work.notes])
                quarantine(to, [bad for work in works for bad in work.bad])
            self._connection.commit()
        except BaseException:
            if not self._connection.closed:
                self._connection.rollback()
            raise
        self.transactions += 1
        self.positions += len(rows)

    def _make_days(self, to: cursor, days: Iterable[int], today: int) -> None:
        """Partitions of days that were not met yet; committed at once, for it locks."""
        new = {day for day in set(days) - self._days if today - _DAYS_BACK <= day <= today + 1}
        if new:
            make_days(to, new)
            to.connection.commit()
            self._days |= new

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Close the connection to the database."""
        self._disconnect()


def _answer(works: Sequence[Work]) -> None:
    for work in works:
        work.sender.stored(work, work.wrong)
    for sender in {id(work.sender): work.sender for work in works}.values():
        sender.flush()
