"""A running server over a small layer whose every value the tests know."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import text

from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import drop_database, make_database, serve
from tests.geoserver.job_site import JobSite, job_site
from tests.geoserver.map_desk import desk, poi, shared_page, visit  # noqa: F401
from tests.geoserver.workshop import working

TREES = Layer(
    id="trees",
    title=Text("古树", "Old trees"),
    description=Text("测试用", "For tests"),
    geometry_type="Point",
    fields=(
        Field("name", "string", Text("名称", "Name"), role="title"),
        Field("height", "number", Text("高度", "Height"), unit="m"),
        Field("age", "integer", Text("树龄", "Age")),
        Field("planted", "date-time", Text("栽植", "Planted")),
        Field("checked", "date", Text("检查", "Checked")),
        Field("listed", "boolean", Text("挂牌", "Listed")),
        Field("tags", "string-array", Text("标签", "Tags")),
        Field("code", "string", Text("编号", "Code"), role="key"),
    ),
    time_field="planted",
)
PLOTS = Layer(
    id="plots",
    title=Text("测绘地块", "Surveyed plots"),
    description=Text("存于 EPSG:4547", "Stored in EPSG:4547"),
    geometry_type="MultiPolygon",
    fields=(Field("name", "string", Text("名称", "Name"), role="title"),),
    srid=4547,
)


@dataclass(frozen=True)
class Site:
    """A running server, and its database for looking behind it."""

    url: str
    database: Database

    def get(self, path: str, **params: Any) -> requests.Response:
        return requests.get(self.url + path, params=params, timeout=30)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.database.transaction() as conn:
            result = conn.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


@pytest.fixture(scope="session")
def site(postgres_url: str, template_name: str) -> Iterator[Site]:
    """The server with layers ``trees`` (300 points, some nulls) and ``plots``; open to anonymous edits."""
    name = f"citymap_site_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        create_layer(conn, TREES)
        create_layer(conn, PLOTS)
        conn.execute(text("""
            INSERT INTO city.trees (geom, name, height, age, planted, checked, listed, tags, code)
            SELECT ST_SetSRID(ST_MakePoint(114.80 + (i % 20) * 0.01, 30.30 + (i / 20) * 0.01), 4490),
                   CASE WHEN i % 11 = 0 THEN NULL ELSE (ARRAY['樟树','银杏','Ginkgo','ginkgo'])[1 + i % 4] END,
                   CASE WHEN i % 7 = 0 THEN NULL ELSE 3 + (i % 13) * 1.1 END,
                   i % 5, timestamptz '2020-01-01 00:00Z' + i * interval '1 day', date '2024-02-01' + i, i % 2 = 0,
                   ARRAY['t' || i % 3, 'x'], 'T' || i
            FROM generate_series(0, 299) AS i"""))
        conn.execute(text("""
            INSERT INTO city.plots (geom, name) VALUES (ST_Multi(ST_MakeEnvelope(586400, 3364700, 586600, 3364800, 4547)), '一号')"""))
    with serve(url, ACCESS__ANONYMOUS_EDIT="true") as base:
        yield Site(base, database)
    database.close()
    drop_database(postgres_url, name)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture(scope="session")
def quiet_site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobSite]:
    """A server without a worker: accepted jobs wait."""
    directory = tmp_path_factory.mktemp("quiet")
    bounds = {"SERVER__JOBS__PER_ACCOUNT": "3", "SERVER__JOBS__SYNC_SECONDS": "1", "SERVER__JOBS__SYNC_AT_ONCE": "2",
              "SERVER__JOBS__MAX_INPUTS_MB": "0.1", "SERVER__UPLOADS__MAX_MB": "2", "SERVER__UPLOADS__PER_ACCOUNT": "4"}  # fmt: skip
    with job_site(postgres_url, template_name, f"citymap_quiet_{os.getpid()}", directory, **bounds) as found:
        yield found


@pytest.fixture(scope="session")
def busy_site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobSite]:
    """A server with a real worker process."""
    directory = tmp_path_factory.mktemp("busy")
    with (
        job_site(postgres_url, template_name, f"citymap_busy_{os.getpid()}", directory) as found,
        working(found.database.url, **found.settings),
    ):
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium with software WebGL, which calls nobody by itself."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    flags = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    flags += ["--disable-background-networking", "--disable-component-update"]
    flags += ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()
