"""The query parameters of a coverage, checked and typed (OGC 19-087, draft of Coverages Part 1)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from geoserver.errors import ParameterError
from geoserver.parameters import box_parameter, crs_parameter, instant, interval, whole
from layers.crs import Crs, coincident, meets, transformer
from layers.raster.images import Interval

#: What ``/collections/{id}/coverage`` takes.
PARAMETERS = (
    *("f", "lang", "bbox", "bbox-crs", "subset", "subset-crs", "datetime", "as-of", "crs", "properties"),
    *("scale-factor", "scale-axes", "scale-size", "width", "height"),
)
Bounds = tuple[float, float, float, float]
_Ranges = dict[str, tuple[float, float]]
_LIMIT = r'("[^"]{0,40}"|[^\s():,"]{1,40})'
_SUBSET = re.compile(rf"\s*([A-Za-z]{{1,20}})\s*\(\s*{_LIMIT}\s*(?::\s*{_LIMIT}\s*)?\)\s*(?:,|$)")
#: What clients call an axis, in lower case; ``x`` is to the east whatever the CRS.
_AXES: dict[str, Literal["x", "y", "time"]] = {
    **dict.fromkeys(("x", "e", "lon", "long", "longitude", "easting", "i"), "x"),
    **dict.fromkeys(("y", "n", "lat", "latitude", "northing", "j"), "y"),
    **dict.fromkeys(("time", "datetime", "t"), "time"),
}
_SCALINGS = ("scale-factor", "scale-axes", "scale-size", "width", "height")


@dataclass(frozen=True, slots=True)
class Scaling:
    """How large the answer shall be: ``factors`` of coarsening along x and y, or ``size`` in pixels, where None follows
    from the other and the shape of the bounds."""

    factors: tuple[float, float] | None = None
    size: tuple[int | None, int | None] | None = None


@dataclass(frozen=True, slots=True)
class CoverageRequest:
    """A checked request: ``bounds`` (west, south, east, north) in ``crs`` or None for all of it, bands or None."""

    crs: Crs
    bounds: Bounds | None
    bands: tuple[str, ...] | None
    time: Interval | None
    as_of: datetime | None
    scaling: Scaling | None


def coverage_request(values: dict[str, str], offered: Collection[int], extent: Bounds | None) -> CoverageRequest:
    """The request that the parameters ask for; ``extent`` (CGCS2000 degrees) completes a subset of one axis.

    Raises :class:`ParameterError`.
    """
    crs = crs_parameter("crs", values.get("crs"), offered)
    ranges, time = _subsets(values)
    if "datetime" in values:
        time = interval(values["datetime"])
    return CoverageRequest(
        crs=crs,
        bounds=_bounds(values, offered, crs, ranges, extent),
        bands=_bands(values.get("properties")),
        time=time,
        as_of=instant("as-of", values["as-of"]) if "as-of" in values else None,
        scaling=_scaling(values),
    )


def _bounds(
    values: dict[str, str], offered: Collection[int], crs: Crs, ranges: _Ranges, extent: Bounds | None
) -> Bounds | None:
    box = box_parameter(values, offered)
    if ranges and box:
        raise ParameterError("subset", "is given beside bbox: name the place by one of them")
    if box is not None:
        if box.west > box.east:
            raise ParameterError("bbox", "crosses the antimeridian: ask for its two sides one after the other")
        return _moved("bbox", (box.west, box.south, box.east, box.north), box.srid, crs)
    if not ranges:
        if "subset-crs" in values:
            raise ParameterError("subset-crs", "is given without subset")
        return None
    named = crs_parameter("subset-crs", values.get("subset-crs"), offered)
    whole_extent = _moved("subset", extent or (-180.0, -90.0, 180.0, 90.0), 4490, named)
    west, east = ranges.get("x", (whole_extent[0], whole_extent[2]))
    south, north = ranges.get("y", (whole_extent[1], whole_extent[3]))
    return _moved("subset", (west, south, east, north), named.srid, crs)


def _moved(name: str, bounds: Bounds, srid: int, crs: Crs) -> Bounds:
    """Bounds in another CRS: those of the area, whose edges are bent there."""
    if not (bounds[0] < bounds[2] and bounds[1] < bounds[3]):
        raise ParameterError(name, "has no area")
    if coincident(srid, crs.srid):
        return bounds
    if not meets(srid, bounds, crs.srid):
        raise ParameterError(name, f"lies where {crs.uri} does not reach")
    moved: Bounds = transformer(srid, crs.srid).transform_bounds(*bounds)
    return moved


def _subsets(values: dict[str, str]) -> tuple[_Ranges, Interval | None]:
    """The ranges along x and y, and the time, of ``subset=Lat(30:31),Lon(114:115),time("2024-01-01")``."""
    text = values.get("subset", "")
    ranges: _Ranges = {}
    time: Interval | None = None
    if "subset" in values and not text.strip():
        raise ParameterError("subset", "is empty; write it like Lat(30:31),Lon(114:115)")
    at = 0
    while at < len(text):
        found = _SUBSET.match(text, at)
        if found is None or len(text) > 500:
            raise ParameterError("subset", f'{text[at : at + 80]!r} is not like Lat(30:31) or time("2024-01-01")')
        axis = _AXES.get(found[1].lower())
        low, high = found[2].strip().strip('"'), (found[3] or "").strip().strip('"')
        if axis == "time":
            time = interval(f"{low}/{high}" if high else low)
        elif axis is None or axis in ranges:
            raise ParameterError("subset", f"axis {found[1]!r} is unknown or named twice; there are Lon, Lat and time")
        else:
            ranges[axis] = _range(low, high)
        at = found.end()
    return ranges, time


def _range(low: str, high: str) -> tuple[float, float]:
    try:
        begin, end = float(low), float(high)
    except ValueError:
        raise ParameterError("subset", f"{low[:40]!r}:{high[:40]!r} is no range of numbers like 30:31") from None
    if not begin < end:
        raise ParameterError("subset", f"{low}:{high} has no length; a single place has no pixels")
    return begin, end


def _bands(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or len(names) > 32 or len(set(names)) != len(names):
        raise ParameterError("properties", "names 1 to 32 different bands, separated by commas")
    return names


def _scaling(values: dict[str, str]) -> Scaling | None:
    given = [name for name in _SCALINGS if name in values]
    if len(given) > 1 and set(given) != {"width", "height"}:
        raise ParameterError(given[1], f"is given beside {given[0]}: scale by one of them")
    if "scale-factor" in values:
        factor = _factor("scale-factor", values["scale-factor"])
        return Scaling(factors=(factor, factor))
    if "scale-axes" in values:
        factors = {axis: _factor("scale-axes", text) for axis, text in _by_axis("scale-axes", values).items()}
        return Scaling(factors=(factors.get("x", 1.0), factors.get("y", 1.0)))
    if "scale-size" in values:
        sizes = {axis: whole("scale-size", text, 1) for axis, text in _by_axis("scale-size", values).items()}
        return Scaling(size=(sizes.get("x"), sizes.get("y")))
    if given:
        sizes = {name: whole(name, values[name], 1) for name in given}
        return Scaling(size=(sizes.get("width"), sizes.get("height")))
    return None


def _by_axis(name: str, values: dict[str, str]) -> dict[str, str]:
    found = {}
    for part in values[name].split(",", 4):
        match = re.fullmatch(r"\s*([A-Za-z]+)\(\s*([0-9.eE+-]{1,20})\s*\)\s*", part)
        axis = _AXES.get(match[1].lower()) if match else None
        if match is None or axis in (None, "time") or axis in found:
            raise ParameterError(name, f"{part[:60]!r} is not like Lon(400); the axes are Lon and Lat, or E and N")
        found[str(axis)] = match[2]
    return found


def _factor(name: str, text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1e-3 <= factor <= 1e6:
        raise ParameterError(name, f"{text[:40]!r} is no factor: 2 is half the resolution, 0.5 twice")
    return factor
