"""Geometries made fit for a layer: valid, two-dimensional, of the layer's type, or named and kept out."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.catalogue import GeometryType, Text
from layers.importing.report import Findings, Remark

Geometries = NDArray[Any]
Mask = NDArray[np.bool_]

_DIMENSION = {"Point": 0, "LineString": 1, "Polygon": 2}
_SINGLE_TO_MULTI = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)
_SINGLE_TYPE = np.array([0, 1, 3])  # GEOS type ids of Point, LineString, Polygon by dimension
_NAMES = {
    "Self-intersection": "自相交",
    "Ring Self-intersection": "环自相交",
    "Too few points in geometry component": "点数不足",
    "Hole lies outside shell": "内环在外环之外",
    "Nested holes": "内环嵌套",
    "Nested shells": "外环嵌套",
    "Interior is disconnected": "内部不连通",
    "Duplicate Rings": "重复环",
    "Invalid Coordinate": "坐标无效",
}


def dimension_of(geometry_type: GeometryType) -> int | None:
    """0, 1 or 2 for points, lines and areas; None where a layer stores any geometry."""
    return _DIMENSION.get(geometry_type.removeprefix("Multi"))


def readable(geometries: Geometries, ids: Sequence[str], findings: Findings) -> Mask:
    """Which geometries have coordinates at all; the others are rejected by id."""
    missing = shapely.is_missing(geometries)
    empty = shapely.is_empty(geometries)
    coordinates, owner = shapely.get_coordinates(geometries, return_index=True)
    infinite = np.zeros(len(geometries), dtype=bool)
    infinite[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    _reject(findings, ids, missing, Text("没有可读的几何", "no readable geometry"))
    _reject(findings, ids, empty, Text("几何为空", "empty geometry"))
    _reject(findings, ids, infinite, Text("坐标不是有限数", "a coordinate is not a finite number"))
    return np.asarray(~(missing | empty | infinite))


def flat(geometries: Geometries, findings: Findings) -> Geometries:
    """The geometries without Z and M, which layers do not store; a warning says so."""
    raised = shapely.has_z(geometries) | shapely.has_m(geometries)
    if raised.any():
        findings.warn(Text("图层为二维，Z/M 值未保存", "layers are two-dimensional: Z/M values were not stored"))
        geometries = shapely.force_2d(geometries)
    return geometries


def repaired(geometries: Geometries, ids: Sequence[str], findings: Findings) -> Geometries:
    """Valid geometries: invalid ones repaired by GEOS's structure method and reported with what was wrong."""
    invalid = np.flatnonzero(~shapely.is_valid(geometries)).tolist()
    if invalid:
        geometries = geometries.copy()
        reasons = shapely.is_valid_reason(geometries[invalid])
        geometries[invalid] = shapely.make_valid(geometries[invalid], method="structure", keep_collapsed=False)
        mended = ~shapely.is_empty(geometries[invalid])  # an empty one is rejected by fitted()
        findings.repair(
            [Remark(ids[i], _told(reason)) for i, reason, ok in zip(invalid, reasons, mended, strict=True) if ok]
        )
    return geometries


def fitted(
    geometries: Geometries, geometry_type: GeometryType, ids: Sequence[str], findings: Findings
) -> tuple[Geometries, Mask]:
    """Geometries of exactly the layer's type, and which of them are usable.

    Collections keep their parts of the layer's dimension (reported); singles are promoted to multi; a multi with
    one part, or lines that join end to end, become a single where the layer stores singles.
    """
    dimension = dimension_of(geometry_type)
    geometries = geometries.copy()
    empty = shapely.is_empty(geometries)
    _reject(findings, ids, empty, Text("修复后几何消失", "nothing was left after the repair"))
    if dimension is None:
        return geometries, np.asarray(~empty)
    mixed = np.flatnonzero(shapely.get_type_id(geometries) == 7).tolist()
    for i in mixed:
        geometries[i] = _parts_of(geometries[i], dimension)
    wrong = ~empty & (shapely.get_dimensions(geometries) != dimension)
    _reject(findings, ids, wrong, Text(f"几何类型不是 {geometry_type}", f"its geometry is no {geometry_type}"))
    kept_parts = Text("几何集合中只保留了图层类型的部分", f"only the {geometry_type} parts of the collection were kept")
    findings.repair([Remark(ids[i], kept_parts) for i in mixed if not (wrong[i] or empty[i])])
    usable = ~(empty | wrong)
    ring = np.flatnonzero(shapely.get_type_id(geometries) == 2)
    geometries[ring] = [shapely.LineString(one) for one in geometries[ring]]
    single = shapely.get_type_id(geometries) == _SINGLE_TYPE[dimension]
    if geometry_type.startswith("Multi"):
        promote = np.flatnonzero(usable & single)
        geometries[promote] = _SINGLE_TO_MULTI[dimension](geometries[promote], indices=np.arange(len(promote)))
        return geometries, usable
    for i in np.flatnonzero(usable & ~single).tolist():
        geometries[i] = _joined(geometries[i], dimension)
    several = usable & (shapely.get_type_id(geometries) != _SINGLE_TYPE[dimension])
    _reject(
        findings,
        ids,
        several,
        Text(
            f"由多部分组成，而图层只存 {geometry_type}",
            f"it has several parts and the layer stores single {geometry_type}s",
        ),
    )
    return geometries, usable & ~several


def _parts_of(collection: Any, dimension: int) -> Any:
    """The union-free multi geometry of a collection's parts of that dimension; the collection if it has none."""
    parts = shapely.get_parts(shapely.get_parts(collection))
    while (shapely.get_type_id(parts) == 7).any():
        parts = shapely.get_parts(parts)
    parts = shapely.get_parts(parts)
    same = parts[shapely.get_dimensions(parts) == dimension]
    return _SINGLE_TO_MULTI[dimension](same) if len(same) else collection


def _joined(multi: Any, dimension: int) -> Any:
    parts = shapely.get_parts(multi)
    if len(parts) == 1:
        return parts[0]
    return shapely.line_merge(multi) if dimension == 1 else multi


def _reject(findings: Findings, ids: Sequence[str], which: Mask, reason: Text) -> None:
    findings.reject([Remark(ids[i], reason) for i in np.flatnonzero(which).tolist()])


def _told(reason: str) -> Text:
    """GEOS's reason, such as ``Self-intersection[114.3 30.4]``, in both languages."""
    match = re.fullmatch(r"([^\[]+)(\[.*\])?", reason)
    name, place = (match[1].strip(), match[2] or "") if match else (reason, "")
    return Text(f"{_NAMES.get(name, name)}{place}，已修复", f"{name}{place}, repaired")
