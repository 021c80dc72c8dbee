"""Makes the sample city in the database."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby

from sqlalchemy import Connection

from grid.layers import GRID_LAYERS
from grid.options import GridOptions
from grid.setup import prepare
from layers.base_layers import BASE_LAYERS
from layers.catalogue import DATA_SCHEMA
from layers.database import Database
from layers.pipes.layers import PIPE_LAYERS
from layers.registry import load_layers, row_count, update_layer
from layers.tables import quoted
from planning.layers import PLANNING_LAYERS

#: What the sample city's layers say of their source.
SOURCE = "示范城市 (虚构) / Sample city (fictitious)"


#: Cases of the sample year for each building of the sample city, and at most.
_CASES_PER_BUILDING, _MOST_CASES = 0.5, 50_000
#: Of the work, the share that the base layers take.
_BASE_SHARE = 0.85

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class SampleYear:
    """How the sample city's year of cases is made: by which rules, measured in which CRS, up to when."""

    options: GridOptions = field(default_factory=GridOptions)
    projected: int = 4547
    until: datetime = field(default_factory=lambda: datetime.now(UTC))


def is_empty(database: Database) -> bool:
    """Whether no layer has a feature: then nobody's data can be lost by making the sample city."""
    with database.transaction() as conn:
        return all(row_count(conn, layer_id) == 0 for layer_id in load_layers(conn))


def make_sample_city(
    database: Database, buildings: int, seed: int, progress: Progress | None = None, year: SampleYear | None = None
) -> dict[str, int]:
    """Replace the base layers' features by the sample city, in one transaction; returns features by layer.

    With ``year`` grids and the cases of a year are made too, where there is nothing of the grid's yet.
    """
    # Here and not above: `citymap up` asks is_empty() only, and would carry 100 MB of libraries while it serves.
    from layers.importing.loader import load
    from layers.sample_city import generate
    from planning.sample import sample_plan

    made: dict[str, int] = {}
    tell = progress or (lambda _part, _share: None)
    with database.transaction(actor="citymap demo") as conn:
        layers = load_layers(conn)
        frames = generate(buildings, seed, lambda part, share: tell(part, (_BASE_SHARE if year else 1.0) * share))
        for layer_id, group in groupby(frames, key=lambda item: item[0]):
            report = load(conn, layers[layer_id], (frame for _, frame in group), "replace")
            made[layer_id] = report.inserted
            update_layer(conn, load_layers(conn)[layer_id].changed(source=SOURCE, licence="CC0-1.0"))
        for layer, frame in sample_plan(conn):
            made[layer.id] = load(conn, layers[layer.id], [frame], "replace").inserted
            update_layer(conn, load_layers(conn)[layer.id].changed(source=SOURCE, licence="CC0-1.0"))
        if year and not any(row_count(conn, layer.id) for layer in GRID_LAYERS):
            made |= _year(conn, year, buildings, seed, tell)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        for layer in (*BASE_LAYERS, *PIPE_LAYERS, *PLANNING_LAYERS, *GRID_LAYERS):
            conn.exec_driver_sql(f"ANALYZE {quoted(DATA_SCHEMA, layer.table)}")
        conn.exec_driver_sql("ANALYZE grid.steps")
    return made


def _year(conn: Connection, year: SampleYear, buildings: int, seed: int, tell: Progress) -> dict[str, int]:
    from grid.sample_year.making import make_sample_year

    prepare(conn, year.options)
    cases = min(_MOST_CASES, round(_CASES_PER_BUILDING * buildings))
    return make_sample_year(
        conn, year.options, year.projected, cases, seed, year.until,
        lambda part, share: tell(part, _BASE_SHARE + (1 - _BASE_SHARE) * share),
    )  # fmt: skip
