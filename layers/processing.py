"""What a spatial process is: a plain typed function, and what it may ask for beside its inputs.

A package lists its functions in its ``processes.py``, each marked by :func:`process`::

    @process(edits=False)
    def locate_grid(conn: Connection, lon: float, lat: float) -> GridCell:
        '''定位网格 | Locate the grid cell

        点所在的单元网格。 | The unit grid cell that a point lies in.

        lon: 经度 [°] | Longitude [°]
        lat: 纬度 [°] | Latitude [°]
        returns: 单元网格 | The cell
        '''

The server derives everything else: the id ``locate-grid``, texts from the docstring (Chinese, `` | ``, English; first
line the title, then the description, then a line per input and ``returns``), and JSON Schemas from the type hints.
Parameters of these types are no inputs but are handed in: :class:`sqlalchemy.Connection` (one transaction, committed
when the function ends well), :class:`Job`, :class:`Workspace`, :class:`CityCrs`, :class:`CityMaps`,
:class:`OtherProcesses`, :class:`layers.raster.store.RasterStore`. An :class:`UploadedFile` is an input
whose value is the id of an upload. A function returns values that Pydantic can write as JSON, or a :class:`FileResult`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NewType, Protocol

from layers.catalogue import Text
from layers.coordinates.local_grid import LocalGrid, OldDatum, SevenParameters

#: A directory of the execution's own, where a :class:`FileResult` is written.
Workspace = NewType("Workspace", Path)


class JobCancelled(Exception):
    """The execution was dismissed, or took longer than allowed; its transaction is rolled back."""


class Job(Protocol):
    """The execution as its function sees it."""

    def progress(self, percent: float, message: Text | None = None) -> None:
        """Tell how far the work is [%]. Raises :class:`JobCancelled`, so that a function that tells is cancellable."""

    def cancelled(self) -> bool:
        """Whether the work should stop."""


class OtherProcesses(Protocol):
    """How a process uses another domain's: by its id, within the same transaction and with the caller's rights.

    Siblings know nothing of each other but the processes that every client knows.
    """

    def run(self, process: str, inputs: Mapping[str, Any]) -> Any:
        """Its result as JSON values. Raises what the process raises, and refuses whoever may not execute it."""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that a client uploaded; ``path`` carries the client's name for it, made harmless."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class FileResult:
    """A result that is a file in the :class:`Workspace`; ``name`` is what a browser saves it as."""

    path: Path
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class CityCrs:
    """CRSs by EPSG code: ``projected`` measures lengths and areas [m], ``offered`` are those that answers may have.

    ``grids`` are the city's own coordinate systems by name, ``towgs84`` its seven parameters of old datums.
    """

    projected: int
    offered: frozenset[int]
    grids: Mapping[str, LocalGrid] = field(default_factory=dict)
    towgs84: Mapping[OldDatum, SevenParameters] = field(default_factory=dict)


class Leaflet(NamedTuple):
    """Leaflet as texts that can stand in a page: its script, and its style with the pictures in it."""

    script: str
    style: str


class CityMaps(Protocol):
    """The server's own maps, as the principal may see them; ``url`` is the address of the city."""

    url: str

    def leaflet(self) -> Leaflet:
        """The library for a page that loads nothing."""

    def draw(
        self,
        bounds: tuple[float, float, float, float],
        srid: int,
        size: tuple[int, int],
        layers: Sequence[str],
        language: str,
    ) -> bytes:
        """A PNG of the base map and ``layers`` over it; bounds (west, south, east, north) of EPSG ``srid``, size
        (columns, rows). Layers that there are not, and those whose reading is audited, are left out."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a function says about its execution: whether it ``edits`` (an account is needed), may run while the client
    waits (``sync``), and an ``example`` of its inputs."""

    edits: bool
    sync: bool
    keywords: tuple[str, ...]
    example: dict[str, Any] | None


def process[F: Callable[..., Any]](
    *, edits: bool = False, sync: bool = True, keywords: tuple[str, ...] = (), example: dict[str, Any] | None = None
) -> Callable[[F], F]:
    """Mark a function as a process that clients may execute."""

    def mark(function: F) -> F:
        function.__process__ = Declaration(edits, sync, keywords, example)  # type: ignore[attr-defined]
        return function

    return mark
