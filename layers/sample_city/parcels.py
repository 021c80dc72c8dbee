"""Parcels: the cells of the lattice as convex quadrilaterals, cut in two where a diagonal road crosses."""

from dataclasses import dataclass

import numpy as np

from layers.sample_city.arterials import HALF_WIDTH, TRUNK
from layers.sample_city.axes import PARCELS, Flags, Floats, Ints
from layers.sample_city.plan import Plan

#: Land kept free on each side of a creek, beyond its bank [m].
CREEK_BANK = 7.0


@dataclass(frozen=True, slots=True)
class Parcels:
    """Parcels in rows of the lattice.

    ``corners`` (n, 4, 2) [m] counter-clockwise; per side (n, 4), side k from corner k to k + 1: ``road`` class,
    ``name`` ordinal or -1, ``keep`` half the width of the road or creek [m], ``along`` +1 where the parcel lies left
    of the road's direction, else -1, ``chain`` the place along the road [m]. Per parcel: ``row``, ``column``,
    ``kind``, ``block``, ``community``, ``buildable``, and ``village``, the mean radius of a village's outline,
    infinite elsewhere [m].
    """

    corners: Floats
    road: Ints
    name: Ints
    keep: Floats
    along: Ints
    chain: Floats
    row: Ints
    column: Ints
    kind: Ints
    block: Ints
    community: Ints
    buildable: Flags
    village: Floats


def creek_half_width(rows: Ints, river_row: int, total: int) -> Floats:
    """Half the width of a creek at lattice rows; it narrows away from the river [m]."""
    result: Floats = 11.0 - 6.0 * np.abs(rows - river_row) / total
    return result


def make_parcels(plan: Plan) -> Parcels:
    """All parcels of the plan, the river's two rows left out."""
    lattice = plan.lattice
    row, column = np.nonzero(plan.kind >= 0)
    slope = np.zeros(lattice.shape, np.int64)
    cut_name = np.full(lattice.shape, -1)
    d = plan.network.diagonals
    slope[d[:, 0], d[:, 1]], cut_name[d[:, 0], d[:, 1]] = d[:, 2], d[:, 3]
    sides = _Sides(plan, row, column)
    whole, halves = slope[row, column] == 0, slope[row, column]
    parts = [sides.pick(np.flatnonzero(whole), (0, 1, 2, 3), cut_name)]
    for sign, turns in ((1, ((0, 1), (2, 3))), (-1, ((1, 2), (3, 0)))):
        for turn in turns:
            parts.append(sides.pick(np.flatnonzero(halves == sign), turn, cut_name))
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    order = np.lexsort((joined["column"], joined["row"]))
    joined = {key: value[order] for key, value in joined.items()}
    at = joined["row"], joined["column"]
    normal = (lattice.rows.gap[at[0]] == PARCELS) & (lattice.columns.gap[at[1]] == PARCELS)
    village = np.full(lattice.shape, np.inf)
    for row_, column_, radius in plan.villages:
        village[row_, column_] = radius
    return Parcels(**joined, kind=plan.kind[at], block=plan.block[at], community=plan.community[at], buildable=normal,
                   village=village[at])


def village_shape(parcel: Ints, angle: Floats) -> Floats:
    """Radius of a village's outline at an angle, as part of its mean radius."""
    result: Floats = 1 + 0.22 * np.sin(3 * angle + parcel)
    return result


