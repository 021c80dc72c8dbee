"""A bare psycopg2 client: the SQL of a request with its values bound, the rows fetched as bytes, and nothing else.

As many processes and connections as the server has, each connection warm, in autocommit and held by one thread, so
that even a pool's work is not in the figure: what a request costs the server beyond it is the server's own.
"""

import multiprocessing
import resource
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from multiprocessing.connection import Connection
from typing import Any

import psycopg2
from psycopg2.extensions import BYTES, register_type
from psycopg2.extensions import connection as PsycopgConnection

#: One request: the statements that the server sends for it, each with its values.
Request = Sequence[tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Burst:
    """Requests' worth of SQL per second, and CPU of the client (user + system, all threads) for each [ms]."""

    per_second: float
    cpu: float


class Client:
    """The started processes."""

    def __init__(self, pipes: Sequence[Connection]) -> None:
        self._pipes = pipes

    def measure(self, requests: Sequence[Request], seconds: int) -> Burst:
        """Every connection asks one request after the other for that long [s]."""
        for pipe in self._pipes:
            pipe.send((requests, seconds))
        counts, used, lasted = zip(*(pipe.recv() for pipe in self._pipes), strict=True)
        return Burst(sum(counts) / max(lasted), sum(used) / sum(counts) * 1000)


@contextmanager
def client(url: str, processes: int, connections: int) -> Iterator[Client]:
    """The client, until the block ends; ``connections`` in all."""
    spawned = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pipes = []
        for _ in range(processes):
            ours, theirs = spawned.Pipe()
            process = spawned.Process(target=_serve, args=(theirs, url, connections // processes), daemon=True)
            process.start()
            stack.callback(process.join, 15)
            stack.callback(ours.send, None)
            pipes.append(ours)
        yield Client(pipes)


def _serve(pipe: Connection, url: str, connections: int) -> None:
    held = [psycopg2.connect(url, options="-c timezone=UTC -c jit=off") for _ in range(connections)]
    for connection in held:
        connection.autocommit = True
    with ThreadPoolExecutor(connections) as threads:
        while (order := pipe.recv()) is not None:
            requests, seconds = order
            list(threads.map(partial(_ask, requests=requests[:1], until=0.0), held, range(connections)))
            before, begun = _cpu_seconds(), time.monotonic()
            asking = partial(_ask, requests=requests, until=begun + seconds)
            count = sum(threads.map(asking, held, range(connections)))
            pipe.send((count, _cpu_seconds() - before, time.monotonic() - begun))


def _ask(connection: PsycopgConnection, start: int, *, requests: Sequence[Request], until: float) -> int:
    """How many requests this connection answered; at least one, each thread beginning at a place of its own."""
    count = 0
    for request in islice(cycle(requests), start * 7 % len(requests), None):
        for statement, values in request:
            with connection.cursor() as cursor:
                register_type(BYTES, cursor)
                cursor.execute(statement, values)
                cursor.fetchall()
        count += 1
        if time.monotonic() >= until:
            break
    return count


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
