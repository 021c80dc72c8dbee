"""Coordinate systems by the names that people use, each with its way to and from longitude and latitude.

Everything goes by CGCS2000 degrees (EPSG:4490), with which WGS 84 agrees within a decimetre. Positions are (east,
north) or (longitude, latitude) throughout. GCJ-02 火星坐标 and BD-09 百度坐标 are of :mod:`layers.china_offset`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.enums import TransformDirection

from layers import china_offset
from layers.catalogue import CGCS2000
from layers.coordinates.local_grid import LocalGrid, LocalGridError, OldDatum, SevenParameters, check_proj
from layers.importing.errors import UnknownCrs
from layers.importing.source_crs import is_cgcs2000, parse_crs, refuse_unknown_shift

type Ordinates = NDArray[np.float64]
type Step = Callable[[Ordinates, Ordinates], tuple[Ordinates, Ordinates]]

_WGS84 = 4326
#: Names without capitals, blanks and hyphens.
_NAMED = {
    **dict.fromkeys(("wgs84", "crs84", "ogc:crs84", "gps"), _WGS84),
    **dict.fromkeys(("cgcs2000", "国家2000", "2000国家大地坐标系"), CGCS2000),
    **dict.fromkeys(("xian80", "xian1980", "西安80", "1980西安坐标系"), 4610),
    **dict.fromkeys(("beijing54", "beijing1954", "北京54", "1954年北京坐标系"), 4214),
}
_EXAMPLES = ("EPSG:4490", "EPSG:4547", "WGS84", "GCJ-02", "BD-09", "Xian80", "Beijing54")
_OFFSETS: Mapping[str, tuple[str, Step, Step]] = {
    "gcj02": ("GCJ-02", china_offset.gcj02_to_wgs84, china_offset.wgs84_to_gcj02),
    "bd09": ("BD-09", china_offset.bd09_to_wgs84, china_offset.wgs84_to_bd09),
}
#: How names of the old datums begin, in PROJ and ESRI.
_OLD: dict[str, OldDatum] = {"xian": "xian80", "beijing": "beijing54"}


@dataclass(frozen=True, slots=True)
class System:
    """One coordinate system. ``crs`` is what PROJ knows of it: None for GCJ-02, BD-09 and four-parameter grids.

    ``decimals`` keep 0.1 mm.
    """

    name: str
    to_degrees: Step
    from_degrees: Step
    crs: Any
    decimals: int

    @property
    def shifts_in_china(self) -> bool:
        """Whether it is GCJ-02 or BD-09."""
        return self.name in ("GCJ-02", "BD-09")


def find_system(
    text: str,
    parameters: SevenParameters | None,
    grids: Mapping[str, LocalGrid],
    known: Mapping[OldDatum, SevenParameters],
) -> System:
    """The system that a text names: an EPSG code, a name such as ``GCJ-02`` or ``西安80``, a local grid of the city, or
    PROJ text.

    ``parameters`` are given for this system; ``known`` are the city's for the old datums. Raises :class:`UnknownCrs`,
    also for PROJ text that could do more than project.
    """
    if text in grids:
        return _local(text, grids[text])
    plain = re.sub(r"[\s_-]", "", text).lower()
    if plain in _OFFSETS:
        name, to_degrees, from_degrees = _OFFSETS[plain]
        return System(name, to_degrees, from_degrees, None, 9)
    if "+proj" in text:
        try:
            check_proj(text)
        except LocalGridError as error:
            raise UnknownCrs(error.text.zh, error.text.en) from None
        return _of_crs(_proj_crs(text, parameters))
    if not (plain in _NAMED or re.fullmatch(r"(epsg:)?[0-9]{4,6}", plain)):
        offered = ", ".join(
            ["EPSG:4490", "EPSG:4547", "WGS84", "GCJ-02", "BD-09", "Xian80", "Beijing54", *sorted(grids)]
        )
        raise UnknownCrs(
            f"没有坐标系 {text[:80]!r}，可写 {offered}", f"no system {text[:80]!r}; write one of {offered}"
        )
    code = str(_NAMED[plain]) if plain in _NAMED else plain.removeprefix("epsg:")
    crs = parse_crs(code)
    if parameters and crs.geodetic_crs is not None and crs.geodetic_crs.to_epsg() in (_WGS84, CGCS2000):
        raise UnknownCrs(f"{crs.name} 不需要七参数", f"{crs.name} takes no seven parameters")
    shift = parameters or _known(crs, known)
    return _of_crs(parse_crs(code, shift) if shift else crs)


def _known(crs: Any, known: Mapping[OldDatum, SevenParameters]) -> SevenParameters | None:
    """The city's parameters for the datum of a system, if it is an old one."""
    if crs.geodetic_crs is None:
        return None
    names = f"{crs.name} {crs.geodetic_crs.name} {crs.geodetic_crs.datum.name}".lower()
    return next((known[datum] for word, datum in _OLD.items() if word in names and datum in known), None)


