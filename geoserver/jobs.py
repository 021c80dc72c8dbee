"""Jobs: the rows of ``citymap.jobs``, from acceptance to removal.

accepted → running → successful | failed, or dismissed from either. A job ends in the same transaction as its work, and
only if it is still running in this attempt: what was dismissed or taken over meanwhile leaves nothing behind. What also
touches the queue goes by psycopg 3, which procrastinate speaks, again in one transaction.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
from procrastinate import App, SyncPsycopgConnector
from psycopg.rows import dict_row
from sqlalchemy import Connection, text

from geoserver.errors import Busy, InputError, NoSuchJob, exception_document
from geoserver.settings.server import Jobs as JobSettings
from geoserver.upkeep import AS_UPKEEP, upkeep
from layers.catalogue import Text
from layers.database import Database
from layers.processing import JobCancelled

QUEUE_SCHEMA = "procrastinate"
QUEUE = "processes"
TASK = "run_process"
STATUSES = ("accepted", "running", "successful", "failed", "dismissed")
#: A job that lost so many workers fails: one that kills its worker must not do so for ever.
CRASHES = 2
#: Jobs of one page of the list at most.
MAX_PAGE = 1000

_SHOWN = """id, process, status, progress, message, response, file, error, actor, attempts,
            created, started, finished, updated"""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """One job. ``file`` holds ``name`` in the job's directory, ``media_type`` and ``as`` (the client's name for it)."""

    id: UUID
    process: str
    status: str
    progress: int
    message: Mapping[str, str]
    response: str
    file: Mapping[str, str] | None
    error: Mapping[str, Any] | None
    actor: str | None
    attempts: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    updated: datetime
    inputs: Mapping[str, Any] | None = None
    scope: str | None = None

    @property
    def active(self) -> bool:
        """Whether it still waits or runs."""
        return self.status in ("accepted", "running")


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list shows; empty tuples and None restrict nothing. Durations in [s]."""

    processes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    begin: datetime | None = None
    end: datetime | None = None
    min_duration: int | None = None
    max_duration: int | None = None


