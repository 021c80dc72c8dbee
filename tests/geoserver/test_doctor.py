"""``citymap doctor``: every fault here is a real one, provoked."""

import json
import socket
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest
import trustme
from typer.testing import CliRunner

from geoserver import doctor
from geoserver.cli import app
from geoserver.config import load
from geoserver.doctor import Finding, examine
from tests.conftest import drop_database, make_database


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    """A database without PostGIS and without our tables."""
    name = f"citymap_doctor_{uuid.uuid4().hex[:8]}"
    yield make_database(postgres_url, name)
    drop_database(postgres_url, name)


def findings(url: str, **environ: str) -> dict[str, Finding]:
    settings = load(environ=environ)
    return {check.id: finding for check, finding in examine(lambda: settings, lambda _: nullcontext(url))}


def run(url: str, sql: str) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql)


def assert_failed_with_cure(finding: Finding, detail: str, cure: str) -> None:
    assert finding.status == "failed", finding
    assert detail in finding.detail.en, finding
    assert finding.cure and cure in finding.cure.en and finding.cure.zh


def test_healthy_installation_has_no_failure(database) -> None:
    seen = findings(database.url)
    assert {name: f.detail.en for name, f in seen.items() if f.status == "failed"} == {}
    assert seen["proj-postgis"].detail.en == "PostGIS: N 3364799.485 E 586489.034"
    assert seen["proj-python"].detail.en == "pyproj: N 3364799.485 E 586489.034"


def test_policies_that_cost_an_index_or_bind_nobody_are_told(postgres_url: str, template_name: str) -> None:
    name = f"citymap_doctor_{uuid.uuid4().hex[:8]}"
    url = make_database(postgres_url, name, template_name)
    try:
        assert findings(url)["access"].status == "ok"
        opened = findings(url, CITYMAP__ACCESS__ANONYMOUS_EDIT="true")["access"]
        assert opened.status == "warning" and "anyone may edit" in opened.detail.en
        run(url, "ALTER FUNCTION geometry_overlaps(geometry, geometry) NOT LEAKPROOF")
        slow = findings(url)["access"]
        assert slow.status == "warning" and "index" in slow.detail.en and slow.cure and "LEAKPROOF" in slow.cure.en
    finally:
        drop_database(postgres_url, name)


def test_unreachable_database_fails_and_what_needs_it_is_skipped() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, not listening: refused
        seen = findings(f"postgresql://citymap:geheim@127.0.0.1:{closed.getsockname()[1]}/citymap")
    assert_failed_with_cure(seen["database"], "Connection refused", "DATABASE_URL")
    assert "geheim" not in str(seen)
    assert [seen[name].status for name in ("postgis", "proj-postgis", "migrations")] == ["skipped"] * 3
    assert seen["proj-python"].status == "ok"


def test_missing_database_is_named(postgres_url: str) -> None:
    from sqlalchemy.engine import make_url

    url = make_url(postgres_url).set(database="no_such_city").render_as_string(hide_password=False)
    assert_failed_with_cure(findings(url)["database"], 'database "no_such_city" does not exist', "database.url")


def test_database_without_postgis_is_told_how_to_get_it(empty_url: str) -> None:
    seen = findings(empty_url)
    assert_failed_with_cure(seen["postgis"], "the extension postgis is not in this database", "citymap db migrate")
    assert seen["proj-postgis"].status == "skipped"


def test_database_without_our_tables_is_told_to_migrate(empty_url: str) -> None:
    run(empty_url, "CREATE EXTENSION postgis")
    assert_failed_with_cure(findings(empty_url)["migrations"], "not applied", "citymap db migrate")


def test_wrong_coordinate_definition_in_the_database_is_found(empty_url: str) -> None:
    # 4548 has its central meridian three degrees further east
    run(empty_url, "CREATE EXTENSION postgis; UPDATE spatial_ref_sys SET auth_srid = 4548 WHERE srid = 4547")
    assert_failed_with_cure(findings(empty_url)["proj-postgis"], "should be N 3364799.485", "spatial_ref_sys")


def test_full_disk_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 10**8))
    assert_failed_with_cure(findings("postgresql://127.0.0.1:1/x")["disk"], "0.5 GB free", "free some space")


