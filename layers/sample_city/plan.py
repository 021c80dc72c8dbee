"""The plan: superblocks cut into blocks by local streets, every parcel given its kind and community.

A block is a rectangle of the lattice, cut from its superblock by guillotine; the communities are the larger
rectangles on the way, so their borders run along streets.
"""

from dataclasses import dataclass, field

import numpy as np

from layers.sample_city.arterials import (
    FOOTWAY,
    MOTORWAY,
    NONE,
    RESIDENTIAL,
    SERVICE,
    TERTIARY,
    TRACK,
    Network,
    arterial_network,
)
from layers.sample_city.axes import MEDIAN, RIVER, Ints
from layers.sample_city.kinds import FARMLAND, HOUSING, KINDS, ORDINAL
from layers.sample_city.lattice import Lattice
from layers.sample_city.names import NameBook
from layers.sample_city.zoning import BLOCK_SIZE, MIX, choose, housing, outer, zones

Box = tuple[int, int, int, int]
#: Parcels that a living superblock gives to public uses: kind and chance.
_FACILITIES = (("school", 0.95), ("community", 0.9), ("school", 0.3), ("park", 0.45), ("mall", 0.25), ("hospital", 0.2),
               ("utility", 0.12), ("green", 0.25), ("government", 0.1), ("sports", 0.06), ("station", 0.04),
               ("temple", 0.03))

_CAMPUS = (("sports", 1.0), ("park", 1.0), ("culture", 0.6))


@dataclass(slots=True)
class Plan:
    """Everything decided before geometry is made.

    Per cell (rows, columns): ``kind`` ordinal, ``block`` and ``community`` ids, -1 where there is none. ``lakes`` are
    boxes (first row, end row, first column, end column), ``villages`` (row, column, radius [m]), ``ditches``
    (line, first, end, along rows?) with the lattice's edges that a ditch follows.
    """

    lattice: Lattice
    network: Network
    kind: Ints
    block: Ints
    community: Ints
    town: list[bool] = field(default_factory=list)
    lakes: list[Box] = field(default_factory=list)
    villages: list[tuple[int, int, float]] = field(default_factory=list)
    ditches: list[tuple[int, int, int]] = field(default_factory=list)
    blocks: int = 0


def make_plan(lattice: Lattice, book: NameBook, seed: int) -> Plan:
    """Plan the whole territory."""
    shape = lattice.shape
    network = arterial_network(lattice, book, seed)
    plan = Plan(lattice, network, np.full(shape, -1), np.full(shape, -1), np.full(shape, -1))
    rng = np.random.default_rng([seed, 3])
    columns, rows = lattice.columns.spans(), lattice.rows.spans()
    zone_of = zones(lattice.size, rng)
    for (x, y), zone in zone_of.items():
        left, right = columns[x + lattice.size.ranks]
        low, high = rows[y + lattice.size.ranks]
        _Superblock(plan, book, rng, zone, (x, y)).fill((low, high, left, right))
    _great_lake(plan, columns, rows)
    _fill_gaps(plan)
    _keep_one_network(plan)
    return plan


