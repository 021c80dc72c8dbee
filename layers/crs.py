"""Coordinate reference systems as the API names them.

PostGIS stores and computes (east, north); EPSG declares many systems (north, east). The order is swapped only at the
edges, by ``axis_swapped``. WGS 84 and CGCS2000 geographic coordinates coincide within centimetres and PROJ transforms
one into the other unchanged, so no transformation is spent on them (OGC 18-058r1 for the URIs).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import pyproj
from pyproj.enums import TransformDirection
from pyproj.exceptions import CRSError as ProjError

#: How far beyond its area of use a projection is still smooth [degrees].
_MARGIN = 45.0
#: SRIDs whose coordinates are numerically the same here: WGS 84 and CGCS2000, geographic.
_COINCIDENT = frozenset({4326, 4490})

_EPSG_URI = re.compile(r"https?://www\.opengis\.net/def/crs/EPSG/[\d.]+/(\d{4,6})", re.IGNORECASE)
_EPSG_CURIE = re.compile(r"\[?(?:EPSG:|urn:ogc:def:crs:EPSG:[\d.]*:)(\d{4,6})\]?", re.IGNORECASE)
_CRS84 = re.compile(
    r"https?://www\.opengis\.net/def/crs/OGC/(?:1\.3|0)/CRS84|\[?(?:OGC|CRS):?(?:CRS)?84\]?|urn:ogc:def:crs:OGC:[\d.]*:CRS84",
    re.IGNORECASE,
)


class CrsError(ValueError):
    """A coordinate reference system is unknown or not offered here."""


@dataclass(frozen=True, slots=True)
class Crs:
    """A coordinate reference system of a request or an answer.

    ``axis_swapped``: its coordinates are given north before east. ``decimals``: digits that keep 0.1 mm.
    """

    srid: int
    uri: str
    axis_swapped: bool
    geographic: bool

    @property
    def decimals(self) -> int:
        """Decimal places of an ordinate in text: 9 for degrees, 4 for metres, both about 0.1 mm."""
        return 9 if self.geographic else 4

    def coincides_with(self, srid: int) -> bool:
        """Whether coordinates of that SRID need no transformation to become this system's."""
        return coincident(self.srid, srid)


def coincident(srid: int, other: int) -> bool:
    """Whether coordinates of the one system serve as the other's without transformation."""
    return srid == other or {srid, other} <= _COINCIDENT


#: WGS 84 with longitude first: the default of OGC API – Features.
CRS84 = Crs(4326, "http://www.opengis.net/def/crs/OGC/1.3/CRS84", axis_swapped=False, geographic=True)


@lru_cache(maxsize=512)
def epsg(srid: int) -> Crs:
    """The EPSG system of that code, axis order as EPSG declares it.

    Raises :class:`CrsError` when PROJ does not know the code.
    """
    try:
        crs = pyproj.CRS.from_epsg(srid)
    except ProjError:
        raise CrsError(f"EPSG:{srid} is not known to PROJ") from None
    swapped = bool(crs.axis_info) and crs.axis_info[0].direction.lower() == "north"
    return Crs(srid, f"http://www.opengis.net/def/crs/EPSG/0/{srid}", swapped, crs.is_geographic)


def parse_crs(text: str, offered: Collection[int]) -> Crs:
    """The system that a URI, URN or CURIE names, if it is CRS84 or one of the offered EPSG codes."""
    text = text.strip()
    if _CRS84.fullmatch(text):
        return CRS84
    match = _EPSG_URI.fullmatch(text) or _EPSG_CURIE.fullmatch(text)
    if match and int(match[1]) in offered:
        return epsg(int(match[1]))
    choice = ", ".join(["CRS84", *(f"EPSG:{srid}" for srid in sorted(offered))])
    raise CrsError(f"{text[:200]!r} is not offered here; choose one of {choice}")


def meets(srid: int, box: tuple[float, float, float, float], other: int) -> bool:
    """Whether a box (west, south, east, north of ``srid``) keeps its shape when it is transformed to ``other``.

    A projection folds or tears what lies far from the area it is made for (a transverse Mercator zone: a quarter of
    the earth away), and then the box's image says nothing of what lies within it.
    """
    degrees = transformer(srid, 4326)
    corners = [(x, y) for x in (box[0], box[2]) for y in (box[1], box[3])]
    for x, y in corners:
        back = degrees.transform(*degrees.transform(x, y), direction=TransformDirection.INVERSE)
        if not all(abs(a - b) <= 1e-6 * max(1.0, abs(b)) for a, b in zip(back, (x, y), strict=True)):
            return False
    west, south, east, north = degrees.transform_bounds(*box)
    return west <= east and all(
        area[0] <= west and area[1] <= south and east <= area[2] and north <= area[3]
        for area in (_reach(srid), _reach(other))
    )


@lru_cache(maxsize=512)
def _reach(srid: int) -> tuple[float, float, float, float]:
    """West, south, east, north [degrees] between which a projection is smooth; of geographic systems the earth."""
    crs = pyproj.CRS.from_epsg(srid)
    if crs.is_geographic or crs.area_of_use is None:
        return (-180.0, -90.0, 180.0, 90.0)
    west, south, east, north = crs.area_of_use.bounds
    return (west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN)


@lru_cache(maxsize=512)
def transformer(srid: int, other: int) -> pyproj.Transformer:
    """From one system to another, both in (east, north) order."""
    return pyproj.Transformer.from_crs(srid, other, always_xy=True)


def storage_uri(srid: int) -> str:
    """The URI under which a collection announces its storage CRS."""
    return epsg(srid).uri
