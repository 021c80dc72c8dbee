"""Arrow batches with a WKB column as GeoDataFrames, and Arrow types as the catalogue's."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from layers.catalogue import FieldType
from layers.importing.errors import UnsafeFile
from layers.importing.limits import MAX_COORDINATES, MAX_TEXT


def frame(batch: pa.RecordBatch, geometry: str, crs: Any) -> Any:
    """A GeoDataFrame of one batch; attributes stay Arrow columns, so integers with gaps stay integers."""
    wkb = batch.column(geometry).to_numpy(zero_copy_only=False)
    shapes = _shapes(wkb)
    if len(shapes) and shapely.get_num_coordinates(shapes).max() > MAX_COORDINATES:
        raise UnsafeFile(
            f"有几何超过 {MAX_COORDINATES} 个坐标点", f"a geometry has more than {MAX_COORDINATES} coordinates"
        )
    names = [name for name in batch.schema.names if name != geometry]
    columns = {name: _series(batch.column(name)) for name in names}
    return gpd.GeoDataFrame(columns, geometry=gpd.array.GeometryArray(shapes, crs=crs), crs=crs)


def _shapes(wkb: Any) -> Any:
    """Geometries; None where there is none or GEOS cannot hold it (arcs), which the loader rejects by name."""
    with np.errstate(invalid="ignore"):  # NaN coordinates: the loader names them too
        try:
            return shapely.from_wkb(wkb, on_invalid="ignore")
        except NotImplementedError:
            return np.array([_shape(one) for one in wkb], dtype=object)


def _shape(wkb: bytes | None) -> Any:
    try:
        return shapely.from_wkb(wkb, on_invalid="ignore")
    except NotImplementedError:
        return None


def field_type(arrow: pa.DataType) -> FieldType:
    """The catalogue's type that holds an Arrow column; what has no counterpart becomes text, nested values JSON."""
    if isinstance(arrow, pa.BaseExtensionType):
        return "string"
    if pa.types.is_dictionary(arrow):
        return field_type(arrow.value_type)
    for matches, name in _TYPES:
        if matches(arrow):
            return name
    return "string"


def _is_text_list(arrow: pa.DataType) -> bool:
    return bool(pa.types.is_list(arrow) or pa.types.is_large_list(arrow)) and bool(
        pa.types.is_string(arrow.value_type) or pa.types.is_large_string(arrow.value_type)
    )


_TYPES: tuple[tuple[Any, FieldType], ...] = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_uint64, "number"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "number"),
    (pa.types.is_decimal, "number"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "date-time"),
    (_is_text_list, "string-array"),
)


def _series(column: pa.Array) -> "pd.Series[Any]":
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) and column.nbytes > MAX_TEXT:
        longest = max((len(value) for value in column.to_pylist() if value), default=0)
        if longest > MAX_TEXT:
            raise UnsafeFile(f"有文本超过 {MAX_TEXT} 个字符", f"a text has more than {MAX_TEXT} characters")
    return pd.Series(column, dtype=pd.ArrowDtype(column.type))
