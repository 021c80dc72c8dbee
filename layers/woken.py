"""A thread that works whenever PostgreSQL tells of something, and now and then in case it missed a word."""

import logging
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass

from layers.database import Database

LOGGER = logging.getLogger("citymap")
#: Seconds between looks when nothing wakes it, between looks whether to stop, and after a failure.
_EVERY, _STEP, _RETRY = 5.0, 0.5, 2.0


@dataclass(frozen=True, slots=True)
class Task:
    """What is done: ``work`` is called with the event that tells it to stop, once at first and then whenever one of
    ``channels`` is notified, ``gather`` seconds later since more may come. ``failing`` begins the line of the log."""

    name: str
    channels: tuple[str, ...]
    work: Callable[[threading.Event], None]
    gather: float
    failing: str


class Woken:
    """A thread of one worker."""

    def __init__(self, database: Database, task: Task) -> None:
        self._database = database
        self._task = task
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=task.name, daemon=True)

    def start(self) -> None:
        """Work until :meth:`stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being done, and no more."""
        self._stopping.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._while_connected()
            except Exception as error:
                if not self._stopping.is_set():
                    LOGGER.warning("%s, trying again: %s", self._task.failing, error)
                    self._stopping.wait(_RETRY)

    def _while_connected(self) -> None:
        connection = self._database.listen(*self._task.channels)
        try:
            while not self._stopping.is_set():
                self._task.work(self._stopping)
                for _ in range(int(_EVERY / _STEP)):
                    if self._stopping.is_set() or select.select([connection], [], [], _STEP)[0]:
                        break
                self._stopping.wait(self._task.gather)
                connection.poll()
                connection.notifies.clear()
        finally:
            connection.close()
