"""A running server over a small community with roads, grids, people of every role, and room for photos."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Connection, text

from layers.database import Database
from tests.conftest import drop_database, make_database, serve
from tests.grid.conftest import COMMUNITY, OTHER, lay_ground
from tests.people import PASSWORD, employ

PEOPLE = {
    "worker": ("grid-worker", "", COMMUNITY), "clerk": ("intake-clerk", "", ""), "shift": ("shift-leader", "", ""),
    "dispatcher": ("case-dispatcher", "", ""), "handler": ("case-handler", "sanitation", ""),
    "verifier": ("case-verifier", "", COMMUNITY), "away": ("grid-worker", "", OTHER), "leader": ("leader", "", ""),
}  # fmt: skip


@dataclass(frozen=True)
class GridSite:
    url: str
    database: Database
    settings: dict[str, str]
    directory: Path

    def call(self, who: str | None, method: str, path: str, **more: Any) -> requests.Response:
        auth = (who, PASSWORD) if who else None
        return requests.request(method, self.url + path, auth=auth, timeout=60, **more)

    def run(
        self, who: str | None, process: str, headers: dict[str, str] | None = None, **inputs: Any
    ) -> requests.Response:
        return self.call(who, "POST", f"/processes/{process}/execution", json={"inputs": inputs}, headers=headers)

    def done(self, who: str | None, process: str, **inputs: Any) -> Any:
        answer = self.run(who, process, **inputs)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def upload(self, who: str, name: str, content: bytes) -> str:
        answer = self.call(
            who, "POST", f"/uploads?name={name}", data=content, headers={"Content-Type": "application/octet-stream"}
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.database.transaction() as conn:
            result = conn.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


def _people(conn: Connection) -> None:
    for name, (role, department, area) in PEOPLE.items():
        employ(conn, name, role, department=department, area=area)


@contextmanager
def grid_site(postgres_url: str, template: str, name: str, directory: Path, **more: str) -> Iterator[GridSite]:
    url = make_database(postgres_url, name, template)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        lay_ground(conn)
        _people(conn)
    settings = {
        "GRID__PHOTOS__DIRECTORY": str(directory / "photos"), "SERVER__UPLOADS__DIRECTORY": str(directory / "uploads"),
        "SERVER__JOBS__DIRECTORY": str(directory / "jobs"), "ACCESS__PASSWORD__FORCE_FIRST_CHANGE": "false", **more,
    }  # fmt: skip
    with serve(url, **settings) as base:
        yield GridSite(base, database, settings, directory)
    database.close()
    drop_database(postgres_url, name)
