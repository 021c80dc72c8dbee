"""OGC API – Processes (18-062r2): checks requests, lets pygeoapi's handlers answer, and hands out files of results."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson
import pygeoapi.api.processes
from starlette.requests import Request

from geoserver.body import json_body
from geoserver.core import CoreRequest, reply_of
from geoserver.errors import BodyError, NoSuchJob, ParameterError, ResultNotReady
from geoserver.formats import negotiate
from geoserver.idempotency import idempotent
from geoserver.jobs import MAX_PAGE, STATUSES, JobFilter
from geoserver.parameters import interval, query_values, whole
from geoserver.process_adapter import PROCESSES, RESULT
from geoserver.process_manager import Caller, called_by, find_process
from geoserver.process_schema import Json
from geoserver.reply import Reply, told

if TYPE_CHECKING:
    from geoserver.city import City

_CHUNK = 256 * 1024
_EXECUTE_MEMBERS = ("inputs", "outputs", "response", "mode")
_LIST_PARAMETERS = (
    *("limit", "offset", "type", "processID", "status", "datetime", "minDuration", "maxDuration"),
    *("f", "lang"),
)


def get_processes(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /processes``."""
    values = query_values(request, ("limit", "f", "lang"))
    limit = whole("limit", values.get("limit", str(len(PROCESSES))), 1)
    as_page = negotiate(request, values, ("json", "html")) == "html"
    describe = pygeoapi.api.processes.describe_processes
    reply = _answer(city, request, values, describe, parameters={"limit": limit}, format_="json")
    assert isinstance(reply.body, bytes)
    document = orjson.loads(reply.body)
    # pygeoapi links to a JSON-LD form of the list, which it does not have.
    document["links"] = [link for link in document["links"] if not link["href"].endswith("f=jsonld")]
    return city.pages.processes(request, document) if as_page else replace(reply, body=orjson.dumps(document))


def get_process(city: "City", request: Request, _body: bytes, process: str) -> Reply:
    """``GET /processes/{process}``."""
    find_process(process)
    values = query_values(request, ("f", "lang"))
    as_page = negotiate(request, values, ("json", "html")) == "html"
    reply = _answer(city, request, values, pygeoapi.api.processes.describe_processes, process, format_="json")
    assert isinstance(reply.body, bytes)
    # pygeoapi's page of a process looks for it among the resources, where layers have their ids
    return city.pages.process(request, orjson.loads(reply.body)) if as_page else reply


@idempotent
def execute(city: "City", request: Request, body: bytes, process: str) -> Reply:
    """``POST /processes/{process}/execution``: 200 with the result, or 201 with the Location of a job."""
    values = query_values(request, ("f", "lang"))
    city.require_process(find_process(process))
    document = _execute_document(request, body)
    core_request = CoreRequest(
        request, city.language(request), negotiate(request, values, ("json",)), values,
        headers={"Prefer": _preference(request)}, body=orjson.dumps(document),
    )  # fmt: skip
    with called_by(_caller(city, request)):
        reply = reply_of(pygeoapi.api.processes.execute_process(city.api, core_request, process))
    headers = dict(reply.headers)
    if reply.status != HTTPStatus.CREATED:
        headers.pop("Location", None)  # pygeoapi gives one also where there is no job
        return Reply(reply.body, "application/json", reply.status, headers)
    job = headers["Location"].rsplit("/", 1)[1]
    status = {"jobID": job, "processID": process, "type": "process", "status": "accepted"}
    return Reply(orjson.dumps(status), "application/json", reply.status, headers)


