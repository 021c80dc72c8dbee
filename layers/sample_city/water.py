"""The river with its island, two creeks, lakes, ponds and ditches.

Shores are smooth curves inside cells of the lattice that nothing else uses, so water meets roads at bridges only.
"""

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely import Polygon
from shapely.ops import substring

from layers.sample_city.axes import MEDIAN, Flags, Floats, Ints
from layers.sample_city.kinds import ORDINAL
from layers.sample_city.names import NameBook
from layers.sample_city.parcels import Parcels, creek_half_width, inset
from layers.sample_city.plan import Plan

DITCH_HALF_WIDTH = 2.2
#: Grid of the corners of water and land use, coarser than the degrees they are rounded to [m].
GRID = 0.01


@dataclass(slots=True)
class Water:
    """Water areas and centre lines in metres, each with ``name`` (or None) and ``kind``; ``island`` is land."""

    areas: list[tuple[Polygon, str | None, str]] = field(default_factory=list)
    lines: list[tuple[shapely.LineString, str | None, str]] = field(default_factory=list)
    island: Polygon | None = None
    island_name: str = ""


def make_water(plan: Plan, parcels: Parcels, book: NameBook, seed: int) -> Water:
    """All water of the plan."""
    rng = np.random.default_rng([seed, 6])
    water = Water(island_name=book.pair("lake") + "洲")
    river = _river(plan, water, rng)
    lakes = [_lake(plan, box, rng) for box in plan.lakes]
    for lake in lakes:
        water.areas.append((lake, book.pair("lake") + "湖", "lake"))
    _creeks(plan, water, [river, *lakes], book)
    _ponds(parcels, water, rng)
    _ditches(plan, water)
    water.areas = [(shapely.set_precision(area, GRID), name, kind) for area, name, kind in water.areas]
    water.island = None if water.island is None else shapely.set_precision(water.island, GRID)
    return water


