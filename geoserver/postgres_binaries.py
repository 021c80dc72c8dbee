"""Finds PostgreSQL server programs that have PostGIS: the system's, or packages unpacked under ``var/debian``."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: Where ``scripts/bootstrap.sh`` unpacks the packages when apt cannot install them.
UNPACKED = Path(__file__).resolve().parents[1] / "var" / "debian"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class PostgresMissing(RuntimeError):
    """No PostgreSQL server with PostGIS was found; the message says where was looked and what to install."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL major version; ``environment`` is what they need to run."""

    directory: Path
    major: int
    environment: dict[str, str] = field(default_factory=dict)

    def program(self, name: str) -> str:
        """The path of ``initdb``, ``pg_ctl`` …"""
        return str(self.directory / name)


def find_binaries(major: int | None = None, unpacked: Path = UNPACKED) -> Binaries:
    """The newest server that has PostGIS, or the one of version ``major`` (what made a cluster runs it)."""
    found = sorted(_candidates(unpacked), key=lambda b: b.major, reverse=True)
    for binaries in found:
        if major is None or binaries.major == major:
            return binaries
    if major is not None:
        have = ", ".join(str(b.major) for b in found) or "none"
        raise PostgresMissing(
            f"the database was made by PostgreSQL {major}, but servers with PostGIS here: {have}. "
            f"Install postgresql-{major}-postgis-3, or move the data to the newer version with pg_upgrade"
        )
    raise PostgresMissing(
        f"no PostgreSQL server with PostGIS in /usr/lib/postgresql/*/bin, by pg_config, or in {unpacked}. "
        "Run `make run`, or `apt install postgresql postgis postgresql-15-postgis-3` (the number is your "
        "distribution's PostgreSQL), or set DATABASE_URL to a server that has PostGIS"
    )


def _candidates(unpacked: Path) -> Iterator[Binaries]:
    yield from _debian(Path("/"), {})
    if pg_config := shutil.which("pg_config", path=_SYSTEM_PATH):
        yield from _by_pg_config(pg_config)
    if unpacked.is_dir():
        yield from _debian(unpacked, _unpacked_environment(unpacked))


def _debian(root: Path, extra: dict[str, str]) -> Iterator[Binaries]:
    for bin_directory in root.glob("usr/lib/postgresql/*/bin"):
        version = bin_directory.parent.name
        control = root / "usr/share/postgresql" / version / "extension" / "postgis.control"
        if version.isdigit() and control.exists() and (bin_directory / "initdb").exists():
            yield Binaries(bin_directory, int(version), _environment(extra))


def _by_pg_config(pg_config: str) -> Iterator[Binaries]:
    lines = subprocess.run(
        [pg_config, "--bindir", "--sharedir", "--version"],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    ).stdout.splitlines()
    if len(lines) != 3:
        return
    bin_directory, share, version = Path(lines[0]), Path(lines[1]), lines[2].split()[-1].partition(".")[0]
    if (
        version.isdigit()
        and (share / "extension/postgis.control").exists()
        and (bin_directory / "initdb").exists()
    ):
        yield Binaries(bin_directory, int(version), _environment({}))


def _unpacked_environment(root: Path) -> dict[str, str]:
    libraries = sorted({str(path.parent) for path in root.glob("usr/lib/*-linux-gnu/*.so.*")})
    # blas and lapack lie one level deeper, behind alternatives that dpkg-deb does not make.
    libraries += [
        str(path) for name in ("blas", "lapack") for path in root.glob(f"usr/lib/*-linux-gnu/{name}")
    ]
    libraries += [str(path) for path in root.glob("lib/*-linux-gnu")]
    return {
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PROJ_DATA": str(root / "usr/share/proj"),
        "PROJ_LIB": str(root / "usr/share/proj"),
        "GDAL_DATA": str(root / "usr/share/gdal"),
    }


def _environment(extra: dict[str, str]) -> dict[str, str]:
    # A clean environment: PGDATA, PGPORT or LC_* of whoever starts the program must not change the cluster.
    return {"PATH": _SYSTEM_PATH, "LC_ALL": "C.UTF-8", "TZ": "UTC", **extra}
