"""Control lines that are drawn as lines: crossed, run along, or too near."""

from datetime import date

import pytest
import shapely
from sqlalchemy import Connection, text

from planning.check.answers import Checked
from planning.check.check import Wishes, check
from planning.check.pieces import Tolerance
from planning.check.subject import Subject
from planning.indices.neighbours import sides_of
from planning.plan.land_codes import LandCode
from planning.survey.zones import Zone

X, Y = 586_400.0, 3_364_800.0
PARCEL = shapely.box(X, Y, X + 80, Y + 60)


def draw(conn: Connection, kind: str, *points: tuple[float, float], status: str = "approved") -> None:
    line = shapely.LineString([(X + x, Y + y) for x, y in points])
    conn.execute(
        text("""INSERT INTO city.open_control_lines (geom, kind, code, plan, version, status, approved_on)
                VALUES (ST_Multi(ST_Transform(ST_GeomFromText(:wkt, 4547), 4490)), :kind, :kind, '规划', '2024', :status,
                    '2024-01-01')"""),
        {"wkt": line.wkt, "kind": kind, "status": status},
    )


def subject() -> Subject:
    return Subject(PARCEL, Zone(38), LandCode("2023", "0901"), date(2026, 1, 1), Tolerance())


def lines(conn: Connection) -> dict[tuple[str, str], tuple[float, float]]:
    found: Checked = check(conn, None, subject(), Wishes())
    return {(c.kind, c.rule): (c.length, c.area) for c in found.conflicts if c.subject == "open-control-lines"}


def test_a_line_that_crosses_is_told_with_its_length(conn: Connection) -> None:
    draw(conn, "purple", (20, -10), (20, 70))
    draw(conn, "green", (-5, 30), (30, 30), (30, -5))
    assert lines(conn) == {
        ("purple", "must-not-overlap"): (60.0, 0.0),
        ("green", "must-not-overlap"): (60.0, 0.0),
    }


def test_a_line_along_the_edge_or_beside_it_crosses_nothing(conn: Connection) -> None:
    draw(conn, "road", (80, -10), (80, 70))
    draw(conn, "green", (0.03, -10), (0.03, 70))  # as near as two surveys of one boundary
    draw(conn, "purple", (90, -10), (90, 70))
    draw(conn, "orange", (40, -10), (40, 70), status="draft")
    assert lines(conn) == {}
    assert [side.neighbour for side in sides_of(conn, subject())].count("road") == 1


def test_the_distance_of_a_rule_is_kept_from_a_line_too(conn: Connection) -> None:
    """Rows of pipes and wires: 15 m on both sides of a yellow line that runs 5 m outside the parcel."""
    draw(conn, "yellow", (-200, -5), (200, -5))
    found = lines(conn)
    assert found == {("yellow", "keep-distance"): (0.0, pytest.approx(80 * 10, abs=0.05))}