class Jobs:
    """The jobs of one city."""

    def __init__(self, settings: JobSettings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self._queue = App(connector=SyncPsycopgConnector(conninfo=database.url))

    def directory(self, job: UUID) -> Path:
        """Where a job's files lie."""
        return Path(self.settings.directory) / str(job)

    # What clients do

    def submit(
        self, process: str, inputs: Mapping[str, Any], actor: str | None, response: str, scope: str | None = None
    ) -> UUID:
        """Accept a job and put it in the queue; ``scope`` narrows the account's rights (:class:`Principal`).

        Raises :class:`Busy` when the account has too many unfinished ones, :class:`InputError` for U+0000 in a text.
        """
        with self._connect() as conn:
            _act_as(conn, actor)
            conn.execute("SELECT pg_advisory_xact_lock(hashtext('citymap.jobs'), hashtext(%s))", (actor or "",))
            waiting = conn.execute(
                "SELECT count(*) AS n FROM citymap.jobs"
                " WHERE status IN ('accepted', 'running') AND actor IS NOT DISTINCT FROM %s",
                (actor,),
            ).fetchone()
            if waiting and waiting["n"] >= self.settings.per_account:
                raise Busy(f"{waiting['n']} jobs wait or run already; dismiss some or wait until they have ended")
            try:
                made = conn.execute(
                    "INSERT INTO citymap.jobs (process, inputs, actor, response, scope) VALUES (%s, %s, %s, %s, %s)"
                    " RETURNING id",
                    (process, orjson.dumps(inputs).decode(), actor, response, scope),
                ).fetchone()
            except psycopg.errors.UntranslatableCharacter:
                raise InputError("the inputs hold the character U+0000, which no text may have") from None
            assert made is not None
            self._enqueue(conn, made["id"])
        return UUID(str(made["id"]))

    def get(self, job: str, actor: str | None, scope: str | None = None, *, inputs: bool = False) -> JobRecord:
        """A job of this account, or an anonymous one; to a key or token with a scope only what began within the same.

        Raises :class:`NoSuchJob`, also for other people's.
        """
        try:
            wanted = UUID(job)
        except ValueError:
            raise NoSuchJob(f"there is no job {job[:80]!r}") from None
        found = self._one(wanted, actor, inputs=inputs)
        if found is None or found.actor not in (None, actor) or (found.actor and scope not in (None, found.scope)):
            raise NoSuchJob(f"there is no job {job[:80]!r}, or it belongs to another account")
        return found

    def page(
        self, actor: str | None, scope: str | None, wanted: JobFilter, limit: int, offset: int
    ) -> tuple[list[JobRecord], int]:
        """The account's jobs within the scope (:meth:`get`), newest first, and how many match. Nobody's jobs are not
        listed: their id is their key."""
        condition = """
            actor = :actor AND (CAST(:scope AS text) IS NULL OR scope = :scope)
            AND (:processes = '{}' OR process = ANY(:processes))
            AND (:statuses = '{}' OR status = ANY(:statuses))
            AND created >= coalesce(CAST(:begin AS timestamptz), '-infinity')
            AND created <= coalesce(CAST(:end AS timestamptz), 'infinity')
            AND (CAST(:least AS float) IS NULL OR coalesce(finished, now()) - started > :least * interval '1 second')
            AND (CAST(:most AS float) IS NULL OR coalesce(finished, now()) - started < :most * interval '1 second')"""
        values = {
            "actor": actor, "scope": scope, "processes": list(wanted.processes), "statuses": list(wanted.statuses),
            "begin": wanted.begin, "end": wanted.end, "least": wanted.min_duration, "most": wanted.max_duration,
        }  # fmt: skip
        with self.database.transaction(actor) as conn:
            count = conn.execute(text(f"SELECT count(*) FROM citymap.jobs WHERE {condition}"), values).scalar_one()
            page = conn.execute(
                text(f"SELECT {_SHOWN} FROM citymap.jobs WHERE {condition} ORDER BY created DESC, id"
                     " LIMIT :limit OFFSET :offset"),
                {**values, "limit": limit, "offset": offset},
            )  # fmt: skip
            return [JobRecord(*row) for row in page], int(count)

    def result(self, job: UUID, actor: str | None) -> Any:
        """The result of a successful job of this account, as JSON values."""
        with self.database.transaction(actor) as conn:
            return conn.execute(text("SELECT result FROM citymap.jobs WHERE id = :id"), {"id": job}).scalar()

    def dismiss(self, job: UUID, actor: str | None) -> None:
        """Cancel an unfinished job of this account; of an ended one, remove the results."""
        with self._connect() as conn:
            _act_as(conn, actor)
            stopped = conn.execute(
                "UPDATE citymap.jobs SET status = 'dismissed', finished = now(), updated = now(), message = %s"
                " WHERE id = %s AND status IN ('accepted', 'running') RETURNING queue_id",
                (_json(Text("已取消", "Dismissed")), job),
            ).fetchone()
            if stopped is None:
                conn.execute(
                    "UPDATE citymap.jobs SET status = 'dismissed', result = NULL, file = NULL, updated = now()"
                    " WHERE id = %s",
                    (job,),
                )
            elif stopped["queue_id"] is not None:
                self._queue.job_manager.cancel_job_by_id(
                    stopped["queue_id"], abort=True, delete_job=True, connection=conn
                )
        if stopped is None:
            self.remove_files(job)

    # What workers do

    def claim(self, job: UUID) -> JobRecord | None:
        """Begin an attempt; None when the job no longer waits."""
        with upkeep(self.database) as conn:
            row = conn.execute(
                text("UPDATE citymap.jobs SET status = 'running', attempts = attempts + 1, progress = 0,"
                     " started = coalesce(started, now()), updated = now()"
                     f" WHERE id = :id AND status = 'accepted' RETURNING {_SHOWN}, inputs, scope"),
                {"id": job},
            ).one_or_none()  # fmt: skip
        return JobRecord(*row) if row else None

    def tell(self, job: JobRecord, percent: float, message: Text | None) -> None:
        """Store progress [%]; it never goes back."""
        with upkeep(self.database) as conn:
            conn.execute(
                text("UPDATE citymap.jobs SET progress = greatest(progress, :percent), updated = now(),"
                     " message = coalesce(CAST(:message AS jsonb), message)"
                     " WHERE id = :id AND attempts = :attempts AND status = 'running'"),
                {"id": job.id, "attempts": job.attempts, "percent": int(min(max(percent, 0), 99)),
                 "message": _json(message) if message else None},
            )  # fmt: skip

    def succeed(self, conn: Connection, job: JobRecord, result: bytes | None, file: Mapping[str, str] | None) -> None:
        """End the job within the transaction of its work (whose ``now()`` is its begin).

        Raises :class:`JobCancelled` if the job was dismissed, or another worker has it now.
        """
        ended = conn.execute(
            text("UPDATE citymap.jobs SET status = 'successful', progress = 100, finished = clock_timestamp(),"
                 " updated = clock_timestamp(),"
                 " message = CAST(:message AS jsonb), result = CAST(:result AS jsonb), file = CAST(:file AS jsonb)"
                 " WHERE id = :id AND attempts = :attempts AND status = 'running'"),
            {"id": job.id, "attempts": job.attempts, "result": result.decode() if result is not None else None,
             "file": orjson.dumps(dict(file)).decode() if file else None, "message": _json(Text("完成", "Done"))},
        )  # fmt: skip
        if ended.rowcount == 0:
            raise JobCancelled("the job was dismissed, or taken over by another worker")

    def fail(self, job: JobRecord, status: int, document: Mapping[str, str], message: Text) -> None:
        """End the job with the exception document that its results will answer."""
        with upkeep(self.database) as conn:
            conn.execute(
                text("UPDATE citymap.jobs SET status = 'failed', finished = now(), updated = now(),"
                     " message = CAST(:message AS jsonb), error = CAST(:error AS jsonb)"
                     " WHERE id = :id AND attempts = :attempts AND status = 'running'"),
                {"id": job.id, "attempts": job.attempts, "message": _json(message),
                 "error": orjson.dumps({"status": status, "document": dict(document)}).decode()},
            )  # fmt: skip

    def requeue(self, job: UUID, attempt: int) -> None:
        """Put a job that a stopping worker broke off back into the queue."""
        with self._connect() as conn:
            conn.execute(AS_UPKEEP)
            again = conn.execute(
                "UPDATE citymap.jobs SET updated = now(), progress = 0, message = %s, status = 'accepted'"
                " WHERE id = %s AND status = 'running' AND attempts = %s RETURNING id",
                (_json(Text("等待重新开始", "Waiting to begin anew")), job, attempt),
            ).fetchone()
            if again:
                self._enqueue(conn, job)

    def recover(self, job: UUID, attempt: int, entry: int | None) -> None:
        """Put a job whose worker was lost back into the queue, or fail it after ``CRASHES``.

        ``entry`` is the queue's entry that the lost worker still holds.
        """
        error = exception_document("WorkerLost", "the worker that ran the job was lost")
        with self._connect() as conn:
            conn.execute(AS_UPKEEP)
            again = conn.execute(
                "UPDATE citymap.jobs SET updated = now(), progress = 0, message = %(message)s, crashes = crashes + 1,"
                " status = CASE WHEN crashes + 1 < %(most)s THEN 'accepted' ELSE 'failed' END,"
                " error = CASE WHEN crashes + 1 < %(most)s THEN NULL ELSE %(error)s::jsonb END,"
                " finished = CASE WHEN crashes + 1 < %(most)s THEN NULL ELSE now() END"
                " WHERE id = %(id)s AND status = 'running' AND attempts = %(attempt)s RETURNING status",
                {"id": job, "attempt": attempt, "most": CRASHES,
                 "error": orjson.dumps({"status": 500, "document": error}).decode(),
                 "message": _json(Text("执行任务的进程中断", "The worker that ran the job was lost"))},
            ).fetchone()  # fmt: skip
            if again and again["status"] == "accepted":
                self._enqueue(conn, job)
            if entry is not None:
                conn.execute("DELETE FROM procrastinate_jobs WHERE id = %s", (entry,))

    def lost(self, silent: float) -> list[tuple[UUID, int, int | None]]:
        """Running jobs whose worker is gone or has been silent for that long [s]: id, attempt, the queue's entry."""
        statement = f"""
            SELECT j.id, j.attempts, q.id FROM citymap.jobs AS j
            LEFT JOIN {QUEUE_SCHEMA}.procrastinate_jobs AS q ON q.id = j.queue_id AND q.status = 'doing'
            LEFT JOIN {QUEUE_SCHEMA}.procrastinate_workers AS w
                ON w.id = q.worker_id AND w.last_heartbeat > now() - :silent * interval '1 second'
            WHERE j.status = 'running' AND w.id IS NULL AND j.updated < now() - :silent * interval '1 second'"""
        with upkeep(self.database) as conn:
            return [(UUID(str(row[0])), row[1], row[2]) for row in conn.execute(text(statement), {"silent": silent})]

    def expire(self) -> int:
        """Remove jobs that ended longer ago than they are kept, with their files; returns how many."""
        with upkeep(self.database) as conn:
            gone = conn.execute(
                text("DELETE FROM citymap.jobs WHERE finished < now() - :days * interval '1 day' RETURNING id"),
                {"days": self.settings.keep_days},
            ).scalars()
            ids = [UUID(str(one)) for one in gone]
        for job in ids:
            self.remove_files(job)
        return len(ids)

    def remove_files(self, job: UUID) -> None:
        """Remove a job's directory."""
        shutil.rmtree(self.directory(job), ignore_errors=True)

    def _one(self, job: UUID, actor: str | None, *, inputs: bool) -> JobRecord | None:
        columns = f"{_SHOWN}, {'inputs' if inputs else 'NULL'}, scope"
        with self.database.transaction(actor) as conn:
            row = conn.execute(text(f"SELECT {columns} FROM citymap.jobs WHERE id = :id"), {"id": job}).one_or_none()
        return JobRecord(*row) if row else None

    def _connect(self) -> "psycopg.Connection[dict[str, Any]]":
        """A connection of its own in the queue's schema; its ``with`` block is one transaction."""
        return psycopg.connect(
            self.database.url, row_factory=dict_row, connect_timeout=10,
            options=f"-c search_path={QUEUE_SCHEMA},public -c statement_timeout=30000", application_name="citymap jobs",
        )  # fmt: skip

    def _enqueue(self, conn: "psycopg.Connection[dict[str, Any]]", job: UUID) -> None:
        deferrer = self._queue.configure_task(TASK, allow_unknown=True, queue=QUEUE, connection=conn)
        queued = deferrer.defer(job=str(job))
        conn.execute("UPDATE citymap.jobs SET queue_id = %s WHERE id = %s", (queued, job))


def _act_as(conn: "psycopg.Connection[dict[str, Any]]", actor: str | None) -> None:
    """The transaction is this account's, None being the public."""
    conn.execute("SELECT set_config('citymap.actor', %s, true)", (actor or "",))


def _json(message: Text) -> str:
    return orjson.dumps({"zh": message.zh[:500], "en": message.en[:500]}).decode()
