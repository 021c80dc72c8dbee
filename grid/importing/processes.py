"""The process that brings in another system's cases."""

import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import batched
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field
from sqlalchemy import Connection

from grid.cases.queries import require_cases
from grid.errors import GridError
from grid.importing.model import Line, Mapped, read_lines
from grid.importing.queries import enter_cases, known_ids, mark_repeats
from grid.options import GridOptions
from layers.coordinates.systems import find_system
from layers.importing.errors import UnknownCrs
from layers.processing import CityCrs, Job, UploadedFile, process
from layers.registry import find_layer

Name = Annotated[str, Field(min_length=1, max_length=80)]
Words = Annotated[dict[Name, Name], Field(max_length=500)]
#: Lines and bytes of one file, unpacked.
MOST_LINES, MOST_BYTES = 500_000, 400_000_000
_BATCH = 2000
#: Mistakes that are told.
_TOLD = 20


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that was left out, and why."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class ImportedCases:
    """What became of the lines: cases entered, known already by their ids, without position, wrong; and how many of the
    entered repeat another."""

    lines: int
    imported: int
    known: int
    unplaced: int
    wrong: int
    repeated: int
    mistakes: tuple[Mistake, ...]


@process(
    edits=True,
    keywords=("导入案卷 import of cases", "12345 热线 hotline", "311"),
    example={
        "upload": "00000000-0000-4000-8000-000000000000", "source": "12345", "columns": {
            "source_id": "工单编号", "reported_at": "来电时间", "closed_at": "办结时间", "lon": "经度", "lat": "纬度",
            "class": "事项分类", "description": "诉求内容", "status": "状态", "due": "办理期限"},
        "states": {"已办结": "closed", "办理中": "handling"},
    },
)  # fmt: skip
def import_cases(
    conn: Connection,
    job: Job,
    options: GridOptions,
    city: CityCrs,
    upload: UploadedFile,
    source: Name,
    columns: Annotated[dict[Name, Annotated[str, Field(min_length=1, max_length=400)]], Field(max_length=40)],
    states: Words | None = None,
    channels: Words | None = None,
    classes: Words | None = None,
    scheme: Name | None = None,
    time_formats: Annotated[tuple[Name, ...], Field(max_length=10)] = (),
    timezone: Name | None = None,
    crs: Name | None = None,
    encoding: Name = "utf-8-sig",
    due_is_day: bool = True,
    repeats: bool = True,
) -> ImportedCases:
    """导入案卷 | Import cases

    从其他系统（12345 热线、311 等）的 CSV 表导入案卷及其经过：定位到网格与区划，按其状态办结，标出重复；再次导入时
    跳过已有的。 | Cases of another system (a 12345 hotline's, a 311 system's) with their past, from a CSV table:
    located in grid and area, ended as the table says, repeated ones marked; those imported before are passed over.

    upload: 文件；/uploads 给出的编号，CSV 或 CSV.gz | The file; an id that /uploads gave, CSV or CSV.gz
    source: 来源名称；与来源编号一起识别案卷 | Name of the source; with the source's id it tells cases apart
    columns: 列；案卷字段与表中列名，a|b 取先有值的 | Columns; case field and column, a|b: the first not empty
    states: 状态；表中的词与案卷状态 | States; the table's words and the states of a case
    channels: 渠道；表中的词与来源渠道，其余为 import | Channels; the table's words and channels, import for the others
    classes: 类别；表中的词与类别代码，其余照旧 | Classes; the table's words and codes of classes, others stay
    scheme: 分类标准；缺省为来源名称 | Scheme of the classes; by default the name of the source
    time_formats: 时间格式；如 %Y/%m/%d %H:%M，缺省 ISO 8601 | Formats of times; such as %m/%d/%Y, by default ISO 8601
    timezone: 时区；缺省为城市的 | Time zone of times without offset; by default the city's
    crs: 坐标系；如 GCJ-02，缺省为 CGCS2000 | System of the positions; such as GCJ-02; by default CGCS2000
    encoding: 编码；如 gb18030 | Encoding; such as gb18030
    due_is_day: 期限为零点时指当日 | What is due at midnight is due by the end of that day
    repeats: 标出重复 | Mark cases that repeat another
    returns: 结果 | What became of the lines
    """
    require_cases(conn)
    find_layer(conn, "cases")
    zone = _zone(timezone or options.clock.timezone)
    mapped = Mapped(
        source, columns, zone, time_formats, states or {}, channels or {}, classes or {}, due_is_day=due_is_day
    )
    kept, entered, seen = _Kept(), list[int](), set[str]()
    with _opened(upload, encoding) as stream:
        for lines in batched(read_lines(stream, mapped, MOST_LINES), _BATCH):
            placed = kept.sorted_out(lines, city, crs)
            there = known_ids(conn, source, [case["source_id"] for case in placed]) | seen
            new = {case["source_id"]: case for case in reversed(placed) if case["source_id"] not in there}
            kept.known += len(placed) - len(new)
            seen |= new.keys()
            entered += enter_cases(conn, source, scheme or source, list(reversed(new.values())))
            job.progress(min(90.0, kept.lines / 200))
    marked = 0
    if repeats and entered:
        near = options.reports
        marked = mark_repeats(conn, entered, scheme or source, near.similar_metres, near.similar_hours)
    return ImportedCases(
        kept.lines, len(entered), kept.known, kept.unplaced, kept.wrong, marked, tuple(kept.mistakes[:_TOLD])
    )


