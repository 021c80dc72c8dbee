"""Positions and GeoJSON geometries from one system to another, refused where they contradict their system."""

import json
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.catalogue import Text
from layers.china_offset import outside_china
from layers.coordinates.local_grid import SevenParameters
from layers.coordinates.processes import MAX_POSITIONS, TransformedCoordinates
from layers.coordinates.systems import System, find_system
from layers.importing.errors import WrongCoordinates
from layers.importing.plausible import MARGIN, check_coordinates
from layers.importing.report import Findings
from layers.processing import CityCrs

type Positions = NDArray[np.float64]


def transform_positions(
    city: CityCrs,
    source: str,
    target: str,
    points: tuple[tuple[float, ...], ...] | None,
    geometry: dict[str, Any] | None,
    parameters: tuple[SevenParameters | None, SevenParameters | None],
    orders: tuple[str, str],
) -> TransformedCoordinates:
    """The points, or else the geometry, in the target system; ``parameters`` and ``orders`` are of source and target.

    Raises :class:`layers.importing.errors.UnknownCrs` and :class:`layers.importing.errors.WrongCoordinates`.
    """
    if (points is None) == (geometry is None):
        raise WrongCoordinates("请给出 points 或 geometry 之一", "give either input 'points' or input 'geometry'")
    start = find_system(source, parameters[0], city.grids, city.towgs84)
    end = find_system(target, parameters[1], city.grids, city.towgs84)
    shape = _read(geometry) if geometry is not None else None
    given = shapely.get_coordinates(shape) if shape is not None else np.array([point[:2] for point in points or ()])
    given = given[:, ::-1] if orders[0] == "north-east" else given
    remarks = _check(given, start)
    moved = _move(given, start, end, remarks)
    moved = moved[:, ::-1] if orders[1] == "north-east" else moved
    names = start.name, end.name
    if shape is not None:
        made = json.loads(shapely.to_geojson(_with(shape, moved)))
        return TransformedCoordinates(*names, None, made, tuple(remarks))
    rows = zip(moved.tolist(), points or (), strict=True)
    return TransformedCoordinates(*names, tuple((*new, *old[2:]) for new, old in rows), None, tuple(remarks))


def _read(geometry: dict[str, Any]) -> Any:
    try:
        shape = shapely.from_geojson(json.dumps(geometry))
    except (shapely.GEOSException, ValueError, TypeError) as error:
        reason = str(error)[:120]
        raise WrongCoordinates(
            f"geometry 不是 GeoJSON 几何：{reason}", f"input 'geometry' is no GeoJSON geometry: {reason}"
        ) from None
    count = shapely.get_num_coordinates(shape)
    if not 0 < count <= MAX_POSITIONS:
        raise WrongCoordinates(
            f"geometry 有 {count} 个点，应为 1 至 {MAX_POSITIONS} 个",
            f"input 'geometry' has {count} positions; it may have 1 to {MAX_POSITIONS}",
        )
    return shape


def _with(shape: Any, moved: Positions) -> Any:
    """The shape with other positions; heights stay."""
    if not shapely.has_z(shape):
        return shapely.transform(shape, lambda _: moved)
    heights = shapely.get_coordinates(shape, include_z=True)[:, 2:]
    return shapely.transform(shape, lambda _: np.hstack([moved, heights]), include_z=True)


def _check(given: Positions, system: System) -> list[Text]:
    """Remarks on the positions. Raises :class:`WrongCoordinates` where they are not of their system."""
    if not np.isfinite(given).all():
        raise WrongCoordinates("坐标不是数", "a coordinate is no number")
    if system.crs is None:
        if system.shifts_in_china:
            _require(np.abs(given[:, 0]) <= 180, given, system)
            _require(np.abs(given[:, 1]) <= 90, given, system)
        return []
    findings = Findings()
    ids = [f"#{n}" for n in range(1, len(given) + 1)]
    on_earth = check_coordinates(np.asarray(shapely.points(given)), system.crs, ids, findings)
    _require(on_earth, given, system)
    return list(findings.warnings.values())


def _move(given: Positions, start: System, end: System, remarks: list[Text]) -> Positions:
    degrees = start.to_degrees(given[:, 0], given[:, 1])
    _require(np.isfinite(degrees).all(axis=0), given, start)
    moved = np.column_stack(end.from_degrees(*degrees))
    _require(np.isfinite(moved).all(axis=1), given, end)
    remarks += _beyond(degrees, end)
    return np.round(moved, end.decimals)


def _require(good: NDArray[np.bool_], given: Positions, system: System) -> None:
    if good.all():
        return
    n = int(np.argmin(good))
    x, y = given[n]
    raise WrongCoordinates(
        f"第 {n + 1} 点 ({x:.6f}, {y:.6f}) 不在 {system.name} 的范围内",
        f"position {n + 1} ({x:.6f}, {y:.6f}) has no place in {system.name}",
    )


def _beyond(degrees: tuple[Positions, Positions], end: System) -> list[Text]:
    """A remark where positions lie far outside the area that the target is made for, or where it shifts nothing."""
    lon, lat = degrees
    if end.shifts_in_china:
        away = int(outside_china(lon, lat).sum())
        said = Text(f"{away} 点在中国以外，{end.name} 不偏移", f"{away} positions outside China are not shifted")
        return [said] if away else []
    known = end.crs.source_crs if end.crs is not None and end.crs.is_bound else end.crs
    area = known.area_of_use if known is not None else None
    if area is None or area.west > area.east:
        return []
    aside = (lon < area.west - MARGIN) | (lon > area.east + MARGIN)
    off = int((aside | (lat < area.south - MARGIN) | (lat > area.north + MARGIN)).sum())
    said = Text(
        f"{off} 点远在 {end.name} 的适用范围之外", f"{off} positions lie far outside the area of use of {end.name}"
    )
    return [said] if off else []
