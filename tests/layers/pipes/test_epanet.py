"""EPANET's files as wntr reads them."""

from pathlib import Path

import pytest
import wntr

from layers.importing.errors import UnreadableFile
from layers.pipes.epanet import read_epanet
from tests.layers.pipes.conftest import epanet_file


@pytest.mark.parametrize("name", ["Net3", "Net6", "ky4", "ky10"])
@pytest.mark.filterwarnings("ignore")
def test_nodes_pipes_and_units_are_those_that_wntr_reads(name: str) -> None:
    path = epanet_file(name)
    ours, theirs = read_epanet(path), wntr.network.WaterNetworkModel(str(path))
    nodes = {node.id: node for node in ours.nodes}
    assert {n for n in nodes if not n.startswith(("pump-", "valve-"))} == set(theirs.node_name_list)
    for junction_name, junction in theirs.junctions():
        node = nodes[junction_name]
        assert node.fitting == "joint"
        assert node.level == pytest.approx(junction.elevation, abs=1e-6)
        assert node.demand == pytest.approx(
            sum(d.base_value for d in junction.demand_timeseries_list) * 86400, rel=1e-7
        )
        assert node.place == pytest.approx(junction.coordinates)
    assert {n for n, node in nodes.items() if node.fitting == "source"} == set(theirs.reservoir_name_list)
    assert {n for n, node in nodes.items() if node.fitting == "tank"} == set(theirs.tank_name_list)
    pipes = {pipe.id: pipe for pipe in ours.pipes}
    for pipe_name, pipe in theirs.pipes():
        closed = str(pipe.initial_status) == "Closed"
        ends = (pipes[f"{pipe_name}.a"], pipes[f"{pipe_name}.b"]) if closed else (pipes[pipe_name], pipes[pipe_name])
        assert (ends[0].start, ends[1].end) == (pipe.start_node_name, pipe.end_node_name)
        assert ends[0].diameter == pytest.approx(pipe.diameter * 1000, abs=1e-6)
        assert ends[0].flow == int(pipe.check_valve)
        if closed:
            assert nodes[f"valve-{pipe_name}"].closed
    for kind, links in (("pump", theirs.pumps()), ("valve", theirs.valves())):
        for link_name, link in links:
            assert nodes[f"{kind}-{link_name}"].fitting == kind
            assert (pipes[f"{link_name}.a"].start, pipes[f"{link_name}.b"].end) == (
                link.start_node_name,
                link.end_node_name,
            )
    assert not ours.without_place and not ours.dropped


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[TITLE]\nhello", "no [COORDINATES] or no [PIPES]"),
        ("[JUNCTIONS]\n a high\n[PIPES]\n p a a 1 1 1\n[COORDINATES]\n a 1 2", "line 2, word 2 is no number: 'a high'"),
        ("[PIPES]\n p a b 1 x 1\n[COORDINATES]\n a 1 2\n b 2 2", "line 2, word 5"),
        ("[OPTIONS]\nUNITS BUCKETS\n[PIPES]\n p a b\n[COORDINATES]\n a 1 2", "the flow units BUCKETS are unknown"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "x.inp"
    path.write_text(content)
    with pytest.raises(UnreadableFile) as caught:
        read_epanet(path)
    assert says in str(caught.value)


def test_metric_units_multiplier_and_missing_places(tmp_path: Path) -> None:
    path = tmp_path / "m.inp"
    path.write_text(
        "[JUNCTIONS]\n a 12.5 2 ;note\n b 11 1\n lost 9 0\n[DEMANDS]\n b 3\n b 4\n[PIPES]\n p a b 100 200 100 0 CV\n"
        " q a lost 1 100 1\n[OPTIONS]\nUnits LPS\nDemand Multiplier 2\n[COORDINATES]\n a 0 0\n b 10 0\n[VERTICES]\n p 5 5\n"
    )
    found = read_epanet(path)
    nodes = {node.id: node for node in found.nodes}
    assert (nodes["a"].level, nodes["a"].demand, nodes["b"].demand) == (12.5, 2 * 86.4 * 2, 7 * 86.4 * 2)
    [only] = found.pipes
    assert (only.diameter, only.flow, only.line) == (200.0, 1, ((0, 0), (5, 5), (10, 0)))
    assert (found.without_place, found.dropped) == (["lost"], ["q"])
