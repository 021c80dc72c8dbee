"""The worker: takes jobs from the queue, runs them, and looks after what broken workers and time leave behind."""

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.job_context import AbortReason

from geoserver.database_roles import ACCESS_ROLE, role_url
from geoserver.errors import describe, exception_document
from geoserver.execution import Execution, Executor
from geoserver.grid_upkeep import GridUpkeep
from geoserver.job_rights import JobRights, RightsTaken, Verdict
from geoserver.jobs import QUEUE, QUEUE_SCHEMA, TASK, JobRecord, Jobs
from geoserver.principals import Principals
from geoserver.process_adapter import PROCESSES, Process
from geoserver.settings import Settings
from geoserver.uploads import Uploads
from layers.access import APP_ROLE
from layers.catalogue import Text
from layers.database import Database
from layers.processing import FileResult, JobCancelled
from layers.raster.store import sweep
from tiles.generalised.keeping import generaliser

LOGGER = logging.getLogger("citymap")
#: Seconds between tidyings of the database; the server's start tidies too.
_TIDYING = 3600.0
#: Seconds that a stopping worker gives its jobs before it breaks them off.
GRACE = 5.0


class Worker:
    """One worker process over a migrated database."""

    def __init__(self, settings: Settings, owner_url: str) -> None:
        self._settings = settings.server.jobs
        self._silent = self._settings.lost_seconds
        self._next_tidying = time.monotonic() + _TIDYING
        at_once = self._settings.at_once
        database_url, access_url = (
            settings.database.app_url or role_url(owner_url, APP_ROLE),
            settings.database.access_url or role_url(owner_url, ACCESS_ROLE),
        )
        self._gate = Database(access_url, pool_size=1, overflow=at_once)
        self._principals = Principals(
            self._gate, anonymous_edit=settings.access.anonymous_edit, providers=settings.access.oidc
        )
        self._database = Database(
            database_url, pool_size=2 * at_once + 3, statement_timeout=60 * self._settings.max_minutes,
            warm_srids=settings.crs.offered,
        )  # fmt: skip
        self._rights = JobRights(self._gate, self._principals)
        self._uploads = Uploads(settings.server.uploads, self._database)
        self.jobs = Jobs(self._settings, self._database)
        self._executor = Executor(settings, self._database, self._uploads)
        self._grid = GridUpkeep(settings, self._database)
        self._generaliser = generaliser(self._database)
        self._app = App(connector=PsycopgConnector(
            conninfo=database_url, min_size=1, max_size=4,
            kwargs={"options": f"-c search_path={QUEUE_SCHEMA},public", "application_name": "citymap worker"},
        ))  # fmt: skip
        self._app.task(name=TASK, queue=QUEUE, pass_context=True)(self._run)

    async def serve(self) -> None:
        """Work until SIGTERM or SIGINT; jobs that are running then go back into the queue."""
        async with self._app.open_async():
            self._rights.watch()
            self._generaliser.start()
            upkeep = asyncio.create_task(self._look_after())
            try:
                await self._app.run_worker_async(
                    queues=[QUEUE], concurrency=self._settings.at_once, delete_jobs="always",
                    update_heartbeat_interval=self._silent / 4, stalled_worker_timeout=self._silent,
                    shutdown_graceful_timeout=GRACE, fetch_job_polling_interval=5, abort_job_polling_interval=2,
                )  # fmt: skip
            finally:
                self._rights.close()
                self._generaliser.stop()
                upkeep.cancel()
                with suppress(asyncio.CancelledError):
                    await upkeep
        self._database.close()
        self._gate.close()

    async def _run(self, context: JobContext, job: str) -> None:
        """The queue's one task. Cancelled by DELETE /jobs/{id} and by the worker's end."""
        record = await asyncio.to_thread(self.jobs.claim, UUID(job))
        if record is None:
            return
        execution = Execution(lambda percent, message: self.jobs.tell(record, percent, message))
        work = asyncio.create_task(asyncio.to_thread(self._work, record, execution))
        try:
            await asyncio.wait_for(asyncio.shield(work), 60 * self._settings.max_minutes)
        except TimeoutError:
            await _stopped(execution, work)
            text = Text("超过了任务的最长时间", "it took longer than a job may (server.jobs.max_minutes)")
            await asyncio.to_thread(self.jobs.fail, record, 503, exception_document("TooLong", text.en), text)
        except asyncio.CancelledError:
            await _stopped(execution, work)
            if context.abort_reason() is AbortReason.SHUTDOWN:
                await asyncio.to_thread(self.jobs.requeue, record.id, record.attempts)
            raise

    def _work(self, job: JobRecord, execution: Execution) -> None:
        """Run the process and store what became of it; only what the job table itself refuses is raised."""
        directory = self.jobs.directory(job.id) / str(job.attempts)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            process = PROCESSES[job.process]
            values = process.checked(job.inputs or {})

            def finish(conn: Any, result: Any) -> None:
                self.jobs.succeed(conn, job, *_stored(process, result, job.attempts))

            principal = self._rights.begin(job, execution)
            seconds = 60 * self._settings.max_minutes
            self._executor.run(process, values, principal, execution, directory, seconds, finish)
        except JobCancelled:
            shutil.rmtree(directory, ignore_errors=True)
            self._after(self._rights.end(job), job)
        except Exception as error:
            shutil.rmtree(directory, ignore_errors=True)
            self._fail(job, error)
        finally:
            self._rights.end(job)
        for empty in (directory, directory.parent):
            with suppress(OSError):  # it holds a result, or is gone already
                empty.rmdir()

    def _after(self, verdict: Verdict, job: JobRecord) -> None:
        """Store what becomes of a job that a change of rights has stopped; of a dismissed one nothing is to store."""
        if verdict is Verdict.STOP:
            self._fail(job, RightsTaken())
        elif verdict is Verdict.BEGIN_ANEW:
            self.jobs.requeue(job.id, job.attempts)

    def _fail(self, job: JobRecord, error: Exception) -> None:
        status, document = describe(error)
        self.jobs.fail(job, status, document, Text(document["zh"], document["description"]))

    async def _look_after(self) -> None:
        while True:
            for task in (self._recover, self.jobs.expire, self._uploads.expire, self._tidy, *self._grid.tasks):
                await _attempt(task)
            await asyncio.sleep(self._silent / 2)

    def _tidy(self) -> None:
        if time.monotonic() < self._next_tidying:
            return
        self._next_tidying = time.monotonic() + _TIDYING
        with self.jobs.database.transaction() as conn:
            conn.exec_driver_sql("SELECT citymap.tidy()")
            sweep(conn, self._executor.rasters, timedelta(days=self._executor.settings.rasters.keep_days))

    def _recover(self) -> None:
        for job, attempt, entry in self.jobs.lost(self._silent):
            LOGGER.warning("job %s: its worker was lost", job)
            self.jobs.recover(job, attempt, entry)


async def _stopped(execution: Execution, work: "asyncio.Task[None]") -> None:
    """Stop the work and wait until its transaction is rolled back, through further cancellations too."""
    await asyncio.to_thread(execution.cancel)
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({work})


async def _attempt(task: Callable[[], object]) -> None:
    try:
        await asyncio.to_thread(task)
    except Exception as error:
        LOGGER.warning("upkeep of jobs failed, trying again: %s", error)


def _stored(process: Process, result: Any, attempt: int) -> tuple[bytes | None, dict[str, str] | None]:
    """A result as its job keeps it: JSON, or which file it is."""
    if isinstance(result, FileResult):
        return None, {"name": f"{attempt}/{result.path.name}", "media_type": result.media_type, "as": result.name}
    return process.output.dump_json(result), None
