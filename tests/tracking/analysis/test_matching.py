"""Map matching: on drives whose truth is known, beside another matcher, and each part against a slow plain one."""

from itertools import pairwise, product

import numpy as np
import pytest

from layers.network.graph import Network
from layers.network.position import Places
from layers.network.search import costs
from tests.layers.network.drawn import network, road
from tests.tracking.analysis.leuven import Leuven
from tests.tracking.driven import drive
from tracking.analysis.matching.candidates import candidates
from tracking.analysis.matching.matching import match
from tracking.analysis.matching.model import Assumptions, Matched
from tracking.analysis.matching.telling import driven_roads, way_lines
from tracking.analysis.matching.transitions import DETOUR, Roads, ways
from tracking.analysis.matching.viterbi import Viterbi
from tracking.analysis.plane import steps


@pytest.mark.parametrize(("every", "noise", "least"), [(1.0, 5.0, 0.94), (10.0, 5.0, 0.94), (10.0, 12.0, 0.88)])
def test_as_right_as_leuven_on_drives_with_known_truth(
    streets: Network, every: float, noise: float, least: float
) -> None:
    count = 4 if every < 5 else 2  # a second's drive meets few junctions
    drives = [drive(streets, seed, fixes=200, every=every, noise=noise) for seed in range(count)]
    judge = Leuven(streets, drives)
    found = [match(streets, one.time, one.lon, one.lat, Assumptions(accuracy=noise)) for one in drives]
    ours = np.mean([ours.edge == one.edge for ours, one in zip(found, drives, strict=True)])
    theirs = np.mean([judge.roads(one, noise) == one.edge for one in drives])
    assert ours >= max(theirs, least)
    assert theirs > 0.7  # it was asked as it wants to be asked


@pytest.mark.parametrize(("every", "noise"), [(1.0, 3.0), (15.0, 8.0)])
def test_way_is_the_one_that_was_driven(streets: Network, every: float, noise: float) -> None:
    """Newson and Krumm's measure: metres that were driven and not found, and found but not driven, by metres driven."""
    wrong = driven = 0.0
    for seed in range(4):
        one = drive(streets, seed, fixes=300, every=every, noise=noise)
        found = match(streets, one.time, one.lon, one.lat, Assumptions(accuracy=max(noise, 5.0)))
        true, matched = {p.edge: p.length for p in one.pieces[1:-1]}, set(found.piece_edge.tolist())
        ends = {one.pieces[0].edge, one.pieces[-1].edge}
        wrong += sum(length for edge, length in true.items() if edge not in matched)
        extra = np.isin(found.piece_edge, [*true, *ends], invert=True)
        wrong += float(found.length[extra].sum())
        driven += sum(p.length for p in one.pieces)
    assert wrong / driven < 0.05


def test_pieces_follow_each_other_in_permitted_directions(streets: Network) -> None:
    one = drive(streets, 7, fixes=400, every=10, noise=8)
    found = match(streets, one.time, one.lon, one.lat, Assumptions())
    graph = streets.graph("drive", "length")
    along, against = graph.mode.directions(streets.edges)
    for n in np.flatnonzero(found.length > 30):  # shorter ones may fall back by the noise
        forward = found.piece_end[n] > found.piece_start[n]
        assert (along if forward else against)[found.piece_edge[n]]
    ends = np.column_stack([found.piece_edge, found.piece_start, found.piece_end])
    for before, after in pairwise(ends.tolist()):
        if before[0] == after[0]:
            assert after[1] == pytest.approx(before[2], abs=1e-6)
        else:
            assert node(streets, int(before[0]), before[2]) == node(streets, int(after[0]), after[1])
    assert found.chains == 1
    [drawn] = way_lines(streets.edges, found)
    places = np.array(drawn.coordinates)
    assert steps(*places.T).sum() == pytest.approx(found.length.sum(), rel=1e-4)
    assert sum(road[4] for road in driven_roads(streets.edges, found, one.time)) == pytest.approx(
        found.length.sum(), rel=1e-4
    )


def node(streets: Network, edge: int, along: float) -> int:
    assert along == pytest.approx(0, abs=1e-6) or along == pytest.approx(streets.length[edge], abs=1e-6)
    return int((streets.topology.head if along > 1e-6 else streets.topology.tail)[edge])


