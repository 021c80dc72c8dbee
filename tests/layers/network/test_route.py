"""Ways on drawn streets: one-way streets, modes, via points, and what a driver is told."""

import numpy as np
import pyproj
import pytest

from layers.network.errors import NoRoute
from layers.network.graph import Network
from layers.network.position import snap
from layers.network.route import Leg, route
from layers.network.turn_words import turn_of
from tests.layers.network.drawn import Spot, lonlat, metres, network, road


def way(net: Network, *spots: Spot, mode: str = "drive", by: str = "length") -> list[Leg]:
    graph = net.graph(mode, by)  # type: ignore[arg-type]
    return route(graph, snap(graph, [lonlat(*spot) for spot in spots]))


def spots(leg: Leg) -> list[tuple[float, float]]:
    return [(round((lon - 114.9) * 1000, 3), round((lat - 30.4) * 1000, 3)) for lon, lat in leg.line.tolist()]


def test_line_runs_from_place_to_place_in_the_direction_of_travel() -> None:
    """The first street is drawn against the way, the second along it."""
    net = network(road((3, 0), (1, 0), (0, 0)), road((3, 0), (3, 4)))
    [leg] = way(net, (0.5, 0.1), (3, 2))
    assert spots(leg) == [(0.5, 0), (1, 0), (3, 0), (3, 2)]
    expected = pyproj.Geod(ellps="GRS80").line_length(*leg.line.T)
    assert leg.length == pytest.approx(expected, abs=0.01)
    assert leg.seconds == pytest.approx(leg.length / (20 / 3.6))


def test_fastest_way_is_not_the_shortest_and_obeys_speed_limits() -> None:
    direct = road((0, 0), (4, 0), kind="primary", maxspeed=20.0)
    detour = road((0, 0), (2, 1), (4, 0), kind="primary")
    net = network(direct, detour)
    [shortest], [fastest] = way(net, (0, 0), (4, 0)), way(net, (0, 0), (4, 0), by="time")
    assert spots(shortest) == [(0, 0), (4, 0)]
    assert spots(fastest) == [(0, 0), (2, 1), (4, 0)]
    assert shortest.seconds == pytest.approx(metres((0, 0), (4, 0)) / (20 / 3.6))
    assert fastest.seconds == pytest.approx(metres((0, 0), (2, 1), (4, 0)) / (50 / 3.6))


def test_one_way_street_is_driven_round_and_walked_through() -> None:
    net = network(road((0, 0), (4, 0), oneway=-1), road((0, 0), (2, 1), (4, 0)))
    assert spots(way(net, (0, 0), (4, 0))[0]) == [(0, 0), (2, 1), (4, 0)]
    assert spots(way(net, (4, 0), (0, 0))[0]) == [(4, 0), (0, 0)]
    assert spots(way(net, (0, 0), (4, 0), mode="walk")[0]) == [(0, 0), (4, 0)]


def test_place_behind_on_a_one_way_street_is_reached_round_the_block() -> None:
    net = network(road((0, 0), (4, 0), oneway=1), road((4, 0), (4, 2), (0, 2), (0, 0), oneway=1))
    assert spots(way(net, (1, 0), (3, 0))[0]) == [(1, 0), (3, 0)]
    [leg] = way(net, (3, 0), (1, 0))
    assert spots(leg) == [(3, 0), (4, 0), (4, 2), (0, 2), (0, 0), (1, 0)]


def test_footway_is_for_walkers_only() -> None:
    net = network(road((0, 0), (4, 0), kind="footway"), road((0, 0), (2, 3), (4, 0)))
    assert spots(way(net, (0, 0), (4, 0), mode="walk")[0]) == [(0, 0), (4, 0)]
    assert spots(way(net, (0, 0), (4, 0))[0]) == [(0, 0), (2, 3), (4, 0)]


def test_via_points_are_passed_in_order() -> None:
    net = network(road((0, 0), (4, 0)), road((4, 0), (4, 4)), road((0, 0), (0, 4)))
    legs = way(net, (0, 2), (4, 2), (1, 0))
    assert [spots(leg)[0] for leg in legs] == [(0, 2), (4, 2)]
    assert spots(legs[1])[-1] == (1, 0)
    assert [leg.steps[-1].instruction.en for leg in legs] == ["Arrive at via point 1", "Arrive at the destination"]


