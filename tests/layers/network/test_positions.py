"""The nearest place on the network, against PostGIS's distances on the spheroid."""

import numpy as np
import pytest
import shapely
from sqlalchemy import Connection, text

from layers.network.errors import FarFromRoads
from layers.network.graph import Network
from layers.network.position import nearest, snap
from layers.network.search import cheapest
from layers.network.topology import TOLERANCE
from tests.layers.network.drawn import lonlat, metres, network, road


def test_nearest_place_is_postgis_nearest(malta: Connection, malta_network: Network) -> None:
    """PostGIS measures from point to line on the spheroid, over all drivable roads within a kilometre or more."""
    graph = malta_network.graph("drive")
    random = np.random.default_rng(5)
    vertices = malta_network.edges.lonlat
    points = vertices[random.integers(0, len(vertices), 60)] + random.normal(0, 3e-4, (60, 2))
    places = nearest(graph, [(lon, lat) for lon, lat in points.tolist()])
    sql = text(
        "SELECT id, ST_Distance(geom::geography, p) AS d FROM city.roads, CAST(ST_Point(:lon, :lat, 4490) AS geography) AS p"
        " WHERE class NOT IN ('cycleway', 'footway')"
        " AND geom && ST_Expand(ST_Point(:lon, :lat, 4490), 0.02) ORDER BY d LIMIT 1"
    )
    for i, (lon, lat) in enumerate(points.tolist()):
        feature, distance = malta.execute(sql, {"lon": lon, "lat": lat}).one()
        assert places.distance[i] == pytest.approx(distance, abs=0.001)
        if distance > 0.01:
            found = malta_network.edges.feature[places.edge[i]]
            own = malta.execute(
                text(
                    "SELECT ST_Distance(geom::geography, CAST(ST_Point(:lon, :lat, 4490) AS geography)) FROM city.roads WHERE id = :id"
                ),
                {"lon": lon, "lat": lat, "id": int(found)},
            ).scalar_one()
            assert found == feature or own == pytest.approx(distance, abs=0.001)


def test_lengths_of_malta_are_postgis_spheroidal_lengths(malta: Connection, malta_network: Network) -> None:
    rows = {id: length for id, length in malta.execute(text("SELECT id, ST_Length(geom::geography) FROM city.roads"))}
    edges = malta_network.edges
    assert len(edges) == len(rows)
    np.testing.assert_allclose(edges.length, [rows[int(id)] for id in edges.feature], rtol=1e-9, atol=1e-6)


def test_place_within_an_edge_is_where_its_length_says() -> None:
    graph = network(road((0, 0), (3, 0), (3, 4))).graph("drive", "length")
    [place] = [snap(graph, [lonlat(3.2, 1)])]
    assert place.lonlat[0] == pytest.approx(lonlat(3, 1), abs=1e-7)  # 1 cm
    assert place.along[0] == pytest.approx(metres((0, 0), (3, 0), (3, 1)), abs=0.01)
    assert place.distance[0] == pytest.approx(metres((3, 1), (3.2, 1)), rel=1e-6)


def test_nearest_is_by_metres_and_not_by_degrees() -> None:
    """At 60° north a degree of longitude is half as long: the road in the east is nearer."""
    far_north = 29.6 * 1000
    graph = network(
        road((1.5, far_north - 5), (1.5, far_north + 5)), road((-5, far_north + 1), (5, far_north + 1))
    ).graph()
    [edge] = nearest(graph, [lonlat(0, far_north)]).edge
    assert edge == 0


def test_point_far_from_every_road_is_refused_by_number() -> None:
    graph = network(road((0, 0), (3, 0))).graph()
    with pytest.raises(
        FarFromRoads, match=r"input 'points', number 2 .*: the nearest road is 2\d\d\d m away, more than 1000 m"
    ):
        snap(graph, [lonlat(0, 0), lonlat(0, 20)])


def test_mode_without_roads_is_refused() -> None:
    graph = network(road((0, 0), (3, 0), kind="footway")).graph("drive")
    with pytest.raises(FarFromRoads, match="no road that this mode may use"):
        snap(graph, [lonlat(0, 0)])


@pytest.mark.parametrize(("gap", "joined"), [(0.9 * TOLERANCE, True), (1.1 * TOLERANCE, False)])
def test_ends_meet_within_the_tolerance_only(gap: float, joined: bool) -> None:
    metre = 1 / metres((0, 0), (1, 0))
    net = network(road((0, 0), (1, 0)), road((1 + gap * metre, 0), (2, 0)))
    assert len(net.topology.nodes) == (3 if joined else 4)
    graph = net.graph("drive", "length")
    places = snap(graph, [lonlat(0, 0), lonlat(2, 0)])
    assert (cheapest(graph, places.only(0), places.only(1)) is not None) == joined


def test_bridge_over_a_road_is_no_junction() -> None:
    net = network(road((-1, 0), (1, 0)), road((0, -1), (0, 1)))
    assert len(net.topology.nodes) == 4
    assert all(shapely.is_valid(net.edges.lines))
