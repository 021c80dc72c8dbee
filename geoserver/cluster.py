"""A private PostgreSQL cluster in a directory: what ``citymap up`` uses when no ``DATABASE_URL`` is set.

The server lives as long as somebody uses it. Each user holds a shared ``flock`` on ``users.lock``; a small
keeper process waits for the exclusive one and then stops the server. The kernel drops the lock of a process
however it ends, so nothing is orphaned by Ctrl-C, SIGTERM or kill -9, and ``citymap import`` may share the
server of a running ``citymap up``.

Other users of the machine stay out: the socket lies in a directory of mode 0700, and TCP (loopback only, for
QGIS and the like on the same machine) wants the random password kept in the file ``password`` (0600).
"""

import fcntl
import hashlib
import logging
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

from geoserver.postgres_binaries import UNPACKED, Binaries, PostgresMissing, find_binaries

ROLE = DATABASE = "citymap"
_START_SECONDS = 300  # crash recovery of a large cluster takes its time
_STOP_SECONDS = 60
_SOCKET_PATH_BYTES = 107  # sun_path of unix(7), less the closing NUL
_UNSAFE = set("\"'`$\\,\n")  # pg_ctl passes paths through a shell, unix_socket_directories splits at commas

logger = logging.getLogger(__name__)


class ClusterError(RuntimeError):
    """The private database cannot be used; the message says why and what to do."""