@pytest.mark.parametrize("apart", [80.0, 900.0], ids=["kept ways", "far ways"])
def test_ways_are_as_long_as_dijkstra_says(streets: Network, apart: float) -> None:
    chance = np.random.default_rng(3)
    one = drive(streets, 5, fixes=40, every=apart / 10, noise=10)
    roads = Roads(streets, "drive")
    near = candidates(roads.graph, one.lon, one.lat, 50, 4)
    tail = chance.integers(0, len(near.fix), 150)
    ahead = np.minimum(near.fix[tail] + 1, len(one.lon) - 1)
    head = near.start[ahead] + chance.integers(0, 10, 150) % np.diff(near.start)[ahead]
    straight = np.hypot((one.lon[near.fix[tail]] - one.lon[ahead]) * 0.8625, one.lat[near.fix[tail]] - one.lat[ahead])
    straight *= 111_195
    found = ways(roads, near, tail, head, straight, jitter=0.0)
    places = Places(near.edge, near.along, np.full(len(near.edge), -1), near.lonlat, near.distance)
    judged = np.array(
        [costs(roads.graph, places.only(a), places.only(b))[0, 0] for a, b in zip(tail, head, strict=True)]
    )
    judged[judged > straight + DETOUR] = np.inf
    assert np.isfinite(judged).sum() > 20
    assert found.metres == pytest.approx(judged, abs=1e-6)


def test_most_probable_sequence_is_that_of_all() -> None:
    chance = np.random.default_rng(1)
    for _ in range(20):
        emission = chance.normal(0, 3, (5, 3))
        steps_ = chance.normal(0, 3, (5, 3, 3))
        emission[chance.random((5, 3)) < 0.15] = -np.inf
        search = Viterbi()
        search.go_on(emission[:2], steps_[:2])
        search.go_on(emission[2:], steps_[2:])
        chosen, begins = search.chosen()
        if begins.sum() > 1:
            continue

        def worth(path: tuple[int, ...], emission: "np.ndarray" = emission, steps_: "np.ndarray" = steps_) -> float:
            moves = sum(steps_[n, a, b] for n, (a, b) in enumerate(pairwise(path), start=1))
            return float(emission[np.arange(5), path].sum() + moves)

        best = max(product(range(3), repeat=5), key=worth)
        assert worth(tuple(chosen.tolist())) == pytest.approx(worth(best))


def test_silence_or_a_gap_in_the_roads_breaks_the_way() -> None:
    """Two streets that nothing joins; a fix in the fields between."""
    apart = network(road((0, 0), (10, 0)), road((30, 0), (40, 0)))
    x = np.array([1.0, 3.0, 5.0, 20.0, 32.0, 34.0, 36.0, 38.0])
    lon, lat = 114.9 + x / 1000, np.full(8, 30.40005)
    time = 1.8e9 + np.array([0, 10, 20, 30, 40, 50, 1000, 1010.0])
    found = match(apart, time, lon, lat, Assumptions())
    assert found.edge.tolist() == [0, 0, 0, -1, 1, 1, 1, 1]
    assert np.flatnonzero(found.begins).tolist() == [0, 4, 6]
    assert len(list(way_lines(apart.edges, found))) == found.chains == 3
    assert found.distance[0] == pytest.approx(5.55, abs=0.05)


def test_one_way_street_is_not_driven_backwards() -> None:
    """Eastwards by the street that leads there, although the other one is nearer."""
    streets = network(road((0, 0), (10, 0), oneway=-1), road((0, 0.2), (10, 0.2), oneway=1))
    x = np.arange(0.5, 10, 0.5)
    lon, lat = 114.9 + x / 1000, np.full(len(x), 30.4 + 0.00009)
    forwards = match(streets, 1.8e9 + np.arange(len(x)) * 5.0, lon, lat, Assumptions())
    backwards = match(streets, 1.8e9 + np.arange(len(x)) * 5.0, lon[::-1], lat, Assumptions())
    assert set(forwards.edge.tolist()) == {1}
    assert set(backwards.edge.tolist()) == {0}


def test_without_roads_nothing_is_matched() -> None:
    for streets in (network(), network(road((0, 0), (10, 0)))):
        found = match(streets, np.arange(3.0), np.full(3, 10.0), np.full(3, 50.0), Assumptions())
        assert isinstance(found, Matched)
        assert (found.edge == -1).all()
        assert found.length.sum() == 0
