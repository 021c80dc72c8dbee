"""Formats whose writers need a file they can seek in: GeoPackage, FlatGeobuf, KML, GeoParquet."""

import json
import warnings
from itertools import batched
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
import pyproj

from layers.catalogue import GeometryType
from layers.exporting.arrow import GEOMETRY, ArrowRows
from layers.exporting.errors import ExportFailed, ExportRefused
from layers.exporting.options import Options
from layers.exporting.selection import BATCH_ROWS, Selection

#: Features that a FlatGeobuf may have to get a spatial index.
INDEXED_ROWS = 200_000
#: Batches of one GeoParquet row group.
_ROW_GROUP_BATCHES = 50_000 // BATCH_ROWS
# A GeoPackage's index grows in memory beside the table unless it is built from the finished table.
pyogrio.set_gdal_config_options({"OGR_GPKG_ALLOW_THREADED_RTREE": "NO"})


def write_geopackage(selection: Selection, options: Options, path: Path) -> None:
    """GeoPackage: ``id`` is the feature id, field titles are column names of ``gpkg_data_columns``."""
    del options
    layer = selection.layer
    layer_options = {
        "FID": "id", "GEOMETRY_NAME": GEOMETRY, "IDENTIFIER": layer.title.zh, "DESCRIPTION": layer.description.zh,
    }  # fmt: skip
    write_ogr(selection, ArrowRows(selection, path.parent), path, "GPKG", layer_options=layer_options)


def write_flatgeobuf(selection: Selection, options: Options, path: Path) -> None:
    """FlatGeobuf with its spatial index, which has no place for features without a geometry: they are left out.

    GDAL makes the index in memory, some 250 bytes a feature, so a result of more than ``INDEXED_ROWS`` has none.
    """
    del options
    indexed = not selection.has_more_than(INDEXED_ROWS)
    rows = ArrowRows(selection, path.parent, with_geometry_only=indexed)
    layer_options = {"SPATIAL_INDEX": "YES" if indexed else "NO", "TEMPORARY_DIR": str(path.parent)}
    write_ogr(selection, rows, path, "FlatGeobuf", layer_options=layer_options)


def write_kml(selection: Selection, options: Options, path: Path) -> None:
    """KML 2.2, always WGS 84; the layer's title field names the placemarks."""
    del options
    dataset_options = {"NameField": selection.layer.title_field or "id"}
    write_ogr(selection, ArrowRows(selection, path.parent), path, "KML", dataset_options=dataset_options)


def write_geoparquet(selection: Selection, options: Options, path: Path) -> None:
    """GeoParquet 1.1 with WKB geometries; lists stay lists."""
    del options
    from pyarrow.parquet import ParquetWriter  # 25 MB, which exports to other formats need not

    rows = ArrowRows(selection, path.parent, lists_as_json=False)
    schema = rows.schema.with_metadata({"geo": json.dumps(_geoparquet_metadata(selection))})
    with ParquetWriter(path, schema, compression="zstd") as writer:
        for group in batched(rows.batches(), _ROW_GROUP_BATCHES):
            writer.write_table(pa.Table.from_batches(group).cast(schema))


def _geoparquet_metadata(selection: Selection) -> dict[str, Any]:
    kind = selection.layer.geometry_type
    column = {
        "encoding": "WKB",
        "geometry_types": [] if kind == "Geometry" else [kind],
        "crs": pyproj.CRS.from_epsg(selection.srid).to_json_dict(),
    }
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}


def write_ogr(selection: Selection, rows: ArrowRows, path: Path, driver: str, **options: Any) -> None:
    """Write a file through GDAL, batch by batch. Raises ExportFailed with GDAL's own words."""
    try:
        with warnings.catch_warnings():
            # GDAL warns of what the caller has already seen to, such as the width of DBF texts.
            warnings.filterwarnings("ignore", category=RuntimeWarning, module="pyogrio")
            pyogrio.raw.write_arrow(
                rows.reader(),
                path,
                layer=selection.layer.id,
                driver=driver,
                geometry_name=GEOMETRY,
                geometry_type=_ogr_geometry_type(selection.layer.geometry_type),
                crs=f"EPSG:{selection.srid}",
                **options,
            )
    except Exception as error:
        if rows.error is not None:
            raise rows.error from None
        if isinstance(error, ExportRefused):
            raise
        raise ExportFailed(
            f"写 {driver} 文件失败：{error}", f"the {driver} file could not be written: {error}"
        ) from error


def _ogr_geometry_type(kind: GeometryType) -> str:
    return "Unknown" if kind == "Geometry" else kind
