"""Checks of an installation: each finding says what was looked at, what was seen, and the cure when it is wrong."""

import ctypes
import os
import platform
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from geoserver.settings import Settings
from layers.catalogue import Text

Status = Literal["ok", "warning", "failed", "skipped"]

#: 114.9°E 30.4°N of CGCS2000 in EPSG:4547 (3° Gauss-Kruger, CM 114°E): easting, northing [m].
REFERENCE = (114.9, 30.4)
EXPECTED = (586489.034, 3364799.485)
_TOLERANCE = 0.001  # [m]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_FONT_NAMES = (
    "cjk",
    "wqy",
    "simsun",
    "simhei",
    "sourcehan",
    "msyh",
    "notosanssc",
    "droidsansfallback",
    "uming",
)
_CLOCK_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw; ``cure`` stands beside everything that is not well."""

    status: Status
    detail: Text
    cure: Text | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One check; it is skipped when a check that it ``needs`` has failed."""

    id: str
    title: Text
    look: Callable[["Patient"], Finding]
    needs: tuple[str, ...] = ()


@dataclass(slots=True)
class Patient:
    """What is examined: settings, or why there are none; and the database once it is reached."""

    load: Callable[[], Settings]
    open_database: Callable[[Settings], Any]
    resources: ExitStack
    settings: Settings = field(default_factory=Settings)
    connection: Connection | None = None
    began: tuple[float, float] = field(default_factory=lambda: (time.time(), time.monotonic()))

    def scalar(self, sql: str) -> Any:
        """One value from the database, each in a transaction of its own."""
        assert self.connection is not None, "the check must need 'database'"
        with self.connection.begin():
            return self.connection.execute(text(sql)).scalar()


def examine(
    load: Callable[[], Settings], open_database: Callable[[Settings], Any]
) -> Iterator[tuple[Check, Finding]]:
    """Runs :data:`CHECKS` in order. ``load`` gives the settings, ``open_database`` a context of the address."""
    unwell: set[str] = set()
    with ExitStack() as resources:
        patient = Patient(load, open_database, resources)
        for check in CHECKS:
            if missing := [need for need in check.needs if need in unwell]:
                finding = Finding("skipped", _both(", ".join(missing)))
            else:
                finding = _look(check, patient)
            if finding.status in ("failed", "skipped"):
                unwell.add(check.id)
            yield check, finding


def _look(check: Check, patient: Patient) -> Finding:
    try:
        return check.look(patient)
    except (DBAPIError, OSError, RuntimeError, ValueError) as error:
        cause = str(getattr(error, "orig", None) or error).strip()
        cure = Text("先排除该原因再运行 citymap doctor", "remove this cause, then run citymap doctor")
        return Finding("failed", _both(cause), cure)


def _config(patient: Patient) -> Finding:
    from geoserver.config import ConfigError

    try:
        patient.settings = patient.load()
    except ConfigError as error:
        return Finding(
            "failed", _both(str(error)), Text("按行号改正 config.yml 或环境变量", "correct these places")
        )
    return Finding("ok", Text("配置有效", "the configuration is valid"))


def _database(patient: Patient) -> Finding:
    from layers.database import psycopg2_url

    try:
        url = patient.resources.enter_context(patient.open_database(patient.settings))
        engine = create_engine(psycopg2_url(url), connect_args={"connect_timeout": 10})
        patient.resources.callback(engine.dispose)
        patient.connection = patient.resources.enter_context(engine.connect())
        version = patient.scalar("SELECT current_setting('server_version')")
        patient.connection.rollback()
    except (DBAPIError, RuntimeError) as error:
        cause = str(getattr(error, "orig", None) or error).strip()
        return Finding(
            "failed",
            _both(cause),
            Text(
                "检查 database.url 或 DATABASE_URL 的主机、端口、用户与口令,并确认 PostgreSQL 在运行",
                "check host, port, user and password in database.url or DATABASE_URL, and that PostgreSQL runs",
            ),
        )
    if int(str(version).split(".")[0]) < 14:
        cure = Text("升级到 PostgreSQL 14 或更新版本", "upgrade to PostgreSQL 14 or newer")
        return Finding("failed", _both(f"PostgreSQL {version}"), cure)
    return Finding("ok", _both(f"PostgreSQL {version}"))


