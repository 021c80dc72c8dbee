"""Roads on the edges of the lattice: rings, axes, arterials and the diagonal expressways.

Horizontal edges have shape (rows + 1, columns) and run east, vertical edges (rows, columns + 1) and run north.
"""

from dataclasses import dataclass, field

import numpy as np

from layers.sample_city.axes import FINE, MEDIAN, PARCELS, RIVER, Axis, Flags, Floats, Ints, Size
from layers.sample_city.lattice import Lattice
from layers.sample_city.names import NameBook

NONE, MOTORWAY, TRUNK, PRIMARY, SECONDARY, TERTIARY, RESIDENTIAL, SERVICE, TRACK, FOOTWAY = range(10)
CLASS_NAMES = ("", "motorway", "trunk", "primary", "secondary", "tertiary", "residential", "service", "track",
               "footway")
#: From the centre line to the edge of the road's land (道路红线) [m], by class.
HALF_WIDTH: Floats = np.array([0, 15, 14, 15, 13, 9, 6.5, 0, 2.5, 0])


@dataclass(slots=True)
class Edges:
    """The edges of one direction: ``road`` class, ``oneway`` (1, 0, -1), ``name`` ordinal or -1."""

    road: Ints
    oneway: Ints
    name: Ints

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "Edges":
        """Edges without roads."""
        return cls(np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.full(shape, -1))


@dataclass(slots=True)
class Network:
    """All roads of the plan. ``diagonals`` has columns (row, column, slope ±1, name) of cells cut by one."""

    across: Edges
    up: Edges
    diagonals: Ints
    names: list[str] = field(default_factory=list)
    rings: set[int] = field(default_factory=set)

    def named(self, name: str, *, ring: bool = False) -> int:
        """The ordinal of a new road name."""
        self.names.append(name)
        if ring:
            self.rings.add(len(self.names) - 1)
        return len(self.names) - 1


def arterial_network(lattice: Lattice, book: NameBook, seed: int) -> Network:
    """Every road from tertiary country road to motorway."""
    rng = np.random.default_rng([seed, 2])
    rows, columns = lattice.shape
    network = Network(Edges.empty((rows + 1, columns)), Edges.empty((rows, columns + 1)), np.zeros((0, 4), np.int64))
    rings = {
        rank: network.named(book.ring(order, len(lattice.size.rings)), ring=True)
        for order, rank in enumerate(lattice.size.rings)
    }
    across, up = network.across, network.up
    _lines(across.road, across.oneway, across.name, lattice, lattice.rows, lattice.columns, network, rings, book, rng)
    _lines(up.road.T, up.oneway.T, up.name.T, lattice, lattice.columns, lattice.rows, network, rings, book, rng)
    _only_bridges_cross(up, lattice)
    network.diagonals = _diagonals(lattice, network, book)
    return network


def _lines(
    road: Ints, oneway: Ints, name: Ints, lattice: Lattice, own: Axis, along: Axis, network: Network,
    rings: dict[int, int], book: NameBook, rng: np.random.Generator,
) -> None:
    """Fill the edges on every arterial line of ``own``; the arrays are indexed line, interval of ``along``."""
    size = lattice.size
    names: dict[tuple[int, bool], tuple[int, int]] = {}
    beyond = along.outer > size.urban_ranks
    for line in np.flatnonzero(own.rank != FINE):
        rank = int(own.rank[line])
        distance = abs(rank)
        if distance == size.ranks:
            continue
        classes = _classes(size, distance, along, beyond, rng)
        lower = line < own.count and own.gap[line] == MEDIAN
        upper = line > 0 and own.gap[line - 1] == MEDIAN
        if (lower or upper) and distance and (upper if rank > 0 else lower):
            classes[along.outer > distance] = NONE
        road[line] = classes
        if lower or upper:
            both = (along.outer <= distance) | (distance == 0)
            oneway[line] = np.where(both & (classes > 0), 1 if lower == (own is lattice.rows) else -1, 0)
        key = (rank, bool(rank == -1 and own is lattice.rows and own.gap[line] == RIVER))
        if key not in names:
            low, high = book.arterial(rank, eastward=own is lattice.rows, embankment=own is lattice.rows and rank == -1)
            names[key] = network.named(low), network.named(high)
        centre = along.position[:-1] + along.position[1:] > 0
        name[line] = np.where(classes > 0, np.where(centre, names[key][1], names[key][0]), -1)
        if distance in rings:
            name[line] = np.where((classes > 0) & (along.outer <= distance), rings[distance], name[line])


def _classes(size: Size, distance: int, along: Axis, beyond: Flags, rng: np.random.Generator) -> Ints:
    """Road class of each interval of an arterial line ``distance`` ranks from the centre."""
    even = distance % 2 == 0
    classes = np.full(along.count, PRIMARY if even else SECONDARY)
    if distance:
        country = TERTIARY if distance > size.urban_ranks or not even else SECONDARY
        classes[beyond | (distance > size.urban_ranks)] = country
        missing = rng.random(int(along.span.max()) + 1) < (0.3 if distance > size.urban_ranks else 0.12)
        classes[(classes == TERTIARY) & missing[along.span] & (along.gap == PARCELS)] = NONE
    if distance in size.rings:
        order = len(size.rings) - size.rings.index(distance)
        classes[along.outer <= distance] = {1: MOTORWAY, 2: TRUNK}.get(order, PRIMARY)
    for gap in np.flatnonzero(along.gap == MEDIAN).tolist():
        before, after = classes[max(gap - 1, 0)], classes[min(gap + 1, along.count - 1)]
        if not (before or after):
            classes[gap] = NONE
    return classes


def _only_bridges_cross(up: Edges, lattice: Lattice) -> None:
    """Keep the river's crossings of rings, axes and main roads of the town; the other roads end at the bank."""
    size, distance = lattice.size, np.abs(lattice.columns.rank)
    kept = np.isin(distance, [0, *size.rings]) | ((distance % 2 == 0) & (distance <= size.urban_ranks))
    for row in np.flatnonzero(lattice.rows.gap == RIVER).tolist():
        for array, nothing in ((up.road, NONE), (up.oneway, 0), (up.name, -1)):
            array[row, ~kept] = nothing


def _diagonals(lattice: Lattice, network: Network, book: NameBook) -> Ints:
    """Four expressways from the corners of the inner expressway ring to the corners of the territory."""
    start, found = lattice.size.rings[-2], []
    for right in (False, True):
        for top in (False, True):
            name = network.named(book.expressway())
            column, row = _corner(lattice.columns, start, right), _corner(lattice.rows, start, top)
            steps = min(len(column), len(row))
            slope = 1 if right == top else -1
            found += [(int(row[k]), int(column[k]), slope, name) for k in range(steps)]
    return np.array(found, np.int64).reshape(-1, 4)


def _corner(along: Axis, start: int, positive: bool) -> Ints:
    """The intervals from rank ``start`` outwards, on one side."""
    lines = np.flatnonzero(along.rank == (start if positive else -start))
    return np.arange(lines[0], along.count) if positive else np.arange(lines[-1] - 1, -1, -1)
