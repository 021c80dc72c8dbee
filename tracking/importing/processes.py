"""The process that imports tracks."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection, text

from layers.catalogue import Text
from layers.processing import Job, UploadedFile, process
from tracking.commands import require_change
from tracking.gateway.board import CHANNEL
from tracking.inputs.track_files import Reading, Told, read_track_file
from tracking.inputs.values import InputRefused
from tracking.judging import may_keep, not_ahead
from tracking.model import Device, Stored
from tracking.storing import clear_stage, cursor_of, store
from tracking.tracks import DeviceNotFound, read_device

_Code = Annotated[str, Field(min_length=1, max_length=64)]
#: Rows of one file, of one statement, and of those left out that are named.
_MOST, _BATCH, _NAMED = 2_000_000, 20_000, 20


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A position of the file that was not stored, and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportedTrack:
    """What became of a file: positions read, stored, there already, and not stored; the first of these by name."""

    read: int
    stored: int
    present: int
    left_out: int
    reasons: tuple[LeftOut, ...]
    devices: dict[str, int]
    first: datetime | None
    last: datetime | None


@process(
    edits=True,
    keywords=("轨迹 track", "导入 import", "tracking"),
    example={"file": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "device": "13900000001"},
)
def import_track(
    conn: Connection,
    job: Job,
    file: UploadedFile,
    device: _Code | None = None,
    device_column: _Code | None = None,
    utc_offset: Annotated[float, Field(ge=-14, le=14)] = 8.0,
) -> ImportedTrack:
    """导入轨迹 | Import tracks

    读取 GPX、GeoJSON 或 CSV 轨迹文件，按设备存入定位记录；重复导入不会重复存储。 | Reads tracks in GPX, GeoJSON or CSV
    and stores them as positions of their devices; importing twice stores nothing twice.

    file: 文件；/uploads 给出的编号 | File; the id that /uploads gave
    device: 设备编号；整个文件属于它 | Device; whose the whole file is
    device_column: 设备列；给出设备编号的列、属性，GPX 为 name | Device column; a column, a property, or name of GPX
    utc_offset: 无时区的时间比 UTC 早的小时数 | Hours by which times without a zone are ahead of UTC
    returns: 导入结果 | What became of it
    """
    if (device is None) == (device_column is None):
        raise InputRefused("give either input 'device' or input 'device_column'")
    taken = _Taken(conn, device)
    readings = read_track_file(file.path, Told(device_column, utc_offset))
    for rows in _batches(taken.rows(readings)):
        with cursor_of(conn) as cursor:
            taken.stored += store(cursor, rows, taken.now)
            clear_stage(cursor)
        job.progress(50.0, Text(f"已读 {taken.read} 个位置", f"{taken.read} positions read"))
    if taken.stored:
        conn.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return taken.report()


@dataclass
class _Taken:
    """What has come of the file so far."""

    conn: Connection
    device: str | None
    now: float = field(default_factory=time.time)
    read: int = 0
    stored: int = 0
    wrong: int = 0
    reasons: list[LeftOut] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    first: float = float("inf")
    last: float = float("-inf")
    _known: dict[str, Device | str] = field(default_factory=dict)

    def rows(self, readings: Iterable[Reading]) -> Iterator[Stored]:
        """The positions that are to be stored. Raises :class:`InputRefused` for a file of too many."""
        for reading in readings:
            self.read += 1
            if self.read > _MOST:
                raise InputRefused(f"the file has more than {_MOST} positions: split it")
            row = self._row(reading)
            if isinstance(row, str):
                self._leave_out(reading.where, row)
                continue
            self.counts[row.device.code] += 1
            self.first, self.last = min(self.first, row.fix.time), max(self.last, row.fix.time)
            yield row

    def report(self) -> ImportedTrack:
        """What the client is told."""
        kept = sum(self.counts.values())
        first, last = (datetime.fromtimestamp(at, UTC) if kept else None for at in (self.first, self.last))
        return ImportedTrack(
            self.read, self.stored, kept - self.stored, self.wrong, tuple(self.reasons), dict(self.counts), first, last
        )

    def _row(self, reading: Reading) -> Stored | str:
        """What is to be stored, or why nothing is."""
        if reading.fix is None:
            return reading.reason or "it is no position"
        code = self.device if self.device is not None else reading.device
        if not code:
            return "it names no device"
        known = self._find(code)
        if isinstance(known, str):
            return known
        if not may_keep(known, reading.fix.time):
            return "the person was off duty"
        return Stored(known, not_ahead(reading.fix, self.now))

    def _find(self, code: str) -> Device | str:
        """Raises :class:`DeviceNotFound` for the one device that was named, :class:`layers.features.RowDenied`."""
        if code not in self._known:
            try:
                found = read_device(self.conn, code)
                require_change(self.conn, found)
                self._known[code] = found
            except DeviceNotFound as error:
                if self.device is not None:
                    raise
                self._known[code] = str(error)
        return self._known[code]

    def _leave_out(self, where: str, reason: str) -> None:
        self.wrong += 1
        if len(self.reasons) < _NAMED:
            self.reasons.append(LeftOut(where, reason))


def _batches(rows: Iterator[Stored]) -> Iterator[list[Stored]]:
    while some := list(islice(rows, _BATCH)):
        yield some
