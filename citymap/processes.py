"""Processes and their jobs (OGC 18-062r2)."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citymap.errors import CityError, ProcessFailed

if TYPE_CHECKING:
    from citymap.city import City

#: Seconds between looks at a job: the first, and the longest.
_FIRST_LOOK, _LONGEST_LOOK = 0.2, 5.0
_ENDED = frozenset({"successful", "failed", "dismissed"})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: ``status`` (accepted, running …), ``percent`` [0–100], and what it says of itself."""

    status: str
    percent: int
    message: str


#: Hears of progress.
type Told = Callable[[Progress], object]


class Process:
    """What the server computes under a name."""

    def __init__(self, city: "City", name: str) -> None:
        self._city = city
        self.id = name

    def __repr__(self) -> str:
        return f"Process({self.id!r})"

    def describe(self) -> dict[str, Any]:
        """Title, description, and the schema of each input and of the result."""
        found: dict[str, Any] = self._city.connection.get(f"processes/{self.id}", f="json")
        return found

    def run(self, **inputs: Any) -> Any:
        """The result, waited for; a process that only runs as a job is waited for as one."""
        answer = self._execute(inputs, {})
        if answer.status_code == HTTPStatus.CREATED:
            return Job(self._city, answer.json()["jobID"]).wait()
        return answer.json() if answer.content else None

    def start(self, **inputs: Any) -> "Job":
        """Begin it as a job, which goes on when this program ends."""
        return Job(self._city, self._execute(inputs, {"Prefer": "respond-async"}).json()["jobID"])

    def _execute(self, inputs: dict[str, Any], headers: dict[str, str]) -> Any:
        # The key makes a repetition by the network harmless: the server does it once.
        headers = {**headers, "Idempotency-Key": str(uuid.uuid4())}
        path = f"processes/{self.id}/execution"
        return self._city.connection.send("POST", path, json={"inputs": inputs}, headers=headers)


class Job:
    """One execution on the server; take it up again later by ``Job(city, id)``."""

    def __init__(self, city: "City", job: str) -> None:
        self._city = city
        self.id = job

    def __repr__(self) -> str:
        return f"Job({self.id!r})"

    def progress(self) -> Progress:
        """How far it is."""
        found = self._city.connection.get(f"jobs/{self.id}", f="json")
        return Progress(found["status"], int(found.get("progress", 0)), found.get("message", ""))

    def wait(self, told: Told | None = None, timeout: float | None = None) -> Any:
        """The result; ``told`` hears of each step of progress. A file comes as bytes (better by :meth:`save`).

        Raises :class:`~citymap.errors.ProcessFailed` when the job failed or was cancelled, :class:`TimeoutError` after
        ``timeout`` [s], whereupon the job goes on.
        """
        self._until_ended(told, timeout)
        try:
            answer = self._city.connection.send("GET", f"jobs/{self.id}/results", params={"f": "json"})
        except CityError as error:
            raise _failed(error) from None
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.content

    def save(self, path: str | Path, told: Told | None = None, timeout: float | None = None) -> Path:
        """Wait, and write the file that the job made, piece by piece. Raises as :meth:`wait` does."""
        self._until_ended(told, timeout)
        target = Path(path)
        try:
            with self._city.connection.streamed(f"jobs/{self.id}/results") as answer, target.open("wb") as file:
                for piece in answer.iter_bytes():
                    file.write(piece)
        except CityError as error:
            raise _failed(error) from None
        return target

    def cancel(self) -> None:
        """Stop it; of an ended job, remove its results."""
        self._city.connection.send("DELETE", f"jobs/{self.id}")

    def _until_ended(self, told: Told | None, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        pause, last = _FIRST_LOOK, None
        while True:
            now = self.progress()
            if told and now != last:
                told(now)
            if now.status in _ENDED:
                return
            if end is not None and time.monotonic() > end:
                raise TimeoutError(f"job {self.id} is {now.status} ({now.percent} %); wait for it again")
            time.sleep(pause)
            pause, last = min(pause * 1.5, _LONGEST_LOOK), now


def _failed(error: CityError) -> ProcessFailed:
    return ProcessFailed(error.said, error.status, error.code, error.request_id)