class _Superblock:
    """Cuts one superblock and chooses what its blocks hold."""

    def __init__(self, plan: Plan, book: NameBook, rng: np.random.Generator, zone: str, at: tuple[int, int]) -> None:
        self.plan, self.book, self.rng, self.zone = plan, book, rng, zone
        self.far = max(outer(at[0]), outer(at[1])) / plan.lattice.size.urban_ranks
        self.boxes: list[Box] = []

    def fill(self, box: Box) -> None:
        """Plan the superblock that covers ``box``."""
        if self.zone == "country":
            self._community(box)
            self._country(box)
        elif self.zone == "great_lake":
            self._community(box)
            self._block(box, "lake")
        else:
            if self.zone == "lake":
                self.plan.lakes.append(box)
            self._cut(box, 0)
            self._facilities()

    def _cut(self, box: Box, depth: int) -> None:
        low, high, left, right = box
        most = BLOCK_SIZE[self.zone] + int(self.rng.random() < 0.35)
        wide, tall = right - left > most, high - low > most
        if depth == (2 if self.zone in ("living", "old", "centre") else 1) or (
            not (wide or tall) and self.plan.community[low, left] < 0
        ):
            self._community(box)
        creek = self._creek(box)
        if creek is not None:
            self._cut((low, high, left, creek), depth + 1)
            self._cut((low, high, creek, right), depth + 1)
        elif not (wide or tall):
            self.boxes.append(box)
            self._block(box, choose(MIX.get(self.zone) or housing(self.far), self.rng))
        elif wide and (not tall or right - left >= high - low):
            at = int(self.rng.integers(left + 1, right)) if right - left < 4 else (left + right + 1) // 2
            self._street_up(at, low, high, depth)
            self._cut((low, high, left, at), depth + 1)
            self._cut((low, high, at, right), depth + 1)
        else:
            at = int(self.rng.integers(low + 1, high)) if high - low < 4 else (low + high + 1) // 2
            self._street_across(at, left, right, depth)
            self._cut((low, at, left, right), depth + 1)
            self._cut((at, high, left, right), depth + 1)

    def _creek(self, box: Box) -> int | None:
        low, high, left, right = box
        for column, first, last in self.plan.lattice.creeks:
            if left < column < right and low < last and high > first:
                return column
        return None

    def _street_across(self, row: int, left: int, right: int, depth: int) -> None:
        road = TERTIARY if depth == 0 else RESIDENTIAL
        name = self.plan.network.named(self.book.street("路" if depth < 2 else "街"))
        _lay(self.plan.network.across.road[row], self.plan.network.across.name[row], left, right, road, name,
             self.plan.network.up.road[row])

    def _street_up(self, column: int, low: int, high: int, depth: int) -> None:
        road = TERTIARY if depth == 0 else RESIDENTIAL
        name = self.plan.network.named(self.book.street("街" if depth < 2 else "巷"))
        _lay(self.plan.network.up.road[:, column], self.plan.network.up.name[:, column], low, high, road, name,
             self.plan.network.across.road[:, min(column, self.plan.lattice.columns.count - 1)])

    def _community(self, box: Box) -> None:
        low, high, left, right = box
        free = self.plan.community[low:high, left:right] < 0
        if free.any():
            self.plan.community[low:high, left:right][free] = len(self.plan.town)
            self.plan.town.append(self.zone not in ("country", "great_lake"))

    def _block(self, box: Box, kind: str) -> None:
        low, high, left, right = box
        self.plan.kind[low:high, left:right] = ORDINAL[kind]
        self.plan.block[low:high, left:right] = self.plan.blocks
        self.plan.blocks += 1
        chance, road = KINDS[kind].service_roads, FOOTWAY if kind == "park" else SERVICE
        for row in range(low + 1, high):
            if self.rng.random() < chance:
                self.plan.network.across.road[row, left:right] = road
        for column in range(left + 1, right):
            if self.rng.random() < chance:
                self.plan.network.up.road[low:high, column] = road

    def _facilities(self) -> None:
        """Give some parcels of a living superblock, at the corners of blocks, to public uses; a campus its stadium."""
        if self.zone not in ("living", "old", "centre", "campus"):
            return
        for kind, chance in _FACILITIES if self.zone != "campus" else _CAMPUS:
            if self.rng.random() < chance * (1 if self.zone == "living" else 0.6):
                low, high, left, right = self.boxes[int(self.rng.integers(len(self.boxes)))]
                row, column = int(self.rng.choice((low, high - 1))), int(self.rng.choice((left, right - 1)))
                if self.plan.kind[row, column] in [ORDINAL[name] for name in (*HOUSING, "university")]:
                    self.plan.kind[row, column] = ORDINAL[kind]

    def _country(self, box: Box) -> None:
        """Fields in strips, a village on its lane, a track, sometimes a small town or a wood."""
        low, high, left, right = box
        weights = np.array((6, 3, 1, 2 * self.rng.random() ** 2 * 3, 0.4))
        main, other = self.rng.choice(FARMLAND, 2, p=weights / weights.sum())
        fields = np.where(self.rng.random((high - low, right - left)) < 0.72, ORDINAL[main], ORDINAL[other])
        self.plan.kind[low:high, left:right] = fields
        count = (high - low) * (right - left)
        self.plan.block[low:high, left:right] = np.arange(count).reshape(fields.shape) + self.plan.blocks
        self.plan.blocks += count
        row, column = int(self.rng.integers(low + 1, high)), int(self.rng.integers(left + 1, right))
        lane = self.plan.network.named(self.book.pair("road") + "村道")
        _lay(self.plan.network.across.road[row], self.plan.network.across.name[row], left, right, RESIDENTIAL, lane,
             self.plan.network.up.road[row])
        if self.rng.random() < 0.6:
            self.plan.network.up.road[low:high, column] = TRACK
        if self.rng.random() < 0.7 and (spare := [c for c in range(left + 1, right) if c != column]):
            ditch = int(self.rng.choice(spare))
            if self._creek((low, high, ditch - 1, ditch + 1)) is None:
                self.plan.ditches += [(ditch, low, row), (ditch, row, high)]
        creek = self._creek(box)
        if creek is not None:
            self.plan.network.up.road[low:high, creek] = NONE
        if self.rng.random() < 0.1 and self.far < 1.5:
            self.plan.kind[row - 1 : row + 1, column - 1 : column + 1] = ORDINAL["town"]
            self.plan.network.up.road[row - 1 : row + 1, column] = RESIDENTIAL
            self.plan.network.up.name[row - 1 : row + 1, column] = lane
        elif self.rng.random() < 0.86:
            self._village(row, column)
            for beside in (int(self.rng.integers(left, right)), int(self.rng.integers(left, right))):
                if self.rng.random() < 0.55:
                    self._village(row - int(self.rng.random() < 0.5), beside)


    def _village(self, row: int, column: int) -> None:
        if self.plan.kind[row, column] != ORDINAL["village"]:
            self.plan.kind[row, column] = ORDINAL["village"]
            self.plan.villages.append((row, column, float(self.rng.uniform(45, 115))))