def test_clock_that_jumped_fails() -> None:
    patient = doctor.Patient(load, lambda _: nullcontext(""), doctor.ExitStack())
    patient.began = (patient.began[0] - 3600, patient.began[1])
    assert_failed_with_cure(doctor._clock(patient), "the clock jumped by 3600", "timedatectl")


def test_plain_http_for_the_network_warns() -> None:
    seen = findings("postgresql://127.0.0.1:1/x", CITYMAP__SERVER__BIND__HOST="0.0.0.0")
    assert seen["tls"].status == "warning" and seen["tls"].cure and "HTTPS" in seen["tls"].cure.en
    assert findings("postgresql://127.0.0.1:1/x")["tls"].status == "ok"


def write_certificate(folder: Path, not_after: datetime) -> dict[str, str]:
    issued = trustme.CA().issue_cert("map.example.gov.cn", not_before=datetime(2020, 1, 1), not_after=not_after)
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    return {
        "CITYMAP__SERVER__URL": "https://map.example.gov.cn",
        "CITYMAP__SERVER__TLS": f"{{certificate: {folder}/cert.pem, key: {folder}/key.pem}}",
    }


@pytest.mark.parametrize(
    ("days", "status", "detail"),
    [(365, "ok", "valid until"), (10, "warning", "valid until"), (-1, "failed", "certificate has expired")],
)
def test_own_certificate_is_read_and_its_end_seen(tmp_path: Path, days: int, status: str, detail: str) -> None:
    end = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=days)
    seen = findings("postgresql://127.0.0.1:1/x", **write_certificate(tmp_path, end))["tls"]
    assert seen.status == status, seen
    assert detail in seen.detail.en


def test_missing_certificate_and_foreign_key_are_named(tmp_path: Path) -> None:
    end = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=365)
    environ = write_certificate(tmp_path, end)
    (tmp_path / "key.pem").write_bytes(trustme.CA().issue_cert("other").private_key_pem.bytes())
    assert_failed_with_cure(
        findings("postgresql://127.0.0.1:1/x", **environ)["tls"], "KEY_VALUES_MISMATCH", "server.tls"
    )
    (tmp_path / "cert.pem").unlink()
    assert_failed_with_cure(findings("postgresql://127.0.0.1:1/x", **environ)["tls"], "cert.pem", "server.tls")


def test_certificate_of_a_proxy_that_nobody_trusts_fails() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, pytest.raises(OSError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"https://localhost:{listener.getsockname()[1]}"
        seen = findings("postgresql://127.0.0.1:1/x", CITYMAP__SERVER__URL=url)["tls"]
        thread.join()
    assert_failed_with_cure(seen, "certificate verify failed", "proxy")


def test_command_prints_cause_and_cure_and_exits_1(empty_url: str) -> None:
    done = CliRunner().invoke(app, ["doctor", "--lang", "zh"], env={"DATABASE_URL": empty_url})
    assert done.exit_code == 1
    assert "✗ PostGIS: 该数据库未启用 PostGIS 扩展\n    解决: citymap db migrate" in done.output
    assert "– 数据库结构: 跳过,因为:postgis" in done.output


def test_command_answers_json_and_exits_0_when_well(database) -> None:
    done = CliRunner().invoke(app, ["doctor", "--json", "--lang", "en"], env={"DATABASE_URL": database.url})
    answer = json.loads(done.stdout)
    assert done.exit_code == 0 and answer["well"] is True
    assert [check["id"] for check in answer["checks"]] == [check.id for check in doctor.CHECKS]


def test_wrong_configuration_is_a_finding_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("server:\n  bind:\n    port: five\n")
    done = CliRunner().invoke(
        app,
        ["doctor", "--json", "--lang", "en", "--config", str(tmp_path / "config.yml")],
        env={"CITYMAP__SERVER__BIND__PORT": None},  # whoever runs the tests may have set it
    )
    answer = json.loads(done.stdout)
    assert done.exit_code == 1 and answer["well"] is False
    assert answer["checks"][0]["detail"] == "config.yml:3:11 server.bind.port: 'five' is not an integer"
    assert answer["checks"][1]["status"] == "skipped"