def _postgis(patient: Patient) -> Finding:
    available = patient.scalar("SELECT default_version FROM pg_available_extensions WHERE name = 'postgis'")
    installed = patient.scalar("SELECT extversion FROM pg_extension WHERE extname = 'postgis'")
    if not available:
        return Finding(
            "failed",
            Text("数据库服务器未安装 PostGIS", "the database server has no PostGIS"),
            Text(
                "在数据库服务器上运行:apt install postgresql-15-postgis-3(数字为其 PostgreSQL 版本)",
                "on the database server: apt install postgresql-15-postgis-3 (the number is its PostgreSQL version)",
            ),
        )
    if not installed:
        return Finding(
            "failed",
            Text("该数据库未启用 PostGIS 扩展", "the extension postgis is not in this database"),
            Text("citymap db migrate(或由管理员执行 CREATE EXTENSION postgis)",
                 "citymap db migrate (or, by an administrator: CREATE EXTENSION postgis)"),
        )  # fmt: skip
    tile = patient.scalar(
        "SELECT length(ST_AsMVT(t, 'l')) FROM "
        "(SELECT ST_AsMVTGeom(ST_MakePoint(1, 1), ST_MakeEnvelope(0, 0, 2, 2)) AS geom) AS t"
    )
    if not tile:
        cure = Text("安装带 protobuf-c 的 PostGIS", "install a PostGIS that is built with protobuf-c")
        return Finding("failed", Text("ST_AsMVT 不可用", "ST_AsMVT does not work"), cure)
    return Finding("ok", _both(f"PostGIS {installed}, ST_AsMVT"))


def _proj_postgis(patient: Patient) -> Finding:
    point = f"ST_Transform(ST_SetSRID(ST_MakePoint({REFERENCE[0]}, {REFERENCE[1]}), 4490), 4547)"
    seen = patient.scalar(f"SELECT ARRAY[ST_X(p), ST_Y(p)] FROM {point} AS p")
    return _compare(seen, "PostGIS", Text("重装 PostGIS 所用的 proj-data,检查 spatial_ref_sys 的 4490/4547",
                    "reinstall proj-data for PostGIS; check the rows 4490 and 4547 of spatial_ref_sys"))  # fmt: skip


def _proj_python(_: Patient) -> Finding:
    from pyproj import Transformer

    seen = Transformer.from_crs(4490, 4547, always_xy=True).transform(*REFERENCE)
    cure = Text(
        "重建环境:删除 .venv 后 make run;检查 PROJ_DATA", "remove .venv and `make run`; check PROJ_DATA"
    )
    return _compare(seen, "pyproj", cure)


def _compare(seen: Any, who: str, cure: Text) -> Finding:
    shown = f"{who}: N {seen[1]:.3f} E {seen[0]:.3f}"
    if all(abs(a - b) < _TOLERANCE for a, b in zip(seen, EXPECTED, strict=True)):
        return Finding("ok", _both(shown))
    wanted = f"N {EXPECTED[1]} E {EXPECTED[0]}"
    return Finding("failed", Text(f"{shown},应为 {wanted}", f"{shown}, should be {wanted}"), cure)


def _migrations(patient: Patient) -> Finding:
    from geoserver.migrations import pending

    assert patient.connection is not None
    with patient.connection.begin():
        missing = pending(patient.connection)
    if missing:
        listed = "; ".join(missing)
        return Finding(
            "failed", Text(f"未执行的迁移:{listed}", f"not applied: {listed}"), _both("citymap db migrate")
        )
    return Finding("ok", Text("数据库结构为最新", "the tables are up to date"))


