"""City models as sources of features: a footprint per building, its shell, heights, storeys and volume."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
from pyproj import CRS

from layers.catalogue import FieldType, Text
from layers.importing.errors import UnknownCrs
from layers.importing.limits import READ_ROWS
from layers.importing.source import ReadOptions, Source, SourceField
from layers.importing.source_crs import parse_crs, settled
from layers.three_d.model import Solid
from layers.three_d.shells import SHELL, shell_of

#: What every building is told of, whatever else the file says; named as the fields of ``buildings``.
FIELDS: tuple[tuple[str, FieldType], ...] = (
    ("source_id", "string"),
    ("name", "string"),
    ("use", "string"),
    ("floors", "integer"),
    ("height", "number"),
    ("year_built", "integer"),
    ("address", "string"),
    ("ground_height", "number"),
    ("roof_height", "number"),
    ("volume", "number"),
    ("lod", "string"),
)


def model_source(path: Path, format: str, crs: Any, read: Callable[[], Iterator[Solid]], count: int | None) -> Source:
    """The source over a reader of buildings."""
    warnings: list[Text] = []

    def batches() -> Iterator[gpd.GeoDataFrame]:
        rows: list[dict[str, Any]] = []
        empty = 0
        for solid in read():
            shape = solid.footprint()
            if shape.is_empty:
                empty += 1
                continue
            rows.append({**_row(solid), SHELL: shell_of(solid, shape), "geometry": shape})
            if len(rows) == READ_ROWS:
                yield _frame(rows, crs)
                rows = []
        if rows:
            yield _frame(rows, crs)
        if empty:
            warnings[:] = [
                Text(f"{empty} 个建筑没有底面，未导入", f"{empty} buildings without a footprint were left out")
            ]

    fields = tuple(SourceField(name, kind) for name, kind in FIELDS)
    return Source(
        path.name.partition(".")[0], format, fields, "MultiPolygon", count, crs, "UTF-8", batches, warnings, "source_id"
    )


def horizontal_crs(named: str | None, options: ReadOptions, path: Path) -> Any:
    """The horizontal part of the CRS that the user or else the file names. Raises :class:`UnknownCrs`."""
    text = options.crs or named
    if text is None:
        raise UnknownCrs(f"{path.name} 没有坐标系，请用 crs 指明", f"{path.name} names no CRS: say it by crs")
    found: CRS = parse_crs(text, options.towgs84)
    if found.is_compound:
        found = settled(found.sub_crs_list[0], options.towgs84)
    if not found.is_projected:
        raise UnknownCrs(
            f"{path.name} 的坐标系 {found.name} 不是投影坐标系，无法量取高度与体积",
            f"{path.name} is in {found.name}, which is not projected: volumes and areas cannot be measured in it",
        )
    return found


def _row(solid: Solid) -> dict[str, Any]:
    low, high = solid.reach
    told = solid.attributes
    return {
        "source_id": solid.id,
        "name": told.get("name"),
        "use": told.get("use"),
        "floors": told.get("floors"),
        "height": round(high - low, 3),
        "year_built": told.get("year_built"),
        "address": told.get("address"),
        "ground_height": round(low, 3),
        "roof_height": round(high, 3),
        "volume": round(abs(solid.volume), 3),
        "lod": solid.lod,
    }


def _frame(rows: list[dict[str, Any]], crs: Any) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=crs)
    return frame.astype({"floors": "Int64", "year_built": "Int64"})
