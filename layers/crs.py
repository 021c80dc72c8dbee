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
from pyproj.exceptions import CRSError as ProjError

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


def storage_uri(srid: int) -> str:
    """The URI under which a collection announces its storage CRS."""
    return epsg(srid).uri
