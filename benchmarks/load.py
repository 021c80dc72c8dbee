"""Load by wrk, and what it cost the server."""

import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.processes import Running

#: Each wrk thread walks the list of paths from a place of its own.
_SCRIPT = """
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
local threads = 0
function setup(thread) thread:set("start", threads * 7); threads = threads + 1 end
function init(args) at = start end
function request() at = at %% #paths + 1; return wrk.format("GET", paths[at]) end
"""


#: Length [s] of a second burst at a server that answered nothing in the first.
_PATIENCE = 40


@dataclass(frozen=True)
class Measured:
    """One burst: answers per second, latency [ms], CPU of the server per answer [ms], answers that were no 2xx."""

    per_second: float
    p50: float
    p99: float
    cpu: float
    failed: int


def measure(
    server: Running, paths: Sequence[str], seconds: int, connections: int, headers: Mapping[str, str] = MappingProxyType({})
) -> Measured:
    """The burst; raises RuntimeError when wrk reports nothing."""
    with tempfile.TemporaryDirectory() as folder:
        listed, script = Path(folder, "paths"), Path(folder, "script.lua")
        listed.write_text("\n".join(paths) + "\n")
        script.write_text(_SCRIPT % listed)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s", "-s", str(script)]
        for name, value in headers.items():
            command += ["-H", f"{name}: {value}"]
        before = server.cpu_seconds()
        text = subprocess.run([*command, server.url], capture_output=True, text=True, check=True).stdout
        used = server.cpu_seconds() - before
    answers = int(_found(r"(\d+) requests in", text))
    if "nan" in text and seconds < _PATIENCE:
        return measure(server, paths, _PATIENCE, connections, headers)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    return Measured(
        float(_found(r"Requests/sec:\s+([\d.]+)", text)),
        _milliseconds(_found(r"\n\s+50%\s+(\S+)", text)),
        _milliseconds(_found(r"\n\s+99%\s+(\S+)", text)),
        used / max(answers, 1) * 1000,
        int(failed[1]) if failed else 0,
    )


def entity_tag(url: str) -> str:
    """What the server calls the present state of a resource; asked by a connection of its own, so of any worker."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        answer.read()
        return str(answer.headers["ETag"])


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"wrk said:\n{text}")
    return match[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]
