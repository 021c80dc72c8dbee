"""A crowd of connections that say nothing: what the gateway needs for them, and whether others are answered meanwhile.

``python -m tests.tracking.crowd --connections 20000`` is the size that a city has; the tests use a smaller one.
"""

import argparse
import resource
import select
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from geoserver.cluster import Cluster
from tests.tracking.conftest import drive
from tests.tracking.faults import Rig, forked, free_port, stage
from tests.tracking.terminal import Terminal
from tracking.jt808 import uplink
from tracking.jt808.frames import Message, write_frame

#: Connections of one process: each has a descriptor at either end.
_EACH = 5000
#: Connections of one process that are on their way at once, and what each says: a stranger's, which is refused.
_COMING, _HEARTBEAT = 200, write_frame(Message(uplink.HEARTBEAT, "1", 1, b""))
#: Reports of the one that speaks.
_REPORTS = 200


@dataclass(frozen=True)
class Crowd:
    """What was found: kilobytes of the gateway for each idle connection, and seconds for the reports of one that speaks,
    alone and beside them."""

    connections: int
    kilobytes: float
    alone: float
    beside: float
    lost: int

    def __str__(self) -> str:
        return (
            f"{self.connections} idle connections: {self.kilobytes:.1f} KB of the gateway each, {self.lost} hung up; "
            f"{_REPORTS} reports of another answered in {self.alone:.2f} s before, {self.beside:.2f} s beside them"
        )


def run(cluster: Cluster, url: str, codes: dict[str, str], connections: int) -> Crowd:
    """Open so many connections, and report over one more."""
    _allow(connections + 1000)
    rig = Rig(cluster, url, free_port(), False)
    rig.start("gateway")
    try:
        code, secret = next(iter(codes.items()))
        speaker = _joined(rig.port, code, secret)
        alone = _report(speaker, 70_000)
        before = _memory(rig)
        crowds = []
        for begin in range(0, connections, _EACH):
            ours, theirs = forked.Pipe()
            count = min(_EACH, connections - begin)
            forked.Process(target=_stand, args=(rig.port, count, theirs), daemon=True).start()
            crowds.append(ours)
        opened = sum(crowd.recv() for crowd in crowds)
        assert opened == connections
        beside = _report(speaker, 60_000)
        kilobytes = (_memory(rig) - before) / connections
        for crowd in crowds:
            crowd.send("go home")
        speaker.close()
        return Crowd(connections, kilobytes, alone, beside, sum(crowd.recv() for crowd in crowds))
    finally:
        rig.kill("gateway")


def _stand(port: int, count: int, told: Connection) -> None:
    """Connections that are each let in, say half a frame, and then nothing; at the end, how many were hung up on.

    Each is answered once, so that no more are on their way than the kernel's queue holds.
    """
    _allow(count + 100)
    standing: list[socket.socket] = []
    while len(standing) < count:
        coming = [socket.create_connection(("127.0.0.1", port), 60) for _ in range(min(_COMING, count - len(standing)))]
        for one in coming:
            one.sendall(_HEARTBEAT + b"\x7e\x00\x02")
        assert all(one.recv(100) for one in coming)
        standing += coming
    told.send(len(standing))
    told.recv()
    poll = select.poll()
    for one in standing:
        poll.register(one, select.POLLIN)
    told.send(len(poll.poll(0)))


def _joined(port: int, code: str, secret: str) -> Terminal:
    until = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
    found = Terminal(port, code)
    found.authenticate(secret)
    return found


def _report(speaker: Terminal, ago: float) -> float:
    """Seconds until all reports are answered."""
    begun = time.perf_counter()
    speaker.report(*drive(time.time() // 1 - ago, _REPORTS))
    for _ in range(_REPORTS):
        assert speaker.answer(60)[2] == 0
    return time.perf_counter() - begun


def _memory(rig: Rig) -> float:
    """Resident memory of the gateway's process [KB]."""
    status = Path(f"/proc/{rig.processes['gateway'].pid}/status").read_text()
    return float(status.split("VmRSS:")[1].split()[0])


def _allow(files: int) -> int:
    """So many open files of this process and its children, as far as the machine's administrator lets it: how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, files), max(hard, files)))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=20_000)
    given = parser.parse_args()
    most = _allow(given.connections + 1000) - 1000
    if most < given.connections:
        print(f"this machine lets a process open {most + 1000} files: {most} connections, not {given.connections}")
    with stage() as staged:
        found = run(*staged, min(most, given.connections))
    print(found)
    sys.exit(found.lost > 0)
