"""Land-use parcels: blocks inside the edges of the roads' land, less water; the river's banks; the water itself."""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.sample_city.arterials import HALF_WIDTH
from layers.sample_city.axes import RIVER, Ints, Shapes
from layers.sample_city.kinds import KINDS, NAMES, ORDINAL
from layers.sample_city.parcels import Parcels, inset, village_shape
from layers.sample_city.plan import Plan
from layers.sample_city.water import GRID, Water

_WATER_CODES = {"river": "1701", "stream": "1701", "canal": "1705", "lake": "1702", "pond": "1704"}


@dataclass(frozen=True, slots=True)
class LandUse:
    """Parcels in metres with their class code; ``block`` is the plan's block, -1 for banks and water."""

    shapes: Shapes
    codes: list[str]
    block: Ints
    kind: Ints


def make_land_use(plan: Plan, parcels: Parcels, water: Water) -> LandUse:
    """Present land use of the whole territory, roads left out."""
    blocks, block, kind = _blocks(parcels)
    banks = _banks(plan, water)
    areas = np.array([area for area, _, _ in water.areas], dtype=object)
    land = np.concatenate([_less(blocks, areas), _less(banks, areas)])
    codes = [KINDS[NAMES[k]].code for k in kind] + ["1401"] * len(banks)
    shapes = np.concatenate([land, areas])
    codes += [_WATER_CODES[sort] for _, _, sort in water.areas]
    none = np.full(len(banks) + len(areas), -1)
    block, kind = np.concatenate([block, none]), np.concatenate([kind, none])
    if water.island is not None:
        shapes, codes = np.concatenate([shapes, [water.island]]), [*codes, "0301"]
        block, kind = np.append(block, -1), np.append(kind, -1)
    kept = np.flatnonzero(shapely.area(shapes) > 40)
    return LandUse(shapes[kept], [codes[k] for k in kept], block[kept], kind[kept])


def _blocks(parcels: Parcels) -> tuple[Shapes, Ints, Ints]:
    """The parcels of each block that are of one kind, joined."""
    moved, remains = inset(parcels.corners, parcels.keep)
    of = np.flatnonzero(remains & parcels.buildable)
    group = parcels.block[of] * len(NAMES) + parcels.kind[of]
    of = of[np.argsort(group, kind="stable")]
    group = parcels.block[of] * len(NAMES) + parcels.kind[of]
    quads = np.asarray(shapely.polygons(moved[of]))
    village = np.flatnonzero(np.isfinite(parcels.village[of]))
    outline = _outlines(parcels, of[village])
    fields = shapely.difference(quads[village], outline)
    quads[village] = shapely.intersection(quads[village], outline)
    starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    ends = np.append(starts[1:], len(of))
    joined = quads[starts].copy()
    for index in np.flatnonzero(ends - starts > 1):
        joined[index] = shapely.union_all(quads[starts[index] : ends[index]], grid_size=GRID)
    block, kind = parcels.block[of], parcels.kind[of]
    return (np.concatenate([joined, fields]), np.concatenate([block[starts], block[village]]),
            np.concatenate([kind[starts], np.full(len(village), ORDINAL["dry_field"])]))


def _outlines(parcels: Parcels, of: Ints) -> Shapes:
    """The built-up land of villages: their outline and the yards beyond the last house."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)[None]
    radius = parcels.village[of][:, None] * village_shape(of[:, None], angle) + 11
    middle = parcels.corners[of].mean(axis=1)
    rings = middle[:, None] + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return np.asarray(shapely.polygons(rings))


def _less(shapes: Shapes, cuts: Shapes) -> Shapes:
    """``shapes`` without what ``cuts`` cover."""
    of, by = shapely.STRtree(cuts).query(shapes, predicate="intersects")
    order = np.lexsort((by, of))
    of, by, result = of[order], by[order], np.asarray(shapely.set_precision(shapes, GRID))
    turn = np.arange(len(of)) - np.searchsorted(of, of)
    for step in range(int(turn.max(initial=-1)) + 1):
        now = turn == step
        result[of[now]] = shapely.difference(result[of[now]], cuts[by[now]], grid_size=GRID)
    return result


def _banks(plan: Plan, water: Water) -> Shapes:
    """Green banks between the river and the roads along it, from bridge to bridge."""
    lattice, xy = plan.lattice, plan.lattice.xy
    river: shapely.Geometry = water.areas[0][0]
    found = []
    if water.island is not None:
        river = shapely.union(river, water.island)
    for row in np.flatnonzero(lattice.rows.gap == RIVER):
        south = row < lattice.river_row
        road = plan.network.across.road[row if south else row + 1]
        for left, right in lattice.columns.spans():
            side = np.concatenate([xy[row, left : right + 1], xy[row + 1, left : right + 1][::-1]])
            bank = shapely.difference(shapely.Polygon(side), river)
            keep = max(2.0, float(HALF_WIDTH[road[left:right]].max()))
            street = shapely.LineString(xy[row if south else row + 1, left : right + 1]).buffer(keep)
            ends = [shapely.LineString(xy[row : row + 2, column]).buffer(15) for column in (left, right)
                    if plan.network.up.road[row, column]]
            found.append(shapely.difference(bank, shapely.union_all([street, *ends])))
    return np.array(found, dtype=object)



