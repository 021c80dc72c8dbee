"""Publishes notices: features of the public layer ``notices``, each with its period."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

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
    """What a notice says, and its first and last day. ``scheme``: whose proposed buildings are shown with it."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    begins: date
    ends: date
    contact: Annotated[str, Field(max_length=500)] = ""
    scheme: Annotated[str, Field(max_length=100)] = ""


def publish(conn: Connection, options: PlanningOptions, line: RedLine, publicity: Publicity) -> str:
    """Put a red line before the public; returns the notice's number. Raises :class:`PlanningError` for a short term."""
    shape = shapely.multipolygons([parcel.degrees for parcel in line.parcels])
    return publish_area(conn, options, "red-line", shape, publicity, line.number)


def publish_area(
    conn: Connection, options: PlanningOptions, kind: str, shape: Any, publicity: Publicity, redline: str | None = None
) -> str:
    """Put ground (shapely MultiPolygon in degrees) before the public; returns the notice's number.

    Raises :class:`PlanningError` for a short term, or a scheme that has no buildings.
    """
    _require_term(options, publicity)
    number = next_number(conn, options, SERIES, options.today())
    entered = conn.execute(
        text("""INSERT INTO city.notices (geom, number, title, kind, text, redline, begins, ends, contact)
                VALUES (ST_GeomFromWKB(:geom, 4490), :number, :title, :kind, :text, :redline, :begins, :ends,
                    :contact) RETURNING id"""),
        {
            "geom": shapely.to_wkb(shape), "number": number, "title": publicity.title, "text": publicity.text,
            "kind": kind, "redline": redline, "begins": publicity.begins, "ends": publicity.ends,
            "contact": publicity.contact,
        },
    ).scalar()  # fmt: skip
    if entered is None:
        raise RowDenied("notices are not yours to publish")
    if publicity.scheme:
        _show_buildings(conn, number, publicity.scheme, redline)
    return number


def _require_term(options: PlanningOptions, publicity: Publicity) -> None:
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


def _show_buildings(conn: Connection, notice: str, scheme: str, redline: str | None) -> None:
    """What is proposed, as it is now: whoever draws on does not change what was put before the public."""
    shown = conn.execute(
        text("""INSERT INTO city.notice_buildings (geom, name, use, height, min_height, floors, notice)
                SELECT geom, name, use, coalesce(height, floors * 3.0), min_height, floors, :notice
                FROM city.scheme_buildings WHERE scheme = :scheme
                  AND redline IS NOT DISTINCT FROM coalesce(CAST(:redline AS text), redline)"""),
        {"notice": notice, "scheme": scheme, "redline": redline},
    ).rowcount
    if not shown:
        raise PlanningError(f"方案 {scheme} 没有拟建建筑", f"scheme {scheme!r} has no proposed buildings")
