"""Positions as phones send them over HTTP: OsmAnd and Traccar Client, OwnTracks, and our own batches of JSON."""

from collections.abc import Mapping
from typing import Any

from tracking.inputs.values import InputRefused, fix_of, moment, number
from tracking.model import ACC, FIXED, Fix

#: Positions of one request.
MOST = 5000
_KNOT, _METRE_PER_SECOND = 1.852, 3.6


def osmand(values: Mapping[str, Any], now: float) -> Fix:
    """The query or form of the OsmAnd protocol: ``lat lon timestamp speed bearing altitude accuracy batt``.

    Speeds are knots, as Traccar and its clients have it. Without ``timestamp`` it is now. Raises :class:`InputRefused`.
    """
    lat, lon = number(values, "lat"), number(values, "lon")
    if lat is None and "location" in values:
        parts = str(values["location"]).split(",")
        lat, lon = (number({"location": part}, "location") for part in parts) if len(parts) == 2 else (None, None)
    speed = number(values, "speed")
    valid = str(values.get("valid", "true")).lower() not in ("false", "0")
    return fix_of(
        moment(values["timestamp"], "timestamp") if values.get("timestamp") else now, lon, lat,
        speed=None if speed is None else speed * _KNOT, heading=number(values, "bearing", "heading"),
        altitude=number(values, "altitude"), valid=valid, accuracy=number(values, "accuracy"),
        battery=number(values, "batt", "battery"),
    )  # fmt: skip


def traccar_client(document: Any) -> tuple[str | None, list[Fix]]:
    """The JSON of newer Traccar Clients: the device, and its one or several locations. Raises :class:`InputRefused`."""
    if not isinstance(document, dict):
        raise InputRefused("the body is no object")
    found = document.get("location", document.get("locations"))
    locations = found if isinstance(found, list) else [found]
    device = document.get("device_id")
    return (str(device) if device is not None else None), [_location(each) for each in _few(locations)]


def _location(location: Any) -> Fix:
    coords = location.get("coords") if isinstance(location, dict) else None
    if not isinstance(coords, dict):
        raise InputRefused("location.coords is missing")
    speed, battery = number(coords, "speed"), location.get("battery")
    level = number(battery, "level") if isinstance(battery, dict) else None
    return fix_of(
        moment(location.get("timestamp"), "timestamp"), number(coords, "longitude"), number(coords, "latitude"),
        speed=None if speed is None else speed * _METRE_PER_SECOND, heading=number(coords, "heading"),
        altitude=number(coords, "altitude"), accuracy=number(coords, "accuracy"),
        battery=None if level is None else level * 100,
    )  # fmt: skip


def owntracks(document: Any) -> Fix | None:
    """A message of OwnTracks; None for one that is no location. Speeds are km/h. Raises :class:`InputRefused`."""
    if not isinstance(document, dict):
        raise InputRefused("the body is no object")
    if document.get("_type") == "encrypted":
        raise InputRefused("the message is encrypted: switch encryption off in OwnTracks and use https")
    if document.get("_type") != "location":
        return None
    return fix_of(
        moment(document.get("tst"), "tst"), number(document, "lon"), number(document, "lat"),
        speed=number(document, "vel"), heading=number(document, "cog"), altitude=number(document, "alt"),
        accuracy=number(document, "acc"), battery=number(document, "batt"),
    )  # fmt: skip


def batch(document: Any) -> list[Fix]:
    """``{"positions": [{"time", "lon", "lat", "speed", "heading", "altitude", "ignition", "mileage"}]}``, speeds in
    km/h. Raises :class:`InputRefused`."""
    if not isinstance(document, dict) or not isinstance(document.get("positions"), list):
        raise InputRefused('the body is not {"positions": [...]}')
    return [_ours(n, each) for n, each in enumerate(_few(document["positions"]))]


def _ours(n: int, values: Any) -> Fix:
    if not isinstance(values, dict):
        raise InputRefused(f"positions[{n}] is no object")
    try:
        fix = fix_of(
            moment(values.get("time"), "time"), number(values, "lon"), number(values, "lat"),
            speed=number(values, "speed"), heading=number(values, "heading"), altitude=number(values, "altitude"),
            valid=values.get("valid", True) is not False, accuracy=number(values, "accuracy"),
        )  # fmt: skip
        mileage = number(values, "mileage")
    except InputRefused as error:
        raise InputRefused(f"positions[{n}].{error}") from None
    ignition = values.get("ignition")
    status = None if ignition is None else FIXED | (ACC if ignition is True else 0)
    return fix._replace(status=status, mileage=mileage)


def _few(found: list[Any]) -> list[Any]:
    if not 1 <= len(found) <= MOST:
        raise InputRefused(f"a request has 1 to {MOST} positions, not {len(found)}")
    return found
