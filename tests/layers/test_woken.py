"""A thread that is woken by PostgreSQL works at first, after each word, after a failure, and stops soon."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from layers import woken
from layers.database import Database
from layers.woken import Task, Woken


@contextmanager
def working(database: Database, work: Callable[[threading.Event], None], gather: float = 0.0) -> Iterator[Woken]:
    thread = Woken(database, Task("test", ("citymap_test_woken",), work, gather, "the test fails"))
    thread.start()
    yield thread
    thread.stop()


def wake(database: Database) -> None:
    with database.engine.begin() as conn:
        conn.execute(text("SELECT pg_notify('citymap_test_woken', '')"))


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends, "nothing happened for 10 s"
        time.sleep(0.01)


def test_it_works_at_first_and_after_every_word(database: Database) -> None:
    done: list[float] = []
    with working(database, lambda _: done.append(time.monotonic())):
        until(lambda: len(done) == 1)
        wake(database)
        until(lambda: len(done) == 2)


def test_words_that_come_together_are_one_reason_to_work(database: Database) -> None:
    done: list[float] = []
    with working(database, lambda _: done.append(time.monotonic()), gather=0.5):
        until(lambda: len(done) == 1)
        for _ in range(10):
            wake(database)
        until(lambda: len(done) == 2)
        time.sleep(0.7)
        assert len(done) == 2


def test_it_goes_on_after_a_failure_and_tells_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(woken, "_RETRY", 0.01)
    done: list[str] = []

    def work(_stopping: threading.Event) -> None:
        done.append("asked")
        if len(done) == 1:
            raise ValueError("for once")

    with caplog.at_level(logging.WARNING, "citymap"), working(database, work):
        until(lambda: len(done) == 2)
    assert "the test fails, trying again: for once" in caplog.text


def test_it_stops_soon_though_nothing_wakes_it(database: Database) -> None:
    done: list[str] = []
    with working(database, lambda _: done.append("asked")) as thread:
        until(lambda: done == ["asked"])
        begun = time.monotonic()
        thread.stop()
        assert time.monotonic() - begun < 2
