"""Features as GeoDataFrames, and rows of them as features."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import mapping, shape

if TYPE_CHECKING:
    from citymap.query import Query

#: Type and format in a layer's schema → pandas type that also holds what is missing.
_DTYPES = {("integer", None): "Int64", ("number", None): "float64", ("boolean", None): "boolean"}


def frame_of(query: "Query", crs: str | int) -> gpd.GeoDataFrame:
    """The features of a query; see :meth:`citymap.query.Query.to_gdf`."""
    ids, shapes, rows = [], [], []
    for feature in query.features():
        ids.append(feature["id"])
        shapes.append(shape(feature["geometry"]) if feature.get("geometry") else None)
        rows.append(feature["properties"])
    fields = query.collection.fields
    wanted = query.params["properties"].split(",") if "properties" in query.params else list(fields)
    index = pd.Index(ids, name="id")
    columns = {name: _column([row.get(name) for row in rows], fields.get(name, {}), index) for name in wanted}
    found = gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, index=index, crs=4326), index=index)
    return found if crs in (4326, "EPSG:4326") else found.to_crs(crs)


def _column(values: list[Any], field: dict[str, Any], index: pd.Index) -> pd.Series:
    kind, format_ = field.get("type"), field.get("format")
    if format_ == "date-time":
        return pd.to_datetime(pd.Series(values, index=index, dtype="object"), utc=True, format="ISO8601")
    if format_ == "date":
        return pd.to_datetime(pd.Series(values, index=index, dtype="object"), format="%Y-%m-%d")
    dtype = _DTYPES.get((str(kind), format_), "object")
    return pd.Series(values, index=index, dtype=dtype)


def plain(value: Any) -> Any:
    """A cell of a frame as JSON has it; None for what is missing."""
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(one) for one in value]
    if value is None or pd.isna(value):
        return None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def geometry_of(shape_: Any) -> dict[str, Any] | None:
    """A shape, a GeoJSON geometry, or nothing, as GeoJSON."""
    if shape_ is None or isinstance(shape_, dict):
        return shape_
    return dict(mapping(shape_))
