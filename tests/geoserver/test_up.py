"""``citymap up`` as a person runs it: several workers, one catalogue, and a clean end by Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer, drop_layer
from tests.conftest import drop_database, make_database

CITYMAP = str(Path(sys.executable).with_name("citymap"))


@dataclass
class Up:
    """A running ``citymap up``."""

    url: str
    database_url: str
    process: subprocess.Popen[str]


@pytest.fixture(scope="module")
def up(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    name = f"citymap_up_{os.getpid()}"
    database_url = make_database(postgres_url, name, template_name)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        **os.environ,
        "DATABASE_URL": database_url,
        "CITYMAP__SERVER__BIND__PORT": str(port),
        "CITYMAP__SERVER__WORKERS": "2",
        "CITYMAP__DATABASE__POOL_SIZE": "2",
        "CITYMAP__SERVER__UPLOADS__DIRECTORY": str(tmp_path_factory.mktemp("uploads")),
    }
    command = [CITYMAP, "up", "--no-demo"]
    process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            if requests.get(f"{url}/ready", timeout=5).ok:
                break
        except requests.ConnectionError:
            assert process.poll() is None, process.stderr and process.stderr.read()
            time.sleep(0.1)
    yield Up(url, database_url, process)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    drop_database(postgres_url, name)


def test_a_new_layer_is_served_by_every_worker_within_a_second(up: Up) -> None:
    database = Database(up.database_url, pool_size=1)
    wells = Layer("wells", Text("井", "Wells"), Text("", ""), "Point", (Field("depth", "number", Text("深", "Depth")),))
    try:
        # Each request has a connection of its own, so the kernel hands them to either worker.
        assert all(requests.get(f"{up.url}/collections/wells", timeout=10).status_code == 404 for _ in range(20))
        with database.transaction() as conn:
            create_layer(conn, wells)
        time.sleep(1.0)
        assert {requests.get(f"{up.url}/collections/wells", timeout=10).status_code for _ in range(40)} == {200}
        with database.transaction() as conn:
            drop_layer(conn, "wells")
        time.sleep(1.0)
        assert {requests.get(f"{up.url}/collections/wells", timeout=10).status_code for _ in range(40)} == {404}
    finally:
        database.close()


def test_a_worker_that_is_kept_from_running_for_a_while_is_not_replaced(up: Up) -> None:
    """As on a busy machine; uvicorn would end it after five seconds, and the one in its place, and so on."""
    workers = {p for p in _processes(up.process.pid) if b"spawn_main" in (p / "cmdline").read_bytes()}
    stopped = int(min(workers).name)
    os.kill(stopped, signal.SIGSTOP)
    time.sleep(7)
    os.kill(stopped, signal.SIGCONT)
    time.sleep(1)
    assert len(workers) == 2 and workers <= set(_processes(up.process.pid))


def test_a_second_server_on_the_same_port_says_what_to_do(up: Up) -> None:
    port = up.url.rsplit(":", 1)[1]
    environ = {**os.environ, "DATABASE_URL": up.database_url, "CITYMAP__SERVER__BIND__PORT": port}
    second = subprocess.run([CITYMAP, "up"], env=environ, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1 and "CITYMAP__SERVER__BIND__PORT" in second.stderr


def test_ctrl_c_stops_everything_and_the_first_account_was_shown_once(up: Up) -> None:
    os.killpg(up.process.pid, signal.SIGINT)
    _, told = up.process.communicate(timeout=40)
    assert up.process.returncode == 0
    assert told.count("密码 password:") == 1
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{up.url}/health", timeout=2)
    for _ in range(50):  # multiprocessing's resource tracker ends a moment after its parent
        if not (left := _members(up.process.pid)):
            break
        time.sleep(0.1)
    assert left == []


def _members(session: int) -> list[str]:
    return [(p / "cmdline").read_text().replace("\0", " ") for p in _processes(session) if p.exists()]


def _processes(session: int) -> list[Path]:
    return [p for p in Path("/proc").iterdir() if p.name.isdigit() and _session(p) == session]


def _session(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[3])
    except OSError:
        return -1
