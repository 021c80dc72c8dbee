"""Frames in EPSG:4490 with the columns of a base layer, from geometry in metres about the city's centre."""

from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from layers.catalogue import CGCS2000, Layer
from layers.sample_city.axes import Floats

#: The city's centre, 114.9E 30.4N, in the CRS it is built in: CGCS2000 3-degree zone 38, east and north [m].
BUILT_IN = 4547
CENTRE = (586489.034, 3364799.485)
SOURCE = "示范城市"


class Framer:
    """Makes frames; holds the one transformation."""

    def __init__(self) -> None:
        self._transform = Transformer.from_crs(BUILT_IN, CGCS2000, always_xy=True)

    def to_degrees(self, xy: Floats) -> Floats:
        """Longitude and latitude (n, 2) of metres about the centre, to 0.1 mm."""
        east, north = self._transform.transform(xy[:, 0] + CENTRE[0], xy[:, 1] + CENTRE[1])
        result: Floats = np.round(np.stack([east, north], axis=1), 9)
        return result

    def frame(self, layer: Layer, shapes: Any, prefix: str, first: int = 1, **columns: Any) -> Any:
        """A GeoDataFrame with exactly the layer's fields and ``geom``; missing columns are null.

        ``source_id`` runs ``prefix-000001`` … from ``first``, unless it is among the columns.
        """
        shapes = shapely.transform(np.asarray(shapes, dtype=object), self.to_degrees)
        shapes = _typed(shapes, layer.geometry_type)
        count = len(shapes)
        numbered = {"source_id": [f"{prefix}-{n:06d}" for n in range(first, first + count)]}
        columns = {"source": [SOURCE] * count} | numbered | columns
        unknown = set(columns) - {field.name for field in layer.fields}
        if unknown:
            raise ValueError(f"layer {layer.id!r} has no fields {sorted(unknown)}")
        data = {field.name: _column(columns.get(field.name), field.type, count) for field in layer.fields}
        return geopandas.GeoDataFrame(data, geometry=geopandas.GeoSeries(shapes, crs=CGCS2000), crs=CGCS2000
                                      ).rename_geometry("geom")


def _typed(shapes: Any, geometry_type: str) -> Any:
    """Single geometries wrapped where the layer holds multi ones."""
    if geometry_type == "MultiPolygon":
        parts, owner = shapely.get_parts(shapes, return_index=True)
        areas = shapely.get_type_id(parts) == 3
        return shapely.multipolygons(parts[areas], indices=owner[areas])
    return shapes


def _column(values: Any, kind: str, count: int) -> Any:
    if values is None:
        return pd.Series([None] * count, dtype=object)
    if kind == "integer":
        return pd.array(values, dtype="Int64") if any(v is None for v in values) else np.asarray(values, np.int64)
    if kind == "number":
        return np.asarray(values, np.float64)
    if kind == "boolean":
        return np.asarray(values, bool)
    return pd.Series(list(values), dtype=object)
