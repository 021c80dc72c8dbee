"""San José's storm drains from its shapefiles (feet and inches, dirty values), by a mapping of columns."""

import zipfile
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pyogrio
import pytest
from sqlalchemy import Connection

from layers.importing.errors import ImportRefused
from layers.importing.source import ReadOptions
from layers.pipes.column import Column
from layers.pipes.current import current_pipes
from layers.pipes.importing import import_epanet, import_survey
from layers.pipes.trace import Start, trace
from tests.layers.pipes.conftest import UTILITIES, epanet_file

#: A part of the city in EPSG:2227 [ft]: some thousand drains.
PART = (6_150_000, 1_930_000, 6_166_000, 1_946_000)
MAINS = {
    "source_id": Column("STM-{STM_MN_ID}"),
    "kind": Column(value="YS"),
    "from_node": Column("{UP_STR_TYP}-{UP_STR_ID}"),
    "to_node": Column("{DN_STR_TYP}-{DN_STR_ID}"),
    "start_invert": Column("UP_STR_INV", "us-ft", empty=(0.0, -9.0, 9999.0)),
    "end_invert": Column("DN_STR_INV", "us-ft", empty=(0.0, -9.0, 9999.0)),
    "diameter": Column("DIAMETER", "in", empty=(0.0,)),
    "material": Column("MATERIAL"),
    "status": Column("STATUS", codes={"EXISTING": "in_use", "ABANDONED": "abandoned"}),
}
MANHOLES = {
    "source_id": Column("Manhole-{STM_MH_ID}"),
    "kind": Column(value="YS"),
    "fitting": Column(value="manhole"),
    "ground": Column("RIM_ELEV", "us-ft", empty=(0.0,)),
    "bottom": Column("LOW_INV_EL", "us-ft", empty=(0.0,)),
}


def part_of(name: str, directory: Path) -> tuple[Path, Any]:
    """That part of a shapefile, zipped anew, and as pyogrio reads it."""
    source = UTILITIES / "sanjose" / f"{name}.zip"
    if not source.exists():
        pytest.skip(f"../shared/data/06_utilities_zoning/sanjose/{name}.zip is absent")
    frame = pyogrio.read_dataframe(f"/vsizip/{source}", bbox=PART)
    pyogrio.write_dataframe(frame, directory / f"{name}.shp", driver="ESRI Shapefile", encoding="UTF-8")
    path = directory / f"{name}-part.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in directory.glob(f"{name}.*"):
            archive.write(file, file.name)
    return path, frame


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_storm_drains_hang_together_and_run_as_the_shapefiles_say(conn: Connection, tmp_path: Path) -> None:
    mains_file, mains = part_of("Storm_Main", tmp_path)
    manholes_file, manholes = part_of("Storm_Manhole", tmp_path)
    report = import_survey(conn, mains_file, "pipelines", MAINS, ReadOptions(), "update")
    assert report.source_crs == "EPSG:2227"
    manholes["LOW_INV_EL"] = pd.to_numeric(manholes["LOW_INV_EL"], errors="coerce")
    manholes = manholes.drop_duplicates("STM_MH_ID").dropna(subset=["STM_MH_ID"])
    for column in ("DIAMETER", "UP_STR_INV", "DN_STR_INV"):  # texts in the file
        mains[column] = pd.to_numeric(mains[column], errors="coerce")
    mains = mains.drop_duplicates("STM_MN_ID")  # some numbers stand twice: the first counts
    assert len(mains) - report.rejected_count <= report.inserted <= len(mains) > 500
    import_survey(conn, manholes_file, "pipe-nodes", MANHOLES, ReadOptions(), "update")
    net = current_pipes(conn)

    rows = {name: row for row, name in enumerate(net.pipes["source_id"])}
    some = mains[mains["STM_MN_ID"].map(lambda n: f"STM-{n}" in rows)]
    index = [rows[f"STM-{n}"] for n in some["STM_MN_ID"]]
    inches = some["DIAMETER"].where(some["DIAMETER"] != 0)
    np.testing.assert_allclose(net.pipes["diameter"][index], inches * 25.4, atol=1e-3)
    np.testing.assert_allclose(net.length[index], some.to_crs(26910).length, rtol=1e-3, atol=0.05)

    graph = plain_graph(some, manholes)
    draw = np.random.default_rng(4)
    for name in draw.choice(some["STM_MN_ID"].to_numpy(), 15, replace=False):
        key = f"STM-{name}"
        tail, head = next((a, b) for a, b, k in graph.edges(keys=True) if k == key)
        for way, expected in (
            ("downstream", {k for _, _, k in graph.out_edges({head} | nx.descendants(graph, head), keys=True)}),
            ("upstream", {k for _, _, k in graph.in_edges({tail} | nx.ancestors(graph, tail), keys=True)}),
        ):
            found = trace(net, Start(pipe=rows[key], along=1.0), way)  # type: ignore[arg-type]
            assert set(net.pipes["source_id"][found.pipes]) == expected | {key}


