"""GeoParquet 1.x, read in batches; geometry as WKB."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyproj import CRS

from layers.importing.arrow_frames import field_type, frame
from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile
from layers.importing.limits import READ_ROWS
from layers.importing.source import ReadOptions, Source, SourceField
from layers.importing.source_crs import parse_crs, settled


def open_parquet(path: Path, options: ReadOptions) -> Source:
    """The one table of a GeoParquet file."""
    try:
        with pq.ParquetFile(path) as file:
            schema, count = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path) from error
    try:
        geo = json.loads((schema.metadata or {})[b"geo"])
        geometry = geo["primary_column"]
        column = geo["columns"][geometry]
        wkb = column["encoding"] == "WKB"
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ImportRefused(
            f"{path.name} 没有 GeoParquet 元数据，不知道哪一列是几何",
            f"{path.name} has no GeoParquet metadata, so its geometry is unknown",
        ) from error
    if not wkb or geometry not in schema.names:
        raise ImportRefused(
            f"{path.name} 的几何不是 WKB 编码", f"{path.name} does not encode its geometry as WKB: write it so"
        )
    crs = _crs(column, options, path.name)
    names = [name for name in schema.names if not name.startswith("__index_level_") and name != "bbox"]
    kind = _declared(column.get("geometry_types") or [])

    def batches() -> Iterator[Any]:
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(READ_ROWS, columns=names):
                    yield frame(batch, geometry, crs)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path) from error

    fields = tuple(SourceField(name, field_type(schema.field(name).type)) for name in names if name != geometry)
    return Source(path.stem, "parquet", fields, kind, count, crs, "UTF-8", batches)


def _damaged(path: Path) -> UnreadableFile:
    return UnreadableFile(f"{path.name} 不是完好的 Parquet 文件", f"{path.name} is no sound Parquet file")


def _declared(kinds: list[str]) -> str:
    """The one type that holds all the file's geometry types, or ``Unknown``."""
    plain = {kind.removesuffix(" Z") for kind in kinds}
    if len(plain) == 1:
        return plain.pop()
    single = {kind.removeprefix("Multi") for kind in plain}
    return f"Multi{single.pop()}" if len(single) == 1 else "Unknown"


def _crs(column: dict[str, Any], options: ReadOptions, name: str) -> Any:
    """The told CRS, or the file's PROJJSON; absent it means OGC:CRS84 (GeoParquet 1.1 §crs), null means unknown."""
    if options.crs:
        return parse_crs(options.crs, options.towgs84)
    declared = column.get("crs", "OGC:CRS84")
    if declared is None:
        raise UnknownCrs(
            f"{name} 没有坐标系，请用 crs 指明，如 EPSG:4490",
            f"{name} has no CRS: give it by crs, such as EPSG:4490",
        )
    crs = CRS.from_user_input(declared)
    if crs.to_authority() == ("OGC", "CRS84"):
        crs = CRS.from_epsg(4326)
    return settled(crs, options.towgs84)
