"""Real networks: EPANET's, and San José's storm and sanitary drains."""

from pathlib import Path

import pytest

from layers.pipes.epanet import EpanetNetwork, read_epanet
from layers.pipes.importing import _epanet_frames
from layers.pipes.network import PipeNetwork
from tests.layers.pipes.drawn import network_of

UTILITIES = Path(__file__).parents[4] / "shared/data/06_utilities_zoning"


def epanet_file(name: str) -> Path:
    path = UTILITIES / "epanet" / f"{name}.inp"
    if not path.exists():
        pytest.skip(f"../shared/data/06_utilities_zoning/epanet/{name}.inp is absent")
    return path


def network_from(found: EpanetNetwork) -> PipeNetwork:
    """The network in memory; its coordinates are taken for degrees, which only lengths would mind."""
    pipes, nodes = _epanet_frames(found, "JP", "", "test", "EPSG:4490")
    pipes.geometry = pipes.geometry.scale(1e-6, 1e-6, origin=(0, 0))
    nodes.geometry = nodes.geometry.scale(1e-6, 1e-6, origin=(0, 0))
    return network_of(pipes, nodes)


@pytest.fixture(scope="session")
def ky4() -> PipeNetwork:
    return network_from(read_epanet(epanet_file("ky4")))
