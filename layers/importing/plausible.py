"""Coordinates that contradict their CRS: swapped axes, metres told as degrees, a zone prefix too much.

A silent import of such a file puts a city into the sea; each refusal says what the file seems to be.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from layers.catalogue import Text
from layers.importing.errors import WrongCoordinates
from layers.importing.report import Findings, Remark
from layers.importing.source_crs import gauss_kruger_code

#: How far outside a CRS's area of use a feature may lie before it is remarked upon [°].
MARGIN = 5.0

_NO_PREFIX = Text("没有带号", "carry no zone number")

Centres = NDArray[np.float64]


def check_coordinates(geometries: NDArray[Any], crs: Any, ids: Sequence[str], findings: Findings) -> NDArray[np.bool_]:
    """Which geometries lie on Earth; the others are rejected by id.

    Raises :class:`WrongCoordinates` when most of the batch contradicts the CRS. Features far outside its area of use
    only give a warning: the place may be meant.
    """
    bounds = shapely.bounds(geometries)
    centres = np.column_stack(((bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2))
    if crs.is_geographic:
        on_earth = (np.abs(bounds[:, [0, 2]]) <= 360).all(axis=1) & (np.abs(bounds[:, [1, 3]]) <= 90).all(axis=1)
    else:
        _refuse_degrees(bounds, crs)
        _refuse_zone_prefix(centres, crs)
        on_earth = np.isfinite(_degrees(centres, crs)).all(axis=1)
    inside = on_earth & _inside(_degrees(centres, crs), crs)
    if _most(~inside):
        _refuse_swapped(centres, crs, inside)
    if _most(~on_earth):
        _refuse_metres(centres, crs)
    off = np.flatnonzero(~on_earth).tolist()
    findings.reject([Remark(ids[i], Text("坐标不在地球上", "its coordinates are not on Earth")) for i in off])
    _warn_outside(on_earth & ~inside, crs, ids, findings)
    return np.asarray(on_earth)


def looks_swapped(geometries: NDArray[Any], crs: Any) -> bool:
    """Whether most positions lie in the CRS's area of use only with their axes exchanged."""
    present = geometries[~shapely.is_missing(geometries)]
    positions = shapely.get_coordinates(present)
    if not len(positions):
        return False
    inside = _inside(_degrees(positions, crs), crs)
    return _most(~inside) and _most(_inside(_degrees(positions[:, ::-1], crs), crs))


def _most(which: NDArray[np.bool_]) -> bool:
    return bool(len(which)) and float(which.mean()) > 0.5


def _degrees(centres: Centres, crs: Any) -> Centres:
    if crs.is_geographic:
        return centres
    transformer = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    return np.column_stack(transformer.transform(centres[:, 0], centres[:, 1]))


def _inside(degrees: Centres, crs: Any) -> NDArray[np.bool_]:
    """Within the CRS's area of use and a margin; everything on Earth where it declares none."""
    known = crs.source_crs if crs.is_bound else crs
    area = known.area_of_use
    west, south, east, north = (area.west, area.south, area.east, area.north) if area else (-360, -90, 360, 90)
    if west > east:  # crosses the antimeridian
        west, east = -360, 360
    x, y = degrees[:, 0], degrees[:, 1]
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (np.abs(y) <= 90)
            & (x >= west - MARGIN) & (x <= east + MARGIN)
            & (y >= south - MARGIN) & (y <= north + MARGIN)
        )


def _refuse_swapped(centres: Centres, crs: Any, inside: NDArray[np.bool_]) -> None:
    swapped = _inside(_degrees(centres[:, ::-1], crs), crs)
    if _most(swapped) and swapped.sum() > inside.sum():
        x, y = centres[int(np.argmax(swapped))]
        lonlat, survey = ("经度和纬度", "longitude and latitude"), ("X（北）和 Y（东）", "X (north) and Y (east)")
        axes = lonlat if crs.is_geographic else survey
        raise WrongCoordinates(
            f"坐标 {x:.6f}, {y:.6f} 不在 {crs.name} 的范围内，{axes[0]}似乎颠倒了",
            f"coordinates such as {x:.6f}, {y:.6f} lie outside {crs.name}: {axes[1]} seem to be swapped",
        )


def _refuse_metres(centres: Centres, crs: Any) -> None:
    x, y = centres[int(np.argmax(np.abs(centres).max(axis=1)))]
    raise WrongCoordinates(
        f"坐标 {x:.3f}, {y:.3f} 不是经纬度，而坐标系是 {crs.name}：请用 crs 指明投影坐标系，如 EPSG:4547",
        f"coordinates such as {x:.3f}, {y:.3f} are no degrees although the CRS is {crs.name}: "
        "give the projected CRS by crs, for example EPSG:4547",
    )


def _refuse_degrees(bounds: NDArray[np.float64], crs: Any) -> None:
    degrees = (np.abs(bounds[:, [0, 2]]) <= 180).all(axis=1) & (np.abs(bounds[:, [1, 3]]) <= 180).all(axis=1)
    null_island = (bounds == 0).all(axis=1)
    area = (crs.source_crs if crs.is_bound else crs).area_of_use
    plausible = area is not None and area.west - MARGIN <= np.median(bounds[:, 0]) <= area.east + MARGIN
    if len(bounds) and degrees.all() and not null_island.all() and plausible:
        x, y = bounds[0, :2]
        raise WrongCoordinates(
            f"坐标 {x:.6f}, {y:.6f} 像是经纬度，而坐标系是 {crs.name}：请用 crs=EPSG:4490 或实际坐标系",
            f"coordinates such as {x:.6f}, {y:.6f} look like degrees although the CRS is {crs.name}: "
            "give crs=EPSG:4490 or what they are in",
        )


def _refuse_zone_prefix(centres: Centres, crs: Any) -> None:
    """Eastings such as 38 586 489 m carry a zone number that the CRS does not have, or the other way round."""
    east = float(np.median(centres[:, 0])) if len(centres) else 0.0
    operation = crs.coordinate_operation if crs.is_projected else None
    if operation is None or "Transverse Mercator" not in operation.method_name:
        return
    false_easting = next((p.value for p in operation.params if p.name == "False easting"), 0.0)
    told, prefix = int(false_easting // 1_000_000), int(east // 1_000_000)
    if told == prefix or max(told, prefix) not in range(13, 46) or min(told, prefix) > 0:
        return
    code = _sibling(crs, prefix)
    has = Text(f"带有带号 {prefix}", f"carry the zone number {prefix}") if prefix else _NO_PREFIX
    cure = Text(f"：请用 crs={code}", f": give crs={code}") if code else Text("", "")
    raise WrongCoordinates(
        f"东坐标 {east:.3f} {has.zh}，与 {crs.name} 不符{cure.zh}",
        f"eastings such as {east:.3f} {has.en}, unlike {crs.name}{cure.en}",
    )


def _sibling(crs: Any, prefix: int) -> str | None:
    values = {p.name: p.value for p in crs.coordinate_operation.params}
    code = gauss_kruger_code(values.get("Longitude of natural origin", 0.0), zone=prefix)
    return f"EPSG:{code} ({CRS.from_epsg(code).name})" if code else None


def _warn_outside(outside: NDArray[np.bool_], crs: Any, ids: Sequence[str], findings: Findings) -> None:
    if outside.any():
        shown = ", ".join(ids[i] for i in np.flatnonzero(outside).tolist()[:5])
        findings.warn(
            Text(
                f"有要素远在 {crs.name} 的适用范围之外：{shown}",
                f"features lie far outside the area of use of {crs.name}: {shown}",
            ),
            about="area of use",
        )
