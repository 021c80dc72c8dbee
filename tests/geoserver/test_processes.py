"""OGC API – Processes: descriptions, executions that clients wait for, refusals."""

import json
import threading
from typing import Any

import jsonschema
import pytest
import requests

from geoserver.execution import Execution
from geoserver.process_adapter import find_processes, read_docstring
from layers.exporting.export import FORMATS
from layers.processing import JobCancelled
from tests.geoserver.job_site import WANG, JobSite

URI = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
CONFORMANCE = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"


def references(value: Any) -> list[str]:
    """Every value of ``$ref`` in a document."""
    if isinstance(value, dict):
        return ([value["$ref"]] if "$ref" in value else []) + [ref for v in value.values() for ref in references(v)]
    return [ref for v in value for ref in references(v)] if isinstance(value, list) else []


def test_processes_are_listed_in_the_readers_language(quiet_site: JobSite) -> None:
    zh = quiet_site.get("/processes", lang="zh").json()
    en = quiet_site.get("/processes", lang="en").json()
    titles = {p["id"]: p["title"] for p in zh["processes"]}
    assert titles["import-layer"] == "导入图层"
    assert {p["id"]: p["title"] for p in en["processes"]}["export-layer"] == "Export a layer"
    assert len(quiet_site.get("/processes", limit=1).json()["processes"]) == 1


def test_description_is_derived_from_the_function(quiet_site: JobSite) -> None:
    found = quiet_site.get("/processes/add-up", lang="en").json()
    assert found["jobControlOptions"] == ["sync-execute", "async-execute"]
    assert found["inputs"]["numbers"]["schema"] == {"type": "array", "items": {"type": "number"}, "maxItems": 5}
    assert found["inputs"]["numbers"] | {"schema": 0} == {
        "title": "Numbers", "description": "Numbers; five at most", "schema": 0, "minOccurs": 1, "maxOccurs": 1,
    }  # fmt: skip
    assert found["inputs"]["unit"]["schema"] == {"type": "string", "enum": ["m", "km"], "default": "m"}
    assert found["inputs"]["unit"]["minOccurs"] == 0
    assert "city" not in found["inputs"]
    assert set(found["outputs"]["result"]["schema"]["properties"]) == {"total", "unit", "parts"}
    assert quiet_site.get("/processes/write-note").json()["jobControlOptions"] == ["async-execute"]


def test_export_formats_are_those_of_the_writers(quiet_site: JobSite) -> None:
    assert set(quiet_site.get("/processes/export-layer").json()["inputs"]["format"]["schema"]["enum"]) == {*FORMATS, "geotiff"}


def test_descriptions_refer_to_nothing_and_are_schemas(quiet_site: JobSite) -> None:
    for process in quiet_site.get("/processes").json()["processes"]:
        found = quiet_site.get(f"/processes/{process['id']}").json()
        assert references(found) == []
        for member in (*found["inputs"].values(), *found["outputs"].values()):
            jsonschema.Draft4Validator.check_schema(member["schema"])