class Cluster:
    """A PostgreSQL cluster in ``directory``; ``start`` makes, starts or joins it, ``stop`` leaves it.

    ``with`` does both and gives the address.

    ``durable=False`` switches fsync off (tests). As root the server runs as user ``postgres`` (else
    ``nobody``), and lies under ``/var/lib/citymap`` when that user cannot reach ``directory``;
    :attr:`directory` tells the place.
    """

    def __init__(self, directory: Path | str, *, durable: bool = True, unpacked: Path = UNPACKED) -> None:
        wanted = Path(directory).absolute()
        if _UNSAFE & set(str(wanted)):
            raise ClusterError(f"the path {wanted} has a quote, '$', '\\' or ',' in it; move the project elsewhere")
        self._user = _service_user()
        self._durable = durable
        self._unpacked = unpacked
        self._users_lock: int | None = None
        self.directory = _reachable(wanted, self._user)
        self._name = "citymap-" + hashlib.sha256(str(self.directory).encode()).hexdigest()[:12]
        self.data = self.directory / "data"
        self.socket_directory = self._short_socket_directory()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The database's address over the socket; the cluster must run."""
        return self._url(DATABASE)

    @property
    def tcp_url(self) -> str:
        """The same over loopback TCP, with the password: for programs that know no sockets."""
        password = (self.directory / "password").read_text().strip()
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{self._running_port()}/{DATABASE}"

    def start(self) -> str:
        """Makes the cluster if there is none, starts it if it does not run, and returns its address.

        Raises :class:`ClusterError`.
        """
        if self._users_lock is not None:
            return self.url
        try:
            self._make_directories()
            with self._locked_for_start():
                self._users_lock = self._open_lock("users.lock")
                fcntl.flock(self._users_lock, fcntl.LOCK_SH)  # waits while a keeper is stopping the server
                if self._running_port() is None:
                    self._start_server()
                self._ensure_database()
                return self.url
        except PostgresMissing as error:
            self._release()
            raise ClusterError(str(error)) from error
        except PermissionError as error:
            self._release()
            raise ClusterError(
                f"{error.filename} belongs to another user: run as that user, or remove {self.directory} to begin anew"
            ) from error
        except BaseException:
            self._release()
            raise

    def stop(self) -> None:
        """Leaves the cluster; the last user stops the server and waits until it is gone."""
        if self._users_lock is None:
            return
        try:
            fcntl.flock(self._users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass  # others use it: theirs now
        else:
            if self._running_port() is not None:
                done = self._run(self._binaries(), "pg_ctl", *self._stop_arguments())
                if done.returncode:
                    logger.error("PostgreSQL in %s does not stop: %s", self.directory, _last_lines(done.stderr))
        finally:
            self._release()

    def processes(self) -> list[int]:
        """The process ids of this cluster's server, its postmaster first."""
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or not (command := _command(entry, self._uid)):
                continue
            arguments = command.split(b"\0")
            if os.path.basename(arguments[0]) == b"postgres" and os.fsencode(self.data) in arguments:
                found.insert(0, int(entry.name))
            elif command.startswith(f"postgres: {self._name}:".encode()):
                found.append(int(entry.name))
        return found

    # Making

    def _make_directories(self) -> None:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        for directory in (self.directory, self.directory / "log", self.socket_directory):
            directory.mkdir(mode=0o700, exist_ok=True)
            self._give(directory)
            status = directory.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != self._uid:
                raise ClusterError(f"{directory} belongs to another user: remove it, or run as its owner")
            directory.chmod(0o700)

    def _initialise(self, binaries: Binaries) -> None:
        self._private_file("password", secrets.token_urlsafe(24) + "\n")
        unfinished = self.directory / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        logger.info("Making the database in %s (PostgreSQL %s)", self.directory, binaries.major)
        done = self._run(
            binaries,
            "initdb",
            "-D",
            str(unfinished),
            "-U",
            ROLE,
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth-local=trust",
            "--auth-host=scram-sha-256",
            "--data-checksums",
            "--no-instructions",
            f"--pwfile={self.directory / 'password'}",
            *([] if self._durable else ["--no-sync"]),
        )
        if done.returncode:
            raise ClusterError(f"initdb failed in {self.directory}: {_last_lines(done.stderr)}")
        unfinished.rename(self.data)

    def _ensure_database(self) -> None:
        with closing(psycopg2.connect(self._url("postgres"), connect_timeout=10)) as connection:
            connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")

    # Running

    def _start_server(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._initialise(self._binaries())
        binaries = self._binaries()
        self._clear_stale_pid()
        log = self.directory / "log" / "start.log"
        for _ in range(5):  # another program may take the port between choosing and binding it
            self._private_file("log/start.log", "")
            self._private_file("data/postgresql.conf", self._settings(_free_port(self.directory / "port")))
            done = self._run(
                binaries,
                "pg_ctl",
                "-D",
                str(self.data),
                "-l",
                str(log),
                "-w",
                "-t",
                str(_START_SECONDS),
                "start",
            )
            if done.returncode == 0:
                break
            (self.directory / "port").unlink(missing_ok=True)
            if "could not bind" not in (message := log.read_text(errors="replace")):
                raise ClusterError(
                    f"PostgreSQL does not start in {self.directory}: " + _last_lines(message or done.stderr)
                )
        else:
            raise ClusterError("PostgreSQL found no free port on 127.0.0.1 in five attempts")
        self._private_file("port", str(self._running_port()))
        # setsid: Ctrl-C in the terminal must not reach the keeper; it acts when the users are gone.
        self._run_program(
            binaries,
            "setsid",
            "--fork",
            "flock",
            "--exclusive",
            str(self.directory / "users.lock"),
            binaries.program("pg_ctl"),
            *self._stop_arguments(),
        )

    def _stop_arguments(self) -> list[str]:
        return ["-D", str(self.data), "-m", "fast", "-w", "-t", str(_STOP_SECONDS), "stop"]

    def _running_port(self) -> int | None:
        # postmaster.pid: process id, data, start time, port, socket directory, address, shared memory, status
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        if len(lines) < 8 or not lines[7].startswith("ready") or int(lines[0]) not in self.processes():
            return None
        return int(lines[3])

    def _clear_stale_pid(self) -> None:
        # Server processes outlive a killed postmaster by a moment; starting beside them would break the data.
        deadline = time.monotonic() + 30
        while self.processes():
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"processes {self.processes()} of an earlier run still hold {self.data}: "
                    "end them with `kill`, then try again"
                )
            time.sleep(0.05)
        # The process id in it may belong to another program by now, which PostgreSQL would take for itself.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _settings(self, port: int) -> str:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20  # [MiB]
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": self.socket_directory,
            "unix_socket_permissions": "0700",
            "cluster_name": self._name,
            "max_connections": 300,
            "shared_buffers": f"{min(max(memory // 8, 64), 2048)}MB",
            "effective_cache_size": f"{max(memory // 2, 256)}MB",
            "work_mem": "16MB",
            "maintenance_work_mem": f"{min(max(memory // 32, 64), 512)}MB",
            "max_wal_size": "2GB",
            "wal_compression": "on",
            "random_page_cost": 1.1,
            "jit": "off",  # compiling costs more than our short queries
            "timezone": "UTC",
            "log_timezone": "UTC",
            "datestyle": "iso, ymd",
            "password_encryption": "scram-sha-256",
            "logging_collector": "on",  # a file per weekday, overwritten a week later: bounded
            "log_directory": self.directory / "log",
            "log_filename": "postgres-%a.log",
            "log_rotation_size": 0,
            "log_truncate_on_rotation": "on",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            # Tests: many servers at once, and nobody to stream to.
            settings |= {"max_connections": 800, "wal_level": "minimal", "max_wal_senders": 0}
        lines = [f"{name} = '{value}'" for name, value in settings.items()]
        lines.append(f"include_if_exists = '{self.directory / 'local.conf'}'  # the operator's own settings")
        return "\n".join(["# Written at each start; put your own settings into ../local.conf", *lines, ""])

    # Small parts

    @property
    def _uid(self) -> int:
        return self._user.pw_uid if self._user else os.geteuid()

    def _url(self, database: str) -> str:
        port = self._running_port()
        if port is None:
            raise ClusterError(f"the database in {self.directory} does not run")
        host = quote(str(self.socket_directory), safe="/")
        return f"postgresql://{ROLE}@/{database}?host={host}&port={port}"

    def _binaries(self) -> Binaries:
        version = self.data / "PG_VERSION"
        return find_binaries(int(version.read_text()) if version.exists() else None, self._unpacked)

    def _short_socket_directory(self) -> Path:
        inside = self.directory / "socket"
        if len(os.fsencode(inside / ".s.PGSQL.65535")) <= _SOCKET_PATH_BYTES:
            return inside
        return Path(f"/tmp/{self._name}-{self._uid}")

    @contextmanager
    def _locked_for_start(self) -> Iterator[None]:
        with closing(os.fdopen(self._open_lock("start.lock"))) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _open_lock(self, name: str) -> int:
        path = self.directory / name
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        self._give(path)
        return descriptor

    def _release(self) -> None:
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None

    def _private_file(self, name: str, text: str) -> None:
        path = self.directory / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        self._give(path)

    def _give(self, path: Path) -> None:
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid, follow_symlinks=False)

    def _run(self, binaries: Binaries, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run_program(binaries, binaries.program(program), *arguments)

    def _run_program(self, binaries: Binaries, *command: str) -> subprocess.CompletedProcess[str]:
        return _run_as(self._user, command, binaries.environment, timeout=_START_SECONDS + 30)


def _run_as(
    user: pwd.struct_passwd | None, command: tuple[str, ...], environment: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    # Output goes through files, not pipes: a daemon that inherits a pipe would keep the reader waiting.
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            cwd="/",
            timeout=timeout,
            check=False,
            start_new_session=True,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, "", output.read())


def _service_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the user it runs as instead, or None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ClusterError("PostgreSQL does not run as root, and there is neither a user 'postgres' nor 'nobody'")


def _reachable(directory: Path, user: pwd.struct_passwd | None) -> Path:
    if user is None:
        return directory
    parent = directory.parent
    while not parent.exists():
        parent = parent.parent
    if _run_as(user, ("test", "-x", str(parent)), {"PATH": "/usr/bin:/bin"}, timeout=10).returncode == 0:
        return directory
    elsewhere = Path("/var/lib/citymap") / hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    logger.warning("User %s cannot reach %s: the database lies in %s", user.pw_name, directory, elsewhere)
    return elsewhere


def _free_port(remembered: Path) -> int:
    """The port of the last run if it is free (saved connections keep working), else any free one."""
    wanted = remembered.read_text().strip() if remembered.exists() else ""
    for port in (int(wanted) if wanted.isdigit() else 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ClusterError("no free TCP port on 127.0.0.1")


def _command(process: Path, uid: int) -> bytes:
    try:
        return (process / "cmdline").read_bytes() if process.stat().st_uid == uid else b""
    except OSError:  # it has just ended
        return b""


def _last_lines(text: str, count: int = 5) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-count:]) or "no message"