def _access(patient: Patient) -> Finding:
    """Whether the policies bind the server's role, keep their indexes, and nobody edits without an account."""
    beyond = patient.scalar("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = 'citymap_app'")
    if beyond:
        return Finding(
            "failed",
            Text("数据库角色 citymap_app 可绕过行级安全", "the role citymap_app may bypass row-level security"),
            _both("ALTER ROLE citymap_app NOSUPERUSER NOBYPASSRLS"),
        )
    overlaps = "'geometry_overlaps(geometry, geometry)'::regprocedure"
    if not patient.scalar(f"SELECT proleakproof FROM pg_proc WHERE oid = {overlaps}"):
        return Finding(
            "warning",
            Text("非公开图层的空间查询用不上索引", "spatial reads of layers that are not public cannot use an index"),
            _both("superuser: ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF"),
        )
    if patient.settings.access.anonymous_edit:
        cure = Text("正式使用前设 access.anonymous_edit: false", "set access.anonymous_edit: false before real use")
        return Finding("warning", Text("无账号者也可编辑公开图层", "anyone may edit public layers"), cure)
    return Finding("ok", Text("行级安全策略有效", "row-level security binds the server"))


def _disk(patient: Patient) -> Finding:
    folder = Path(patient.settings.database.directory)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    status: Status = "failed" if free < 1 else "warning" if free < 10 else "ok"
    detail = Text(f"{folder} 剩余 {free:.1f} GB", f"{free:.1f} GB free at {folder}")
    cure = Text(
        "腾出空间,或用 database.directory 换盘", "free some space, or set database.directory to another disk"
    )
    return Finding(status, detail, None if status == "ok" else cure)