@pytest.mark.parametrize("path", ["/processes", "/processes/import-layer", "/jobs"])
def test_pages_exist(quiet_site: JobSite, path: str) -> None:
    answer = quiet_site.call("GET", path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>" in answer.text


def test_execution_answers_the_result(quiet_site: JobSite) -> None:
    answer = quiet_site.execute("add-up", {"numbers": [1, 2.5], "unit": "km"}, auth=None, wait=True)
    assert answer.status_code == 200
    assert answer.json() == {"total": 3.5, "unit": "km", "parts": [1, 2.5]}
    assert "Location" not in answer.headers
    document = quiet_site.execute("add-up", {"numbers": [1]}, wait=True, response="document", outputs={"result": {}})
    assert document.json() == {"result": {"total": 1, "unit": "m", "parts": [1]}}


def test_qualified_values_are_values(quiet_site: JobSite) -> None:
    inputs = {"numbers": {"value": [4], "mediaType": "application/json"}}
    assert quiet_site.execute("add-up", inputs, wait=True).json()["total"] == 4


@pytest.mark.parametrize(
    ("inputs", "named"),
    [
        ({}, "input 'numbers' is missing"),
        ({"numbers": [1, "two"]}, "input 'numbers.1'"),
        ({"numbers": [1] * 6}, "input 'numbers'"),
        ({"numbers": [1], "unit": "mile"}, "input 'unit'"),
        ({"numbers": [1], "unti": "m"}, "input 'unti' is not known; this process takes numbers, unit"),
        ({"numbers": {"href": "http://169.254.169.254/latest"}}, "input 'numbers' is given by reference"),
    ],
)
def test_bad_inputs_are_named(quiet_site: JobSite, inputs: dict[str, Any], named: str) -> None:
    for wait in (True, False):
        answer = quiet_site.execute("add-up", inputs, wait=wait)
        assert answer.status_code == 400
        assert answer.json()["description"].startswith(named)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "not JSON"),
        (b"[]", "execute request"),
        (b'{"inputs": []}', "execute request"),
        (b'{"inputs": {}, "subscriber": {"successUri": "http://127.0.0.1:9/"}}', "'subscriber'"),
        (b'{"inputs": {}, "subscriber": null}', "'subscriber'"),
        (b'{"inputs": {}, "response": "xml"}', "'response'"),
        (b'{"inputs": {}, "outputs": {"total": {}}}', "'outputs'"),
        (b'{"inputs": {}, "outputs": {"result": {"transmissionMode": "reference"}}}', "'outputs'"),
        (b'{"inputs": {}, "input": {}}', "'input'"),
        (b"[" * 2000, "not JSON"),
    ],
)
def test_bad_requests_are_refused(quiet_site: JobSite, body: bytes, named: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = quiet_site.call("POST", "/processes/add-up/execution", data=body, headers=headers)
    assert answer.status_code == 400
    assert named in answer.json()["description"]


def test_other_media_types_and_large_bodies_are_refused(quiet_site: JobSite) -> None:
    path = "/processes/add-up/execution"
    assert quiet_site.call("POST", path, data=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415
    assert quiet_site.call("POST", path, json={"inputs": {"numbers": [1.25] * 50_000}}).status_code == 413
    assert quiet_site.get("/processes", nonsense=1).status_code == 400


@pytest.mark.parametrize("method", ["GET /processes/nothing", "POST /processes/nothing/execution"])
def test_unknown_process_is_not_found(quiet_site: JobSite, method: str) -> None:
    verb, path = method.split()
    answer = quiet_site.call(verb, path, json={} if verb == "POST" else None)
    assert answer.status_code == 404
    assert answer.json()["type"] == URI + "no-such-process"


def test_unexpected_errors_are_masked(quiet_site: JobSite) -> None:
    answer = quiet_site.execute("break-down", {}, wait=True)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["requestId"] in answer.json()["description"]


def test_expected_errors_keep_their_status(busy_site: JobSite) -> None:
    upload = busy_site.upload("空.zip", b"no zip file").json()["id"]
    answer = busy_site.execute("import-layer", {"upload": upload}, wait=True)
    assert answer.status_code == 400
    assert "空.zip" in answer.json()["description"]
    assert busy_site.call("DELETE", f"/uploads/{upload}").status_code == 204


def test_editing_processes_need_an_account(quiet_site: JobSite) -> None:
    for wait in (True, False):
        answer = quiet_site.execute("import-layer", {"upload": "x"}, auth=None, wait=wait)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert quiet_site.execute("add-up", {"numbers": [1]}, auth=("wang", "wrong"), wait=True).status_code == 401


def test_an_execution_that_takes_too_long_is_stopped(quiet_site: JobSite) -> None:
    answer = quiet_site.execute("sleep-in-database", {"seconds": 30}, wait=True)
    assert answer.status_code == 503
    assert "respond-async" in answer.json()["description"]
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active' AND datname = current_database()"
    assert quiet_site.sql(running)[0][0] == 0


def test_a_stopped_execution_leaves_nothing(quiet_site: JobSite) -> None:
    answer = quiet_site.execute("plant", {"name": "樟", "until": "/nowhere"}, wait=True)
    assert answer.status_code == 503
    # its place is free again only when the transaction has ended
    for _ in range(2):
        assert quiet_site.execute("add-up", {"numbers": [1]}, wait=True).status_code == 200
    assert quiet_site.sql("SELECT count(*) FROM city.pois WHERE name = '樟'")[0][0] == 0


def test_an_execution_is_stopped_or_finished_but_never_both() -> None:
    stopped, finished = Execution(), Execution()
    assert stopped.cancel()
    with pytest.raises(JobCancelled):
        stopped.finish()
    with pytest.raises(JobCancelled):
        stopped.progress(1)
    finished.finish()
    assert not finished.cancel()
    finished.progress(99)


def test_executions_that_are_waited_for_are_bounded(quiet_site: JobSite) -> None:
    answers: list[requests.Response] = []
    sleep = {"seconds": 0.8}
    threads = [
        threading.Thread(target=lambda: answers.append(quiet_site.execute("sleep-in-database", sleep, wait=True)))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = sorted(answer.status_code for answer in answers)
    assert codes.count(503) >= 3
    assert all("sent" in a.text or "wait" in a.text or "longer" in a.text for a in answers if a.status_code == 503)


def test_conformance_names_what_there_is(quiet_site: JobSite) -> None:
    declared = quiet_site.get("/conformance").json()["conformsTo"]
    names = {uri.removeprefix(CONFORMANCE) for uri in declared if uri.startswith(CONFORMANCE)}
    assert names == {"core", "ogc-process-description", "json", "html", "oas30", "job-list", "dismiss"}


def test_openapi_describes_every_process_and_refers_to_itself_only(quiet_site: JobSite) -> None:
    document = quiet_site.get("/openapi").json()
    for process in quiet_site.get("/processes").json()["processes"]:
        post = document["paths"][f"/processes/{process['id']}/execution"]["post"]
        schema = post["requestBody"]["content"]["application/json"]["schema"]["properties"]["inputs"]
        assert schema["properties"] == {
            name: found["schema"] for name, found in quiet_site.get(f"/processes/{process['id']}").json()["inputs"].items()
        }
    assert {"/jobs", "/jobs/{jobId}", "/jobs/{jobId}/results", "/uploads", "/uploads/{uploadId}"} <= set(document["paths"])
    assert all(ref.startswith("#/components/") for ref in references(document))
    assert '"null"' not in json.dumps(document["paths"]["/processes/import-layer/execution"])


def test_a_process_must_say_its_texts_in_both_languages() -> None:
    def half(number: int) -> int:
        """一半 | Half

        说明 | About

        number: 只有中文
        returns: 结果 | The result
        """
        return number

    with pytest.raises(ValueError, match="half: its docstring lacks 'number"):
        read_docstring(half, ["number"])


def test_every_process_is_found_once() -> None:
    import layers.processes

    assert list(find_processes([layers.processes])) == ["import-layer", "export-layer"]


def test_the_wrong_password_is_refused_for_jobs(quiet_site: JobSite) -> None:
    assert quiet_site.get("/jobs", auth=(WANG[0], "wrong")).status_code == 401
