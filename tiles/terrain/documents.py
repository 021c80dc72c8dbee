"""Describes terrain: Cesium's layer.json."""

from typing import Any

from layers.catalogue import Layer
from tiles.matrix_sets import MatrixSet

type Json = dict[str, Any]


def layer_json(grid: MatrixSet, layer: Layer, title: str, deepest: int) -> Json:
    """What Cesium reads first: tiles of degrees, rows counted from the south, and which of them there are.

    Source: quantized-mesh 1.0 and Cesium's ``layer.json``, both of AnalyticalGraphicsInc/quantized-mesh.
    """
    return {
        "tilejson": "2.1.0",
        "name": title,
        "version": "1.0.0",
        "format": "quantized-mesh-1.0",
        "scheme": "tms",
        "projection": "EPSG:4326",
        "attribution": layer.licence,
        "tiles": ["{z}/{x}/{y}.terrain"],
        "bounds": [-180, -90, 180, 90],
        "minzoom": 0,
        "maxzoom": deepest,
        "available": [_available(grid, layer, z) for z in range(deepest + 1)],
    }


def row_from_south(grid: MatrixSet, z: int, y: int) -> int:
    """The row of a tile counted from the other side."""
    return grid.levels[z].rows - 1 - y


def _available(grid: MatrixSet, layer: Layer, z: int) -> list[dict[str, int]]:
    """All of level 0, since a globe has no hole; below it the tiles that the layer meets."""
    level = grid.levels[z]
    met = grid.covering(grid.from_degrees(layer.extent), z) if layer.extent and z else None
    if z and not met:
        return []
    first_x, first_y, last_x, last_y = met or (0, 0, level.columns - 1, level.rows - 1)
    return [
        {
            "startX": first_x,
            "startY": row_from_south(grid, z, last_y),
            "endX": last_x,
            "endY": row_from_south(grid, z, first_y),
        }
    ]
