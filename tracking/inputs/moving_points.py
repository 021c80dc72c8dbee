"""Moving points as MF-JSON (OGC 19-045r3 §7.2): what a client adds to a track, as fixes.

时空几何 temporal geometry: instants and places · 时空属性 temporal properties: values at the same instants. Places are
CRS84. Unlike a file of tracks it is taken as a whole or not at all.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tracking.analysis.moving import PROPERTIES
from tracking.inputs.values import InputRefused, fix_of, moment
from tracking.model import Doubt, Fix

#: Instants of one document.
MOST = 50_000
#: Properties that a fix has, each with the one unit that it may name.
UNITS: Mapping[str, str] = {name: unit for name, (unit, _) in PROPERTIES.items()}
_CRS84 = ("urn:ogc:def:crs:OGC:1.3:CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84")
_NAMES_OF_CRS84 = frozenset((*_CRS84, "urn:ogc:def:crs:OGC::CRS84", "https://www.opengis.net/def/crs/OGC/1.3/CRS84"))
#: How a point may move between its instants: as a track is read, or not at all.
_INTERPOLATIONS = (None, "Linear", "Discrete")


def read_moving(document: Any) -> list[Fix]:
    """The fixes of a MovingPoint, of a MovingGeometryCollection, or of a Feature with ``temporalGeometry`` and perhaps
    ``temporalProperties``, in their order.

    Raises :class:`InputRefused`, which names the member.
    """
    if not isinstance(document, dict):
        raise InputRefused("the body is no object of MF-JSON")
    is_feature = document.get("type") == "Feature"
    geometry = document.get("temporalGeometry") if is_feature else document
    if not isinstance(geometry, dict):
        raise InputRefused("member temporalGeometry: it is no object")
    told = _properties(document.get("temporalProperties") or []) if is_feature else {}
    _require_crs84(document)
    fixes: list[Fix] = []
    for where, part in _parts(geometry):
        _require_crs84(part)
        fixes += _points(part, where, told)
        if len(fixes) > MOST:
            raise InputRefused(f"member {where}: more than {MOST} instants at once; send them in parts")
    if told:
        raise InputRefused(f"member temporalProperties: at {min(told):.3f} s since 1970 there is no place")
    return fixes


def _parts(geometry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if geometry.get("type") != "MovingGeometryCollection":
        yield "temporalGeometry", geometry
        return
    prisms = geometry.get("prisms")
    if not isinstance(prisms, list) or not all(isinstance(prism, dict) for prism in prisms):
        raise InputRefused("member prisms: it is no list of temporal geometries")
    for n, prism in enumerate(prisms):
        yield f"prisms[{n}]", prism


def _points(part: Mapping[str, Any], where: str, told: dict[float, dict[str, float]]) -> Iterator[Fix]:
    times, places = part.get("datetimes"), part.get("coordinates")
    if part.get("type") != "MovingPoint":
        raise InputRefused(f"member {where}: its type is no MovingPoint")
    if part.get("interpolation") not in _INTERPOLATIONS:
        raise InputRefused(f"member {where}.interpolation: only Linear and Discrete are kept")
    if not isinstance(times, list) or not isinstance(places, list) or not times or len(times) != len(places):
        raise InputRefused(f"member {where}: datetimes and coordinates are no lists of one length")
    before = float("-inf")
    for n, (time, place) in enumerate(zip(times, places, strict=True)):
        at = moment(time, f"{where}.datetimes[{n}]")
        if at <= before:
            raise InputRefused(f"member {where}.datetimes[{n}]: instants must rise")
        before = at
        yield _fix(at, place, f"{where}.coordinates[{n}]", told.pop(at, {}))


def _fix(at: float, place: Any, where: str, values: Mapping[str, float]) -> Fix:
    if not isinstance(place, list) or not 2 <= len(place) <= 3 or not all(map(_is_number, place)):
        raise InputRefused(f"member {where}: it is no pair or triple of numbers")
    altitude = place[2] if len(place) == 3 else None
    made = fix_of(at, float(place[0]), float(place[1]), speed=values.get("speed"), heading=values.get("heading"),
                  altitude=altitude)  # fmt: skip
    if made.doubt & Doubt.NO_PLACE:
        raise InputRefused(f"member {where}: it is no place on the Earth")
    return made._replace(mileage=values.get("mileage"))


def _properties(found: Any) -> dict[float, dict[str, float]]:
    """Values by instant. Raises :class:`InputRefused`."""
    told: dict[float, dict[str, float]] = {}
    if not isinstance(found, list):
        raise InputRefused("member temporalProperties: it is no list")
    for n, group in enumerate(found):
        where = f"temporalProperties[{n}]"
        times = group.get("datetimes") if isinstance(group, dict) else None
        if not isinstance(times, list):
            raise InputRefused(f"member {where}.datetimes: it is no list")
        at = [moment(time, f"{where}.datetimes[{m}]") for m, time in enumerate(times)]
        for name, values in group.items():
            if name != "datetimes":
                for time, value in zip(at, _values(name, values, where, len(at)), strict=True):
                    told.setdefault(time, {})[name] = value
    return told


def _values(name: str, found: Any, where: str, count: int) -> list[float]:
    if name not in UNITS:
        raise InputRefused(f"member {where}.{name[:40]}: a track has no such property; it has {', '.join(UNITS)}")
    values = found.get("values") if isinstance(found, dict) else None
    if not isinstance(values, list) or len(values) != count or not all(map(_is_number, values)):
        raise InputRefused(f"member {where}.{name}.values: they are no {count} numbers, one for each instant")
    if found.get("form", UNITS[name]) != UNITS[name]:
        raise InputRefused(f"member {where}.{name}.form: only {UNITS[name]} is taken")
    return [float(value) for value in values]


def _require_crs84(document: Mapping[str, Any]) -> None:
    crs = document.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = (properties.get("name") or properties.get("href")) if isinstance(properties, dict) else None
    if name not in _NAMES_OF_CRS84:
        raise InputRefused("member crs: only CRS84 is taken here: longitude before latitude")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
