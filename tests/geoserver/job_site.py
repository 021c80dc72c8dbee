"""A server and a worker for the tests of processes, jobs and uploads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import text

from layers.database import Database
from tests.conftest import drop_database, make_database, serve
from tests.geoserver import workshop
from tests.people import employ

PASSWORD = "correct horse battery"
WANG, LI = ("wang", PASSWORD), ("li", PASSWORD)


@dataclass(frozen=True)
class JobSite:
    """The running server, its database, and where it keeps files."""

    url: str
    database: Database
    directory: Path
    settings: dict[str, str]

    def call(self, method: str, path: str, auth: tuple[str, str] | None = WANG, **more: Any) -> requests.Response:
        return requests.request(method, self.url + path, auth=auth, timeout=60, **more)

    def get(self, path: str, auth: tuple[str, str] | None = WANG, **params: Any) -> requests.Response:
        return self.call("GET", path, auth, params=params)

    def execute(
        self, process: str, inputs: dict[str, Any], auth: tuple[str, str] | None = WANG, wait: bool = False, **more: Any
    ) -> requests.Response:
        headers = {} if wait else {"Prefer": "respond-async"}
        return self.call("POST", f"/processes/{process}/execution", auth, json={"inputs": inputs, **more}, headers=headers)

    def upload(self, name: str, content: bytes, auth: tuple[str, str] | None = WANG) -> requests.Response:
        return self.call("POST", "/uploads", auth, params={"name": name}, data=content)

    def status(self, job: str, auth: tuple[str, str] | None = WANG) -> dict[str, Any]:
        answer = self.get(f"/jobs/{job}", auth)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ended(self, job: str, auth: tuple[str, str] | None = WANG) -> dict[str, Any]:
        """The job when it has ended."""
        def look() -> dict[str, Any] | None:
            found = self.status(job, auth)
            return found if found["status"] not in ("accepted", "running") else None

        return dict(workshop.eventually(look))

    def run(self, process: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Execute as a job, and wait for its end."""
        answer = self.execute(process, inputs)
        assert answer.status_code == 201, answer.text
        return self.ended(answer.json()["jobID"])

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.database.transaction() as conn:
            result = conn.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


@contextmanager
def job_site(postgres_url: str, template: str, name: str, directory: Path, **settings: str) -> Iterator[JobSite]:
    """A site of its own with the accounts wang and li; without a worker."""
    workshop.install()
    url = make_database(postgres_url, name, template)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        for account, password in (WANG, LI):
            employ(conn, account, "planner", password=password)
        workshop.permit(conn, "planner")
    settings = {
        "SERVER__UPLOADS__DIRECTORY": str(directory / "uploads"), "SERVER__JOBS__DIRECTORY": str(directory / "jobs"),
        "RASTERS__DIRECTORY": str(directory / "rasters"), "SERVER__JOBS__LOST_SECONDS": "3", **settings,
    }  # fmt: skip
    with serve(url, **settings) as base:
        yield JobSite(base, database, directory, settings)
    database.close()
    drop_database(postgres_url, name)
