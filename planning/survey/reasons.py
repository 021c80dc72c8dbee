"""Why rings make no area, as a surveyor says it: GEOS tells it in its own English words, with east and north."""

import re
from typing import Any

import shapely

from layers.catalogue import Text

_SAID = re.compile(r"(?P<words>[^\[]+)(\[(?P<east>\S+) (?P<north>\S+)\])?")
_WORDS = {
    "self-intersection": Text("边界自相交", "the boundary crosses itself"),
    "ring self-intersection": Text("边界在一点上碰到自己", "the boundary touches itself"),
    "hole lies outside shell": Text("内圈在外圈之外", "a hole lies outside the outline"),
    "holes are nested": Text("内圈套着内圈", "a hole lies within another"),
    "nested holes": Text("内圈套着内圈", "a hole lies within another"),
    "nested shells": Text("外圈套着外圈", "an outline lies within another"),
    "interior is disconnected": Text("内部被隔断成几块", "holes cut the area into pieces"),
    "duplicate rings": Text("同一圈出现两次", "a ring stands twice"),
    "too few points in geometry component": Text("点数不足以成圈", "too few points for a ring"),
}


def why_no_area(shape: Any) -> Text:
    """Why a shape (shapely) is no valid area, and where: survey X and Y [m], or longitude and latitude [°]."""
    if shape.is_valid:
        return Text("面积为零", "its area is zero")
    said = _SAID.match(shapely.is_valid_reason(shape))
    assert said is not None
    words = _WORDS.get(said["words"].strip().lower(), Text(said["words"], said["words"]))
    if said["east"] is None:
        return words
    east, north = float(said["east"]), float(said["north"])
    at = f"X={north:.3f}, Y={east:.3f}" if abs(east) > 360 else f"{east:.7f}°E, {north:.7f}°N"
    return Text(f"{words.zh}（{at}）", f"{words.en} ({at})")
