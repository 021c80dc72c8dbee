"""A running server with accounts of planning's roles, an urban boundary and one plot."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import create_engine, text

from layers.database import psycopg2_url
from tests.conftest import drop_database, make_database, serve
from tests.people import PASSWORD, employ

ROLES = {
    "chen": "planning-clerk",
    "zhou": "planner",
    "wu": "planning-reviewer",
    "zheng": "planning-approver",
    "grid": "grid-worker",
}


@dataclass(frozen=True)
class Site:
    url: str
    database: str

    def execute(self, process: str, who: str | None, **inputs: Any) -> requests.Response:
        auth = (who, PASSWORD) if who else None
        return requests.post(
            f"{self.url}/processes/{process}/execution", json={"inputs": inputs}, auth=auth, timeout=60
        )

    def done(self, process: str, who: str | None, **inputs: Any) -> Any:
        answer = self.execute(process, who, **inputs)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sql(self, statement: str) -> None:
        engine = create_engine(psycopg2_url(self.database))
        with engine.begin() as conn:
            conn.execute(text(statement))
        engine.dispose()


@contextmanager
def open_site(postgres_url: str, template_name: str, folder: Path, mark: str) -> Iterator[Site]:
    name = f"citymap_planning_{mark}_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    engine = create_engine(psycopg2_url(url))
    with engine.begin() as conn:
        for account, role in ROLES.items():
            employ(conn, account, role)
        wide = "ST_Multi(ST_MakeEnvelope(114.8, 30.3, 115.0, 30.5, 4490))"
        conn.execute(
            text(
                f"INSERT INTO city.control_zones (geom, kind, code, status) VALUES ({wide}, 'urban-boundary', 'UB', 'approved')"
            )
        )
        conn.execute(
            text(
                f"INSERT INTO city.control_plan (geom, plot, code, scheme, land_code, status) VALUES ({wide}, 'P', 'P', '2023', '09', 'approved')"
            )
        )
    engine.dispose()
    with serve(url, SERVER__UPLOADS__DIRECTORY=str(folder / "up"), RASTERS__DIRECTORY=str(folder / "r")) as base:
        yield Site(base, url)
    drop_database(postgres_url, name)