def test_unreachable_point_is_named() -> None:
    net = network(road((0, 0), (1, 0)), road((0, 3), (1, 3)))
    with pytest.raises(NoRoute, match="'points': no road leads from number 1 to number 2"):
        way(net, (0, 0), (0, 3))


def test_same_place_twice_is_a_way_without_length() -> None:
    net = network(road((0, 0), (2, 0)))
    for spot in ((0, 0), (1, 0)):
        [leg] = way(net, spot, spot)
        assert (leg.length, leg.seconds, leg.steps[-1].turn) == (0.0, 0.0, "arrive")
        assert leg.line.shape == (2, 2)


def test_loop_road_is_taken_the_short_way_round() -> None:
    net = network(road((0, 0), (2, 0)), road((2, 0), (2, 2), (4, 2), (4, 0), (2, 0)))
    assert spots(way(net, (0, 0), (4, 1))[0]) == [(0, 0), (2, 0), (4, 0), (4, 1)]
    assert spots(way(net, (3, 2), (0, 0))[0]) == [(3, 2), (2, 2), (2, 0), (0, 0)]


def test_steps_say_what_to_do_in_both_languages() -> None:
    net = network(
        road((0, 0), (0, 2), name="凤凰路", name_en="Phoenix Road"),
        road((0, 2), (3, 2), name="滨湖大道", name_en="Lakeside Avenue"),
        road((3, 2), (5, 2), name="滨湖大道", name_en="Lakeside Avenue"),
        road((5, 2), (5, 0), kind="service"),
    )
    [leg] = way(net, (0, 0), (5, 1))
    assert [(step.turn, step.instruction.zh, step.instruction.en) for step in leg.steps] == [
        ("depart", "沿凤凰路向北出发", "Head north on Phoenix Road"),
        ("right", "右转，进入滨湖大道", "Turn right onto Lakeside Avenue"),
        ("right", "右转，进入无名内部路", "Turn right onto the unnamed service road"),
        ("arrive", "到达终点", "Arrive at the destination"),
    ]
    assert leg.steps[1].length == pytest.approx(metres((0, 2), (5, 2)), rel=1e-6)
    assert sum(step.length for step in leg.steps) == pytest.approx(leg.length)
    assert sum(step.seconds for step in leg.steps) == pytest.approx(leg.seconds)
    assert (leg.steps[1].lon, leg.steps[1].lat) == pytest.approx(lonlat(0, 2))


def test_bend_of_the_same_road_is_told_only_where_there_is_a_choice() -> None:
    bend = [road((0, 0), (0, 2), name="湖滨路"), road((0, 2), (2, 2), name="湖滨路")]
    assert [step.turn for step in way(network(*bend), (0, 0), (2, 2))[0].steps] == ["depart", "arrive"]
    fork = network(*bend, road((0, 2), (0, 4), name="北路"))
    steps = way(fork, (0, 0), (2, 2))[0].steps
    assert [step.instruction.zh for step in steps[:2]] == ["沿湖滨路向北出发", "右转，继续沿湖滨路行驶"]


@pytest.mark.parametrize(
    ("angle", "turn"),
    [(0, "straight"), (-19, "straight"), (45, "slight-right"), (-45, "slight-left"), (90, "right"), (-90, "left"),
     (150, "sharp-right"), (-150, "sharp-left"), (170, "u-turn"), (-180, "u-turn")],
)  # fmt: skip
def test_turns_are_named_by_their_angle(angle: float, turn: str) -> None:
    assert turn_of(angle) == turn


def test_roads_of_malta_make_lines_as_long_as_they_say(malta_network: Network) -> None:
    graph = malta_network.graph("drive", "time")
    geod = pyproj.Geod(ellps="GRS80")
    random = np.random.default_rng(11)
    found = 0
    for _ in range(20):
        ends = malta_network.edges.lonlat[random.integers(0, len(malta_network.edges.lonlat), 2)]
        try:
            [leg] = route(graph, snap(graph, [(lon, lat) for lon, lat in ends.tolist()]))
        except NoRoute:
            continue
        found += 1
        assert leg.length == pytest.approx(geod.line_length(*leg.line.T), abs=0.02)
        assert sum(step.length for step in leg.steps) == pytest.approx(leg.length)
        assert 0 < leg.length / leg.seconds < 100 / 3.6
    assert found > 8
