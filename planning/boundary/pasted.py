"""Coordinates pasted from a list or a message: a point per line, a blank line between parcels, no header.

``X Y`` · ``name X Y`` · ``name ring X Y``, separated by blanks, tabs, commas or semicolons.
"""

import re
import unicodedata

from planning.boundary.decoding import lines_of
from planning.boundary.model import BoundaryFile, Findings, Header
from planning.boundary.reader import parcels_of
from planning.boundary.records import PARCEL_FIELDS, ParcelRecord, PointRecord, plain_number
from planning.survey.zones import Zone

_BETWEEN = re.compile(r"[\s,;、]+")


def is_pasted(text: str) -> bool:
    """Whether a text has no section in brackets, as every boundary-point file has."""
    return not re.search(r"[\[［【]\s*(属性描述|地块坐标)", text)


def read_pasted(text: str, zone: Zone | None) -> BoundaryFile:
    """The parcels of pasted coordinates; ``zone`` where the eastings do not carry its number."""
    findings = Findings()
    records: list[ParcelRecord] = []
    between = True
    for number, line in enumerate(lines_of(text), 1):
        items = [item for item in _BETWEEN.split(unicodedata.normalize("NFKC", line)) if item]
        if not items:
            between = True
            continue
        if between:
            records.append(ParcelRecord(number, ("",) * len(PARCEL_FIELDS)))
            between = False
        point = _point(number, items, len(records[-1].points) + 1, findings)
        if point is None:
            records[-1].broken = True
        else:
            records[-1].points.append(point)
    if not records:
        findings.error(0, "no-parcels", "没有坐标", "there are no coordinates")
    header = Header(zone=str(zone.number) if zone else "", zone_width=str(zone.width) if zone else "3", precision="1")
    return parcels_of(header, {}, records, zone, zone.width if zone else 3, findings)


def _point(number: int, items: list[str], place: int, findings: Findings) -> PointRecord | None:
    names, ordinates = items[:-2], items[-2:]
    values = [plain_number(item) for item in ordinates]
    ring = names[1] if len(names) == 2 else "1"
    if len(values) != 2 or None in values or len(names) > 2 or not ring.isdecimal() or not int(ring):
        findings.error(
            number,
            "pasted-line",
            f"应为“X Y”“点号 X Y”或“点号 圈号 X Y”，不是 {' '.join(items)[:60]!r}",
            f"expected 'X Y', 'name X Y' or 'name ring X Y', not {' '.join(items)[:60]!r}",
        )
        return None
    x, y = (value for value in values if value is not None)
    return PointRecord(number, names[0][:40] if names else f"J{place}", int(ring), x, y, 3)
