"""Where buildings stand and what they are: rows, fixed places and shops along the street.

Boxes never meet: the boxes of one parcel share a grid or a set of disjoint places, and every box lies inside its own
parcel less the land of roads, creeks and setbacks.
"""

from dataclasses import dataclass, fields

import numpy as np

from layers.sample_city.arterials import PRIMARY, RESIDENTIAL
from layers.sample_city.axes import Flags, Floats, Ints
from layers.sample_city.kinds import KINDS, ORDINAL, RECT, Rows, Slot
from layers.sample_city.parcels import Parcels, inset, village_shape
from layers.sample_city.plan import Plan

#: Least distance of buildings from the edge of the road's land, by road class; index 0 and 7 are inner edges [m].
SETBACK: Floats = np.array([3.0, 30, 14, 9, 7, 5, 3.5, 5.5, 7, 4])
SHOP_DEPTH = 11.0


@dataclass(frozen=True, slots=True)
class Buildings:
    """Boxes with attributes: ``centre`` (n, 2), ``size`` (n, 2) [m], ``turn`` [rad], ``parcel`` ordinal, ``shape``,
    ``use`` and ``label`` (ordinals in ``USES`` and ``LABELS``), ``floors``, ``storey`` [m], ``year``, and ``side`` of
    the parcel a shop fronts, else -1."""

    centre: Floats
    size: Floats
    turn: Floats
    parcel: Ints
    shape: Ints
    use: Ints
    label: Ints
    floors: Ints
    storey: Floats
    year: Ints
    side: Ints

    def take(self, keep: Ints | Flags) -> "Buildings":
        """The chosen buildings."""
        return Buildings(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})


_LAYOUTS = [layout for kind in KINDS.values() for layout in kind.layouts]
_SLOTS = [slot for layout in _LAYOUTS if not isinstance(layout, Rows) for slot in layout]
USES = tuple(dict.fromkeys([*(x.use for x in _LAYOUTS if isinstance(x, Rows)), *(s.use for s in _SLOTS), "commercial"]))
LABELS = tuple(dict.fromkeys(["", *(slot.name for slot in _SLOTS)]))


def place_buildings(plan: Plan, parcels: Parcels, seed: int) -> Buildings:
    """Every building the plan has room for, parcel by parcel."""
    return _Placer(plan, parcels, np.random.default_rng([seed, 4])).place()