def plain_graph(mains: Any, manholes: Any) -> nx.MultiDiGraph:
    """Each drain in use from its higher to its lower end, by what the files say, feature by feature; ends without a
    number are what lies within 5 cm of them."""
    bottoms = {f"Manhole-{int(n)}": z for n, z in zip(manholes["STM_MH_ID"], manholes["LOW_INV_EL"], strict=True) if z}
    ends: dict[str, Any] = {
        f"Manhole-{int(n)}": p for n, p in zip(manholes["STM_MH_ID"], manholes.to_crs(26910).geometry, strict=True)
    }
    spots = [(name, (point.x, point.y)) for name, point in ends.items()]
    drains = []
    for main, line in zip(mains.itertuples(), mains.to_crs(26910).geometry, strict=True):
        names = []
        for kind, number, spot in (
            (main.UP_STR_TYP, main.UP_STR_ID, line.coords[0]), (main.DN_STR_TYP, main.DN_STR_ID, line.coords[-1])
        ):  # fmt: skip
            told = not pd.isna(kind) and not pd.isna(number)
            names.append(f"{kind}-{int(number)}" if told else f"?{main.STM_MN_ID}-{len(names)}")
            spots.append((names[-1], spot[:2]))
        drains.append((main, names))
    same = nx.Graph()
    same.add_nodes_from(name for name, _ in spots)
    places = np.array([spot for _, spot in spots])
    for name, spot in spots:
        if name.startswith("?"):
            for i in np.flatnonzero(np.hypot(*(places - spot).T) <= 0.05):
                same.add_edge(name, spots[i][0])
    node = {name: min(group) for group in nx.connected_components(same) for name in group}
    graph = nx.MultiDiGraph()
    for main, (up, down) in drains:
        if main.STATUS == "ABANDONED":
            continue
        high, low = level(main.UP_STR_INV, up, same, bottoms), level(main.DN_STR_INV, down, same, bottoms)
        climbs = high is not None and low is not None and high - low <= -0.001
        graph.add_edge(*((node[down], node[up]) if climbs else (node[up], node[down])), key=f"STM-{main.STM_MN_ID}")
    return graph


def level(invert: Any, name: str, same: nx.Graph, bottoms: dict[str, Any]) -> float | None:
    """An end's invert [m], else the bottom of the manhole that it is."""
    if not pd.isna(invert) and invert not in (0, -9, 9999):
        return round(invert * 1200 / 3937, 4)
    here = [bottoms[n] for n in nx.node_connected_component(same, name) if n in bottoms and not pd.isna(bottoms[n])]
    return round(here[-1] * 1200 / 3937, 4) if here else None


def test_epanet_fills_both_layers_in_the_right_place(conn: Connection) -> None:
    pipes, nodes = import_epanet(conn, epanet_file("ky4"), "EPSG:3089", prefix="ky4-")
    assert (pipes.rejected_count, nodes.rejected_count) == (0, 0)
    net = current_pipes(conn)
    assert len(net.pipes) == pipes.inserted and net.feeds.any()
    west, south, east, north = np.vstack([net.topology.place.min(axis=0), net.topology.place.max(axis=0)]).ravel()
    assert -90 < west < east < -81 and 36 < south < north < 40  # Kentucky
    assert set(net.pipes["from_node"]) <= set(net.nodes["source_id"])


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"colour": Column("MATERIAL")}, "has no field 'colour'"),
        ({"material": Column("STUFF")}, "the file has no column 'STUFF'"),
        ({"material": Column("{A}-{MATERIAL}")}, "the file has no column 'A'"),
        ({"material": Column("MATERIAL", "ft")}, "field 'material' is no length"),
    ],
)
def test_a_wrong_mapping_is_named_and_changes_nothing(
    conn: Connection, tmp_path: Path, mapping: dict[str, Column], says: str
) -> None:
    path = tmp_path / "mains.csv"
    path.write_text("x,y,MATERIAL\n114.9,30.4,PVC\n")
    with pytest.raises(ImportRefused) as caught:
        import_survey(conn, path, "pipelines", mapping, ReadOptions(crs="EPSG:4490"))
    assert says in str(caught.value)
    assert len(current_pipes(conn).pipes) == 0
