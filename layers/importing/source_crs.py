"""The CRS that a file is in: recognised, refused where PROJ would lie, and transformed to the storage CRS.

Coordinates are (east, north) throughout, whatever the CRS's declared axis order.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.crs import BoundCRS
from pyproj.crs.coordinate_operation import ToWGS84Transformation
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup

from layers.catalogue import CGCS2000
from layers.importing.errors import UnknownCrs

Transform = Callable[..., Any]
_WGS84 = 4326
_CGCS2000_DATUMS = ("china_2000", "china 2000", "cgcs2000", "china geodetic coordinate system 2000")
_OLD_CHINESE = ("xian", "xi'an", "beijing 1954", "beijing_1954", "new beijing", "new_beijing")


def parse_crs(text: str, towgs84: tuple[float, ...] = ()) -> Any:
    """The CRS from an EPSG code, ``EPSG:4547``, WKT (ESRI's too) or PROJ text.

    ``towgs84``: the seven Helmert parameters (m, arc seconds, ppm; position vector) of the city's survey office.
    Raises :class:`UnknownCrs`.
    """
    try:
        crs = CRS.from_user_input(int(text) if text.strip().isdigit() else text)
    except CRSError as error:
        raise UnknownCrs(
            f"无法识别坐标系 {text[:80]!r}，请写成 EPSG:4547 的形式",
            f"CRS {text[:80]!r} is unknown; write it like EPSG:4547",
        ) from error
    return settled(crs, towgs84)


def settled(crs: Any, towgs84: tuple[float, ...] = ()) -> Any:
    """The EPSG definition of a CRS where one fits, or the CRS bound to the given parameters."""
    if towgs84:
        if len(towgs84) != 7:
            raise UnknownCrs("towgs84 需要七个参数", "towgs84 takes seven parameters: dx,dy,dz,rx,ry,rz,ds")
        shift = ToWGS84Transformation(crs.geodetic_crs, *towgs84)
        return BoundCRS(source_crs=crs, target_crs=CRS.from_epsg(_WGS84), transformation=shift)
    if crs.to_epsg(min_confidence=70) is not None:
        return CRS.from_epsg(crs.to_epsg(min_confidence=70))
    code = _cgcs2000_code(crs)
    return crs if code is None else CRS.from_epsg(code)


def _cgcs2000_code(crs: Any) -> int | None:
    """The EPSG code of a CGCS2000 CRS written in another dialect, such as ESRI's ``CGCS2000_3_Degree_GK_CM_114E``."""
    if crs.geodetic_crs is None or not is_cgcs2000(crs.geodetic_crs):
        return None
    if crs.is_geographic:
        return CGCS2000
    operation = crs.coordinate_operation
    if operation is None or "mercator" not in operation.method_name.lower():
        return None
    values = {p.name.lower(): p.value for p in operation.params}
    meridian = values.get("longitude of natural origin", 0.0)
    easting = values.get("false easting", 0.0)
    if values.get("scale factor at natural origin", 1.0) != 1 or easting % 1_000_000 != 500_000:
        return None
    return gauss_kruger_code(meridian, zone=int(easting // 1_000_000))


def gauss_kruger_code(meridian: float, zone: int = 0) -> int | None:
    """EPSG code of the CGCS2000 Gauss-Krüger zone of a central meridian [° E]; ``zone`` 0 means no prefix.

    Without a prefix the 3° zone is given, which serves 6° zones too: the projection is the same.
    """
    if not zone and meridian % 3 == 0 and 75 <= meridian <= 135:
        return 4534 + round((meridian - 75) / 3)
    if meridian == 3 * zone and 25 <= zone <= 45:
        return 4513 + zone - 25
    if meridian == 6 * zone - 3 and 13 <= zone <= 23:
        return 4491 + zone - 13
    return None


def is_cgcs2000(geodetic: Any) -> bool:
    """Whether a geodetic CRS is CGCS2000, in whatever dialect its name is written."""
    names = f"{geodetic.name} {geodetic.datum.name if geodetic.datum else ''}".lower()
    return any(name in names for name in _CGCS2000_DATUMS)


@lru_cache(maxsize=64)
def transform_to(source: Any, srid: int) -> Transform | None:
    """The function (x, y) → (x, y) from a source CRS to a storage CRS; None where they are the same.

    Other datums go through WGS 84, which CGCS2000 equals within a decimetre. Raises :class:`UnknownCrs` where PROJ
    knows only a zero ("ballpark") shift: Xian 80 and Beijing 54 would land 50-150 m off.
    """
    target = CRS.from_epsg(srid)
    if source.to_epsg() == srid:
        return None
    if source.geodetic_crs is None:
        raise UnknownCrs(
            f"{source.name} 是工程坐标系，请给出投影坐标系",
            f"{source.name} is a local CRS; give the projected one",
        )
    if not source.is_bound and _same_datum(source, target):
        return _step(source, target)
    refuse_unknown_shift(source)
    first, second = _step(source, CRS.from_epsg(_WGS84)), _step(CRS.from_epsg(_WGS84), target)
    return lambda x, y: second(*first(x, y))


def _step(source: Any, target: Any) -> Transform:
    transformer = Transformer.from_crs(source, target, always_xy=True)

    def transform(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[Any, Any]:
        east, north = transformer.transform(x, y)
        return east, north

    return transform


def _same_datum(source: Any, target: Any) -> bool:
    one, other = source.geodetic_crs, target.geodetic_crs
    return bool(one.to_epsg() == other.to_epsg() or (is_cgcs2000(one) and is_cgcs2000(other)))


def refuse_unknown_shift(source: Any) -> None:
    """Raise :class:`UnknownCrs` for a CRS whose datum PROJ knows no way from but a zero ("ballpark") shift."""
    if source.is_bound or is_cgcs2000(source.geodetic_crs):
        return
    geodetic = source.geodetic_crs
    names = f"{source.name} {geodetic.name} {geodetic.datum.name if geodetic.datum else ''}".lower()
    old = any(name in names for name in _OLD_CHINESE)
    best = [] if old else TransformerGroup(geodetic, _WGS84, always_xy=True).transformers
    if old or not best or "ballpark" in best[0].description.lower():
        raise UnknownCrs(
            f"从 {source.name} 转换需要参数：请用 towgs84 给出本市七参数，否则位置会偏几十米以上",
            f"{source.name} has no known shift to CGCS2000: give the city's seven parameters as towgs84, "
            "or positions would be tens of metres off",
        )
