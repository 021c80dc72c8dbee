"""The private cluster: real servers in short-lived directories."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text

from geoserver.cluster import Cluster, ClusterError
from geoserver.postgres_binaries import PostgresMissing, find_binaries

try:
    find_binaries()
except PostgresMissing as missing:
    pytest.skip(str(missing), allow_module_level=True)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the server's user can reach (root's pytest keeps its own closed)."""
    directory = Path(tempfile.mkdtemp(prefix="citymap-test-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def stencil() -> Iterator[Path]:
    """A cluster that has been made and stopped: copying it is quicker than initdb."""
    directory = Path(tempfile.mkdtemp(prefix="citymap-test-"))
    directory.chmod(0o755)
    with Cluster(directory / "postgres", durable=False):
        pass
    yield directory / "postgres"
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def ready(place: Path, stencil: Path) -> Path:
    """The directory of a cluster that has been made and does not run."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(stencil), str(place / "postgres")], check=True)
    return place / "postgres"


@pytest.fixture(scope="module")
def made(stencil: Path) -> Iterator[Cluster]:
    """One running cluster that tests share which do not stop it."""
    copy = stencil.parent / "made"
    subprocess.run(["cp", "-a", "--reflink=auto", str(stencil), str(copy)], check=True)
    cluster = Cluster(copy, durable=False)
    with cluster:
        yield cluster


def ask(url: str, sql: str) -> object:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def keepers(cluster: Cluster) -> list[str]:
    wanted = str(cluster.directory / "users.lock").encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found


def test_address_works_with_sqlalchemy_and_libpq_and_has_postgis(made: Cluster) -> None:
    engine = create_engine(made.url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar() == "citymap"
    engine.dispose()
    assert (
        ask(
            made.url,
            "SELECT count(*) FROM pg_available_extensions WHERE name ~ '^(postgis|pg_trgm|unaccent)$'",
        )
        == 3
    )


def test_database_is_utf8_and_sorts_by_code_point_in_utc(made: Cluster) -> None:
    assert ask(made.url, "SHOW server_encoding") == "UTF8"
    assert ask(made.url, "SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    assert ask(made.url, "SHOW timezone") == "UTC"
    assert ask(made.url, "SHOW jit") == "off"
    assert ask(made.url, "SHOW random_page_cost") == "1.1"


def test_tcp_refuses_without_password_and_with_a_wrong_one(made: Cluster) -> None:
    assert ask(made.tcp_url, "SELECT 1") == 1
    password = made.tcp_url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(made.tcp_url.replace(password, "citymap"))
    port = made.tcp_url.rsplit(":", 1)[1].split("/")[0]
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        psycopg2.connect(f"host=127.0.0.1 port={port} user=citymap dbname=citymap passfile=/nonexistent")


def test_server_listens_on_loopback_only_and_files_are_private(made: Cluster) -> None:
    assert ask(made.url, "SHOW listen_addresses") == "127.0.0.1"
    assert stat.S_IMODE(made.socket_directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((made.directory / "password").stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_cannot_use_the_socket(made: Cluster) -> None:
    address = made.socket_directory / f".s.PGSQL.{made.url.rsplit('=', 1)[1]}"
    program = f"import socket; socket.socket(socket.AF_UNIX).connect({str(address)!r})"
    as_root = subprocess.run(["/usr/bin/python3", "-c", program], check=False, capture_output=True, text=True)
    assert as_root.returncode == 0, as_root.stderr
    stranger = subprocess.run(
        ["/usr/bin/python3", "-c", program],
        user=4321,
        group=4321,
        extra_groups=[],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "PermissionError" in stranger.stderr


def test_server_never_runs_as_root(made: Cluster) -> None:
    assert made.processes()
    assert all(Path(f"/proc/{pid}").stat().st_uid != 0 for pid in made.processes())


def test_restart_keeps_data_and_port_and_stop_leaves_no_process(ready: Path) -> None:
    cluster = Cluster(ready, durable=False)
    with cluster:
        first = cluster.url
        ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert len(cluster.processes()) > 3
    assert eventually(lambda: cluster.processes() == [])
    assert eventually(lambda: keepers(cluster) == [])
    again = Cluster(ready, durable=False)
    with again:
        assert again.url == first
        assert ask(again.url, "SELECT answer FROM kept") == 42


def test_second_user_joins_and_the_last_one_stops(ready: Path) -> None:
    first = Cluster(ready, durable=False)
    second = Cluster(ready, durable=False)
    assert first.start() == second.start()
    first.stop()
    assert ask(second.url, "SELECT 1") == 1
    second.stop()
    second.stop()
    assert second.processes() == []


@pytest.mark.parametrize("death", [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_server_dies_with_its_parent(ready: Path, death: signal.Signals | None) -> None:
    program = (
        "import signal, sys, time; from geoserver.cluster import Cluster\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # what runs in the background ignores it
        "cluster = Cluster(sys.argv[1], durable=False); print(cluster.start(), flush=True)\n"
        f"time.sleep({0 if death is None else 60})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(ready)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout and parent.stdout.readline().startswith("postgresql://")
        if death is not None:
            assert Cluster(ready).processes()
            parent.send_signal(death)
    assert eventually(lambda: Cluster(ready).processes() == [])


def test_killed_server_recovers_what_was_committed(ready: Path) -> None:
    cluster = Cluster(ready)
    ask(cluster.start(), "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(cluster.processes()[0], signal.SIGKILL)
    cluster.stop()
    again = Cluster(ready)
    with again:
        assert ask(again.url, "SELECT answer FROM kept") == 42


def test_stale_pid_of_another_program_does_not_stop_the_start(ready: Path) -> None:
    cluster = Cluster(ready, durable=False)
    with cluster:
        pid_file = (cluster.data / "postmaster.pid").read_text()
    with subprocess.Popen(["sleep", "60"], user=cluster.directory.stat().st_uid) as bystander:
        (cluster.data / "postmaster.pid").write_text(str(bystander.pid) + "\n" + pid_file.partition("\n")[2])
        with cluster:
            assert ask(cluster.url, "SELECT 1") == 1
        assert bystander.poll() is None
        bystander.kill()


def test_clones_run_side_by_side(ready: Path, made: Cluster) -> None:
    other = Cluster(ready, durable=False)
    with other:
        assert other.url != made.url
        ask(other.url, "CREATE TABLE only_here ()")
        assert ask(made.url, "SELECT to_regclass('only_here') IS NULL") is True


def test_long_and_chinese_path_gets_a_short_private_socket_directory(place: Path) -> None:
    cluster = Cluster(place / ("城市一张图 " * 8) / "postgres", durable=False)
    with cluster:
        assert len(os.fsencode(cluster.socket_directory)) < 90
        assert stat.S_IMODE(cluster.socket_directory.stat().st_mode) == 0o700
        assert ask(cluster.url, "SELECT 1") == 1
    shutil.rmtree(cluster.socket_directory)


def test_socket_directory_of_another_user_is_refused(place: Path) -> None:
    cluster = Cluster(place / ("x" * 100) / "postgres", durable=False)
    cluster.socket_directory.symlink_to(place)
    try:
        with pytest.raises(ClusterError, match=r"belongs to another user|remove it"):
            cluster.start()
    finally:
        cluster.socket_directory.unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_unreachable_directory_moves_to_var_lib(place: Path) -> None:
    place.chmod(0o700)
    assert Cluster(place / "postgres").directory.parent == Path("/var/lib/citymap")


def test_interrupted_initdb_is_begun_anew(place: Path) -> None:
    (place / "postgres/data.unfinished/base").mkdir(parents=True)
    cluster = Cluster(place / "postgres", durable=False)
    with cluster:
        assert ask(cluster.url, "SELECT 1") == 1


def test_data_of_another_version_names_the_package_to_install(place: Path) -> None:
    (place / "postgres/data").mkdir(parents=True)
    (place / "postgres/data/PG_VERSION").write_text("9\n")
    with pytest.raises(ClusterError, match="made by PostgreSQL 9,.*postgresql-9-postgis-3"):
        Cluster(place / "postgres").start()


def test_wrong_operator_setting_is_reported_with_its_line(ready: Path) -> None:
    cluster = Cluster(ready, durable=False)
    cluster.start()
    cluster.stop()
    (cluster.directory / "local.conf").write_text("work_mem = 'lots'\n")
    with pytest.raises(ClusterError, match="work_mem"):
        cluster.start()
    assert cluster.processes() == []
