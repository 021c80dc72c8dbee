"""Small pipe networks drawn in a test, and networks of frames, without a database."""

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from layers.pipes.network import PipeNetwork
from layers.pipes.reading import _NODE_NUMBERS, _NODE_TEXTS, _PIPE_NUMBERS, _PIPE_TEXTS
from layers.pipes.records import Records, records_of
from layers.pipes.standards import Standards, shipped_clearances, shipped_kinds

STANDARDS = Standards({kind.code: kind for kind in shipped_kinds()}, shipped_clearances())


def lonlat(x: float, y: float) -> tuple[float, float]:
    """A spot of a grid of 0.001° near Ezhou."""
    return 114.9 + x / 1000, 30.4 + y / 1000


def pipe(*spots: tuple[float, float], **values: Any) -> dict[str, Any]:
    return {"shape": shapely.LineString([lonlat(*spot) for spot in spots]), "kind": "JP", **values}


def node(name: str, spot: tuple[float, float], **values: Any) -> dict[str, Any]:
    return {"shape": shapely.Point(lonlat(*spot)), "kind": "JP", "source_id": name, **values}


def network(*rows: Mapping[str, Any]) -> PipeNetwork:
    """The network of these pipes (lines) and nodes (points); ids run from 1 in each."""
    pipes = [row for row in rows if row["shape"].geom_type == "LineString"]
    nodes = [row for row in rows if row["shape"].geom_type == "Point"]
    return PipeNetwork(
        _records(pipes, _PIPE_NUMBERS, _PIPE_TEXTS), _records(nodes, _NODE_NUMBERS, _NODE_TEXTS), STANDARDS
    )


def network_of(pipes: gpd.GeoDataFrame, nodes: gpd.GeoDataFrame) -> PipeNetwork:
    """The network of frames with the layers' columns."""
    return network(*_rows(pipes), *_rows(nodes))


def _rows(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    plain = frame.drop(columns=frame.geometry.name).astype(object)
    plain = plain.where(pd.notna(plain), None)
    return [{"shape": shape, **row} for shape, row in zip(frame.geometry, plain.to_dict("records"), strict=True)]


def _records(rows: Sequence[Mapping[str, Any]], numbers: Sequence[str], texts: Sequence[str]) -> Records:
    table = [
        (i, shapely.to_wkb(row["shape"]), *(row.get(name) for name in numbers), *(row.get(name) for name in texts))
        for i, row in enumerate(rows, 1)
    ]
    return records_of(table, numbers, texts)
