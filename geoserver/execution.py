"""One execution of a process: its transaction, its files, and how it is told to stop. Server and workers share it."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from geoserver.other_processes import Others
from geoserver.own_layers import OWN_LAYERS
from geoserver.process_adapter import Process
from geoserver.process_maps import ProcessMaps
from geoserver.proxies.upstream import Upstreams
from geoserver.settings import Settings
from geoserver.uploads import Uploads
from grid.options import GridOptions
from layers.access import Principal
from layers.catalogue import Text
from layers.database import Database
from layers.exchange.proxies.model import Upstream
from layers.features import set_statement_timeout
from layers.processing import CityCrs, CityMaps, Job, JobCancelled, OtherProcesses, Workspace
from layers.raster.store import RasterStore
from layers.stewardship.model import CityLayers
from planning.options import PlanningOptions
from tiles.archives.site import TileSite
from tiles.matrix_sets import load_sets

#: Least time between two reports of progress [s]: a loader may tell thousands of times a second.
_REPORT_EVERY = 0.5


class Execution:
    """The :class:`layers.processing.Job` that a function sees; :meth:`cancel` may come from any thread."""

    def __init__(self, report: Callable[[float, Text | None], None] | None = None) -> None:
        self._report = report
        self._reported = 0.0
        self._cancelled = threading.Event()
        self._finishing = False
        self._lock = threading.Lock()
        self._connection: Any = None

    def progress(self, percent: float, message: Text | None = None) -> None:
        """See :meth:`layers.processing.Job.progress`."""
        if self._cancelled.is_set():
            raise JobCancelled
        now = time.monotonic()
        if self._report and now - self._reported >= _REPORT_EVERY:
            self._reported = now
            self._report(percent, message)

    def cancelled(self) -> bool:
        """Whether the work should stop."""
        return self._cancelled.is_set()

    def cancel(self) -> bool:
        """Stop the work: its statement in the database now, the function at its next report of progress.

        False when the function has ended already: then its work is being committed.
        """
        with self._lock:
            if self._finishing:
                return False
            self._cancelled.set()
            if self._connection is not None:
                self._connection.cancel()
            return True

    def finish(self) -> None:
        """The function has ended. Raises :class:`JobCancelled` if it was stopped; afterwards nothing stops it."""
        with self._lock:
            if self._cancelled.is_set():
                raise JobCancelled
            self._finishing = True

    def works_on(self, connection: Any) -> None:
        """Remember the driver's connection whose statement :meth:`cancel` interrupts; None when it is given back."""
        with self._lock:
            self._connection = connection
            if connection is not None and self._cancelled.is_set():
                raise JobCancelled


class Executor:
    """Runs processes on one city's database."""

    def __init__(self, settings: Settings, database: Database, uploads: Uploads) -> None:
        self.settings = settings
        self._database = database
        self._uploads = uploads
        self.rasters = RasterStore(Path(settings.rasters.directory))
        self._crs = settings.crs.for_processes()
        self._upstreams = Upstreams(settings.outbound)
        self._grid = settings.grid.for_processes()
        self._planning = settings.planning.for_processes()
        tiles = settings.tiles
        self._tiles = TileSite(database, load_sets(tiles.matrix_sets), tiles.directory, tiles.disk_mb)

    def run(
        self,
        process: Process,
        values: Mapping[str, Any],
        principal: Principal,
        execution: Execution,
        workspace: Path,
        seconds: float,
        finish: Callable[[Connection, Any], None],
        begin: Callable[[Connection], None] | None = None,
    ) -> Any:
        """Call the function with checked inputs; ``begin`` comes before it, and ``finish`` gets its result, within the
        same transaction.

        ``seconds`` bounds each statement [s]. Raises what the function raises, and :class:`JobCancelled` when it was
        stopped, whatever error the stop became on its way.
        """
        try:
            with ExitStack() as opened:
                ready = process.with_uploads(
                    values, lambda upload: opened.enter_context(self._uploads.opened(upload, principal.account))
                )
                conn = opened.enter_context(self._database.transaction(principal=principal))
                execution.works_on(conn.connection.driver_connection)
                opened.callback(execution.works_on, None)
                set_statement_timeout(conn, seconds)
                if begin:
                    begin(conn)
                # The database notices a killed worker also in the middle of a statement, and rolls back.
                conn.execute(text("SET LOCAL client_connection_check_interval = '2s'"))
                conn.execute(text("SET LOCAL max_parallel_workers_per_gather = 2"))
                handed_in: dict[Any, Any] = {
                    Connection: conn,
                    Job: execution,
                    Workspace: Workspace(workspace),
                    CityCrs: self._crs,
                    CityLayers: OWN_LAYERS,
                    CityMaps: ProcessMaps(conn, principal, self.settings, self.rasters),
                    RasterStore: self.rasters,
                    Principal: principal,
                    GridOptions: self._grid,
                    PlanningOptions: self._planning,
                    TileSite: self._tiles,
                    Upstream: self._upstreams,
                }
                handed_in[OtherProcesses] = Others(principal, handed_in)
                result = process.call(ready, handed_in)
                execution.finish()
                finish(conn, result)
                return result
        except Exception as error:
            if execution.cancelled() and not isinstance(error, JobCancelled):
                raise JobCancelled from error
            raise

