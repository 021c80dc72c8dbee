"""A running server for clients: two communities with roads and houses, a few people, and half a year of cases."""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from layers.database import Database
from tests.conftest import drop_database, make_database, serve
from tests.geoserver.conftest import browser
from tests.geoserver.workshop import working
from tests.grid.conftest import COMMUNITY, OTHER, lay_ground
from tests.people import PASSWORD, employ

__all__ = ["browser"]

#: Accounts and their roles.
PEOPLE = {"boss": "leader", "steward": "administrator", "planner": "planner"}
STATES = ("reported", "accepted", "filed", "dispatched", "handling", "suspended", "handled", "checked", "closed",
          "declined", "self-handled", "void")  # fmt: skip
CLASSES = {"0102": "暴露垃圾", "0103": "积存垃圾渣土", "0201": "店外经营", "0402": "自来水管破裂"}
CASES = 260


@dataclass(frozen=True)
class CitySite:
    """The server's address, its database for looking behind it, and where its files are."""

    url: str
    database: Database
    directory: Path
    settings: dict[str, str]

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.database.transaction() as conn:
            result = conn.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

    def number(self, condition: str) -> int:
        """Cases under a condition of SQL."""
        return int(self.sql(f"SELECT count(*) FROM city.cases WHERE {condition}")[0][0])


@pytest.fixture(scope="session")
def city_site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CitySite]:
    name, directory = f"citymap_clients_{os.getpid()}", tmp_path_factory.mktemp("clients")
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2, statement_timeout=600)
    with database.transaction() as conn:
        lay_ground(conn)
        _build(conn)
        populate(conn)
    settings = {
        "SERVER__UPLOADS__DIRECTORY": str(directory / "uploads"), "SERVER__JOBS__DIRECTORY": str(directory / "jobs"),
        "TILES__DIRECTORY": str(directory / "tiles"), "ACCESS__PASSWORD__FORCE_FIRST_CHANGE": "false",
        "ACCESS__SERVER_KEY": str(directory / "server.key"),
    }  # fmt: skip
    with serve(url, **settings) as base:
        yield CitySite(base, database, directory, settings | {"DATABASE__URL": url})
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture(scope="session")
def worker(city_site: CitySite) -> Iterator[None]:
    """A worker for the site's jobs."""
    own = {name: value for name, value in city_site.settings.items() if name != "DATABASE__URL"}
    with working(city_site.settings["DATABASE__URL"], **own):
        yield


def populate(conn: Connection) -> None:
    """People and cases on any ground that has roads and communities."""
    for account, role in PEOPLE.items():
        employ(conn, account, role)
    _enter_cases(conn, random.Random(5))


def _build(conn: Connection) -> None:
    """What lies above the communities, forty houses, and a few places with names."""
    square = "ST_Multi(ST_MakeEnvelope(114.90, 30.40, 114.94, 30.42, 4490))"
    for code, level, name in (
        ("4297", "city", "云泽市"),
        (COMMUNITY[:6], "district", "滨湖区"),
        (COMMUNITY[:9], "street", "文星街道"),
    ):
        conn.execute(
            text(f"INSERT INTO city.admin_areas (geom, code, level, name) VALUES ({square}, :c, :l, :n)"),
            {"c": code, "l": level, "n": name},
        )
    for code, name in ((COMMUNITY, "湖滨社区"), (OTHER, "东园社区")):
        conn.execute(text("UPDATE city.admin_areas SET name = :n WHERE code = :c"), {"n": name, "c": code})
    conn.execute(text(
        "INSERT INTO city.buildings (geom, name, height, use) SELECT ST_Multi(ST_MakeEnvelope(x, y, x + 0.0008, y + 0.0006, 4490)),"
        " '楼' || i, 9 + i, CASE WHEN i % 3 = 0 THEN 'office' ELSE 'residential' END FROM (SELECT i, 114.9005 + (i % 8) * 0.0012 x,"
        " 30.4005 + (i / 8) * 0.001 y FROM generate_series(0, 39) i) AS placed"))  # fmt: skip
    conn.execute(text(
        "INSERT INTO city.pois (geom, name) SELECT ST_SetSRID(ST_MakePoint(114.902 + i * 0.003, 30.411), 4490),"
        " (ARRAY['人民医院', '文星小学', '<b>湖滨&公园</b>', '市图书馆'])[i + 1] FROM generate_series(0, 3) i"))  # fmt: skip


