"""Which part of the city a superblock is, and what its blocks hold.

A superblock is named by the lower ranks of its two spans, e.g. (0, -1): right of the north–south axis, between the
east–west axis and the river.
"""

import numpy as np

from layers.sample_city.axes import Size

Place = tuple[int, int]
#: Shares of kinds in each zone; the living zones are mixed by distance from the centre, see :func:`housing`.
MIX: dict[str, dict[str, float]] = {
    "cbd": {"office": 0.66, "mall": 0.14, "tower33": 0.1, "square": 0.04, "park": 0.04, "culture": 0.02},
    "centre": {"mall": 0.24, "office": 0.14, "old_town": 0.22, "slab6": 0.26, "government": 0.04, "square": 0.05,
               "park": 0.05},
    "old": {"old_town": 0.74, "slab6": 0.13, "mall": 0.05, "temple": 0.02, "park": 0.04, "culture": 0.02},
    "industry": {"factory": 0.8, "warehouse": 0.07, "vacant": 0.05, "research": 0.04, "green": 0.02, "utility": 0.02},
    "logistics": {"warehouse": 0.78, "factory": 0.14, "vacant": 0.08},
    "campus": {"university": 0.76, "research": 0.08, "slab6": 0.1, "park": 0.06},
    "civic": {"government": 0.3, "square": 0.14, "culture": 0.16, "sports": 0.05, "office": 0.23, "park": 0.12},
    "park": {"park": 1.0},
    "lake": {"lake": 1.0},
}
#: Parcels across a block at most, by zone.
BLOCK_SIZE = {"cbd": 1, "centre": 2, "old": 1, "industry": 3, "logistics": 3, "campus": 3, "civic": 1, "park": 9,
              "lake": 9, "living": 2, "country": 99}


def outer(rank: int) -> int:
    """Distance in ranks of the far side of a span."""
    return rank + 1 if rank >= 0 else -rank


def zones(size: Size, rng: np.random.Generator) -> dict[Place, str]:
    """The zone of every superblock inside the border."""
    span = range(-size.ranks, size.ranks)
    result = {(x, y): _zone(size, x, y) for x in span for y in span}
    town = size.urban_ranks
    result[(town, 0)] = result[(town, 1)] = result[(town + 1, 0)] = result[(town + 1, 1)] = "great_lake"
    living = [place for place, zone in result.items() if zone == "living" and outer(place[0]) != outer(place[1])]
    order = [living[index] for index in rng.permutation(len(living))]
    ring = max(1, round(0.4 * town))
    order.sort(key=lambda place: abs(max(outer(place[0]), outer(place[1])) - ring) > max(1, town // 4))
    lakes, parks, campuses = (max(1, round(len(living) / share)) for share in (24, 26, 22))
    for place, zone in zip(order, ["lake"] * lakes + ["campus"] * campuses + ["park"] * parks, strict=False):
        result[place] = zone
    return result


def _zone(size: Size, x: int, y: int) -> str:
    town, far_x, far = size.urban_ranks, outer(x), max(outer(x), outer(y))
    core = max(1, round(0.22 * town))
    if far > town:
        return "country"
    if y == -1 and far_x <= core:
        return "cbd"
    if y == 0 and far_x <= core:
        return "centre"
    if y in (-2, -1) and far_x <= core + 1:
        return "old"
    if y == 1 and x == 0:
        return "civic"
    if x > 0 and y <= -2 and far >= 0.7 * town and -y <= x + 2:
        return "industry"
    if x == -town and 0 <= y <= 0.5 * town:
        return "logistics"
    return "living"


def housing(far: float) -> dict[str, float]:
    """Mix of kinds in a living superblock; ``far`` is 0 at the centre and 1 at the town's edge."""
    old, mid, new = max(0.0, 0.75 - 1.1 * far), 0.45, 0.15 + 0.5 * far
    total = (old + mid + new) / 0.93
    return {"slab6": old / total, "slab18": mid / total, "tower33": new / total, "villa": 0.03 * far,
            "vacant": 0.03 * far, "park": 0.03, "mall": 0.04 - 0.01 * far - 0.05 * far + 0.02}


def choose(mix: dict[str, float], rng: np.random.Generator) -> str:
    """One kind of a mix."""
    shares = np.maximum(np.array(list(mix.values())), 0)
    return str(rng.choice(list(mix), p=shares / shares.sum()))