def _lay(road: Ints, names: Ints, first: int, end: int, kind: int, name: int, crossing: Ints) -> None:
    """Lay a street from ``first`` to ``end``, stopping one parcel short of a motorway."""
    first += int(crossing[first] == MOTORWAY)
    end -= int(crossing[end] == MOTORWAY)
    road[first:end], names[first:end] = kind, name


def _great_lake(plan: Plan, columns: list[tuple[int, int]], rows: list[tuple[int, int]]) -> None:
    """Join four superblocks outside the motorway into one lake, without the roads between them."""
    size = plan.lattice.size
    x, y = size.ranks + size.urban_ranks, size.ranks
    box = rows[y][0], rows[y + 1][1], columns[x][0], columns[x + 1][1]
    plan.lakes.append(box)
    low, high, left, right = box
    plan.block[low:high, left:right] = plan.block[low, left]
    plan.kind[low:high, left:right] = ORDINAL["lake"]
    for road, name in (
        (plan.network.across.road[low + 1 : high, left:right], plan.network.across.name[low + 1 : high, left:right]),
        (plan.network.up.road[low:high, left + 1 : right], plan.network.up.name[low:high, left + 1 : right]),
    ):
        road[:], name[:] = NONE, -1


def _fill_gaps(plan: Plan) -> None:
    """Give median strips and the two halves of the river to the community beside them."""
    for column in np.flatnonzero(plan.lattice.columns.gap == MEDIAN):
        for cells in (plan.kind, plan.block, plan.community):
            cells[:, column] = cells[:, column - 1]
    for row in np.flatnonzero(plan.lattice.rows.gap == MEDIAN):
        for cells in (plan.kind, plan.block, plan.community):
            cells[row] = cells[row - 1]
    south, north = np.flatnonzero(plan.lattice.rows.gap == RIVER)
    plan.community[south], plan.community[north] = plan.community[south - 1], plan.community[north + 1]


def _keep_one_network(plan: Plan) -> None:
    """Remove roads that cannot be reached from the others."""
    lattice, network = plan.lattice, plan.network
    row, column = np.nonzero(network.across.road)
    row_up, column_up = np.nonzero(network.up.road)
    diagonal = network.diagonals
    rising = diagonal[:, 2] == 1
    start = [lattice.vertex(row, column), lattice.vertex(row_up, column_up),
             lattice.vertex(diagonal[:, 0], diagonal[:, 1] + ~rising)]
    end = [lattice.vertex(row, column + 1), lattice.vertex(row_up + 1, column_up),
           lattice.vertex(diagonal[:, 0] + 1, diagonal[:, 1] + rising)]
    label = _components(np.concatenate(start), np.concatenate(end), lattice.xy.shape[0] * lattice.xy.shape[1])
    main = np.bincount(label[np.concatenate(start)]).argmax()
    across, up = (network.across, row, column, start[0]), (network.up, row_up, column_up, start[1])
    for edges, rows, columns, at in (across, up):
        lost = label[at] != main
        edges.road[rows[lost], columns[lost]] = NONE
        edges.name[rows[lost], columns[lost]] = -1


def _components(start: Ints, end: Ints, vertices: int) -> Ints:
    """The least vertex reachable from each vertex."""
    label = np.arange(vertices)
    while True:
        least = np.minimum(label[start], label[end])
        before = label.copy()
        np.minimum.at(label, start, least)
        np.minimum.at(label, end, least)
        label = label[label]
        if np.array_equal(before, label):
            return label
