"""pygeoapi's process manager over our jobs: its handlers ask it, it asks :mod:`geoserver.jobs`.

pygeoapi's own turns every error into 400 with its raw text, runs asynchronous jobs in threads that die with the server,
and posts to whatever address a client names (CVE-2026-42352). Errors raised here are not the kinds that its handlers
catch, so they reach :func:`geoserver.errors.describe` and keep their own status.
"""

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

import orjson
from pygeoapi.process.manager.base import BaseManager
from pygeoapi.util import JobStatus, RequestedProcessExecutionMode

from geoserver.errors import Busy, InputError, NoSuchProcess, NoSuchUpload
from geoserver.execution import Execution, Executor
from geoserver.idempotency import CLAIM, Claim
from geoserver.jobs import JobFilter, JobRecord, Jobs
from geoserver.process_adapter import PROCESSES, RESULT, Process
from geoserver.process_schema import Json
from geoserver.uploads import Uploads
from layers.access import Principal
from layers.processing import FileResult

_ASYNC = {"Preference-Applied": "respond-async"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in which language, and what pygeoapi's handlers do not hand on."""

    processes: "Processes"
    principal: Principal
    language: str
    filter: JobFilter = field(default_factory=JobFilter)

    def job(self, job_id: str, *, inputs: bool = False) -> JobRecord:
        """One of the caller's jobs. Raises :class:`NoSuchJob`."""
        return self.processes.jobs.get(job_id, self.principal.account, self.principal.scope, inputs=inputs)


#: The request that this thread answers: pygeoapi gives its manager no request.
CALLER: ContextVar[Caller] = ContextVar("CALLER")


@contextmanager
def called_by(caller: Caller) -> Iterator[None]:
    """Let the manager know who asks, within the block."""
    token = CALLER.set(caller)
    try:
        yield
    finally:
        CALLER.reset(token)


class Processes:
    """What executes processes in one server: those that clients wait for run here, the others as jobs."""

    def __init__(self, executor: Executor, jobs: Jobs, uploads: Uploads) -> None:
        self.jobs = jobs
        self._uploads = uploads
        self._executor = executor
        self._settings = executor.settings.server.jobs
        self._free = BoundedSemaphore(self._settings.sync_at_once)
        self._threads = ThreadPoolExecutor(self._settings.sync_at_once, thread_name_prefix="execution")

    def close(self) -> None:
        """Take no more executions."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def require_uploads(self, process: Process, values: Mapping[str, Any], actor: str | None) -> None:
        """Raise :class:`InputError` for an uploaded file that is not there."""
        for name, upload in process.uploads_in(values):
            try:
                self._uploads.get(upload, actor)
            except NoSuchUpload as error:
                raise InputError(f"input {name!r}: {error}") from None

    @contextmanager
    def claimed(self, claim: Claim | None) -> Iterator[None]:
        """The claim of a job's request; it is given back if the job is not accepted."""
        if claim is None:
            yield
            return
        with self.jobs.database.transaction() as conn:
            claim.take(conn)
        try:
            yield
        except BaseException:
            with self.jobs.database.transaction() as conn:
                claim.release(conn)
            raise

    def run_waiting(self, process: Process, values: Mapping[str, Any], principal: Principal) -> Any:
        """Run while the client waits, and return the result as JSON values.

        Raises :class:`Busy` when too many run, or when it takes too long: then it is stopped.
        """
        if not self._free.acquire(blocking=False):
            raise Busy(
                f"{self._settings.sync_at_once} executions are being waited for; "
                "try later, or send Prefer: respond-async"
            )
        execution = Execution()
        future = self._threads.submit(self._run, process, values, principal, execution, CLAIM.get())
        future.add_done_callback(lambda _done: self._free.release())
        return self._result(future, execution)

    def _run(
        self,
        process: Process,
        values: Mapping[str, Any],
        principal: Principal,
        execution: Execution,
        claim: Claim | None,
    ) -> Any:
        seconds = self._settings.sync_seconds
        with tempfile.TemporaryDirectory(prefix="citymap-execution-") as directory:
            result = self._executor.run(
                process, values, principal, execution, Path(directory), seconds, lambda _conn, _result: None,
                claim.take if claim else None,
            )  # fmt: skip
            if isinstance(result, FileResult):
                raise InputError("the result is a file: send Prefer: respond-async, and download it from the job")
            return orjson.loads(process.output.dump_json(result))

    def _result(self, future: "Future[Any]", execution: Execution) -> Any:
        try:
            return future.result(self._settings.sync_seconds)
        except TimeoutError:
            if not execution.cancel():
                return future.result()  # it ended in the same moment: only its commit is left
            raise Busy(
                f"the execution took longer than {self._settings.sync_seconds:g} s and was stopped; "
                "send Prefer: respond-async to run it as a job"
            ) from None


class ProcessManager(BaseManager):  # type: ignore[misc]
    """The plugin; it holds no state, since pygeoapi copies its configuration and makes it anew with every catalogue."""

    def __init__(self, definition: Json) -> None:
        super().__init__(definition)
        self.is_async = True
        # Not by way of pygeoapi's resources: layers have their ids there, and a layer may be called as a process is.
        self.processes = {
            process: {"processor": {"name": "geoserver.process_adapter.FunctionProcessor", "process": process}}
            for process in PROCESSES
        }
        self.supports_subscribing = False

    def get_jobs(self, status: Any = None, limit: int | None = None, offset: int | None = None) -> Json:
        """A page of the caller's jobs."""
        caller = CALLER.get()
        who = caller.principal
        found, count = caller.processes.jobs.page(who.account, who.scope, caller.filter, limit or 10, offset or 0)
        return {"jobs": [_shown(job, caller.language) for job in found], "numberMatched": count}

    def get_job(self, job_id: str) -> Json:
        """One job. Raises :class:`NoSuchJob`."""
        caller = CALLER.get()
        return _shown(caller.job(job_id, inputs=True), caller.language)

    def get_job_result(self, job_id: str) -> tuple[str, Any]:
        """The result of a job that ended well, as JSON values."""
        caller = CALLER.get()
        job = caller.job(job_id)
        result = caller.processes.jobs.result(job.id, caller.principal.account)
        return "application/json", {RESULT: result} if job.response == "document" else result

    def delete_job(self, job_id: str) -> bool:
        """Dismiss a job. Raises :class:`NoSuchJob`."""
        caller = CALLER.get()
        caller.processes.jobs.dismiss(caller.job(job_id).id, caller.principal.account)
        return True

    def execute_process(
        self,
        process_id: str,
        data_dict: Json,
        execution_mode: Any = None,
        requested_outputs: Any = None,
        subscriber: Any = None,
        requested_response: str | None = "raw",
    ) -> tuple[str | None, str, Any, JobStatus, dict[str, str]]:
        """Run the process, or accept it as a job when the client prefers that or the process demands it."""
        caller = CALLER.get()
        process = find_process(process_id)
        values = process.checked(data_dict)
        caller.processes.require_uploads(process, values, caller.principal.account)
        if execution_mode == RequestedProcessExecutionMode.respond_async or not process.declared.sync:
            account, scope = caller.principal.account, caller.principal.scope
            with caller.processes.claimed(CLAIM.get()):
                job = caller.processes.jobs.submit(process_id, data_dict, account, requested_response or "raw", scope)
            return str(job), "application/json", None, JobStatus.accepted, _ASYNC
        result = caller.processes.run_waiting(process, values, caller.principal)
        answer = {RESULT: result} if requested_response == "document" else result
        return None, "application/json", answer, JobStatus.successful, {}


def find_process(process_id: str) -> Process:
    """The process of that id. Raises :class:`NoSuchProcess`."""
    try:
        return PROCESSES[process_id]
    except KeyError:
        raise NoSuchProcess(f"there is no process {process_id[:80]!r}; /processes lists those there are") from None


def _shown(job: JobRecord, language: str) -> Json:
    return {
        "identifier": str(job.id),
        "process_id": job.process,
        "status": job.status,
        "message": job.message.get(language[:2], ""),
        "progress": job.progress,
        "parameters": job.inputs,
        "created": _instant(job.created),
        # pygeoapi sorts its list by this member, so it is never empty here
        "started": _instant(job.started or job.created),
        "finished": _instant(job.finished),
        "updated": _instant(job.updated),
        "mimetype": job.file["media_type"] if job.file else "application/json",
    }


def _instant(time: datetime | None) -> str | None:
    return time.isoformat().replace("+00:00", "Z") if time else None
