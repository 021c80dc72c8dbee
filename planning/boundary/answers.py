"""What clients send and get of parcels: points with names, areas, findings, all as plain values."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import orjson
import shapely
from pydantic import Field

from planning.boundary.model import BoundaryFile, Finding
from planning.errors import PlanningError
from planning.survey.areas import Areas, ZoneShare, areas_of, zone_shares
from planning.survey.parcel import BoundaryPoint, Parcel
from planning.survey.reasons import why_no_area
from planning.survey.zones import Zone

_Short = Annotated[str, Field(max_length=200)]
#: Degrees are given to 0.1 mm.
_GRID = 1e-9


@dataclass(frozen=True, slots=True)
class SurveyPoint:
    """界址点: ``x`` is the northing, ``y`` the easting without zone number [m]; ``line`` of the file it came from."""

    name: Annotated[str, Field(max_length=40)]
    x: Annotated[float, Field(ge=300_000, le=6_100_000)]
    y: Annotated[float, Field(ge=100_000, lt=1_000_000)]
    line: int = 0


_Ring = Annotated[tuple[SurveyPoint, ...], Field(min_length=3, max_length=20_000)]


@dataclass(frozen=True, slots=True)
class GivenParcel:
    """A parcel by its points; rings are open, the first is the outline, the others are holes."""

    zone: Annotated[int, Field(ge=13, le=45)]
    rings: Annotated[tuple[_Ring, ...], Field(min_length=1, max_length=1000)]
    zone_width: Literal[3, 6] = 3
    number: _Short = ""
    name: _Short = ""
    use: _Short = ""
    land_code: _Short = ""
    sheet: _Short = ""

    def parcel(self) -> Parcel:
        """The parcel. Raises :class:`PlanningError` for a zone that there is not, or rings that make no area."""
        rings = tuple(tuple(BoundaryPoint(p.name, p.x, p.y) for p in ring) for ring in self.rings)
        try:
            zone = Zone(self.zone, self.zone_width)
        except ValueError:
            raise PlanningError(
                f"没有 {self.zone_width}° 带 {self.zone}", f"there is no {self.zone_width}° zone {self.zone}"
            ) from None
        found = Parcel(rings, zone, self.number, self.name, sheet=self.sheet, use=self.use, land_code=self.land_code)
        if not found.polygon.is_valid or not found.polygon.area:
            why = why_no_area(found.polygon)
            raise PlanningError(
                f"地块 {self.number} 的边界不构成面：{why.zh}",
                f"the rings of parcel {self.number!r} make no area: {why.en}",
            )
        return found


@dataclass(frozen=True, slots=True)
class ParcelAnswer:
    """A parcel read: its points as surveyed, its areas, the 3° zones it lies in, and its shape in degrees."""

    number: str
    name: str
    use: str
    land_code: str
    sheet: str
    zone: int
    zone_width: int
    crs: str
    rings: tuple[tuple[SurveyPoint, ...], ...]
    areas: Areas
    zones: tuple[ZoneShare, ...]
    stated_area: float | None
    line: int
    geometry: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportedParcels:
    """What a file holds: sound parcels, and every contradiction by its line. ``header`` is [属性描述] as it stands."""

    parcels: tuple[ParcelAnswer, ...]
    findings: tuple[Finding, ...]
    errors: int
    warnings: int
    encoding: str | None
    prefixed: bool
    header: dict[str, str]


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A small file: its text where it is one, and its bytes in base64."""

    name: str
    media_type: str
    encoding: str
    text: str
    base64: str


def answer(parcel: Parcel) -> ParcelAnswer:
    """A parcel as clients get it."""
    return ParcelAnswer(
        number=parcel.number, name=parcel.name, use=parcel.use, land_code=parcel.land_code, sheet=parcel.sheet,
        zone=parcel.zone.number, zone_width=parcel.zone.width, crs=f"EPSG:{parcel.zone.srid}",
        rings=tuple(tuple(SurveyPoint(p.name, p.north, p.east, p.line) for p in ring) for ring in parcel.rings),
        areas=areas_of(parcel), zones=zone_shares(parcel), stated_area=parcel.stated_area, line=parcel.line,
        geometry=as_geojson(parcel.degrees),
    )  # fmt: skip


def imported(file: BoundaryFile) -> ImportedParcels:
    """A file as clients get it."""
    header = {name: str(getattr(file.header, name)) for name in file.header.__dataclass_fields__}
    errors = len(file.errors)
    return ImportedParcels(
        tuple(map(answer, file.parcels)), file.findings, errors, len(file.findings) - errors,
        file.encoding, file.prefixed, header,
    )  # fmt: skip


def as_geojson(degrees: Any) -> dict[str, Any]:
    """A shapely geometry in degrees as GeoJSON."""
    found: dict[str, Any] = orjson.loads(shapely.to_geojson(shapely.set_precision(degrees, _GRID, mode="pointwise")))
    return found


def as_geojsons(degrees: Any) -> list[dict[str, Any]]:
    """An array of shapely geometries in degrees as GeoJSON."""
    texts = shapely.to_geojson(shapely.set_precision(degrees, _GRID, mode="pointwise"))
    return [orjson.loads(text) for text in np.atleast_1d(texts)]