class _Sides:
    """The four sides of every cell, from which parcels pick theirs."""

    def __init__(self, plan: Plan, row: Ints, column: Ints) -> None:
        lattice, across, up = plan.lattice, plan.network.across, plan.network.up
        self.row, self.column = row, column
        self.corners = np.stack([lattice.xy[row, column], lattice.xy[row, column + 1],
                                 lattice.xy[row + 1, column + 1], lattice.xy[row + 1, column]], axis=1)
        places = ((across, row, column), (up, row, column + 1), (across, row + 1, column), (up, row, column))
        self.road = np.stack([edges.road[r, c] for edges, r, c in places], axis=1)
        self.name = np.stack([edges.name[r, c] for edges, r, c in places], axis=1)
        self.keep = HALF_WIDTH[self.road]
        for creek, first, last in lattice.creeks:
            bank = creek_half_width(row, lattice.river_row, lattice.rows.count) + CREEK_BANK
            inside = (row >= first) & (row < last)
            self.keep[:, 1] = np.where((column + 1 == creek) & inside, bank, self.keep[:, 1])
            self.keep[:, 3] = np.where((column == creek) & inside, bank, self.keep[:, 3])
        self.along = np.tile(np.array([1, 1, -1, -1]), (len(row), 1))
        east = np.abs(lattice.columns.position[column] + lattice.columns.position[column + 1]) / 2
        north = np.abs(lattice.rows.position[row] + lattice.rows.position[row + 1]) / 2
        self.chain = np.stack([east, north, east, north], axis=1)
        self._follow_rings(plan)

    def _follow_rings(self, plan: Plan) -> None:
        """Number ring roads clockwise from the north, with the inside on the left."""
        ring = np.isin(self.name, sorted(plan.network.rings))
        middle = self.corners.mean(axis=1)
        angle = np.arctan2(middle[:, 0], middle[:, 1]) % (2 * np.pi)
        radius = np.hypot(middle[:, 0], middle[:, 1])
        side = (self.corners + np.roll(self.corners, -1, axis=1)) / 2
        outside = radius[:, None] > np.hypot(side[..., 0], side[..., 1])
        self.chain = np.where(ring, (angle * plan.lattice.size.urban / 2)[:, None], self.chain)
        self.along = np.where(ring, np.where(outside, 1, -1), self.along)

    def pick(self, cells: Ints, sides: tuple[int, ...], cut_name: Ints) -> dict[str, Ints | Floats]:
        """Parcels with the given sides; with two sides, the third is the diagonal, kept as two halves."""
        row, column = self.row[cells], self.column[cells]
        if len(sides) == 4:
            return {"corners": self.corners[cells], "road": self.road[cells], "name": self.name[cells],
                    "keep": self.keep[cells], "along": self.along[cells], "chain": self.chain[cells],
                    "row": row, "column": column}
        first, second = sides
        three = self.corners[cells][:, [first, second, (second + 1) % 4]]
        corners = np.concatenate([three, three[:, [0, 2]].mean(axis=1, keepdims=True)], axis=1)

        def with_diagonal(values: Ints | Floats, cut: Ints | Floats | float) -> Ints | Floats:
            both = np.broadcast_to(np.asarray(cut), (len(cells),))
            return np.stack([values[cells][:, first], values[cells][:, second], both, both], axis=1)

        return {"corners": corners, "road": with_diagonal(self.road, TRUNK),
                "name": with_diagonal(self.name, cut_name[row, column]),
                "keep": with_diagonal(self.keep, float(HALF_WIDTH[TRUNK])), "along": with_diagonal(self.along, 1),
                "chain": with_diagonal(self.chain, np.hypot(*corners.mean(axis=1).T)), "row": row, "column": column}


def inset(corners: Floats, distance: Floats) -> tuple[Floats, Flags]:
    """Corners (n, 4, 2) of convex quadrilaterals with each side moved in by ``distance`` (n, 4), and which remain."""
    ahead = np.roll(corners, -1, axis=1) - corners
    length = np.maximum(np.hypot(ahead[..., 0], ahead[..., 1]), 1e-9)
    normal = np.stack([-ahead[..., 1], ahead[..., 0]], axis=-1) / length[..., None]
    offset = (normal * corners).sum(-1) + distance
    before, offset_before = np.roll(normal, 1, axis=1), np.roll(offset, 1, axis=1)
    cross = before[..., 0] * normal[..., 1] - before[..., 1] * normal[..., 0]
    straight = np.abs(cross) < 1e-3
    safe = np.where(straight, 1.0, cross)
    x = (offset_before * normal[..., 1] - offset * before[..., 1]) / safe
    y = (before[..., 0] * offset - normal[..., 0] * offset_before) / safe
    moved = np.where(straight[..., None], corners + normal * distance[..., None], np.stack([x, y], axis=-1))
    new_ahead = np.roll(moved, -1, axis=1) - moved
    remains = ((new_ahead * ahead).sum(-1) > 0).all(axis=1)
    return moved, remains



