"""The query parameters of EDR requests, checked and typed (OGC 19-086r6 §8)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely

from geoserver.edr.around import UNITS, circle, corridor
from geoserver.errors import NotAcceptable, ParameterError
from geoserver.parameters import box_parameter, crs_parameter, instant, interval
from layers.crs import Crs
from layers.raster.images import Interval

#: Representations, by the names that ``f`` has for them.
FORMATS = {"CoverageJSON": "application/prs.coverage+json", "GeoJSON": "application/geo+json", "CSV": "text/csv"}
_ALSO = {"covjson": "CoverageJSON", "json": "CoverageJSON"}
COMMON = ("f", "lang", "crs", "datetime", "as-of", "parameter-name", "z")
#: What each query takes beside.
QUERIES = {
    "position": ("coords",),
    "area": ("coords",),
    "cube": ("bbox",),
    "trajectory": ("coords",),
    "radius": ("coords", "within", "within-units"),
    "corridor": ("coords", "corridor-width", "width-units", "corridor-height", "height-units"),
}
_KINDS = {
    "position": ("Point", "MultiPoint"),
    "area": ("Polygon", "MultiPolygon"),
    "trajectory": ("LineString", "MultiLineString"),
    "radius": ("Point",),
    "corridor": ("LineString", "MultiLineString"),
}
_LONGEST = 200_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request: ``shape`` with (east, north) coordinates in ``crs``; bands None for all."""

    query: str
    shape: Any
    crs: Crs
    bands: tuple[str, ...] | None
    time: Interval | None
    as_of: datetime | None
    format: str


def asked_of(query: str, values: dict[str, str], offered: Collection[int]) -> Asked:
    """The request that the parameters of a query ask for. Raises :class:`ParameterError`."""
    if "z" in values:
        raise ParameterError("z", "means nothing here: a coverage has no vertical axis")
    crs = crs_parameter("crs", values.get("crs"), offered)
    return Asked(
        query=query,
        shape=_shape(query, values, crs, offered),
        crs=crs,
        bands=_bands(values.get("parameter-name")),
        time=interval(values["datetime"]) if "datetime" in values else None,
        as_of=instant("as-of", values["as-of"]) if "as-of" in values else None,
        format=_format(values.get("f")),
    )


def _format(text: str | None) -> str:
    if text is None:
        return "CoverageJSON"
    known = {name.lower(): name for name in FORMATS} | _ALSO
    if text.lower() not in known:
        raise NotAcceptable(f"parameter 'f': {text[:80]!r} is not offered here; choose one of {', '.join(FORMATS)}")
    return known[text.lower()]


def _bands(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or len(names) > 32 or len(set(names)) != len(names):
        raise ParameterError("parameter-name", "names 1 to 32 different bands, separated by commas")
    return names


def _shape(query: str, values: dict[str, str], crs: Crs, offered: Collection[int]) -> Any:
    if query == "cube":
        return _box(values, crs, offered)
    shape = _wkt(query, values.get("coords"), crs)
    if query == "radius":
        return circle(shape, crs, _metres(values, "within", "within-units"))
    if query == "corridor":
        if "corridor-height" in values:  # the standard has everybody give one; all of a coverage lies within any
            _metres(values, "corridor-height", "height-units")
        return corridor(shape, crs, _metres(values, "corridor-width", "width-units") / 2)
    return shape


def _metres(values: dict[str, str], name: str, units: str) -> float:
    """A distance [m] by its parameter and that of its unit."""
    unit = values.get(units, "m")
    if unit not in UNITS:
        raise ParameterError(units, f"{unit[:20]!r} is none of {', '.join(UNITS)}")
    try:
        found = float(values.get(name, "")) * UNITS[unit]
    except ValueError:
        found = 0.0
    if not 0 < found <= 1e6:
        raise ParameterError(name, "is no distance above 0 and up to 1000 km")
    return found


def _box(values: dict[str, str], crs: Crs, offered: Collection[int]) -> Any:
    """EDR's bbox is in ``crs``, with its axis order."""
    if "bbox" not in values:
        raise ParameterError("bbox", "is missing: west,south,east,north")
    box = box_parameter({"bbox": values["bbox"], "bbox-crs": crs.uri}, offered)
    assert box is not None
    if not (box.west < box.east and box.south < box.north):
        raise ParameterError("bbox", "has no area")
    return shapely.box(box.west, box.south, box.east, box.north)


def _wkt(query: str, text: str | None, crs: Crs) -> Any:
    if not text:
        raise ParameterError("coords", f"is missing: WKT such as {_KINDS[query][0].upper()}(…)")
    try:
        shape = shapely.from_wkt(text) if len(text) <= _LONGEST else None
    except shapely.GEOSException:
        shape = None
    if shape is None or shape.is_empty or shape.geom_type not in _KINDS[query]:
        kinds = " or ".join(kind.upper() for kind in _KINDS[query])
        raise ParameterError("coords", f"{text[:80]!r} is no WKT of {kinds}")
    if shape.has_z or shape.has_m:
        raise ParameterError("coords", "has heights or measures: a coverage has no vertical axis; give x and y only")
    points = shapely.get_coordinates(shape)
    if crs.geographic:
        limits = (90.0, 180.0) if crs.axis_swapped else (180.0, 90.0)
        if bool((np.abs(points) > limits).any()):
            raise ParameterError("coords", f"lies outside the range of {crs.uri}")
    if not np.isfinite(points).all():
        raise ParameterError("coords", "has coordinates that are no finite numbers")
    if crs.axis_swapped:
        shape = shapely.transform(shape, lambda xy: xy[:, ::-1])
    if shape.geom_type.endswith("Polygon") and not shape.is_valid:
        raise ParameterError("coords", f"is not valid: {shapely.is_valid_reason(shape)}")
    return shape
