"""What the worker does for grid management beside jobs: the clock's acts, and what time leaves behind."""

import time
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import text

from geoserver.notices import Delivery
from geoserver.settings import Settings
from grid.cases.queries import database_now, has_cases
from grid.clock.escalation import CLOCK_PRINCIPAL, escalate
from grid.hot_spots.keeping import KEEPER, refresh
from grid.notices.queries import forget_old
from grid.reporting.photos import photos_older_than
from layers.database import Database

#: Seconds between sweeps, hours after which the file of a photo that no case has is removed, and that keys are kept: a
#: phone may be without a network for days before it sends a report again whose answer was lost.
_SWEEPING = 3600.0
_ORPHAN_HOURS, _KEY_HOURS = 24, 14 * 24
#: Seconds between looks at whether the hot spots are still where they were.
_LOOKING = 60.0


class GridUpkeep:
    """Run by every worker; several at once do each thing once."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._options = settings.grid.for_processes()
        self._database = database
        self._keep_days = settings.grid.notices.keep_days
        self._next_sweep = time.monotonic() + _SWEEPING
        self._delivery = Delivery(settings, database)
        self._projected, self._next_look = settings.crs.projected, 0.0
        self.tasks: tuple[Callable[[], object], ...] = (
            self.keep_time, self._delivery.run, self.sweep, self.keep_hot_spots,
        )  # fmt: skip

    def keep_time(self) -> int:
        """Do what the clock of the cases is to do by now; returns how many acts."""
        done = 0
        while True:
            with self._database.transaction(principal=CLOCK_PRINCIPAL) as conn:
                acts = escalate(conn, self._options, database_now(conn)) if has_cases(conn) else []
            done += len(acts)
            if not acts:
                return done

    def keep_hot_spots(self) -> int:
        """Now and then bring the layer case-hot-spots up to date; returns how many grids changed."""
        if time.monotonic() < self._next_look:
            return 0
        self._next_look = time.monotonic() + _LOOKING
        with self._database.transaction(principal=KEEPER) as conn:
            return refresh(conn, self._options.evaluation.hot_spot_days, self._projected, database_now(conn))

    def sweep(self) -> None:
        """Now and then remove files of reports that failed, and keys of writes that nobody sends again."""
        if time.monotonic() < self._next_sweep:
            return
        self._next_sweep = time.monotonic() + _SWEEPING
        with self._database.transaction(principal=CLOCK_PRINCIPAL) as conn:
            conn.execute(
                text("DELETE FROM citymap.idempotency WHERE at < now() - :hours * interval '1 hour'"),
                {"hours": _KEY_HOURS},
            )
            forget_old(conn, self._keep_days)
        self.remove_orphans()

    def remove_orphans(self, hours: float = _ORPHAN_HOURS) -> int:
        """Remove photo files of that age [h] which belong to no case; returns how many."""
        files = dict(photos_older_than(self._options.photos.directory, 3600 * hours))
        for photo in self._known(list(files)):
            files.pop(photo, None)
        for path in files.values():
            path.unlink(missing_ok=True)
        return len(files)

    def _known(self, photos: list[UUID]) -> list[UUID]:
        with self._database.transaction(principal=CLOCK_PRINCIPAL) as conn:
            known = text("SELECT grid.known_photos(CAST(:ids AS uuid[]))")
            found = conn.execute(known, {"ids": [str(one) for one in photos]}).scalar()
        return [UUID(str(one)) for one in found or ()]
