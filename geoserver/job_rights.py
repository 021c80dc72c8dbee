"""What becomes of running jobs when rights change: nobody's job goes on with rights that its account no longer has.

The notice of a change (``citymap_access``) makes the worker look at every job that runs. Of a closed account, or of one
that may no longer execute the process, it is stopped for good; where other rights went, it begins anew with those left.
"""

import logging
import select
import threading
from dataclasses import dataclass, replace
from enum import Enum

from geoserver.access import job_principal
from geoserver.accounts import epoch_of
from geoserver.errors import NotAllowed
from geoserver.execution import Execution
from geoserver.jobs import JobRecord
from geoserver.principals import Principals
from geoserver.process_adapter import PROCESSES
from layers.access import Grant, Principal
from layers.database import Database

LOGGER = logging.getLogger("citymap")
#: Seconds between looks at the line, and between attempts to have one again.
_LOOK = 1.0


class RightsTaken(NotAllowed):
    """The job's account was closed, or may no longer execute its process."""

    def __init__(self) -> None:
        super().__init__("the account was closed, or lost the right to this job, while it ran")


class Verdict(Enum):
    """What becomes of a job after a change of rights."""

    GO_ON = "go on"
    BEGIN_ANEW = "begin anew"
    STOP = "stop"


@dataclass(slots=True)
class _Running:
    job: JobRecord
    execution: Execution
    principal: Principal
    verdict: Verdict = Verdict.GO_ON


def lost(before: Principal, after: Principal) -> bool:
    """Whether anything that ``before`` may do with layers is no longer among what ``after`` may."""
    return not _single(before) <= _single(after)


def _single(principal: Principal) -> frozenset[Grant]:
    """The grants, one for each action."""
    return frozenset(replace(g, actions=frozenset({action})) for g in principal.grants for action in g.actions)


class JobRights:
    """The rights of the jobs that one worker runs."""

    def __init__(self, gate: Database, principals: Principals) -> None:
        self._gate = gate
        self._principals = principals
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def begin(self, job: JobRecord, execution: Execution) -> Principal:
        """For whom the job runs. Raises :class:`RightsTaken` for a closed account."""
        with self._lock:  # a change is either seen here, or finds the job
            self._principals.forget()
            principal = self._allowed(job)
            if principal is None:
                raise RightsTaken
            self._running[str(job.id)] = _Running(job, execution, principal)
        return principal

    def end(self, job: JobRecord) -> Verdict:
        """The job no longer runs; says why it was stopped, if it was by this."""
        with self._lock:
            found = self._running.pop(str(job.id), None)
        return found.verdict if found else Verdict.GO_ON

    def check(self) -> None:
        """Look at every running job with the rights of now, and stop those that have lost some."""
        with self._lock:
            self._principals.forget()
            for one in self._running.values():
                verdict = self._verdict(one)
                if verdict is not Verdict.GO_ON and one.execution.cancel():
                    LOGGER.warning("job %s: the rights of its account were taken (%s)", one.job.id, verdict.value)
                    one.verdict = verdict

    def watch(self) -> None:
        """Follow the changes in a background thread until :meth:`close`."""
        threading.Thread(target=self._watch, name="rights of jobs", daemon=True).start()

    def close(self) -> None:
        """Stop following."""
        self._stopping.set()

    def _verdict(self, one: _Running) -> Verdict:
        principal = self._allowed(one.job)
        if principal is None:
            return Verdict.STOP
        return Verdict.BEGIN_ANEW if lost(one.principal, principal) else Verdict.GO_ON

    def _allowed(self, job: JobRecord) -> Principal | None:
        """The principal of now; None for a closed account and for who may not execute the process."""
        if job.actor is not None:
            with self._gate.engine.connect() as conn:
                if epoch_of(conn, job.actor) is None:
                    return None
        principal = job_principal(self._principals, job.actor, job.scope)
        process = PROCESSES.get(job.process)
        known = process is None or principal.may_execute(process.id, edits=process.declared.edits)
        return principal if known else None

    def _watch(self) -> None:
        """A NOTIFY wakes this thread; after a broken line it looks at what it may have missed."""
        while not self._stopping.is_set():
            try:
                connection = self._gate.listen("citymap_access")
                self.check()
                while not self._stopping.is_set():
                    if select.select([connection], [], [], _LOOK)[0]:
                        connection.poll()
                        connection.notifies.clear()
                        self.check()
                connection.close()
            except Exception as error:
                if not self._stopping.is_set():
                    LOGGER.warning("rights cannot be followed, trying again: %s", error)
                    self._stopping.wait(_LOOK)
