"""Processes of social grids: reports by text message, coverage of visits."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from grid.errors import GridError
from grid.inputs import Digits, LongWords, Storable
from grid.options import GridOptions
from grid.reporting.processes import Report
from grid.reporting.queries import enter_report
from grid.social.messages import matching_class, parse
from grid.social.queries import GridCoverage, classes_of
from grid.social.queries import visit_coverage as coverage
from layers.gazetteer.geocoding import geocode
from layers.gazetteer.model import LAYERS
from layers.processing import process
from layers.registry import find_layer, load_layers, note_reads

#: An answer of the gazetteer below this score is no place to send somebody to.
_LEAST_SCORE = 0.6


@process(
    edits=True,
    keywords=("短信 text message", "上报 report"),
    example={"text": "上报 暴露垃圾 武昌大道12号 路边有垃圾", "phone": "13800000001"},
)
def report_by_text(
    conn: Connection,
    options: GridOptions,
    text: LongWords,
    phone: Annotated[str, Field(pattern=r"^[+0-9][0-9 -]{4,19}$"), Storable] | None = None,
) -> Report:
    """短信上报 | Report by text message

    短信网关把收到的“上报 类别 地点 描述”交来；地点按地名地址查找。 | A gateway for text messages hands over what it
    got; the place is looked up by name or address.

    text: 短信 | The message
    phone: 发送人电话 | The sender's telephone
    returns: 上报结果 | What became of it
    """
    said = parse(text)
    scheme = options.reports.event_scheme
    known = matching_class(said.class_name, classes_of(conn, scheme))
    layers = load_layers(conn)
    note_reads(conn, *(layers[name] for name in LAYERS if name in layers))
    found = geocode(conn, layers, said.place, 1)
    if not found or found[0].score < _LEAST_SCORE:
        raise GridError(f"找不到地点：{said.place[:40]}", f"there is no place {said.place[:40]!r}")
    at = found[0].point
    became = enter_report(
        conn,
        {
            "lon": at.lon, "lat": at.lat, "kind": known.kind, "scheme": scheme, "class": known.code,
            "description": said.description or text, "accuracy": None, "channel": "sms", "reporter_name": None,
            "reporter_phone": phone,
        },
        separate=False,
    )  # fmt: skip
    return Report(
        became["code"], became["id"], became["revision"], became["state"], became["duplicate_of"], became["title"],
        became["place"], became["grid"], became["social_grid"], became["area_code"], None, None, became["worker"], (),
    )  # fmt: skip


@process(
    keywords=("走访 visits", "覆盖率 coverage"),
    example={"area": "429701001001", "begin": "2026-11-01T00:00:00+08:00", "end": "2026-12-01T00:00:00+08:00"},
)
def visit_coverage(conn: Connection, area: Digits, begin: datetime, end: datetime) -> tuple[GridCoverage, ...]:
    """走访覆盖率 | Coverage of visits

    一段时间内各网格实访户数、户数与隐患。 | Households visited of all, and dangers found, grid by grid in a period.

    area: 区划代码 | Division code
    begin: 起；含 | Begin; inclusive
    end: 止；不含 | End; exclusive
    returns: 各网格 | Grid by grid
    """
    if begin.tzinfo is None or end.tzinfo is None or begin >= end:
        raise GridError("起止时间须带时区，且起早于止", "begin and end need a time zone, and begin comes first")
    for layer in ("visits", "grid-cells"):
        find_layer(conn, layer)
    return coverage(conn, area, begin, end)
