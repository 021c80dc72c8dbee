"""The process that finds cameras which may show a case."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection, text

from grid.cases.queries import read_case, require_cases
from grid.inputs import CaseCode
from layers.processing import process
from layers.registry import find_layer


@dataclass(frozen=True, slots=True)
class CameraNear:
    """A camera: how far from the case [m], in which direction the case lies from it [° from north], and whether it is
    within its view and reach (None where the camera does not say).

    ``position`` is longitude and latitude [°].
    """

    id: int
    code: str | None
    name: str | None
    status: str | None
    distance: float
    bearing: float
    sees: bool | None
    position: tuple[float, float]


_NEAR = text("""
    SELECT id, code, name, status, round(d::numeric, 1)::float8, round(b::numeric, 1)::float8,
           CASE WHEN reach IS NULL OR direction IS NULL OR view_angle IS NULL THEN NULL
                ELSE d <= reach AND abs(mod((b - direction + 540)::numeric, 360) - 180) <= view_angle / 2 END,
           ST_X(p), ST_Y(p)
    FROM (SELECT c.*, ST_Transform(c.geom, 4490) AS p FROM city.cameras c) c,
         (SELECT geom AS g FROM city.cases WHERE code = :code) w,
         LATERAL (SELECT ST_Distance(c.p::geography, w.g::geography) AS d,
                         coalesce(degrees(ST_Azimuth(c.p::geography, w.g::geography)), 0) AS b) m
    WHERE c.geom && grid.around(w.g, :metres) AND d <= :metres
    ORDER BY 7 DESC NULLS LAST, d, id LIMIT 50""")


@process(keywords=("视频监控 cameras", "案卷 case"), example={"case": "20261122-000001", "metres": 200})
def cameras_near_case(
    conn: Connection, case: CaseCode, metres: Annotated[float, Field(gt=0, le=2000)] = 200.0
) -> tuple[CameraNear, ...]:
    """案卷周边视频 | Cameras near a case

    案卷附近的视频监控，能拍到案卷位置的在前。 | Cameras near a case, those first that look at it.

    case: 案卷编号 | Case number
    metres: 距离 [m] | Distance [m]
    returns: 视频监控 | The cameras
    """
    require_cases(conn)
    for layer in ("cases", "cameras"):
        find_layer(conn, layer)
    found = read_case(conn, case)
    rows = conn.execute(_NEAR, {"code": found.case.code, "metres": metres}).all()
    return tuple(CameraNear(*tuple(row)[:7], (row[7], row[8])) for row in rows)  # type: ignore[call-arg]
