"""The two families of lines from which the sample city is drawn.

Everything stands on one lattice of columns and rows. A *rank* is an arterial line counted from the centre; the
space between two ranks is a superblock (街区), cut by fine lines into parcels of about 120 m. Two carriageways of
one road, and the river, are narrow or wide gaps between neighbouring lines, so roads meet at shared vertices and
water never touches a parcel.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]

#: Kind of the interval between two neighbouring lines.
PARCELS, MEDIAN, RIVER = 0, 1, 2
#: ``rank`` of a fine line, which is no arterial.
FINE = 999
#: Width of the median strip between two carriageways [m].
MEDIAN_WIDTH = 26.0


@dataclass(frozen=True, slots=True)
class Size:
    """How big the city is.

    ``urban`` is the half extent of the built-up city along an axis [m]; ``rings`` the ranks of the ring roads from
    the inside, of which the last but one is the expressway and the last the motorway; ``fine`` the number of
    parcels across the superblock inside each rank; ``river`` half the width of the river's gap [m].
    """

    urban: float
    urban_ranks: int
    rural_ranks: int
    rings: tuple[int, ...]
    fine: tuple[int, ...]
    river: float

    @property
    def ranks(self) -> int:
        """Ranks from the centre to the border."""
        return self.urban_ranks + self.rural_ranks

    @property
    def dual(self) -> frozenset[int]:
        """Distances in ranks of the roads with two carriageways."""
        return frozenset((0, *self.rings[-2:]))


def city_size(urban: float, rng: np.random.Generator) -> Size:
    """The layout for a built-up half extent of ``urban`` metres."""
    ranks = max(3, round(urban / 690))
    rural = max(2, round(0.7 * urban / 1150))
    shares = (0.2, 0.42, 0.68) if ranks >= 10 else (0.4, 0.65) if ranks >= 5 else (0.6,)
    rings = tuple(sorted({max(2, round(share * ranks)) for share in shares} | {ranks}))
    across = urban / ranks / 120
    fine = [max(3, int(across + rng.uniform(0.1, 0.9))) for _ in range(ranks)]
    fine += [int(rng.integers(4, 6)) for _ in range(rural)]
    return Size(urban, ranks, rural, rings, tuple(fine), river=90 + 0.028 * urban)


@dataclass(frozen=True, slots=True)
class Axis:
    """The n + 1 lines of one direction and the n intervals between them.

    Per line: ``position`` [m], ``rank`` (signed, or FINE), ``share`` of the way across its superblock.
    Per interval: ``gap`` (PARCELS, MEDIAN, RIVER), ``span`` the ordinal of its superblock or -1, ``outer`` the
    greater distance in ranks of its two sides from the centre.
    """

    position: Floats
    rank: Ints
    share: Floats
    gap: Ints
    span: Ints
    outer: Ints

    @property
    def count(self) -> int:
        """Number of intervals."""
        return len(self.gap)

    def spans(self) -> list[tuple[int, int]]:
        """First and last-but-one interval of every superblock, in order."""
        inside = [np.flatnonzero(self.span == s) for s in range(int(self.span.max()) + 1)]
        return [(int(i[0]), int(i[-1]) + 1) for i in inside]


class _Lines:
    """Lines under construction, from the lowest position upwards."""

    def __init__(self) -> None:
        self.position, self.rank, self.share = [0.0], [0], [0.0]
        self.gap: list[int] = []
        self.span: list[int] = []
        self.outer: list[int] = []

    def add(self, width: float, rank: int, share: float, gap: int, span: int, outer: int) -> None:
        self.position.append(self.position[-1] + width)
        self.rank.append(rank)
        self.share.append(share)
        self.gap.append(gap)
        self.span.append(span)
        self.outer.append(outer)


def axis(size: Size, rng: np.random.Generator, *, river: bool) -> Axis:
    """The lines of one direction; with ``river``, rank -1 opens into two embankments with the river between."""
    lines, last = _Lines(), size.ranks
    for rank in range(-last, last + 1):
        lines.rank[-1] = rank
        if river and rank == -1:
            lines.add(size.river, FINE, 0.0, RIVER, -1, 1)
            lines.add(size.river, rank, 0.0, RIVER, -1, 1)
        elif abs(rank) in size.dual:
            lines.add(MEDIAN_WIDTH, rank, 0.0, MEDIAN, -1, abs(rank))
        if rank < last:
            _superblock(lines, size, rng, rank)
    position, rank_ = np.array(lines.position), np.array(lines.rank)
    centre = position[rank_ == 0].mean()
    return Axis(position - centre, rank_, np.array(lines.share), np.array(lines.gap), np.array(lines.span),
                np.array(lines.outer))


def _superblock(lines: _Lines, size: Size, rng: np.random.Generator, rank: int) -> None:
    """Add the fine lines between ``rank`` and the next."""
    distance = rank if rank >= 0 else -rank - 1
    step = size.urban / size.urban_ranks if distance < size.urban_ranks else 1150.0
    widths = rng.uniform(0.86, 1.14, size.fine[distance])
    widths *= step * rng.uniform(0.92, 1.08) / widths.sum()
    shares = np.cumsum(widths) / widths.sum()
    for width, share in zip(widths, shares, strict=True):
        lines.add(float(width), FINE, float(share), PARCELS, rank + size.ranks, distance + 1)
    lines.share[-1] = 0.0
