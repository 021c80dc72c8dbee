"""Drawn pipes and nodes put into the layers."""

from typing import Any

import geopandas as gpd
from sqlalchemy import Connection

from layers.importing.loader import load
from layers.registry import load_layers


def store(conn: Connection, *rows: dict[str, Any]) -> None:
    """Into ``pipelines`` and ``pipe-nodes``, in this order; see :mod:`tests.layers.pipes.drawn`."""
    layers = load_layers(conn)
    for layer_id, kind in (("pipelines", "LineString"), ("pipe-nodes", "Point")):
        some = [row for row in rows if row["shape"].geom_type == kind]
        if some:
            names = sorted({name for row in some for name in row} - {"shape"})
            data = {name: [row.get(name) for row in some] for name in names}
            frame = gpd.GeoDataFrame(data, geometry=[row["shape"] for row in some], crs=4490)
            load(conn, layers[layer_id], [frame], "append")