def smooth(points: Floats, steps: int = 5) -> Floats:
    """A Catmull–Rom curve through ``points`` (n, 2) with ``steps`` pieces between neighbours."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    a, b, c, d = (ends[k : len(ends) - 3 + k][:, None] for k in range(4))
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def _river(plan: Plan, water: Water, rng: np.random.Generator) -> Polygon:
    lattice = plan.lattice
    columns = np.flatnonzero(np.append(lattice.columns.gap != MEDIAN, True))
    row, size = lattice.river_row, lattice.size
    centre = lattice.xy[row, columns]
    at = lattice.columns.position[columns]
    banks = []
    for step in (1, -1):
        share = 0.76 + 0.07 * np.sin(at / 610 + rng.uniform(0, 6)) + 0.05 * np.sin(at / 270 + rng.uniform(0, 6))
        banks.append(smooth(centre + (lattice.xy[row + step, columns] - centre) * share[:, None]))
    outline = Polygon(np.concatenate([banks[0], banks[1][::-1]]))
    reach = _between_bridges(plan.network.up.road[row, columns] > 0, at, size.urban)
    swell = (0.34 * np.sin(np.linspace(0, np.pi, len(reach))) ** 0.8)[:, None]
    half = lattice.xy[row + 1, columns[reach]] - centre[reach]
    shores = [smooth(centre[reach] + half * swell * side) for side in (1.0, -0.7)]
    water.island = Polygon(np.concatenate([shores[0], shores[1][::-1]])).buffer(0)
    river = _largest(outline.difference(water.island))
    water.areas.append((river, "云江", "river"))
    water.lines.append((shapely.LineString(smooth(centre)), "云江", "river"))
    return outline


def _between_bridges(bridge: Flags, at: Floats, urban: float) -> Ints:
    """Up to nine columns east of the centre that no bridge comes near, for the island."""
    ends = np.flatnonzero(bridge)
    room = [np.arange(a + 1, b) for a, b in zip(ends, ends[1:], strict=False) if b - a > 5 and at[a] < 0.8 * urban]
    widest = max(room, key=lambda columns: (min(len(columns), 9), -abs(at[columns].mean() - 0.35 * urban)))
    middle = len(widest) // 2
    return widest[max(0, middle - 4) : middle + 5]


def _lake(plan: Plan, box: tuple[int, int, int, int], rng: np.random.Generator) -> Polygon:
    """A lake that fills a box of cells up to a wooded shore, with bays."""
    low, high, left, right = box
    xy = plan.lattice.xy
    ring = np.concatenate([xy[low, left:right], xy[low:high, right], xy[high, right:left:-1], xy[high:low:-1, left]])
    ground = Polygon(ring).buffer(-38)
    centre = np.array(ground.centroid.coords[0])
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    rays = centre + np.stack([np.cos(angle), np.sin(angle)], 1) * 1e5
    lines = shapely.linestrings(np.stack([np.broadcast_to(centre, rays.shape), rays], axis=1))
    reach = shapely.length(shapely.intersection(lines, ground))
    shore = 0.76 + sum(rng.uniform(0.06, 0.2) / k**0.4 * np.sin(k * angle + rng.uniform(0, 6)) for k in (2, 3, 5, 8))
    reach = np.minimum(reach, np.median(reach) * 1.12)
    radius = reach * np.clip(shore, 0.4, 1.0)
    for _ in range(5):
        radius = 0.5 * radius + 0.25 * (np.roll(radius, 1) + np.roll(radius, -1))
    points = centre + np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
    return _largest(Polygon(points).buffer(0).intersection(ground))


def _largest(shape: shapely.Geometry) -> Polygon:
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    largest: Polygon = max(parts, key=lambda part: part.area)
    return largest


def _creeks(plan: Plan, water: Water, taken: list[Polygon], book: NameBook) -> None:
    lattice = plan.lattice
    edge = np.concatenate([lattice.xy[0, :-1], lattice.xy[:-1, -1], lattice.xy[-1, :0:-1], lattice.xy[:0:-1, 0]])
    territory, wet = Polygon(edge), shapely.union_all(taken)
    for column, first, last in lattice.creeks:
        rows = np.arange(first, last + 1)
        rows = rows[np.append(lattice.rows.gap[first:last] != MEDIAN, True)]
        points = smooth(lattice.xy[rows, column], 3)
        half = np.interp(np.arange(len(points)) / 3, np.arange(len(rows)),
                         creek_half_width(rows, lattice.river_row, lattice.rows.count))[:, None]
        ahead = np.gradient(points, axis=0)
        normal = np.stack([-ahead[:, 1], ahead[:, 0]], 1) / np.hypot(ahead[:, 0], ahead[:, 1])[:, None]
        ring = np.concatenate([points + normal * half, (points - normal * half)[::-1]])
        name = book.pair("lake")[0] + ("家港" if column % 2 else "溪河")
        for part in shapely.get_parts(Polygon(ring).buffer(0).intersection(territory).difference(wet)):
            if part.area > 50:
                water.areas.append((part, name, "canal" if column % 2 else "stream"))
        water.lines.append((shapely.LineString(points), name, "canal" if column % 2 else "stream"))


def _ponds(parcels: Parcels, water: Water, rng: np.random.Generator) -> None:
    """Round ponds in parks and fields, and fish ponds in fours."""
    chance = np.zeros(len(parcels.kind))
    for name, share in (("park", 0.3), ("paddy", 0.13), ("dry_field", 0.07)):
        chance[parcels.kind == ORDINAL[name]] = share
    luck = rng.random(len(chance))
    moved, remains = inset(parcels.corners, parcels.keep + 14.0)
    of = np.flatnonzero((luck < chance) & remains & parcels.buildable)
    fish = (parcels.kind[of] == ORDINAL["paddy"]) & (luck[of] < 0.06)
    _fish_ponds(moved[of[fish]], water)
    of = of[~fish]
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    middle = moved[of].mean(axis=1)
    side = np.roll(moved[of], -1, axis=1) - moved[of]
    normal = np.stack([-side[..., 1], side[..., 0]], -1) / np.hypot(side[..., 0], side[..., 1])[..., None]
    room = ((middle[:, None] - moved[of]) * normal).sum(-1).min(axis=1)
    most = np.minimum(room * 0.95, rng.uniform(22, 60, len(of)))
    wobble = 0.8 + 0.14 * np.sin(2 * angle[None] + rng.uniform(0, 6, (len(of), 1)))
    wobble += 0.06 * np.sin(3 * angle[None] + rng.uniform(0, 6, (len(of), 1)))
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)[None] * (wobble * most[:, None])[..., None]
    for pond, room_ in zip(shapely.polygons(middle[:, None] + ring), most, strict=True):
        if room_ > 12:
            water.areas.append((pond, None, "pond"))


def _fish_ponds(corners: Floats, water: Water) -> None:
    for quad in corners:
        for u in (0.02, 0.35, 0.68):
            for v in (0.02, 0.52):
                place = np.array([(u, v), (u + 0.3, v), (u + 0.3, v + 0.44), (u, v + 0.44)])
                s, t = place[:, :1], place[:, 1:]
                ring = quad[0] * (1 - s) * (1 - t) + quad[1] * s * (1 - t) + quad[2] * s * t + quad[3] * (1 - s) * t
                pond = Polygon(ring)
                if pond.area > 250:
                    water.areas.append((pond, None, "pond"))


def _ditches(plan: Plan, water: Water) -> None:
    """Ditches along field edges, ended before the roads they run between."""
    network, xy = plan.network, plan.lattice.xy
    cut = set(map(tuple, network.diagonals[:, :2].tolist()))
    for column, first, end in plan.ditches:
        rows: Ints = np.arange(first, end + 1)
        beside = {(row, side) for row in range(first, end) for side in (column - 1, column)}
        crossing = network.across.road[first + 1 : end, column - 1 : column + 1]
        if beside & cut or network.up.road[first:end, column].any() or crossing.any():
            continue
        line = shapely.LineString(xy[rows, column])
        if line.length > 120:
            ditch = shapely.LineString(substring(line, 18, line.length - 18).coords)
            water.lines.append((ditch, None, "canal"))
            water.areas.append((ditch.buffer(DITCH_HALF_WIDTH, cap_style="flat", join_style="mitre"), None, "canal"))
