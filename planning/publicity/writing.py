"""Publishes notices: features of the public layer ``notices``, each with its period."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import shapely
from pydantic import Field
from sqlalchemy import Connection, text

from layers.features import RowDenied
from planning.errors import PlanningError
from planning.options import PlanningOptions
from planning.redline.reading import RedLine
from planning.redline.writing import next_number

SERIES = "示"


@dataclass(frozen=True, slots=True)
class Publicity:
    """What a notice says, and its first and last day."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    begins: date
    ends: date
    contact: Annotated[str, Field(max_length=500)] = ""


def publish(conn: Connection, options: PlanningOptions, line: RedLine, publicity: Publicity) -> str:
    """Put a red line before the public; returns the notice's number. Raises :class:`PlanningError` for a short term."""
    today, least = options.today(), publicity.begins + timedelta(days=options.notice_days - 1)
    if publicity.begins < today:
        raise PlanningError(
            f"公示不能从过去的日期（{publicity.begins}）开始", f"a publicity cannot begin on {publicity.begins}"
        )
    if publicity.ends < least:
        raise PlanningError(
            f"公示期至少 {options.notice_days} 天，应到 {least} 或以后",
            f"a publicity lasts {options.notice_days} days at least, to {least} or later",
        )
    number = next_number(conn, options, SERIES, today)
    shape = shapely.multipolygons([parcel.degrees for parcel in line.parcels])
    entered = conn.execute(
        text("""INSERT INTO city.notices (geom, number, title, kind, text, redline, begins, ends, contact)
                VALUES (ST_GeomFromWKB(:geom, 4490), :number, :title, 'red-line', :text, :redline, :begins, :ends,
                    :contact) RETURNING id"""),
        {
            "geom": shapely.to_wkb(shape), "number": number, "title": publicity.title, "text": publicity.text,
            "redline": line.number, "begins": publicity.begins, "ends": publicity.ends, "contact": publicity.contact,
        },
    ).scalar()  # fmt: skip
    if entered is None:
        raise RowDenied("notices are not yours to publish")
    return number