def _enter_cases(conn: Connection, dice: random.Random) -> None:
    spots = conn.execute(text(
        "SELECT ST_X(p), ST_Y(p), (SELECT code FROM city.admin_areas a WHERE a.level = 'community' AND ST_Intersects(a.geom, p)"
        " ORDER BY code LIMIT 1) FROM (SELECT ST_LineInterpolatePoint(ST_GeometryN(geom, 1), (n % 10) / 10.0) p"
        " FROM city.roads, generate_series(0, 9) n WHERE ST_Length(geom) > 0 ORDER BY md5(id::text) LIMIT 800) r")).all()  # fmt: skip
    conn.execute(text("INSERT INTO access.departments (id, zh, en) VALUES ('sanitation', '环卫处', 'Sanitation'),"
                      " ('water', '自来水公司', 'Waterworks') ON CONFLICT DO NOTHING"))  # fmt: skip
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', 'import', true)")
    now = datetime.now(UTC)
    for n in range(CASES):
        lon, lat, area = dice.choice(spots)
        values = _case(n, now, dice) | {"area_code": area}
        names, bound = ", ".join(f'"{one}"' for one in values), ", ".join(f":{one}" for one in values)
        conn.execute(
            text(
                f"INSERT INTO city.cases (geom, {names}) VALUES (ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), {bound})"
            ),
            values | {"lon": lon + dice.uniform(-5e-4, 5e-4), "lat": lat + dice.uniform(-5e-4, 5e-4)},
        )
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', '', true)")


def _case(n: int, now: datetime, dice: random.Random) -> dict[str, Any]:
    """A case that went some way: half of them in the last four weeks."""
    days = dice.uniform(0, 28) if n % 2 else dice.uniform(28, 180)
    at = now - timedelta(days=days)
    code, state = dice.choice(list(CLASSES)), dice.choice((*STATES, *("closed",) * 6, *("handling",) * 3))
    reach = STATES.index(state) if STATES.index(state) < 9 else dice.choice((0, 1, 2))
    found: dict[str, Any] = {
        "code": f"{at:%Y%m%d}-{n:06}", "title": f"{CLASSES[code]} 第 {n} 号", "kind": "event", "class": code,
        "class_name": CLASSES[code], "state": state, "channel": dice.choice(("patrol", "hotline", "public")),
        "place": f"示范路 {n} 号", "reported_at": at, "scheme": "CJ/T 214-2007",
    }  # fmt: skip
    steps = ((1, "accepted_at"), (2, "filed_at"), (3, "dispatched_at"), (6, "handled_at"), (7, "checked_at"))
    for least, name in steps:
        if reach >= least:
            at += timedelta(hours=dice.uniform(0.2, 5))
            found[name] = at
    if reach >= 3:
        found |= {"department": dice.choice(("sanitation", "water")), "limit_seconds": 14400, "limit_unit": "work-hours",
                  "limit_amount": 4, "used_seconds": dice.randrange(22_000)}  # fmt: skip
    if state in ("dispatched", "handling"):
        left = dice.uniform(-30, 30)
        found |= {
            "deadline": now + timedelta(hours=left),
            "light": "red" if left < 0 else "amber" if left < 8 else "green",
        }
    if state in ("closed", "declined", "self-handled", "void"):
        found["closed_at"] = at + timedelta(hours=1)
    return found


def signed_in(account: str) -> tuple[str, str]:
    """What HTTP Basic wants of a person of the site."""
    return account, PASSWORD