class _Placer:
    def __init__(self, plan: Plan, parcels: Parcels, rng: np.random.Generator) -> None:
        self.parcels, self.rng = parcels, rng
        self.luck = rng.random((plan.blocks, 6))
        self.keep = parcels.keep + SETBACK[parcels.road]
        self.turn = _directions(parcels.corners)
        self.block_turn = _block_means(self.turn, parcels.block, plan.blocks)
        self.shop_side = np.full(len(parcels.row), -1)
        self.parts: list[Buildings] = []

    def place(self) -> Buildings:
        parcels = self.parcels
        self._shops()
        for name, kind in KINDS.items():
            of = np.flatnonzero((parcels.kind == ORDINAL[name]) & parcels.buildable)
            choice = (self.luck[parcels.block[of], 0] * 997 + of) % max(len(kind.layouts), 1)
            for index, layout in enumerate(kind.layouts):
                mine = of[choice.astype(int) == index]
                if isinstance(layout, Rows):
                    self._rows(mine, layout, kind.built)
                else:
                    self._slots(mine, layout, kind.built)
        joined = {f.name: np.concatenate([getattr(part, f.name) for part in self.parts]) for f in fields(Buildings)}
        result = Buildings(**joined)
        return result.take(np.lexsort((result.centre[:, 0], result.centre[:, 1], result.parcel)))

    def _add(self, parcel: Ints, centre: Floats, size: Floats, turn: Floats, layout: Rows | Slot, floors: Ints,
             shape: Ints, year: Ints, label: str = "", side: Ints | None = None) -> None:
        """Keep those boxes that fit into their parcels."""
        inside = np.flatnonzero(_fits(self.parcels.corners[parcel], self.keep[parcel], centre, size, turn))
        made = Buildings(centre, size, turn, parcel, shape, np.full(len(parcel), USES.index(layout.use)),
                         np.full(len(parcel), LABELS.index(label)), floors, np.full(len(parcel), layout.storey), year,
                         np.full(len(parcel), -1) if side is None else side)
        self.parts.append(made.take(inside))

    def _frame(self, of: Ints, turn: Floats) -> tuple[Floats, Floats, Floats, Flags]:
        """Middles of the inset parcels, their extents in the turned frame, and which have any room."""
        moved, remains = inset(self.parcels.corners[of], self.keep[of])
        middle = moved.mean(axis=1)
        away = moved - middle[:, None]
        cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
        x, y = away[..., 0] * cos + away[..., 1] * sin, -away[..., 0] * sin + away[..., 1] * cos
        low = np.stack([x.min(1), y.min(1)], axis=1)
        high = np.stack([x.max(1), y.max(1)], axis=1)
        return middle, low, high, remains

    def _rows(self, of: Ints, rows: Rows, built: tuple[int, int]) -> None:
        block = self.parcels.block[of]
        luck, rng = self.luck[block], self.rng
        turn = np.clip(self.block_turn[block], -0.22, 0.22) if rows.south else self.turn[of]
        middle, low, high, remains = self._frame(of, turn)
        width, depth = _between(rows.width, luck[:, 1]), _between(rows.depth, luck[:, 2])
        typical = np.rint(_between(rows.floors, luck[:, 3])).astype(int)
        pitch = np.stack([width + _between(rows.gap, luck[:, 4]),
                          depth + np.maximum(rows.alley, rows.sun * typical * rows.storey)], axis=1)
        room = high - low + pitch - np.stack([width, depth], 1)
        count = np.maximum((room / pitch).astype(int), 1) * remains[:, None]
        index, across, up = _grid(count)
        spread = np.minimum(room / np.maximum(count, 1), pitch * 1.25)
        local = (np.stack([across, up], 1) - (count[index] - 1) / 2) * spread[index] + ((low + high) / 2)[index]
        local += rng.uniform(-1, 1, local.shape) * rows.wobble
        size = np.stack([width, depth], 1)[index] * rng.uniform((0.84, 0.92), (1, 1), local.shape)
        boxed = turn[index] + rng.uniform(-0.03, 0.03, len(index)) * rows.wobble
        more = rng.integers(-2, 3, len(index)) * (rng.random(len(index)) < 0.6)
        floors = np.clip(typical[index] + more, *rows.floors)
        shape = np.array(rows.shapes)[rng.integers(0, len(rows.shapes), len(index))]
        year = np.rint(_between(built, luck[index, 5])).astype(int) + rng.integers(0, 2, len(index))
        centre = middle[index] + _turned(local, turn[index])
        kept = (rng.random(len(index)) < rows.fill) & self._in_village(of[index], centre)
        self._add(of[index[kept]], centre[kept], size[kept], boxed[kept], rows, floors[kept], shape[kept],
                  np.minimum(year, 2025)[kept])

    def _in_village(self, parcel: Ints, centre: Floats) -> Flags:
        """Whether a place lies in the village's rounded outline; true where there is no village."""
        away = centre - self.parcels.corners[parcel].mean(axis=1)
        angle = np.arctan2(away[:, 1], away[:, 0])
        result: Flags = np.hypot(*away.T) < self.parcels.village[parcel] * village_shape(parcel, angle)
        return result

    def _slots(self, of: Ints, slots: tuple[Slot, ...], built: tuple[int, int]) -> None:
        turn = self.turn[of]
        middle, low, high, remains = self._frame(of, turn)
        room = (high - low) * 0.92
        centre, flip = (low + high) / 2, np.where(self.rng.random(len(of)) < 0.5, -1.0, 1.0)
        base = np.rint(_between(built, self.rng.random(len(of)))).astype(int)
        spots = []
        for slot in slots:
            size = np.minimum(room * slot.share, slot.most)
            spots.append((slot, size, centre + room * slot.at * np.stack([flip, np.ones(len(of))], 1)))
        scale = self._largest_scale(of, middle, turn, centre, spots)
        for slot, size, local in spots:
            size, local = size * scale, centre + (local - centre) * scale
            floors = self.rng.integers(slot.floors[0], slot.floors[1] + 1, len(of))
            year = np.minimum(base + self.rng.integers(0, 4, len(of)), 2025)
            kept = remains & (size.min(axis=1) > 6)
            self._add(of[kept], (middle + _turned(local, turn))[kept], size[kept], turn[kept], slot, floors[kept],
                      np.full(int(kept.sum()), slot.shape), year[kept], slot.name)

    def _largest_scale(self, of: Ints, middle: Floats, turn: Floats, centre: Floats,
                       spots: list[tuple[Slot, Floats, Floats]]) -> Floats:
        """The largest of a few scales at which all places of a crooked parcel lie inside it."""
        scale = np.full((len(of), 1), 0.5)
        for step in (0.6, 0.7, 0.8, 0.9, 1.0):
            fits = np.ones(len(of), bool)
            for _, size, local in spots:
                at = middle + _turned(centre + (local - centre) * step, turn)
                fits &= _fits(self.parcels.corners[of], self.keep[of], at, size * step, turn)
            scale[fits] = step
        return scale

    def _shops(self) -> None:
        """Rows of shops on the busiest side of some parcels, with the rest of the parcel kept clear of them."""
        parcels, rng = self.parcels, self.rng
        chance = np.array([kind.shops for kind in KINDS.values()])[parcels.kind]
        rank = np.where((parcels.road >= PRIMARY) & (parcels.road <= RESIDENTIAL), parcels.road, 99)
        best = rank.argmin(axis=1)
        of = np.flatnonzero((rng.random(len(chance)) < chance) & (rank.min(axis=1) < 99) & parcels.buildable)
        side = best[of]
        moved, remains = inset(parcels.corners[of], self.keep[of])
        start, end = moved[np.arange(len(of)), side], moved[np.arange(len(of)), (side + 1) % 4]
        ahead = end - start
        length = np.hypot(ahead[:, 0], ahead[:, 1])
        count = np.where(remains & (length > 40), (length // 26).astype(int), 0)
        index, place, _ = _grid(np.stack([count, np.ones_like(count)], 1))
        step = (length / np.maximum(count, 1))[index]
        local = np.stack([(place + 0.5) * step, np.full(len(index), SHOP_DEPTH / 2)], 1)
        size = np.stack([step - rng.uniform(1.5, 6, len(index)), np.full(len(index), SHOP_DEPTH - 0.4)], 1)
        turn = np.arctan2(ahead[:, 1], ahead[:, 0])[index]
        floors = rng.integers(1, 4, len(index))
        year = rng.integers(1988, 2020, len(index))
        shop = Slot("commercial", (0, 0), (1, 1), (40, 12), (1, 3), storey=4.0)
        self._add(of[index], start[index] + _turned(local, turn), size, turn, shop, floors,
                  np.full(len(index), RECT), year, side=side[index])
        with_shops = of[count > 0]
        self.keep[with_shops, best[with_shops]] += SHOP_DEPTH + 8


def _between(span: tuple[float, float], share: Floats) -> Floats:
    return span[0] + (span[1] - span[0]) * share


def _turned(local: Floats, turn: Floats) -> Floats:
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([local[:, 0] * cos - local[:, 1] * sin, local[:, 0] * sin + local[:, 1] * cos], axis=1)


def _directions(corners: Floats) -> Floats:
    """The turn of each parcel's first side, brought within ±45° [rad]."""
    ahead = corners[:, 1] - corners[:, 0]
    angle = np.arctan2(ahead[:, 1], ahead[:, 0])
    result: Floats = (angle + np.pi / 4) % (np.pi / 2) - np.pi / 4
    return result


def _block_means(turn: Floats, block: Ints, blocks: int) -> Floats:
    weight = np.bincount(block, minlength=blocks)
    result: Floats = np.bincount(block, turn, blocks) / np.maximum(weight, 1)
    return result


def _grid(count: Ints) -> tuple[Ints, Ints, Ints]:
    """For grids of ``count`` (n, 2) places: the grid, column and row of every place."""
    total = count[:, 0] * count[:, 1]
    index = np.repeat(np.arange(len(count)), total)
    place = np.arange(len(index)) - np.repeat(np.cumsum(total) - total, total)
    wide = np.maximum(count[index, 0], 1)
    return index, place % wide, place // wide


def _fits(corners: Floats, keep: Floats, centre: Floats, size: Floats, turn: Floats) -> Flags:
    """Whether each box lies inside its convex parcel with every side moved in by ``keep``."""
    ahead = np.roll(corners, -1, axis=1) - corners
    normal = np.stack([-ahead[..., 1], ahead[..., 0]], axis=-1) / np.hypot(ahead[..., 0], ahead[..., 1])[..., None]
    depth = (normal * (centre[:, None] - corners)).sum(-1)
    long = np.stack([np.cos(turn), np.sin(turn)], 1)[:, None]
    short = np.stack([-np.sin(turn), np.cos(turn)], 1)[:, None]
    reach = np.abs((normal * long).sum(-1)) * size[:, :1] / 2 + np.abs((normal * short).sum(-1)) * size[:, 1:] / 2
    result: Flags = (depth - reach >= keep).all(axis=1)
    return result


def choose_buildings(buildings: Buildings, wanted: int, urban: float, seed: int) -> Buildings:
    """Exactly ``wanted`` of the buildings: plain houses far from the centre are left out first."""
    surplus = len(buildings.parcel) - wanted
    rng = np.random.default_rng([seed, 5])
    far = np.hypot(*buildings.centre.T) / urban
    score = far * 0.3 + rng.random(len(far)) - 2.0 * (buildings.label > 0)
    left_out = np.argsort(-score, kind="stable")[:surplus]
    keep = np.ones(len(far), bool)
    keep[left_out] = False
    return buildings.take(keep)

