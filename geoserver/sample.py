"""Makes the sample city in the database."""

from collections.abc import Callable
from itertools import groupby

from layers.base_layers import BASE_LAYERS
from layers.catalogue import DATA_SCHEMA
from layers.database import Database
from layers.pipes.layers import PIPE_LAYERS
from layers.registry import load_layers, row_count, update_layer
from layers.tables import quoted
from planning.layers import PLANNING_LAYERS

#: What the sample city's layers say of their source.
SOURCE = "示范城市 (虚构) / Sample city (fictitious)"


def is_empty(database: Database) -> bool:
    """Whether no layer has a feature: then nobody's data can be lost by making the sample city."""
    with database.transaction() as conn:
        return all(row_count(conn, layer_id) == 0 for layer_id in load_layers(conn))


def make_sample_city(
    database: Database, buildings: int, seed: int, progress: Callable[[str, float], None] | None = None
) -> dict[str, int]:
    """Replace the base layers' features by the sample city, in one transaction; returns features by layer."""
    # Here and not above: `citymap up` asks is_empty() only, and would carry 100 MB of libraries while it serves.
    from layers.importing.loader import load
    from layers.sample_city import generate
    from planning.sample import sample_plan

    made: dict[str, int] = {}
    with database.transaction(actor="citymap demo") as conn:
        layers = load_layers(conn)
        for layer_id, group in groupby(generate(buildings, seed, progress), key=lambda item: item[0]):
            report = load(conn, layers[layer_id], (frame for _, frame in group), "replace")
            made[layer_id] = report.inserted
            update_layer(conn, load_layers(conn)[layer_id].changed(source=SOURCE, licence="CC0-1.0"))
        for layer, frame in sample_plan(conn):
            made[layer.id] = load(conn, layers[layer.id], [frame], "replace").inserted
            update_layer(conn, load_layers(conn)[layer.id].changed(source=SOURCE, licence="CC0-1.0"))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        for layer in (*BASE_LAYERS, *PIPE_LAYERS, *PLANNING_LAYERS):
            conn.exec_driver_sql(f"ANALYZE {quoted(DATA_SCHEMA, layer.table)}")
    return made