def _local(name: str, grid: LocalGrid) -> System:
    if grid.proj is not None:
        found = _of_crs(_proj_crs(grid.proj, grid.towgs84))
        return System(name, found.to_degrees, found.from_degrees, found.crs, found.decimals)
    base = _of_crs(parse_crs(str(grid.base)))
    a, b, d, e, east, north = grid.matrix
    area = a * e - b * d

    def to_degrees(x: Ordinates, y: Ordinates) -> tuple[Ordinates, Ordinates]:
        x, y = x - east, y - north
        return base.to_degrees((e * x - b * y) / area, (a * y - d * x) / area)

    def from_degrees(x: Ordinates, y: Ordinates) -> tuple[Ordinates, Ordinates]:
        x, y = base.from_degrees(x, y)
        return a * x + b * y + east, d * x + e * y + north

    return System(name, to_degrees, from_degrees, None, base.decimals)


def _proj_crs(text: str, parameters: SevenParameters | None) -> Any:
    """The CRS of PROJ text. On CGCS2000's or WGS 84's ellipsoid it is of that datum unless it says otherwise."""
    own = "towgs84=" in text or "datum=" in text
    modern = re.search(r"ellps=(GRS80|WGS84)\b", text) is not None
    return parse_crs(
        f"{text} +towgs84=0,0,0,0,0,0,0" if modern and not own and not parameters else text, parameters or ()
    )


def _of_crs(crs: Any) -> System:
    plane = crs.source_crs if crs.is_bound else crs
    if not (plane.is_geographic or plane.is_projected) or plane.geodetic_crs is None:
        raise UnknownCrs(f"{plane.name} 不是平面或经纬度坐标系", f"{plane.name} is no projected or geographic system")
    refuse_unknown_shift(crs)
    transformer = _transformer(crs)

    def step(direction: TransformDirection) -> Step:
        def transform(x: Ordinates, y: Ordinates) -> tuple[Ordinates, Ordinates]:
            east, north = transformer.transform(x, y, direction=direction)
            return np.asarray(east, dtype=np.float64), np.asarray(north, dtype=np.float64)

        return transform

    code = crs.to_epsg()
    name = f"EPSG:{code} {crs.name}" if code else str(plane.name)
    decimals = 9 if plane.is_geographic else 4
    return System(name, step(TransformDirection.FORWARD), step(TransformDirection.INVERSE), crs, decimals)


@lru_cache(maxsize=256)
def _transformer(crs: Any) -> Transformer:
    """To degrees: of CGCS2000 for its own systems, else of WGS 84, whose numbers are the same."""
    direct = not crs.is_bound and is_cgcs2000(crs.geodetic_crs)
    return Transformer.from_crs(crs, CRS.from_epsg(CGCS2000 if direct else _WGS84), always_xy=True)
