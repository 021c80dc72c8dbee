"""Service areas on drawn streets and on Malta: cut where the cost is used up, and the ground beside."""

import numpy as np
import pyproj
import pytest
import shapely
from sqlalchemy import Connection, text

from layers.network.errors import NetworkError
from layers.network.graph import Network
from layers.network.ground import ground
from layers.network.position import nearest, snap
from layers.network.search import costs
from layers.network.service_area import lines, service_area
from tests.layers.network.drawn import lonlat, metres, network, road


def test_roads_are_cut_where_the_limit_is_used_up() -> None:
    net = network(road((-5, 0), (0, 0)), road((0, 0), (3, 0)), road((0, 3), (0, 0)), road((0, 0), (0, -0.5)))
    graph = net.graph("walk", "length")
    found = service_area(graph, snap(graph, [lonlat(-1, 0)]), metres((-1, 0), (0, 0)) + 100)
    reach = metres((-1, 0), (0, 0)) + 100
    short = metres((0, 0), (0, -0.5))
    assert found.length == pytest.approx(reach + metres((-1, 0), (0, 0)) + 100 + 100 + short, abs=0.01)


def test_one_way_street_is_reached_in_its_direction_only() -> None:
    net = network(road((0, 0), (2, 0), oneway=1), road((0, 0), (0, 2)), road((0, 0), (-2, 0), oneway=-1))
    graph = net.graph("drive", "length")
    place = snap(graph, [lonlat(0, 0)])
    assert service_area(graph, place, 50).length == pytest.approx(100)
    assert service_area(graph, place, 50, towards=True).length == pytest.approx(100)
    middle = snap(graph, [lonlat(1, 0)])
    assert service_area(graph, middle, 50).length == pytest.approx(50)
    assert service_area(graph, middle, 50, towards=True).length == pytest.approx(50)


def test_road_reached_from_both_ends_counts_once() -> None:
    net = network(road((0, 0), (2, 0)), road((0, 0), (1, 1), (2, 0)))
    graph = net.graph("drive", "length")
    everything = metres((0, 0), (2, 0)) + metres((0, 0), (1, 1), (2, 0))
    for spot in ((0, 0), (1, 0), (0.4, 0)):
        found = service_area(graph, snap(graph, [lonlat(*spot)]), everything)
        assert found.length == pytest.approx(everything)
        assert len(found.edge) == 2


def test_every_cut_of_malta_costs_exactly_the_limit(malta_network: Network) -> None:
    graph = malta_network.graph("drive", "time")
    place = snap(graph, [(14.5, 35.88)])
    for towards in (False, True):
        found = service_area(graph, place, 240.0, towards=towards)
        whole = (found.start <= 0) & (found.end >= malta_network.length[found.edge])
        cut = np.flatnonzero(~whole)
        assert len(cut) > 50
        ends = []
        drawn = lines(graph, found)[-len(cut) :]
        for row, line in zip(cut, drawn, strict=True):
            start, end = found.start[row], found.end[row]
            if start > 0:
                ends.append(line[0])
            if end < malta_network.length[found.edge[row]]:
                ends.append(line[-1])
        there = nearest(graph, [(lon, lat) for lon, lat in np.array(ends).tolist()])
        cost = costs(graph, there, place)[:, 0] if towards else costs(graph, place, there)[0]
        exact = np.abs(cost - 240.0) < 0.01
        assert exact.mean() > 0.9  # the others' ends lie where another road crosses above or below, or ends
        assert cost[~exact].max(initial=0) < 240.01


def test_ground_holds_the_roads_and_reaches_as_far_as_told(malta: Connection, malta_network: Network) -> None:
    """The outline's distance from the roads, measured by PostGIS on the spheroid."""
    graph = malta_network.graph("drive", "time")
    found = service_area(graph, snap(graph, [(14.5, 35.88)]), 300.0)
    drawn = lines(graph, found)
    shape = ground(drawn, 60.0)
    assert shape.is_valid
    roads = shapely.multilinestrings([shapely.LineString(line) for line in drawn])
    assert shapely.covers(shape, roads)
    outline = shapely.points(shapely.get_coordinates(shape))[::20]
    sql = text(
        "SELECT ST_Distance(CAST(ST_GeomFromWKB(:road, 4490) AS geography), CAST(ST_GeomFromWKB(p, 4490) AS geography))"
        " FROM unnest(CAST(:points AS bytea[])) AS p"
    )
    distances = malta.execute(sql, {"road": roads.wkb, "points": [p.wkb for p in outline]}).scalars().all()
    assert len(distances) > 20
    assert np.percentile(distances, 5) > 59
    assert np.median(distances) == pytest.approx(60, abs=0.2)
    assert max(distances) < 60 + 20 / 2**0.5  # a gap narrower than a cell is closed


def test_nothing_reached_is_no_ground() -> None:
    graph = network(road((0, 0), (1, 0), oneway=1)).graph("drive", "length")
    found = service_area(graph, snap(graph, [lonlat(1, 0)]), 50)
    assert found.length == 0
    assert ground(lines(graph, found), 50.0).is_empty


def test_ground_is_the_union_of_buffers(malta_network: Network) -> None:
    """GEOS's buffers with round corners of 64 sides, on a plane where 14.5° east is true to scale."""
    graph = malta_network.graph("drive", "time")
    drawn = lines(graph, service_area(graph, snap(graph, [(14.5, 35.88)]), 200.0))
    plane = pyproj.Transformer.from_crs(4490, "+proj=tmerc +lat_0=35.88 +lon_0=14.5 +ellps=GRS80", always_xy=True)
    buffers = [shapely.LineString(np.column_stack(plane.transform(*line.T))).buffer(80, quad_segs=16) for line in drawn]
    expected = shapely.union_all(buffers)
    shape = shapely.transform(ground(drawn, 80.0), lambda xy: np.column_stack(plane.transform(*xy.T)))
    assert shape.is_valid
    assert shapely.area(shapely.symmetric_difference(shape, expected)) < 0.01 * expected.area


def test_ground_too_narrow_for_its_extent_is_refused() -> None:
    far = [np.array([lonlat(0, 0), lonlat(1, 0)]), np.array([lonlat(1500, 1500), lonlat(1501, 1500)])]
    with pytest.raises(NetworkError, match=r"input 'beside': 5 m is too narrow for so wide an area; at least \d\d"):
        ground(far, 5.0)
    assert not ground(far, 500.0).is_empty
