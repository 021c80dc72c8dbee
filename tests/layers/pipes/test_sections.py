"""Sections, cover and clearance of drawn pipes, against figures by hand and PostGIS."""

import base64
import random
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import shapely
from affine import Affine
from sqlalchemy import Connection, text

from layers.pipes.errors import NoSuchPipe, PipeError
from layers.pipes.section_processes import pipe_clearance, pipe_section
from layers.pipes.standards import read_standards
from layers.processing import CityCrs
from layers.raster.store import RasterStore
from layers.terrain.geojson import Line, Polygon
from tests.layers.pipes.drawn import lonlat, node, pipe
from tests.layers.pipes.stored import store as put
from tests.layers.terrain.grids import write
from tests.layers.terrain.test_processes import take

EZHOU = CityCrs(4547, frozenset({4547, 4490}))
GEOD = pyproj.Geod(ellps="GRS80")
ALL = Polygon("Polygon", (tuple(lonlat(x, y) for x, y in ((-9, -9), (9, -9), (9, 9), (-9, 9), (-9, -9))),))


@pytest.fixture
def store(tmp_path: Path) -> RasterStore:
    return RasterStore(tmp_path / "rasters")


def drain(conn: Connection) -> None:
    """Three manholes in a row, 96 m each; a water main crosses the second pipe at its middle."""
    put(
        conn,
        pipe((0, 0), (1, 0), kind="YS", from_node="a", to_node="b", start_invert=8.0, end_invert=7.5, diameter=800.0),
        pipe((2, 0), (1, 0), kind="YS", from_node="c", to_node="b", start_invert=6.9, end_invert=7.4, diameter=1000.0),
        pipe((1.5, -1), (1.5, 1), start_depth=1.0, end_depth=2.0, diameter=300.0),
        node("a", (0, 0), kind="YS", fitting="manhole", ground=10.0),
        node("b", (1, 0), kind="YS", fitting="manhole", ground=10.4),
        node("c", (2, 0), kind="YS", fitting="outfall", ground=9.0),
        node("s", (1.5, -1), ground=9.9),
        node("n", (1.5, 1), ground=9.5),
    )


def test_long_section_between_nodes_turns_pipes_and_tells_levels(conn: Connection, store: RasterStore) -> None:
    drain(conn)
    found = pipe_section(conn, store, EZHOU, from_node="a", to_node="c")
    length = GEOD.line_length(*zip(lonlat(0, 0), lonlat(1, 0), strict=True))
    assert found.length == pytest.approx(2 * length, abs=0.01)
    assert [(n.node, n.ground, n.bottom) for n in found.nodes] == [("a", 10.0, 8.0), ("b", 10.4, 7.4), ("c", 9.0, 6.9)]
    first, second = found.pipes
    assert (first.start_invert, first.end_invert, first.start_top, first.least_cover) == (8.0, 7.5, 8.8, 1.2)
    assert (second.start_invert, second.end_invert, second.end_top) == (7.4, 6.9, 7.9)
    assert second.slope == pytest.approx(0.5 / length * 1000, abs=0.001)
    assert found.ground_from == "nodes"
    [met] = found.crosses
    assert (met.kind, met.angle) == ("JP", 90.0)
    assert met.distance == pytest.approx(1.5 * length, abs=0.02)
    # Depth of a main is to its top: 9.9 - 1.0 at one end, 9.5 - 2.0 at the other, in the middle 8.2.
    assert met.top == pytest.approx(8.2, abs=0.002)
    assert met.invert == pytest.approx(7.9, abs=0.002)


def test_the_way_may_be_given_as_pipes_that_follow_each_other(conn: Connection, store: RasterStore) -> None:
    drain(conn)
    one, two, water = conn.execute(text("SELECT id FROM city.pipelines ORDER BY id")).scalars().all()
    by_pipes = pipe_section(conn, store, EZHOU, pipes=(one, two), drawing=None)
    assert by_pipes == pipe_section(conn, store, EZHOU, from_node="a", to_node="c", drawing=None)
    back = pipe_section(conn, store, EZHOU, pipes=(two, one), drawing=None)
    assert [n.node for n in back.nodes] == ["c", "b", "a"]
    with pytest.raises(PipeError, match=f"pipe {water} does not go on from pipe {one}"):
        pipe_section(conn, store, EZHOU, pipes=(one, water))
    with pytest.raises(NoSuchPipe, match="no way over pipes leads from node 'a' to 's'|no node 's'"):
        pipe_section(conn, store, EZHOU, from_node="a", to_node="s")
    with pytest.raises(PipeError, match="give one of"):
        pipe_section(conn, store, EZHOU, from_node="a")


