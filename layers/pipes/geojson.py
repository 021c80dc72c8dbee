"""Pipes as GeoJSON (RFC 7946), in degrees to a centimetre."""

from typing import Any

import numpy as np
import orjson
import shapely

from layers.pipes.network import DIRECTIONS, PipeNetwork
from layers.pipes.records import Floats, Ints

_GRID = 1e-7


def pipe_collection(network: PipeNetwork, rows: Ints, **more: Floats) -> dict[str, Any]:
    """The pipes of these rows, with what they are and the values of ``more``, each by its name."""
    shapes = shapely.to_geojson(shapely.set_precision(network.pipes.shapes[rows], _GRID, mode="pointwise"))
    direction, by = network.directed
    features = []
    for place, (row, shape) in enumerate(zip(rows.tolist(), np.atleast_1d(shapes).tolist(), strict=True)):
        about = {name: network.pipes[name][row] for name in ("source_id", "kind", "material", "road", "status")}
        about |= {
            "diameter": plain(network.pipes["diameter"][row]),
            "length": round(float(network.length[row]), 2),
            "direction": int(direction[row]),
            "direction_by": DIRECTIONS[by[row]],
        }
        about |= {name: plain(values[place]) for name, values in more.items()}
        feature = int(network.pipes.feature[row])
        features.append({"type": "Feature", "id": feature, "geometry": orjson.loads(shape), "properties": about})
    return {"type": "FeatureCollection", "features": features}


def plain(value: Any) -> float | None:
    """A number to a millimetre, None for an unknown one."""
    return None if value is None or np.isnan(value) else round(float(value), 3)