def _clock(patient: Patient) -> Finding:
    cure = Text("启用 NTP:timedatectl set-ntp true", "switch NTP on: timedatectl set-ntp true")
    jump = (time.time() - patient.began[0]) - (time.monotonic() - patient.began[1])
    if abs(jump) > 1:
        return Finding("failed", Text(f"时钟跳变 {jump:.1f} 秒", f"the clock jumped by {jump:.1f} s"), cure)
    if datetime.now(UTC).year < 2025:
        return Finding("failed", _both(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"), cure)
    offset = 0.0
    if patient.connection is not None:
        before = time.time()
        theirs = float(patient.scalar("SELECT extract(epoch FROM clock_timestamp())"))
        offset = theirs - (before + time.time()) / 2
    if abs(offset) > 2:
        detail = Text(f"与数据库时钟相差 {offset:.1f} 秒", f"{offset:+.1f} s between here and the database")
        return Finding("failed", detail, cure)
    if _kernel_clock_state() == _CLOCK_UNSYNCHRONISED:
        return Finding("warning", Text("时钟未经 NTP 同步", "the clock is not synchronised by NTP"), cure)
    return Finding("ok", Text(f"与数据库相差 {offset:.3f} 秒", f"{offset:+.3f} s to the database's"))


def _kernel_clock_state() -> int | None:
    """The answer of adjtimex(2), read only; None where the C library has none."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)))
    except (OSError, AttributeError):
        return None


def _font(_: Patient) -> Finding:
    if lister := shutil.which("fc-list"):
        fonts = subprocess.run(
            [lister, ":lang=zh", "family"], capture_output=True, text=True, timeout=30, check=False
        )
        if first := next(iter(sorted(fonts.stdout.splitlines())), ""):
            return Finding("ok", _both(first))
    for folder in _FONT_FOLDERS:
        for _root, _folders, files in os.walk(Path(folder).expanduser()):
            for name in files:
                if any(known in name.lower().replace("-", "") for known in _FONT_NAMES):
                    return Finding("ok", _both(name))
    return Finding(
        "warning",
        Text("未找到中文字体,服务器生成的图片将缺字", "no Chinese font: pictures made here lack characters"),
        _both("apt install fonts-noto-cjk"),
    )


def _tls(patient: Patient) -> Finding:
    server = patient.settings.server
    parts = urlsplit(server.url)
    if parts.scheme == "http":
        if parts.hostname in _LOOPBACK and server.bind.host in _LOOPBACK:
            return Finding("ok", Text("仅本机访问,无需 TLS", "this machine only: no TLS needed"))
        return Finding(
            "warning",
            Text(f"{server.url} 以明文服务网络", f"{server.url} serves the network in plain text"),
            Text("设置 server.tls 或前置 HTTPS 反向代理,并将 server.url 改为 https://…",
                 "set server.tls or put an HTTPS reverse proxy in front, and make server.url https://…"),
        )  # fmt: skip
    try:
        certificate, where = _certificate(patient.settings)
    except (OSError, ValueError) as error:
        cure = Text(
            "检查 server.tls 的文件与权限,或反向代理的证书", "check the files of server.tls, or the proxy"
        )
        return Finding("failed", Text(f"证书不可用:{error}", f"the certificate is not usable: {error}"), cure)
    end = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    left = (end - datetime.now(UTC)).days
    status: Status = "warning" if left < 30 else "ok"  # an expired one has failed the handshake
    detail = Text(
        f"{where} 的证书有效至 {end:%Y-%m-%d}", f"certificate of {where}, valid until {end:%Y-%m-%d}"
    )
    return Finding(status, detail, None if status == "ok" else Text("更换证书", "renew the certificate"))


def _certificate(settings: Settings) -> tuple[dict[str, Any], str]:
    """The certificate in force and where it was read; raises OSError (ssl.SSLError is one)."""
    tls = settings.server.tls
    if tls:
        return _own_certificate(tls.certificate, tls.key), tls.certificate
    parts = urlsplit(settings.server.url)
    host, port = str(parts.hostname), parts.port or 443
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        return dict(secured.getpeercert() or {}), f"{host}:{port}"


def _own_certificate(certificate: str, key: str) -> dict[str, Any]:
    # The standard library decodes a peer's certificate only, so we shake hands with ourselves in memory.
    for file in (certificate, key):
        with open(file, "rb"):
            pass  # names the file that is missing or not readable, which OpenSSL does not
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate, key, password="")  # also proves that the key belongs to it
    client_side = ssl.create_default_context(cafile=certificate)
    client_side.check_hostname = False
    client_side.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server)
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return dict(client.getpeercert() or {})


def _programs(_: Patient) -> Finding:
    node = shutil.which("node")
    version = ""
    if node:
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False)
        version = asked.stdout.strip()
    return Finding("ok", _both(f"Python {platform.python_version()}, Node {version or '–'}"))


def _both(words: str) -> Text:
    return Text(words, words)


CHECKS = (
    Check("config", Text("配置", "Configuration"), _config),
    Check("database", Text("数据库", "Database"), _database, needs=("config",)),
    Check("postgis", Text("PostGIS", "PostGIS"), _postgis, needs=("database",)),
    Check(
        "proj-postgis", Text("数据库坐标转换", "Coordinates in PostGIS"), _proj_postgis, needs=("postgis",)
    ),
    Check("proj-python", Text("程序坐标转换", "Coordinates in Python"), _proj_python),
    Check("migrations", Text("数据库结构", "Tables"), _migrations, needs=("postgis",)),
    Check("access", Text("访问控制", "Access"), _access, needs=("migrations",)),
    Check("disk", Text("磁盘空间", "Disk"), _disk, needs=("config",)),
    Check("clock", Text("时钟", "Clock"), _clock),
    Check("font", Text("中文字体", "Chinese font"), _font),
    Check("tls", Text("TLS", "TLS"), _tls, needs=("config",)),
    Check("programs", Text("Python 与 Node", "Python and Node"), _programs),
)
