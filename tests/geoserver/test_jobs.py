"""Jobs: run by a real worker process, followed, cancelled, lost with their worker, kept and removed."""

import io
import os
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import geopandas
import psycopg2
import pytest
import shapely

from geoserver.config import load
from geoserver.errors import InputError
from geoserver.jobs import Jobs
from layers.database import Database
from tests.conftest import ROOT, drop_database, make_database
from tests.geoserver import workshop
from tests.geoserver.job_site import LI, WANG, JobSite
from tests.geoserver.workshop import eventually, permit, working
from tests.people import employ

URI = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"


def gbk_shapefile(directory: Path, count: int) -> bytes:
    """A zipped Shapefile in GBK without .cpg, as Chinese desktop software writes it."""
    frame = geopandas.GeoDataFrame(
        {"名称": ["路灯杆", "高杆灯", "庭院灯"] * (count // 3), "编号": [f"D{i:05}" for i in range(count)]},
        geometry=[shapely.Point(114.8 + i % 100 / 1000, 30.3 + i // 100 / 1000) for i in range(count)],
        crs=4490,
    )
    frame.to_file(directory / "路灯.shp", engine="pyogrio", encoding="GBK")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in directory.iterdir():
            if part.suffix != ".cpg":
                archive.write(part, part.name)
    return packed.getvalue()


def test_an_uploaded_shapefile_becomes_a_collection(busy_site: JobSite, tmp_path: Path) -> None:
    upload = busy_site.upload("路灯.zip", gbk_shapefile(tmp_path, 3000)).json()["id"]
    answer = busy_site.execute("import-layer", {"upload": upload, "layer": "lamps", "title": "路灯", "key": "编号"})
    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "respond-async"
    job = answer.json()["jobID"]
    assert answer.headers["Location"] == f"{busy_site.url}/jobs/{job}"
    ended = busy_site.ended(job)
    assert ended["status"] == "successful", ended
    assert (ended["progress"], ended["processID"]) == (100, "import-layer")
    assert {"created", "started", "finished", "updated"} <= ended.keys()
    report = busy_site.get(f"/jobs/{job}/results").json()
    assert report["file"] == "路灯.zip"
    assert [(one["layer"], one["inserted"], one["encoding"]) for one in report["layers"]] == [("lamps", 3000, "GB18030")]
    items = eventually(lambda: busy_site.get("/collections/lamps/items", limit=3).json().get("features"))
    assert {item["properties"]["名称"] for item in items} == {"路灯杆", "高杆灯", "庭院灯"}
    assert busy_site.sql("SELECT DISTINCT actor FROM city.lamps") == [("wang",)]
    assert not list((busy_site.directory / "jobs").iterdir())


def test_the_worker_works_out_the_pieces_of_a_large_layer(busy_site: JobSite) -> None:
    busy_site.sql(
        "INSERT INTO city.places (geom, name) SELECT ST_SetSRID(ST_MakePoint(114.8 + n % 100 / 1e3, 30.3), 4490), '地名' || n % 50 "
        "FROM generate_series(1, 15000) AS n"
    )
    assert eventually(lambda: busy_site.sql("SELECT FROM citymap.generalised_layers WHERE layer = 'places'"))
    busy_site.sql("DELETE FROM city.places")


def test_an_import_may_be_waited_for_and_tried_first(busy_site: JobSite, tmp_path: Path) -> None:
    upload = busy_site.upload("trial.zip", gbk_shapefile(tmp_path, 30)).json()["id"]
    inputs = {"upload": upload, "layer": "trial", "dry_run": True}
    answer = busy_site.execute("import-layer", inputs, wait=True)
    assert answer.status_code == 200, answer.text
    assert answer.json()["dry_run"] is True
    assert answer.json()["layers"][0]["inserted"] == 30
    assert busy_site.get("/collections/trial").status_code == 404


def test_a_hostile_file_fails_with_its_refusal(busy_site: JobSite) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../etc/cron.d/x.geojson", "{}")
    upload = busy_site.upload("坏.zip", packed.getvalue()).json()["id"]
    failed = busy_site.run("import-layer", {"upload": upload, "layer": "bad"})
    assert failed["status"] == "failed"
    assert "越界" in failed["message"]
    assert "leaves its directory" in busy_site.get(f"/jobs/{failed['jobID']}", lang="en").json()["message"]
    results = busy_site.get(f"/jobs/{failed['jobID']}/results")
    assert results.status_code == 400
    assert "leaves its directory" in results.json()["description"]


def test_unexpected_failures_are_masked(busy_site: JobSite) -> None:
    failed = busy_site.run("break-down", {})
    results = busy_site.get(f"/jobs/{failed['jobID']}/results")
    assert results.status_code == 500
    assert "secret" not in results.text + failed["message"]
    assert results.json()["requestId"]


def test_progress_is_seen_and_results_wait(busy_site: JobSite, tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    job = busy_site.execute("plant", {"name": "香樟", "until": str(go_on)}).json()["jobID"]
    running = eventually(lambda: (found := busy_site.status(job))["progress"] > 1 and found)
    assert running["status"] == "running"
    assert running["message"].startswith("第 ")
    early = busy_site.get(f"/jobs/{job}/results")
    assert (early.status_code, early.json()["type"]) == (404, URI + "result-not-ready")
    page = busy_site.call("GET", f"/jobs/{job}", headers={"Accept": "text/html"})
    assert "data-cancel" in page.text
    go_on.touch()
    done = busy_site.ended(job)
    assert done["status"] == "successful"
    assert done["finished"] > running["updated"] > running["started"]
    assert len(busy_site.sql("SELECT id FROM city.pois WHERE name = '香樟' AND actor = 'wang'")) == 1
    document = busy_site.execute("add-up", {"numbers": [1]}, response="document").json()["jobID"]
    busy_site.ended(document)
    assert busy_site.get(f"/jobs/{document}/results").json() == {"result": {"total": 1, "unit": "m", "parts": [1]}}
    page = busy_site.call("GET", f"/jobs/{job}/results", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")


def test_a_dismissed_job_leaves_nothing(busy_site: JobSite) -> None:
    job = busy_site.execute("plant", {"name": "银杏", "until": "/nowhere"}).json()["jobID"]
    eventually(lambda: busy_site.status(job)["progress"] > 0)
    dismissed = busy_site.call("DELETE", f"/jobs/{job}")
    assert (dismissed.status_code, dismissed.json()["status"]) == (200, "dismissed")
    assert busy_site.status(job)["status"] == "dismissed"
    assert busy_site.get(f"/jobs/{job}/results").status_code == 404
    open_work = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
    eventually(lambda: busy_site.sql(open_work)[0][0] == 0)
    assert busy_site.sql("SELECT count(*) FROM city.pois WHERE name = '银杏'")[0][0] == 0


def test_a_dismissed_jobs_statement_is_interrupted(busy_site: JobSite) -> None:
    job = busy_site.execute("sleep-in-database", {"seconds": 300}).json()["jobID"]
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active' AND datname = current_database()"
    eventually(lambda: busy_site.sql(asleep)[0][0] == 1)
    assert busy_site.call("DELETE", f"/jobs/{job}").status_code == 200
    eventually(lambda: busy_site.sql(asleep)[0][0] == 0, 10)


def test_an_import_dismissed_in_its_middle_leaves_no_layer(busy_site: JobSite, tmp_path: Path) -> None:
    upload = busy_site.upload("many.zip", gbk_shapefile(tmp_path, 300)).json()["id"]
    with psycopg2.connect(busy_site.database.url) as blocker, blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE citymap.row_deltas IN ACCESS EXCLUSIVE MODE")  # the load waits in its triggers
        job = busy_site.execute("import-layer", {"upload": upload, "layer": "many"}).json()["jobID"]
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'citymap.row_deltas'::regclass"
        eventually(lambda: busy_site.sql(waiting)[0][0] == 1)
        assert busy_site.call("DELETE", f"/jobs/{job}").status_code == 200
        blocker.rollback()
    eventually(lambda: busy_site.sql("SELECT to_regclass('city.many') IS NULL")[0][0])
    assert busy_site.sql("SELECT count(*) FROM citymap.layers WHERE id = 'many'")[0][0] == 0


def test_a_file_result_is_downloaded(busy_site: JobSite) -> None:
    done = busy_site.run("write-note", {"words": "你好" * 200_000})
    assert done["links"][0]["type"] == "text/plain; charset=utf-8"
    answer = busy_site.get(f"/jobs/{done['jobID']}/results")
    assert answer.content.decode() == "你好" * 200_000
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''%E4%BE%BF%E6%9D%A1.txt"
    assert busy_site.call("DELETE", f"/jobs/{done['jobID']}").status_code == 200
    assert not (busy_site.directory / "jobs" / done["jobID"]).exists()
    assert busy_site.get(f"/jobs/{done['jobID']}/results").status_code == 404


def test_a_layer_is_exported_as_a_file(busy_site: JobSite) -> None:
    busy_site.sql("""INSERT INTO city.pois (geom, name) SELECT ST_SetSRID(ST_MakePoint(114 + i, 30), 4490), '点' || i
                     FROM generate_series(1, 3) AS i""")
    inputs = {"layer": "pois", "format": "geojson", "filter": "name IN ('点1', '点2')", "bbox": [114.5, 29, 117.5, 31]}
    done = busy_site.run("export-layer", inputs)
    assert done["status"] == "successful", done
    found = busy_site.get(f"/jobs/{done['jobID']}/results")
    assert found.headers["content-type"].startswith("application/geo+json")
    assert sorted(f["properties"]["name"] for f in found.json()["features"]) == ["点1", "点2"]
    failed = busy_site.run("export-layer", {"layer": "nothing"})
    assert busy_site.get(f"/jobs/{failed['jobID']}/results").status_code == 404
    wrong = busy_site.run("export-layer", {"layer": "pois", "filter": "height >"})
    assert busy_site.get(f"/jobs/{wrong['jobID']}/results", lang="en").json()["description"].startswith("input 'filter'")


def test_other_peoples_jobs_are_invisible(quiet_site: JobSite) -> None:
    mine = quiet_site.execute("add-up", {"numbers": [1]}, auth=LI).json()["jobID"]
    nobodys = quiet_site.execute("add-up", {"numbers": [1]}, auth=None).json()["jobID"]
    for who in (WANG, None):
        for method, path in (("GET", ""), ("GET", "/results"), ("DELETE", "")):
            answer = quiet_site.call(method, f"/jobs/{mine}{path}", who)
            assert (answer.status_code, answer.json()["type"]) == (404, URI + "no-such-job")
    assert [job["jobID"] for job in quiet_site.get("/jobs", auth=LI).json()["jobs"]] == [mine]
    assert quiet_site.get("/jobs", auth=None).json()["jobs"] == []
    assert mine not in quiet_site.get("/jobs", auth=WANG).text
    waiting = quiet_site.status(nobodys, auth=None)
    assert waiting["status"] == "accepted"
    assert "started" not in waiting
    assert None not in waiting.values()
    for job, who in ((mine, LI), (nobodys, None)):
        assert quiet_site.call("DELETE", f"/jobs/{job}", who).status_code == 200
        assert quiet_site.status(job, who)["status"] == "dismissed"


def test_a_jobs_inputs_may_be_numbers_that_no_integer_holds(quiet_site: JobSite) -> None:
    job = quiet_site.execute("add-up", {"numbers": [3.9e132]}, auth=LI).json()
    assert quiet_site.get(f"/jobs/{job['jobID']}", LI).status_code == 200
    assert quiet_site.call("DELETE", f"/jobs/{job['jobID']}", LI).json()["type"] == "process"


@pytest.mark.parametrize("job", ["x", "6ace0505-5d20-44bb-84c9-f47bfc8b7488", "'; DROP TABLE citymap.jobs --"])
def test_unknown_jobs_are_not_found(quiet_site: JobSite, job: str) -> None:
    assert quiet_site.get(f"/jobs/{job}").json()["type"] == URI + "no-such-job"


def test_the_list_is_filtered_and_turned(quiet_site: JobSite) -> None:
    jobs = [quiet_site.execute(p, i).json()["jobID"] for p, i in (("add-up", {"numbers": [1]}), ("break-down", {}))]
    listed = lambda **asked: [job["jobID"] for job in quiet_site.get("/jobs", **asked).json()["jobs"]]  # noqa: E731
    assert listed(status="accepted") == jobs[::-1]
    assert listed(processID="add-up", status="accepted") == jobs[:1]
    assert listed(status="accepted", limit=1, offset=1) == jobs[:1]
    assert listed(datetime="../2020-01-01") == []
    assert listed(minDuration=1, status="accepted") == []
    page = quiet_site.get("/jobs", status="accepted", limit=1).json()
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert "status=accepted" in following
    for asked in ({"status": "done"}, {"limit": 0}, {"nonsense": 1}, {"datetime": "yesterday"}, {"minDuration": "x"}, {"type": "x"}):
        assert quiet_site.get("/jobs", **asked).status_code == 400
    for job in jobs:
        quiet_site.call("DELETE", f"/jobs/{job}")


def test_waiting_jobs_of_one_account_are_bounded(quiet_site: JobSite) -> None:
    answers = [quiet_site.execute("add-up", {"numbers": [1]}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 503]
    other = quiet_site.execute("add-up", {"numbers": [1]}, auth=LI)
    assert other.status_code == 201
    for answer in answers[:3]:
        quiet_site.call("DELETE", f"/jobs/{answer.json()['jobID']}")
    quiet_site.call("DELETE", f"/jobs/{other.json()['jobID']}", LI)
    again = quiet_site.execute("add-up", {"numbers": [1]})
    assert again.status_code == 201
    quiet_site.call("DELETE", f"/jobs/{again.json()['jobID']}")


def test_ended_jobs_expire_with_their_files(busy_site: JobSite) -> None:
    done = busy_site.run("write-note", {"words": "旧"})
    directory = busy_site.directory / "jobs" / done["jobID"]
    assert directory.is_dir()
    busy_site.sql("UPDATE citymap.jobs SET finished = now() - interval '8 days' WHERE id = :id", id=done["jobID"])
    eventually(lambda: busy_site.get(f"/jobs/{done['jobID']}").status_code == 404)
    eventually(lambda: not directory.exists())


@pytest.fixture
def jobs(postgres_url: str, template_name: str, tmp_path: Path) -> Iterator[Jobs]:
    """Jobs of a database of its own, for tests that end workers; ``settings_of`` tells a worker where they are."""
    name = f"citymap_jobs_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        employ(conn, "wang", "planner")
        permit(conn, "planner")
    settings = load(environ={f"CITYMAP__{key}": value for key, value in settings_of(tmp_path).items()})
    yield Jobs(settings.server.jobs, database)
    database.close()
    drop_database(postgres_url, name)


def settings_of(directory: Path) -> dict[str, str]:
    return {"SERVER__JOBS__LOST_SECONDS": "2", "SERVER__JOBS__DIRECTORY": str(directory / "jobs"),
            "SERVER__UPLOADS__DIRECTORY": str(directory / "uploads")}  # fmt: skip


def status(jobs: Jobs, job: UUID) -> str:
    return jobs.get(str(job), "wang").status


def pois(jobs: Jobs) -> int:
    with jobs.database.transaction() as conn:
        return int(conn.exec_driver_sql("SELECT count(*) FROM city.pois").scalar_one())


def test_a_job_outlives_workers_that_are_stopped_or_killed(jobs: Jobs, tmp_path: Path) -> None:
    go_on = tmp_path / "go on"
    job = jobs.submit("plant", {"name": "桂", "until": str(go_on)}, "wang", "raw")
    with working(jobs.database.url, **settings_of(tmp_path)):
        eventually(lambda: jobs.get(str(job), "wang").progress > 0)
    assert (status(jobs, job), pois(jobs), crashes(jobs)) == ("accepted", 0, 0)
    with working(jobs.database.url, **settings_of(tmp_path)) as worker:
        eventually(lambda: jobs.get(str(job), "wang").progress > 0)
        worker.kill()
    assert status(jobs, job) == "running"
    go_on.touch()
    with working(jobs.database.url, **settings_of(tmp_path)):
        eventually(lambda: status(jobs, job) == "successful", 30)
    assert (pois(jobs), crashes(jobs)) == (1, 1)
    with jobs.database.transaction() as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM procrastinate.procrastinate_jobs").scalar_one() == 0


def test_a_text_that_cannot_be_kept_is_refused(jobs: Jobs) -> None:
    with pytest.raises(InputError, match=r"U\+0000"):
        jobs.submit("plant", {"name": "a\0b"}, "wang", "raw")


def crashes(jobs: Jobs) -> int:
    with jobs.database.transaction() as conn:
        return int(conn.exec_driver_sql("SELECT crashes FROM citymap.jobs").scalar_one())


def test_a_supervised_worker_is_started_again_until_its_job_is_given_up(jobs: Jobs, tmp_path: Path) -> None:
    """As ``citymap up`` keeps it; the worker also ends when ``citymap up`` is killed."""
    environ = os.environ | {"DATABASE_URL": jobs.database.url}
    environ |= {f"CITYMAP__{key}": value for key, value in settings_of(tmp_path).items()}
    code = "from geoserver.cli.worker import worker_process as w; import time\nwith w(): time.sleep(300)"
    parent = subprocess.Popen([sys.executable, "-c", code], env=environ, cwd=ROOT)
    try:
        with psycopg2.connect(jobs.database.url) as blocker, blocker.cursor() as cursor:
            cursor.execute("LOCK TABLE city.pois IN ACCESS EXCLUSIVE MODE")  # the export waits here
            job = jobs.submit("export-layer", {"layer": "pois", "format": "csv"}, "wang", "raw")
            for crash in range(2):
                eventually(lambda: status(jobs, job) == "running" and jobs.get(str(job), "wang").progress > 0)
                os.kill(eventually(lambda: children(parent.pid))[0], signal.SIGKILL)
                eventually(lambda crash=crash: crashes(jobs) == crash + 1, 30)
        error = jobs.get(str(job), "wang").error
        assert status(jobs, job) == "failed"
        assert error is not None
        assert error["document"]["code"] == "WorkerLost"
        last = eventually(lambda: children(parent.pid))[0]
    finally:
        parent.kill()
        parent.wait()
    eventually(lambda: ended(last), 30)


def children(parent: int) -> list[int]:
    """Processes that any thread of this one started, without zombies."""
    found = [(task / "children").read_text().split() for task in Path(f"/proc/{parent}/task").iterdir()]
    return [int(pid) for part in found for pid in part if not ended(int(pid))]


def ended(pid: int) -> bool:
    """Whether a process is gone or a zombie that nobody waits for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_worker_that_was_given_up_cannot_end_the_job(jobs: Jobs) -> None:
    """A machine that stood still for a while comes back when another worker has the job."""
    from layers.processing import JobCancelled

    job = jobs.submit("add-up", {"numbers": [1]}, "wang", "raw")
    first = jobs.claim(job)
    assert first is not None
    jobs.recover(job, first.attempts, None)
    second = jobs.claim(job)
    assert second is not None
    with pytest.raises(JobCancelled), jobs.database.transaction() as conn:
        jobs.succeed(conn, first, b"1", None)
    jobs.fail(first, 500, {}, workshop.Text("", ""))
    assert status(jobs, job) == "running"
    with jobs.database.transaction() as conn:
        jobs.succeed(conn, second, b"2", None)
    assert jobs.result(job, "wang") == 2


def test_submissions_at_once_keep_to_the_bound(jobs: Jobs) -> None:
    refused: list[Exception] = []

    def submit() -> None:
        try:
            jobs.submit("add-up", {"numbers": [1]}, "wang", "raw")
        except Exception as error:
            refused.append(error)

    threads = [threading.Thread(target=submit) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 4
