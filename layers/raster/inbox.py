"""A watched folder: what is laid into ``<folder>/<coverage>/`` is imported there.

A file is taken when it has stopped growing. Beside it ``<file>.json`` may say what
:class:`~layers.raster.ingest.ImageOptions` calls the same; without one a date in the file's name (``dom_20240501.tif``)
is the time of acquisition. Afterwards it lies in ``done`` or, with the reason beside it, in ``refused``.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from layers.importing.errors import ImportRefused
from layers.raster.formats import holds_rasters
from layers.raster.ingest import ImageOptions

DONE, REFUSED = "done", "refused"
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_]?(\d\d)[-_]?(\d\d)(?!\d)")
_MOST_JSON = 64 * 1024


@dataclass(frozen=True, slots=True)
class Stamp:
    """Size [bytes] and time of change [ns] of a file: equal ones at two looks mean that nobody writes it."""

    size: int
    changed: int


class _Told(BaseModel):
    """What a ``.json`` beside a file may say."""

    model_config = ConfigDict(extra="forbid")

    acquired: datetime | None = None
    acquired_until: datetime | None = None
    name: str | None = None
    priority: int = 0
    bands: tuple[str, ...] = ()
    vertical_datum: str | None = None
    crs: str | None = None
    towgs84: tuple[float, ...] = ()
    replaces: int | None = None


def look(folder: Path) -> dict[Path, Stamp]:
    """The raster files that lie in the folders of coverages now."""
    found = {}
    for path in sorted(folder.glob("*/*")):
        with suppress(OSError):  # it may just have gone
            if path.is_file() and not path.is_symlink() and not path.name.startswith(".") and holds_rasters(path):
                state = path.stat()
                found[path] = Stamp(state.st_size, state.st_mtime_ns)
    return found


def settled(before: Mapping[Path, Stamp], now: Mapping[Path, Stamp]) -> list[Path]:
    """The files that did not change between two looks."""
    return [path for path, stamp in now.items() if stamp.size and before.get(path) == stamp]


def options_of(path: Path) -> ImageOptions:
    """What is said of a file beside it or in its name. Raises :class:`ImportRefused`."""
    beside = _beside(path)
    if not beside.is_file():
        return ImageOptions(acquired=_date_in(path.name))
    try:
        if beside.stat().st_size > _MOST_JSON:
            raise ImportRefused(f"{beside.name} 太大", f"{beside.name} is too large")
        told = _Told.model_validate_json(beside.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "JSON"
        raise ImportRefused(
            f"{beside.name} 有误：{where} {first['msg']}", f"{beside.name}: {where}: {first['msg']}"
        ) from error
    values = told.model_dump()
    for name in ("acquired", "acquired_until"):
        if values[name] is not None and values[name].tzinfo is None:
            values[name] = values[name].replace(tzinfo=UTC)
    return ImageOptions(**{**values, "acquired": values["acquired"] or _date_in(path.name)})


def put_away(path: Path, where: str, why: str | None = None) -> None:
    """Move a file, with what lies beside it, into ``done`` or ``refused``; ``why`` is written beside it."""
    target = path.parent / where
    target.mkdir(exist_ok=True)
    for file in (path, _beside(path)):
        if file.is_file():
            file.replace(target / file.name)
    if why is not None:
        (target / f"{path.name}.txt").write_text(why + "\n", "utf-8")


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _date_in(name: str) -> datetime | None:
    for match in _DATE.finditer(name):
        with suppress(ValueError):
            return datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC)
    return None
