"""No secret reaches a log, whoever logs it and in whatever form; every request can have its line."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
import requests
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from geoserver.guard.logs import configure_logging
from geoserver.guard.redaction import redacted, redacted_query
from geoserver.settings.server import Logging
from layers.database import psycopg2_url
from tests.conftest import serve
from tests.geoserver.conftest import Site

SECRET = "s3cr3t-Xy12+Zz/9"
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJwbGFubmVyIn0.c2lnbmF0dXJl"


@contextmanager
def logged(form: Literal["text", "json"] = "text", level: Literal["DEBUG", "INFO"] = "INFO") -> Iterator[io.StringIO]:
    """What the process logs meanwhile, as ``citymap up`` sets it up."""
    root, stream = logging.getLogger(), io.StringIO()
    former, former_level, stderr = root.handlers, root.level, sys.stderr
    sys.stderr = stream
    try:
        configure_logging(Logging(form=form, level=level))
        yield stream
    finally:
        sys.stderr = stderr
        root.handlers, root.level = former, former_level
        logging.captureWarnings(False)


@pytest.mark.parametrize(
    "leak",
    [
        f"postgresql://citymap:{SECRET}@db.example.gov.cn:5432/citymap", f"cannot reach 'postgresql+psycopg2://u:p@{SECRET}@db/x'",
        f"http://user:{SECRET.replace('/', '')}@proxy:3128/", f"host=db user=citymap password={SECRET} dbname=x", f"password='{SECRET} and more'",
        f"Authorization: Basic {SECRET}", f"{{'authorization': 'Bearer {SECRET}'}}", f"(b'authorization', b'Basic {SECRET}')", f"got Bearer {SECRET}",
        f"Cookie: session={SECRET}; other={SECRET}", f"(b'cookie', b'session={SECRET}')", f"Set-Cookie: __Host-session={SECRET}; Secure",
        f'{{"access_token": "{SECRET}", "client_secret":"{SECRET}"}}', f"GET /x?token={SECRET}&api_key={SECRET}", f"X-API-Key: {SECRET}", f"POST client_secret={SECRET}&x=1",
        f"[SQL: UPDATE access.accounts SET x = %(x)s]\n[parameters: {{'x': '{SECRET}'}}]\n(Background on this error)", f"see {JWT}",
        f"GET /tracking/shared/{SECRET.replace('/', '')} 200", f"key cmk_{'0a' * 8}_{SECRET.encode().hex().ljust(64, '0')} was refused",
    ],
)  # fmt: skip
def test_every_form_of_a_secret_is_masked(leak: str) -> None:
    assert SECRET not in redacted(leak) and SECRET.replace("/", "") not in redacted(leak)
    assert SECRET.encode().hex() not in redacted(leak)
    assert "***" in redacted(leak) and "signature" not in redacted(leak) and JWT not in redacted(leak)


@pytest.mark.parametrize(
    "harmless",
    ["GET /collections/roads/items?filter=name='a'&limit=10 200", "import of 3 files: token ring, secret garden", "basic understanding of tiles",
     "http://127.0.0.1:8080/collections?email=a@b.gov.cn", "postgresql://db.example.gov.cn:5432/citymap", "密码错误 the password is wrong"],
)  # fmt: skip
def test_other_texts_stay_as_they_are(harmless: str) -> None:
    assert redacted(harmless) == harmless


def test_a_query_keeps_its_shape_without_its_secrets() -> None:
    query = "limit=10&Token=a%20b&%74oken=c&code=d&state=e&filter=x%3D1&f=json"
    assert redacted_query(query) == "limit=10&Token=***&%74oken=***&code=***&state=***&filter=x%3D1&f=json"


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "logger",
    ["citymap", "uvicorn.error", "sqlalchemy.engine.Engine", "procrastinate.worker", "anyone.else"],
)
def test_no_library_logs_past_the_redaction(form: Any, logger: str) -> None:
    with logged(form) as log:
        logging.getLogger(logger).error("cannot connect to %s", f"postgresql://u:{SECRET}@db/x")
        try:
            raise ValueError(f"password={SECRET}")
        except ValueError:
            logging.getLogger(logger).exception("failed with\nAuthorization: Basic %s", SECRET)
    assert SECRET not in log.getvalue() and log.getvalue().count("***") >= 3
    if form == "json":
        assert [json.loads(line)["logger"] for line in log.getvalue().splitlines()] == [logger, logger]
    else:
        assert "failed with\\nAuthorization" in log.getvalue()  # no line of a log can be forged


def test_the_values_of_a_failed_statement_are_not_logged(database: Any) -> None:
    engine = create_engine(psycopg2_url(database.url))
    with logged() as log, engine.connect() as conn:
        try:
            conn.execute(text("SELECT 1/:zero, :name"), {"zero": 0, "name": SECRET})
        except DBAPIError:
            logging.getLogger("citymap").exception("failed")
    engine.dispose()
    assert "division by zero" in log.getvalue() and SECRET not in log.getvalue()


def _use_secrets(url: str) -> list[str]:
    """Requests that carry secrets in every place there is; returns the ids of their answers."""
    answers = [
        requests.get(f"{url}/collections/trees/items?limit=1&token={SECRET}", timeout=10),
        requests.get(f"{url}/collections/trees/items", params={"access_token": JWT, "code": SECRET}, timeout=10),
        requests.get(f"{url}/collections/trees/items?c%6Fde={SECRET}", timeout=10),
        requests.get(f"{url}/collections/trees/items?limit=2", auth=("planner", SECRET), timeout=10),
        requests.get(f"{url}/collections", headers={"Authorization": f"Bearer {JWT}", "X-API-Key": SECRET}, timeout=10),
        requests.get(
            f"{url}/nowhere", headers={"Cookie": f"session={SECRET}", "User-Agent": f"agent token={SECRET}"}, timeout=10
        ),
        requests.post(f"{url}/processes/buffer/execution", json={"password": SECRET}, timeout=10),
    ]
    return [answer.headers["X-Request-Id"] for answer in answers]


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_of_a_server_shows_requests_and_no_secret(site: Site, form: Any) -> None:
    with serve(site.database.url, LOGGING__ACCESS="true") as url, logged(form, "DEBUG") as log:
        ids = _use_secrets(url)
        requests.get(f"{url}/collections/trees/items?limit=3&lang=zh", timeout=10)
    lines = log.getvalue()
    assert SECRET not in lines and JWT not in lines and requests.utils.quote(SECRET, safe="") not in lines
    assert all(one in lines for one in ids) and "limit=3&lang=zh" in lines
    if form == "json":
        found = [json.loads(line) for line in lines.splitlines()]
        last = next(one for one in reversed(found) if one["logger"] == "citymap.access")
        assert (
            last["status"] == 200 and last["path"] == "/collections/trees/items" and last["query"] == "limit=3&lang=zh"
        )
        assert last["address"] == "127.0.0.1" and last["bytes"] > 100 and last["ms"] > 0 and last["time"].endswith("Z")


def test_without_being_asked_no_request_is_logged(site: Site) -> None:
    with serve(site.database.url) as url, logged() as log:
        requests.get(f"{url}/collections", timeout=10)
    assert "/collections" not in log.getvalue()


def test_uvicorn_writes_no_second_line() -> None:
    with logged():
        assert not logging.getLogger("uvicorn.access").hasHandlers()


def test_a_line_break_in_an_address_begins_no_line(site: Site) -> None:
    with serve(site.database.url, LOGGING__ACCESS="true") as url, logged() as log:
        requests.get(f"{url}/%0AERROR%20forged", timeout=10)
    assert not any(line.startswith("ERROR") for line in log.getvalue().splitlines())
