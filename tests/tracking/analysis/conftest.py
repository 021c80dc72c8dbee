"""The road network of the sample city, made without a database."""

import pytest
import shapely

from layers.network.edges import edges_of
from layers.network.graph import Network
from layers.sample_city import generate


def sample_network(buildings: int = 2000) -> Network:
    roads = next(frame for layer, frame in generate(buildings, 1, None) if layer == "roads")
    columns = zip(
        shapely.to_wkb(roads["geom"].to_numpy()), roads["name"], roads["name_en"], roads["class"], roads["oneway"],
        roads["maxspeed"], roads["source_id"], strict=True,
    )  # fmt: skip
    return Network(edges_of([(n, *row) for n, row in enumerate(columns, start=1)]))


@pytest.fixture(scope="session")
def streets() -> Network:
    return sample_network()