def test_ground_is_the_elevation_where_there_is_one(conn: Connection, store: RasterStore, tmp_path: Path) -> None:
    """A plane rising by 1 in 100 to the east."""
    drain(conn)
    x, y = pyproj.Transformer.from_crs(4490, 4547, always_xy=True).transform(*lonlat(1, 0))
    heights = np.tile(10 + (np.arange(200) * 2.0 - 199) / 100, (200, 1))
    take(conn, store, write(tmp_path / "plane.tif", heights, Affine(2, 0, x - 200, 0, -2, y + 200), 4547))
    found = pipe_section(conn, store, EZHOU, from_node="a", to_node="c", step=20)
    assert found.ground_from == "dem"
    for point in found.ground:
        assert point.height == pytest.approx(10 + (point.distance - found.length / 2) / 100, abs=0.02)


def test_cross_section_cuts_what_postgis_says_it_cuts(conn: Connection, store: RasterStore) -> None:
    drain(conn)
    line = Line("LineString", (lonlat(0.5, -0.5), lonlat(0.6, 0.5), lonlat(1.8, -0.4)))
    found = pipe_section(conn, store, EZHOU, line=line, drawing="png")
    drawn = shapely.LineString(line.positions()).wkt
    rows = conn.execute(
        text(
            "SELECT id, ST_Length(ST_LineSubstring(l, 0, ST_LineLocatePoint(l, p))::geography),"
            " ST_X(p), ST_Y(p), ST_LineLocatePoint(geom, p) FROM (SELECT *, ST_GeomFromText(:l, 4490) AS l,"
            " (ST_Dump(ST_Intersection(geom, ST_GeomFromText(:l, 4490)))).geom AS p FROM city.pipelines) AS cut ORDER BY 2"
        ),
        {"l": drawn},
    ).all()
    assert [c.id for c in found.crosses] == [row[0] for row in rows]
    for ours, theirs in zip(found.crosses, rows, strict=True):
        assert ours.distance == pytest.approx(theirs[1], abs=0.05)
        assert (ours.longitude, ours.latitude) == pytest.approx((theirs[2], theirs[3]), abs=2e-7)
    first = found.crosses[0]
    assert first.invert == pytest.approx(8.0 - 0.5 * rows[0][4], abs=0.002)
    assert first.cover == pytest.approx(10 + 0.4 * rows[0][4] - first.top, abs=0.002)
    assert found.drawing is not None
    png = base64.b64decode(found.drawing.removeprefix("data:image/png;base64,"))
    assert png.startswith(b"\x89PNG") and len(png) > 5000


def test_drawing_is_svg_whose_names_cannot_break_out(conn: Connection, store: RasterStore) -> None:
    name = "<script>&\"'"
    put(conn, pipe((0, 0), (1, 0), kind="YS", from_node="a", to_node=name, start_invert=8.0, end_invert=7.5))
    found = pipe_section(conn, store, EZHOU, from_node="a", to_node=name)
    assert found.drawing is not None
    root = ElementTree.fromstring(found.drawing)
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any(name in words for words in texts)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def pairs(found: Any, sense: str) -> set[tuple[int, int]]:
    return {(c.pipe, c.other) for c in found.conflicts if c.sense == sense}


