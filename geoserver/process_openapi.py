"""The OpenAPI paths of processes, jobs and uploads; every process has its own request and result schema."""

from typing import Any

from geoserver.jobs import STATUSES
from geoserver.openapi import COMMON, ONCE, ONCE_ERRORS, OPTIONAL_ACCOUNT, content, operation, parameter, reference
from geoserver.process_adapter import PROCESSES, RESULT, Process
from geoserver.process_schema import Json

_TEXT = {"type": "string"}
_UUID = {"type": "string", "format": "uuid"}
_WHOLE = {"type": "integer", "minimum": 0}
_PAGE_SIZE = {"type": "integer", "minimum": 1}


def process_paths() -> Json:
    """Descriptions and executions."""
    listed = [parameter("limit", "Processes at most", _PAGE_SIZE), *COMMON]
    page = {"200": content("A document", "application/json", "text/html")}
    paths: Json = {"/processes": {"get": operation("getProcesses", "All processes", listed, page, tag="processes")}}
    for process in PROCESSES.values():
        paths[f"/processes/{process.id}"] = {
            "get": operation(f"describe-{process.id}", process.texts.title.en, COMMON, page, tag="processes")
        }
        paths[f"/processes/{process.id}/execution"] = {"post": _execution(process)}
    return paths


def job_paths() -> Json:
    """States and results of executions."""
    job = parameter("jobId", "Id of the job", _UUID, "path")
    shown = {"200": content("The state of the job", "application/json", "text/html", schema=_status_info())}
    status = {"200": _answer("The state of the job", _status_info())}
    filters = [
        parameter("limit", "Jobs per page", _PAGE_SIZE),
        parameter("offset", "Jobs to skip", _WHOLE),
        parameter("type", "Kind of job", {"type": "string", "enum": ["process"]}),
        parameter("processID", "Only jobs of these processes", _TEXT),
        parameter("status", "Only jobs in these states", _TEXT),
        parameter("datetime", "Only jobs created in this interval", _TEXT),
        parameter("minDuration", "Only jobs that ran longer [s]", _WHOLE),
        parameter("maxDuration", "Only jobs that ran shorter [s]", _WHOLE),
    ]
    listed = {"type": "object", "required": ["jobs"], "properties": {
        "jobs": {"type": "array", "items": _status_info()},
        "links": {"type": "array", "items": reference("schemas", "link")},
    }}  # fmt: skip
    jobs = {"200": content("Jobs, newest first", "application/json", "text/html", schema=listed)}
    results = {"200": {"description": "The result", "content": {"*/*": {"schema": {}}}}}
    return {
        "/jobs": {"get": operation("getJobs", "The account's jobs", [*filters, *COMMON], jobs, "jobs",
                                   security=OPTIONAL_ACCOUNT)},
        "/jobs/{jobId}": {
            "get": operation("getJob", "The state of a job", [job, *COMMON], shown, "jobs",
                             security=OPTIONAL_ACCOUNT),
            "delete": operation("dismissJob", "Cancel a job, or remove its results", [job], status, "jobs",
                                security=OPTIONAL_ACCOUNT),
        },
        "/jobs/{jobId}/results": {
            "get": operation("getJobResults", "The result of a job", [job, *COMMON], results, "jobs",
                             security=OPTIONAL_ACCOUNT)
        },
    }  # fmt: skip


def upload_paths() -> Json:
    """Files for imports."""
    upload = parameter("uploadId", "Id of the file", _UUID, "path")
    kept = {"type": "object", "required": ["id", "name", "bytes"],
            "properties": {"id": _UUID, "name": _TEXT, "bytes": _WHOLE}}  # fmt: skip
    bodies = {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        "multipart/form-data": {
            "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
        },
    }
    location = {"Location": {"schema": _TEXT}}
    return {
        "/uploads": {
            "post": operation(
                "postUpload", "Upload a file", [parameter("name", "The file's name, for a plain body", _TEXT)],
                {"201": {**_answer("Kept", kept), "headers": location},
                 "413": reference("responses", "TooLarge")},
                "uploads", requestBody={"required": True, "content": bodies}, security=OPTIONAL_ACCOUNT,
            )
        },
        "/uploads/{uploadId}": {
            "get": operation("getUpload", "What is kept", [upload], {"200": _answer("The file's name and size", kept)},
                             "uploads", security=OPTIONAL_ACCOUNT),
            "delete": operation("deleteUpload", "Remove an uploaded file", [upload],
                                {"204": {"description": "Removed"}}, "uploads", security=OPTIONAL_ACCOUNT),
        },
    }  # fmt: skip


def _execution(process: Process) -> Json:
    inputs = {"type": "object", "properties": process.input_schemas(), "additionalProperties": False}
    if required := process.required():
        inputs["required"] = required
    request = {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "inputs": inputs,
            "outputs": {"type": "object", "properties": {RESULT: {}}, "additionalProperties": False},
            "response": {"type": "string", "enum": ["raw", "document"], "default": "raw"},
            "mode": {"type": "string", "description": "Of older clients; the header Prefer decides"},
        },
        "additionalProperties": False,
    }
    sent: Json = {"schema": request}
    if process.declared.example is not None:
        sent["example"] = {"inputs": process.declared.example}
    modes = ["respond-async", *(["respond-sync", "wait"] if process.declared.sync else [])]
    prefer = parameter("Prefer", f"{', '.join(modes)} (RFC 7240)", {**_TEXT, "example": modes[0]}, "header")
    responses: dict[str, Any] = {
        "201": {**_answer("Accepted as a job", _status_info()), "headers": {"Location": {"schema": _TEXT}}},
        "413": reference("responses", "TooLarge"),
        "415": reference("responses", "MediaType"),
        "412": reference("responses", "Changed"),
        **ONCE_ERRORS,
    }
    if process.declared.sync:
        responses["200"] = _answer(process.texts.returns.en, process.description["outputs"][RESULT]["schema"])
    return operation(
        f"execute-{process.id}",
        process.texts.title.en,
        [prefer, ONCE],
        responses,
        "processes",
        requestBody={"required": True, "content": {"application/json": sent}},
        security=OPTIONAL_ACCOUNT,
    )


def _status_info() -> Json:
    times = ("created", "started", "finished", "updated")
    instants = {name: {"type": "string", "format": "date-time"} for name in times}
    return {
        "type": "object",
        "required": ["jobID", "status", "type"],
        "properties": {
            "processID": _TEXT,
            "type": {"type": "string", "enum": ["process"]},
            "jobID": _UUID,
            "status": {"type": "string", "enum": list(STATUSES)},
            "message": _TEXT,
            **instants,
            "progress": {"type": "integer", "minimum": 0, "maximum": 100},
            "links": {"type": "array", "items": reference("schemas", "link")},
        },
    }


def _answer(description: str, schema: Json) -> Json:
    return content(description, "application/json", schema=schema)
