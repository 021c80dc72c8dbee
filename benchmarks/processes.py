"""Starting a server, waiting for it, and reading what its processes cost."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Running:
    """A started server: its base URL and the process at the top of its tree."""

    name: str
    url: str
    pid: int

    def tree(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                children.setdefault(parent, []).append(int(entry.name))
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += children.get(pid, [])
        return found

    def cpu_seconds(self) -> float:
        """CPU time [s] that the living processes of the tree have used."""
        return sum(_cpu(pid) for pid in self.tree())

    def largest_rss_mb(self) -> float:
        """Resident memory [MB] of its largest process that answers requests (the worker of jobs is none)."""
        return max(_rss(pid) for pid in self.tree() if not _runs_jobs(pid)) / 1e6


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0


def _runs_jobs(pid: int) -> bool:
    try:
        return b"\0worker\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    name: str, command: Sequence[str], port: int, ready: str, environ: Mapping[str, str], log: Path
) -> Iterator[Running]:
    """The server, until the block ends; raises RuntimeError with the end of its log when it does not get ready."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environ}, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, url + ready, name, log)
        started = Running(name, url, process.pid)
        _wait_until_quiet(started)
        yield started
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself, and its log says why
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait_until_quiet(server: Running) -> None:
    """Let the server end what it begins with (new pieces of generalised and derived layers), which is no request's cost."""
    for _ in range(300):
        before = server.cpu_seconds()
        time.sleep(2)
        if server.cpu_seconds() - before < 0.2:
            return
    print(f"{server.name} is still busy with other things", flush=True)


def _wait(process: subprocess.Popen[bytes], url: str, name: str, log: Path) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if process.poll() is not None:
                break
            time.sleep(0.2)
    raise RuntimeError(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
