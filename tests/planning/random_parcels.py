"""Random parcels for properties: star-shaped rings about a place, so they never cross themselves."""

import math
from typing import Any

from hypothesis import strategies as st

from planning.survey.parcel import BoundaryPoint, Parcel, Ring
from planning.survey.zones import Zone

_TEXT = st.text(
    st.characters(codec="gbk", exclude_categories=("Cc", "Cs", "Z"), exclude_characters=",，﹐､@＠[]［］【】=\u3000"),
    max_size=12,
)


def _ring(draw: Any, centre: tuple[float, float], least: float, most: float, first: int) -> Ring:
    count = draw(st.integers(3, 12))
    shares = [draw(st.floats(0.1, 0.9)) for _ in range(count)]
    points = []
    for i in range(count):
        radius = draw(st.floats(least, most))
        angle = 2 * math.pi * (i + shares[i] * 0.8) / count
        points.append(
            BoundaryPoint(
                f"J{first + i}",
                round(centre[0] + radius * math.cos(angle), 3),
                round(centre[1] + radius * math.sin(angle), 3),
            )
        )
    return tuple(points)


@st.composite
def parcels(draw: Any, zone: Zone | None = None) -> Parcel:
    """A parcel of 20 m to 600 m across, perhaps with a hole, millimetre coordinates, well within its zone."""
    zone = zone or Zone(draw(st.integers(26, 44)))
    centre = (draw(st.floats(2_600_000, 5_300_000)), draw(st.floats(450_000, 550_000)))
    size = draw(st.floats(10, 300))
    rings = [_ring(draw, centre, size, 1.9 * size, 1)]
    if draw(st.booleans()):
        # Inside the circle that a triangle of the outline's nearest points leaves free.
        rings.append(_ring(draw, centre, 0.02 * size, 0.05 * size, len(rings[0]) + 1))
    facts = [draw(_TEXT).strip() for _ in range(5)]
    return Parcel(tuple(rings), zone, number=facts[0], name=facts[1], sheet=facts[2], use=facts[3], land_code=facts[4])
