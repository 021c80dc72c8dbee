"""The lattice bent into a city: rounded rings, a winding river, country lanes that are never straight.

Coordinates are metres east and north of the city's centre, in EPSG:4547.
"""

from dataclasses import dataclass

import numpy as np

from layers.sample_city.axes import FINE, PARCELS, RIVER, Axis, Floats, Ints, Size, axis


@dataclass(frozen=True, slots=True)
class Lattice:
    """Columns, rows and the place of every vertex.

    ``xy`` has shape (rows + 1, columns + 1, 2) [m]. ``river_row`` is the row of the river's centre line;
    ``creeks`` are (column, first row, last row) of watercourses that run along a fine column.
    """

    size: Size
    columns: Axis
    rows: Axis
    xy: Floats
    river_row: int
    creeks: tuple[tuple[int, int, int], ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of cells: rows, columns."""
        return self.rows.count, self.columns.count

    def vertex(self, row: Ints, column: Ints) -> Ints:
        """Ordinal of a vertex."""
        return row * (self.columns.count + 1) + column


def build_lattice(size: Size, seed: int) -> Lattice:
    """Draw the lines and bend them."""
    rng = np.random.default_rng([seed, 1])
    columns, rows = axis(size, rng, river=False), axis(size, rng, river=True)
    river_row = int(np.flatnonzero(rows.gap == RIVER)[1])
    creeks = _creeks(columns, rows, river_row, rng)
    x, y = np.meshgrid(columns.position, rows.position)
    x, y = _stir_superblocks(x, y, columns, rows, rng)
    for column, first, last in creeks:
        row = np.arange(first, last + 1)
        x[row, column] += 16 * np.sin(rows.position[row] / 130) + 9 * np.sin(rows.position[row] / 57)
    x, y = _bend(x, y, _even(columns, size)[None, :], _even(rows, size)[:, None], size,
                 float(rows.position[river_row]), rng)
    return Lattice(size, columns, rows, np.stack([x, y], axis=-1), river_row, creeks)


def _creeks(columns: Axis, rows: Axis, river_row: int, rng: np.random.Generator) -> tuple[tuple[int, int, int], ...]:
    """One watercourse on each bank, along a fine column in the second superblock from the axis."""
    found = []
    for side, first, last in ((1, river_row, rows.count), (-1, 0, river_row)):
        fine = np.flatnonzero((columns.rank[:-1] == FINE) & (columns.outer == 2) & (columns.gap == PARCELS))
        fine = fine[np.sign(columns.position[fine]) == side]
        found.append((int(rng.choice(fine)), first, last))
    return tuple(found)


def _stir_superblocks(
    x: Floats, y: Floats, columns: Axis, rows: Axis, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Push the inner vertices of each superblock about, so that streets bend and do not run on into the next."""
    column_span, row_span = np.append(columns.span, -1), np.append(rows.span, -1)
    bubble = np.sin(np.pi * rows.share)[:, None] * np.sin(np.pi * columns.share)[None, :]
    pushes = rng.uniform(-26, 26, (2, row_span.max() + 1, column_span.max() + 1))
    curl = rng.uniform(-0.07, 0.07, pushes.shape[1:])
    at = np.ix_(np.maximum(row_span, 0), np.maximum(column_span, 0))
    across = (columns.share - 0.5)[None, :] * 600
    up = (rows.share - 0.5)[:, None] * 600
    return (x + bubble * (pushes[0][at] - curl[at] * up), y + bubble * (pushes[1][at] + curl[at] * across))


def _even(lines: Axis, size: Size) -> Floats:
    """Where the lines were if all ranks stood evenly on both sides; there a ring's corners lie on the diagonals."""
    major = lines.rank != FINE
    distance = np.abs(lines.rank[major])
    even = np.where(distance <= size.urban_ranks, distance * size.urban / size.urban_ranks,
                    size.urban + (distance - size.urban_ranks) * 1150.0)
    result: Floats = np.interp(lines.position, lines.position[major], np.sign(lines.rank[major]) * even)
    return result


def _bend(
    x: Floats, y: Floats, even_x: Floats, even_y: Floats, size: Size, river_y: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Round the rings, let the river wind, and add slow irregularity that grows towards the country."""
    longest = np.maximum(np.abs(even_x), np.abs(even_y))
    far = longest / size.urban
    rounding = np.clip((far - 0.2) / 0.45, 0, 1)
    rounding = rounding**2 * (3 - 2 * rounding)
    ring = np.where(far > 0, longest / np.maximum(_norm(even_x, even_y, 2.12), 1e-9), 1.0)
    ring = 1 + (ring - 1) * rounding
    x, y = x * ring, y * ring
    scale = min(size.urban, 6000.0)
    phase = rng.uniform(0, 2 * np.pi, 2)
    wind = 0.11 * scale * np.sin(x / (0.36 * scale) + phase[0]) + 0.05 * scale * np.sin(x / (0.17 * scale) + phase[1])
    y = y + wind * np.exp(-np.abs(y - river_y) / (0.8 * scale))
    country = np.clip((far - 0.9) / 0.4, 0, 1)
    dx, dy = _waves(x, y, rng, 2200, 7000, 1 / 50)
    lane_x, lane_y = _waves(x, y, rng, 1300, 2400, 1 / 40)
    x, y = x + dx + country * lane_x, y + dy + country * lane_y
    turn = np.radians(rng.uniform(2, 7) * rng.choice([-1, 1]))
    x = x * 1.08
    return x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)


def _norm(x: Floats, y: Floats, power: float) -> Floats:
    longest = np.maximum(np.maximum(np.abs(x), np.abs(y)), 1e-9)
    result: Floats = longest * ((np.abs(x) / longest) ** power + (np.abs(y) / longest) ** power) ** (1 / power)
    return result


def _waves(
    x: Floats, y: Floats, rng: np.random.Generator, shortest: float, longest: float, steepness: float
) -> tuple[Floats, Floats]:
    """A smooth random displacement: six plane waves of amplitude ``steepness`` times their length [m]."""
    dx, dy = np.zeros_like(x), np.zeros_like(y)
    for _ in range(6):
        length, heading, phase, tilt = rng.uniform(
            (shortest, 0, 0, 0), (longest, 2 * np.pi, 2 * np.pi, 2 * np.pi)
        )
        wave = np.sin((x * np.cos(heading) + y * np.sin(heading)) * 2 * np.pi / length + phase)
        dx += wave * np.cos(tilt) * length * steepness / 2
        dy += wave * np.sin(tilt) * length * steepness / 2
    return dx, dy