def get_jobs(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /jobs``: the account's own."""
    values = query_values(request, _LIST_PARAMETERS)
    parameters = {
        "limit": min(whole("limit", values.get("limit", "100"), 1), MAX_PAGE),
        "offset": min(whole("offset", values.get("offset", "0"), 0), 10**9),
    }
    wanted = _job_filter(values)
    reply = _answer(city, request, values, pygeoapi.api.processes.get_jobs, parameters=parameters, wanted=wanted)
    return _without_empty(reply, "jobs")


def get_job(city: "City", request: Request, _body: bytes, job: str) -> Reply:
    """``GET /jobs/{job}``."""
    values = query_values(request, ("f", "lang"))
    return _without_empty(_answer(city, request, values, pygeoapi.api.processes.get_jobs, job))


def delete_job(city: "City", request: Request, _body: bytes, job: str) -> Reply:
    """``DELETE /jobs/{job}``: cancels it, or removes the results of an ended one."""
    values = query_values(request, ("f", "lang"))
    reply = _answer(city, request, values, pygeoapi.api.processes.delete_job, job, format_="json")
    assert isinstance(reply.body, bytes)
    # pygeoapi leaves out what statusInfo.yaml requires
    return replace(reply, body=orjson.dumps({"type": "process", **orjson.loads(reply.body)}))


def get_results(city: "City", request: Request, _body: bytes, job: str) -> Reply:
    """``GET /jobs/{job}/results``: the result, or what the execution failed with."""
    values = query_values(request, ("f", "lang"))
    found = city.processes.jobs.get(job, city.account, city.principal.scope)
    if found.active:
        raise ResultNotReady(f"the job is {found.status} ({found.progress} %); ask again when it has ended")
    if found.status == "dismissed":
        raise NoSuchJob("the job was dismissed; it has no results")
    if found.error is not None:
        return told(found.error["document"], HTTPStatus(found.error["status"]), request)
    if found.file is not None:
        return _file(city.processes.jobs.directory(found.id) / found.file["name"], found.file)
    if negotiate(request, values, ("json", "html")) == "html":
        return _answer(city, request, values, pygeoapi.api.processes.get_job_result, job)
    # pygeoapi's JSON escapes every Chinese character
    result = city.processes.jobs.result(found.id, city.account)
    document = {RESULT: result} if found.response == "document" else result
    return Reply(orjson.dumps(document), headers={"Cache-Control": "no-store"})


def _execute_document(request: Request, body: bytes) -> Json:
    """The execute request, checked as far as pygeoapi trusts it blindly."""
    document = json_body(request, body or b"{}", ("application/json",))
    if not isinstance(document, dict) or not isinstance(document.setdefault("inputs", {}), dict):
        raise BodyError('the body is not an execute request like {"inputs": {…}}')
    if "subscriber" in document:
        raise BodyError("member 'subscriber': this server calls no addresses back; ask /jobs/{id} for the state")
    for name in document:
        if name not in _EXECUTE_MEMBERS:
            raise BodyError(f"member {name[:80]!r} is not known; an execute request has {', '.join(_EXECUTE_MEMBERS)}")
    if document.setdefault("response", "raw") not in ("raw", "document"):
        raise BodyError("member 'response' is neither 'raw' nor 'document'")
    _check_outputs(document.get("outputs") or {})
    return document


def _check_outputs(outputs: Any) -> None:
    if not isinstance(outputs, dict) or any(name != RESULT for name in outputs):
        raise BodyError(f"member 'outputs': the one output of every process is {RESULT!r}")
    wanted = outputs.get(RESULT)
    if isinstance(wanted, dict) and wanted.get("transmissionMode", "value") != "value":
        raise BodyError("member 'outputs': results are transmitted by value only")


def _preference(request: Request) -> str:
    """What Prefer asks for (RFC 7240), as the one word that pygeoapi understands."""
    wanted = [part.split(";")[0].strip().lower() for part in request.headers.get("prefer", "").split(",")]
    return "respond-async" if "respond-async" in wanted else "wait"


def _job_filter(values: Mapping[str, str]) -> JobFilter:
    if values.get("type", "process") != "process":
        raise ParameterError("type", f"{values['type'][:80]!r} is not 'process', the one kind of job there is")
    begin, end = interval(values["datetime"]) if "datetime" in values else (None, None)
    durations = [whole(n, values[n], 0) if n in values else None for n in ("minDuration", "maxDuration")]
    statuses = tuple(filter(None, values.get("status", "").split(",", 10)))
    for status in statuses:
        if status not in STATUSES:
            raise ParameterError("status", f"{status[:80]!r} is none of {', '.join(STATUSES)}")
    processes = tuple(filter(None, values.get("processID", "").split(",", 100)))
    return JobFilter(processes, statuses, begin, end, *durations)


def _caller(city: "City", request: Request, wanted: JobFilter | None = None) -> Caller:
    return Caller(city.processes, city.principal, city.language(request), wanted or JobFilter())


def _answer(
    city: "City",
    request: Request,
    values: dict[str, str],
    handler: Any,
    *arguments: str,
    parameters: Mapping[str, Any] | None = None,
    wanted: JobFilter | None = None,
    format_: str | None = None,
) -> Reply:
    format_ = format_ or negotiate(request, values, ("json", "html"))
    core_request = CoreRequest(request, city.language(request), format_, {**values, **(parameters or {})})
    with called_by(_caller(city, request, wanted)):
        reply = reply_of(handler(city.api, core_request, *arguments))
    media_type = reply.media_type or "application/json"
    headers = {**reply.headers, "Cache-Control": "no-store"} if "jobs" in request.url.path else reply.headers
    return Reply(reply.body, media_type, reply.status, headers)


def _without_empty(reply: Reply, members: str | None = None) -> Reply:
    """A status document without members that have no value: statusInfo.yaml allows no null."""
    if reply.media_type is None or not reply.media_type.startswith("application/json"):
        return reply
    assert isinstance(reply.body, bytes)
    document = orjson.loads(reply.body)
    for job in document[members] if members else [document]:
        for name in [name for name, value in job.items() if value is None]:
            del job[name]
        if job["status"] == "accepted":
            job.pop("started", None)
    return Reply(orjson.dumps(document), reply.media_type, reply.status, reply.headers)


def _file(path: Path, file: Mapping[str, str]) -> Reply:
    try:
        chunks = _FileChunks(path)
    except FileNotFoundError:
        raise NoSuchJob("the file of this job is gone") from None
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file['as'])}",
        "Content-Length": str(path.stat().st_size),
        "Cache-Control": "no-store",
    }
    return Reply(chunks, file["media_type"], headers=headers)


class _FileChunks(Iterator[bytes]):
    """A file piece by piece; ``close`` also when the client is gone before the first."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.close = self._file.close

    def __next__(self) -> bytes:
        if chunk := self._file.read(_CHUNK):
            return chunk
        raise StopIteration