@dataclass(slots=True)
class _Kept:
    """Counts of the lines so far, and the first mistakes."""

    lines: int = 0
    known: int = 0
    unplaced: int = 0
    wrong: int = 0
    mistakes: list[Mistake] = field(default_factory=list)

    def sorted_out(self, lines: Sequence[Line], city: CityCrs, crs: str | None) -> list[dict[str, Any]]:
        """The cases of these lines that have a position; all are counted."""
        placed, wrong = _placed([one for one in lines if one.case is not None], city, crs)
        wrong += [Mistake(one.number, one.wrong) for one in lines if one.wrong is not None]
        self.lines += len(lines)
        self.unplaced += sum(one.case is None and one.wrong is None for one in lines)
        self.wrong += len(wrong)
        if len(self.mistakes) < _TOLD:
            self.mistakes += sorted(wrong, key=lambda one: one.line)
        return placed


def _placed(lines: list[Line], city: CityCrs, crs: str | None) -> tuple[list[dict[str, Any]], list[Mistake]]:
    """The cases with longitude and latitude [°], and the lines whose position has none."""
    cases = [dict(one.case) for one in lines if one.case is not None]
    x, y = np.array([case["lon"] for case in cases]), np.array([case["lat"] for case in cases])
    if crs is not None and cases:
        try:
            x, y = (np.asarray(one) for one in find_system(crs, None, city.grids, city.towgs84).to_degrees(x, y)[:2])
        except UnknownCrs as error:
            raise GridError(error.text.zh, error.text.en) from None
    good = np.isfinite(x) & np.isfinite(y) & (np.abs(x) <= 180) & (np.abs(y) <= 90)
    kept = [{**case, "lon": float(lon), "lat": float(lat)}
            for case, lon, lat, fine in zip(cases, x, y, good, strict=True) if fine]  # fmt: skip
    name = crs or "CGCS2000"
    return kept, [
        Mistake(one.number, f"the position lies outside {name}")
        for one, fine in zip(lines, good, strict=True)
        if not fine
    ]


@contextmanager
def _opened(upload: UploadedFile, encoding: str) -> Iterator[Iterator[str]]:
    """The lines of the file as text. Raises :class:`GridError`."""
    try:
        with upload.path.open("rb") as packed:
            file = gzip.GzipFile(fileobj=packed) if upload.name.endswith(".gz") else packed
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise GridError("文件太大，请分成几个", f"the file is larger than {MOST_BYTES // 1_000_000} MB: split it")
        yield iter(io.StringIO(content.decode(encoding), newline=""))
    except LookupError:
        raise GridError(f"没有编码 {encoding}", f"there is no encoding {encoding!r}; try utf-8 or gb18030") from None
    except UnicodeDecodeError:
        raise GridError(
            f"文件不是 {encoding} 编码", f"the file is not {encoding}; name its encoding, such as gb18030"
        ) from None
    except (OSError, EOFError):
        raise GridError("不是 gzip 文件", "the file is no gzip") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise GridError(f"没有时区 {name}", f"there is no time zone {name!r}, such as Asia/Shanghai") from None