def test_clearances_are_those_of_a_plain_look_at_every_pair(conn: Connection, store: RasterStore) -> None:
    """Random pipes; PostGIS measures every pair on the plane of EPSG:4547, and the levels are reckoned anew."""
    draw = random.Random(8)
    rows = []
    for _ in range(70):
        x, y, along = draw.uniform(-0.5, 0.5), draw.uniform(-0.5, 0.5), draw.choice([(0.4, 0.0), (0.0, 0.4)])
        low = draw.uniform(6, 8)
        rows.append(
            pipe(
                (x, y), (x + along[0], y + along[1]), kind=draw.choice(["JP", "WS", "YS", "TR", "GD", "QQ"]),
                diameter=draw.choice([200.0, 600.0, 1200.0]), start_invert=low, end_invert=low - 0.3,
            )
        )  # fmt: skip
    put(conn, *rows)
    found = pipe_clearance(conn, store, EZHOU, ALL)
    clearance = {(a, b): (h, v) for a, b, h, v in conn.execute(text("SELECT * FROM citymap.pipe_clearances"))}
    major = dict(conn.execute(text("SELECT code, major FROM citymap.pipe_kinds")).all())
    everything = conn.execute(
        text(
            "SELECT a.id, b.id, a.kind, b.kind, a.diameter / 1000, b.diameter / 1000, ST_Distance(a.g, b.g),"
            " a.start_invert, b.start_invert, ST_LineLocatePoint(a.g, p), ST_LineLocatePoint(b.g, p)"
            " FROM (SELECT *, ST_Transform(geom, 4547) AS g FROM city.pipelines) AS a"
            " JOIN (SELECT *, ST_Transform(geom, 4547) AS g FROM city.pipelines) AS b ON a.id < b.id,"
            " ST_Centroid(ST_Intersection(a.g, b.g)) AS p"
        )
    ).all()
    horizontal, vertical = set(), set()
    for i, j, kind, other, wide, wide2, gap, low, low2, share, share2 in everything:
        asked = clearance.get((major[kind], major[other])) or clearance.get((major[other], major[kind])) or (None, None)
        if gap > 0 and asked[0] is not None and gap - wide / 2 - wide2 / 2 < asked[0] - 1e-4:
            horizontal.add((i, j))
        if gap == 0 and asked[1] is not None:
            bottom, bottom2 = low - 0.3 * share, low2 - 0.3 * share2
            if max(bottom - bottom2 - wide2, bottom2 - bottom - wide) < asked[1] - 1e-4:
                vertical.add((i, j))
    assert pairs(found, "horizontal") == horizontal and len(horizontal) > 5
    assert pairs(found, "vertical") == vertical and len(vertical) > 5
    assert found.checked == 70 and found.conflict_count == len(horizontal) + len(vertical)


def test_shallow_pipes_are_listed_and_those_without_levels_are_counted(conn: Connection, store: RasterStore) -> None:
    put(
        conn,
        pipe((0, 0), (1, 0), kind="TR", start_depth=0.95, end_depth=0.85, from_node="g", to_node="h"),
        pipe((0, 1), (1, 1), kind="JP", start_depth=0.7, end_depth=0.8, from_node="g", to_node="h", diameter=100.0),
        pipe((0, 2), (1, 2), kind="JP", start_depth=0.5),
        pipe(
            (0, 3), (1, 3), kind="JP", status="abandoned", start_depth=0.1, from_node="g", to_node="h", diameter=100.0
        ),
        node("g", (0, 0), ground=10.0),
        node("h", (1, 0), ground=10.0),
    )
    found = pipe_clearance(conn, store, EZHOU, ALL)
    # The size of the first is unknown, so is its bottom, but not the depth of its top.
    assert [(p.kind, p.least_cover, p.required) for p in found.shallow] == [("TR", 0.85, 0.9)]
    assert found.unknown_cover == 1


def test_an_answer_tells_while_the_limits_are_those_that_were_shipped(conn: Connection, store: RasterStore) -> None:
    assert pipe_clearance(conn, store, EZHOU, ALL).unverified == ("cover", "clearance")
    conn.execute(text("UPDATE citymap.pipe_kinds SET cover = 1.1 WHERE code = 'TR'"))
    assert read_standards(conn).unverified() == ("clearance",)
    conn.execute(text("UPDATE citymap.pipe_clearances SET vertical = 0.3 WHERE kind = 'JS' AND other = 'PS'"))
    assert read_standards(conn).unverified() == ()
