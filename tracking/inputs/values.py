"""Numbers and times as devices and phones write them, bounded."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tracking.model import Doubt, Fix

#: Years that a time may lie in; milliseconds are told from seconds by their size.
_FIRST, _LAST = 631_152_000.0, 4_102_444_800.0
_MILLISECONDS = 100_000_000_000.0
#: Characters of one value of ``more``.
_LONGEST = 200


class InputRefused(ValueError):
    """What was sent is no position; the message says what of it."""


def number(values: Mapping[str, Any], *names: str) -> float | None:
    """The first of these that is there, as a finite number. Raises :class:`InputRefused` for another value."""
    for name in names:
        value = values.get(name)
        if value is None or value == "":
            continue
        try:
            found = float(value)
        except (TypeError, ValueError):
            found = math.nan
        if isinstance(value, bool) or not math.isfinite(found):
            raise InputRefused(f"{name}: {str(value)[:40]!r} is no number")
        return found
    return None


def moment(value: Any, name: str) -> float:
    """Unix time [s] of seconds, milliseconds or ISO 8601 (without zone: UTC). Raises :class:`InputRefused`."""
    try:
        found = float(value)
        found = found / 1000 if found > _MILLISECONDS else found
    except (TypeError, ValueError):
        try:
            parsed = datetime.fromisoformat(str(value)[:40])
            found = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise InputRefused(f"{name}: {str(value)[:40]!r} is no time") from None
    if isinstance(value, bool) or not _FIRST <= found < _LAST:
        raise InputRefused(f"{name}: {str(value)[:40]!r} is no time between 1990 and 2100")
    return found


def fix_of(
    time: float, lon: float | None, lat: float | None, *, speed: float | None = None, heading: float | None = None,
    altitude: float | None = None, valid: bool = True, **more: Any,
) -> Fix:  # fmt: skip
    """A fix of values as they came, in doubt where it has no place. Speed [km/h]. Raises :class:`InputRefused`."""
    if lon is None or lat is None:
        raise InputRefused("a position has both a longitude and a latitude")
    doubt = 0 if valid else int(Doubt.NO_FIX)
    if (lon == 0 and lat == 0) or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        doubt |= Doubt.NO_PLACE
    kept = {name: _kept(value) for name, value in more.items() if value is not None}
    return Fix(
        time, lon, lat,
        None if speed is None or speed < 0 else min(speed, 10_000.0),
        None if heading is None or heading < 0 else round(heading) % 360,
        None if altitude is None else max(-32_000, min(32_000, round(altitude))),
        doubt=int(doubt), more=kept or None,
    )  # fmt: skip


def _kept(value: Any) -> Any:
    return value.replace("\0", "")[:_LONGEST] if isinstance(value, str) else value
