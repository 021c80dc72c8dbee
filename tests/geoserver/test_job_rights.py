"""Jobs whose account is closed or loses rights while they wait or run: a real worker stops them at once."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from geoserver.config import load
from geoserver.job_rights import lost
from geoserver.jobs import Jobs
from layers.access import Grant, Principal
from layers.database import Database
from tests.conftest import drop_database, make_database
from tests.geoserver.workshop import eventually, permit, working
from tests.people import employ

#: Seconds within which a change counts on a busy machine; the jobs go on for a minute.
AT_ONCE = 20


def settings_of(directory: Path) -> dict[str, str]:
    return {
        "SERVER__JOBS__DIRECTORY": str(directory / "jobs"),
        "SERVER__UPLOADS__DIRECTORY": str(directory / "uploads"),
    }


@pytest.fixture(scope="module")
def jobs(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """Jobs of a city with one worker, which knows the test's processes."""
    directory = tmp_path_factory.mktemp("rights")
    name = f"citymap_job_rights_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        for account in ("closing", "losing", "narrowing", "gaining", "waiting"):
            employ(conn, account, "planner")
        permit(conn, "planner")
    settings = load(environ={f"CITYMAP__{key}": value for key, value in settings_of(directory).items()})
    with working(url, **settings_of(directory)):
        yield Jobs(settings.server.jobs, database)
    database.close()
    drop_database(postgres_url, name)


def sql(jobs: Jobs, statement: str, **values: Any) -> list[Any]:
    with jobs.database.transaction() as conn:
        found = conn.execute(text(statement), values)
        return list(found.all()) if found.returns_rows else []


def running(jobs: Jobs, account: str, go_on: Path) -> str:
    """A job of that account that plants a tree, and waits for a file before it ends."""
    job = str(jobs.submit("plant", {"name": account, "until": str(go_on)}, account, "raw"))
    eventually(lambda: jobs.get(job, account).progress > 0)
    return job


def trees(jobs: Jobs, account: str) -> int:
    return int(sql(jobs, "SELECT count(*) FROM city.pois WHERE name = :name", name=account)[0][0])


def test_a_job_of_an_account_that_is_closed_stops_at_once_and_leaves_nothing(jobs: Jobs, tmp_path: Path) -> None:
    job = running(jobs, "closing", tmp_path / "go on")
    sql(jobs, "UPDATE access.accounts SET disabled = true WHERE name = 'closing'")
    eventually(lambda: jobs.get(job, "closing").status == "failed", AT_ONCE)
    (tmp_path / "go on").touch()
    error = jobs.get(job, "closing").error
    assert error and error["status"] == 403 and "closed" in error["document"]["description"]
    assert "停用" in error["document"]["zh"]
    assert trees(jobs, "closing") == 0
    eventually(lambda: not jobs.directory(UUID(job)).exists(), AT_ONCE)


def test_a_job_that_waits_is_not_begun_for_a_closed_account(jobs: Jobs, tmp_path: Path) -> None:
    sql(jobs, "UPDATE access.accounts SET disabled = true WHERE name = 'waiting'")
    (tmp_path / "go on").touch()
    job = str(jobs.submit("plant", {"name": "waiting", "until": str(tmp_path / "go on")}, "waiting", "raw"))
    eventually(lambda: jobs.get(job, "waiting").status == "failed", 60)
    error = jobs.get(job, "waiting").error
    assert error and error["status"] == 403 and "closed" in error["document"]["description"]
    assert trees(jobs, "waiting") == 0


def test_a_job_whose_right_to_the_process_is_taken_stops_at_once(jobs: Jobs, tmp_path: Path) -> None:
    job = running(jobs, "losing", tmp_path / "go on")
    sql(jobs, "DELETE FROM access.memberships WHERE account = 'losing'")
    eventually(lambda: jobs.get(job, "losing").status == "failed", AT_ONCE)
    (tmp_path / "go on").touch()
    assert trees(jobs, "losing") == 0


def test_a_job_that_loses_a_layer_begins_anew_with_what_is_left(jobs: Jobs, tmp_path: Path) -> None:
    job = running(jobs, "narrowing", tmp_path / "go on")
    sql(jobs, "INSERT INTO access.permissions (role, kind, resource, action, visibility)"
              " VALUES ('planner', 'collection', 'pois', 'create', 'internal')")  # narrows * to all but pois  # fmt: skip
    sql(jobs, "DELETE FROM access.permissions WHERE role = 'planner' AND action = 'create'")
    try:
        eventually(lambda: jobs.get(job, "narrowing").attempts >= 2, 60)
        (tmp_path / "go on").touch()  # not before, or the job may end before the worker hears of the change
        eventually(lambda: jobs.get(job, "narrowing").status == "failed", 60)
        error = jobs.get(job, "narrowing").error
        assert error and error["status"] != 200
        assert jobs.get(job, "narrowing").attempts >= 2
        assert trees(jobs, "narrowing") == 0
    finally:
        sql(jobs, "INSERT INTO access.permissions (role, kind, resource, action, visibility)"
                  " VALUES ('planner', 'collection', '*', 'create', 'internal')")  # fmt: skip


def test_a_job_goes_on_when_its_account_gains_rights_or_others_lose_theirs(jobs: Jobs, tmp_path: Path) -> None:
    job = running(jobs, "gaining", tmp_path / "go on")
    sql(jobs, "INSERT INTO access.memberships (account, role) VALUES ('gaining', 'leader')")
    sql(jobs, "DELETE FROM access.memberships WHERE account = 'narrowing'")
    (tmp_path / "go on").touch()
    eventually(lambda: jobs.get(job, "gaining").status == "successful", 60)
    assert (jobs.get(job, "gaining").attempts, trees(jobs, "gaining")) == (1, 1)


def test_what_counts_as_lost() -> None:
    everything = Principal("li", grants=(Grant("*", frozenset({"read", "update"}), "internal"),))
    more = Principal("li", grants=(*everything.grants, Grant("x", frozenset({"read"}), "core")))
    split = Principal("li", grants=tuple(Grant("*", frozenset({a}), "internal") for a in ("read", "update")))
    less = Principal("li", grants=(Grant("*", frozenset({"read"}), "internal"),))
    smaller = Principal("li", grants=(replace(everything.grants[0], area="420704"),))
    assert not lost(everything, more) and not lost(everything, split)
    assert lost(more, everything) and lost(everything, less) and lost(everything, smaller)
