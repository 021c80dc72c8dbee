"""A site whose sunlight is judged: ground and buildings around it, read once; then points or an area of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.crs import transformer
from layers.raster.store import RasterStore
from layers.terrain.elevation import Elevation, Floats
from layers.terrain.errors import AnalysisTooLarge, TerrainError
from layers.terrain.obstacles import Obstacles, standing_on, with_buildings
from layers.terrain.shadow import sun_hours
from layers.terrain.solar import SunPath
from layers.terrain.sources import Bounds, read_buildings, read_elevation
from layers.terrain.sunlight import Receptors, sunlit, true_north

#: Most cells of the ground around a site, and of the surface over which shadows are swept.
_GROUND_CELLS, _SURFACE_CELLS = 1_000_000, 5_000_000
#: Most cells that an area answers.
MAX_AREA_CELLS = 400_000
#: A window is judged so far [m] before its wall.
_OFF_THE_WALL = 0.01


@dataclass(frozen=True, slots=True)
class Site:
    """Ground and obstacles within ``reach`` [m] of what is judged, in the city's projected CRS."""

    ground: Elevation
    obstacles: Obstacles
    reach: float


@dataclass(frozen=True, slots=True)
class SunGrid:
    """Hours of sun of cells; NaN in buildings, outside the area and where the ground is unknown."""

    hours: Floats
    transform: Affine
    srid: int


def read_site(
    conn: Connection, store: RasterStore, dem: str | None, buildings: str, bounds: Bounds, srid: int, reach: float,
    left_out: tuple[int, ...], proposed: Sequence[tuple[Any, float]],
) -> Site:  # fmt: skip
    """The site around bounds of EPSG ``srid``. ``dem`` None takes level ground at 0 m.

    ``proposed`` are footprints with heights [m] that are not in the layer yet; they get the ids -1, -2, …
    """
    wide = (bounds[0] - reach, bounds[1] - reach, bounds[2] + reach, bounds[3] + reach)
    if dem is None:
        side = Affine((wide[2] - wide[0]) / 2, 0, wide[0], 0, (wide[1] - wide[3]) / 2, wide[3])
        ground = Elevation(np.zeros((2, 2)), side, srid)
    else:
        ground = read_elevation(conn, store, dem, wide, srid, max_cells=_GROUND_CELLS)
    present = read_buildings(conn, buildings, wide, ground, left_out)
    ids = range(-1, -1 - len(proposed), -1)
    planned = standing_on(ground, [p[0] for p in proposed], np.array([p[1] for p in proposed]), ids)
    return Site(ground, _together(present, planned), reach)


def window_points(site: Site, longitudes: Floats, latitudes: Floats, heights: Floats, facing: Floats) -> Receptors:
    """The points of a site, ``heights`` [m] above their ground; a window stands 1 cm before its wall.

    Raises :class:`TerrainError` for a point whose ground is unknown, or that lies within a building.
    """
    srid = site.ground.srid
    x, y = (np.asarray(v) for v in transformer(4490, srid).transform(longitudes, latitudes))
    z = site.ground.at(x, y) + heights
    found = Receptors(x, y, z, facing)
    out = np.radians(np.nan_to_num(facing + true_north(srid, found)))
    off = np.where(np.isnan(facing), 0.0, _OFF_THE_WALL)
    found = replace(found, x=x + off * np.sin(out), y=y + off * np.cos(out))
    if np.isnan(z).any():
        raise TerrainError(
            f"the ground under points[{int(np.argmax(np.isnan(z)))}] is not known; import elevation there"
        )
    _refuse_inside(found, site.obstacles)
    return found


def sun_over(
    site: Site, area: Any, above: float, spacing: float, sun: SunPath, tell: Callable[[float], None]
) -> SunGrid:
    """Hours of sun over an area of the site, ``above`` [m] the ground, in cells of ``spacing`` [m].

    Buildings and ground are swept as far as the lowest sun of the day casts their shadow, or the site reaches; hills
    beyond are judged from the middle of the area. Raises :class:`AnalysisTooLarge`.
    """
    inner = _grid(area.bounds, spacing, 0)
    if inner[0] * inner[1] > MAX_AREA_CELLS:
        cells = f"cells of {spacing:g} m make {inner[0]} × {inner[1]} of them, more than {MAX_AREA_CELLS}"
        raise AnalysisTooLarge(f"{cells}; ask for a smaller area")
    margin = int(np.ceil(_shadow_length(site, sun) / spacing))
    rows, columns, transform = _grid(area.bounds, spacing, margin)
    if rows * columns > _SURFACE_CELLS:
        raise AnalysisTooLarge(
            f"shadows would be swept over {rows} × {columns} cells, more than {_SURFACE_CELLS}; ask for a smaller area"
            " or a smaller reach"
        )
    ground = _resampled(site.ground, rows, columns, transform)
    surface = with_buildings(ground, site.obstacles)
    centre = _centre(site, area, above)
    beyond = replace(site.obstacles, footprints=site.obstacles.footprints[:0], tops=site.obstacles.tops[:0], ids=())
    open_sky = sunlit(centre, sun, beyond, site.ground, site.reach)[0]
    over = replace(sun, altitudes=np.where(open_sky, sun.altitudes, -1.0))
    free = _within(area, rows, columns, transform) & ~(surface.heights > ground.heights)
    receptors = np.where(free, ground.heights + above, np.nan)
    hours = sun_hours(surface, receptors, over, float(true_north(site.ground.srid, centre)[0]), tell)
    inside = slice(margin, margin + inner[0]), slice(margin, margin + inner[1])
    return SunGrid(hours[inside], inner[2], site.ground.srid)


def _grid(bounds: Bounds, spacing: float, margin: int) -> tuple[int, int, Affine]:
    """Rows, columns and transform of the cells over bounds, with so many cells around them."""
    west, south, east, north = bounds
    columns, rows = (max(1, int(np.ceil(length / spacing - 1e-9))) for length in (east - west, north - south))
    corner = Affine(spacing, 0, west - margin * spacing, 0, -spacing, north + margin * spacing)
    return rows + 2 * margin, columns + 2 * margin, corner


def _shadow_length(site: Site, sun: SunPath) -> float:
    """How far away [m] something may stand whose shadow reaches the area."""
    up = sun.altitudes[sun.altitudes > 0]
    if not len(up) or not len(site.obstacles):
        return 0.0
    rise = max(float(site.obstacles.tops.max() - np.nanmin(site.ground.heights)), 0.0)
    return min(rise / float(np.tan(np.radians(up.min()))), site.reach)


def _resampled(ground: Elevation, rows: int, columns: int, transform: Affine) -> Elevation:
    empty = Elevation(np.zeros((rows, columns)), transform, ground.srid)
    x, y = empty.eastings(), empty.northings()
    heights = np.vstack([ground.at(x, np.full(columns, north)) for north in y])
    return replace(empty, heights=heights)


def _within(area: Any, rows: int, columns: int, transform: Affine) -> NDArray[np.bool_]:
    from rasterio.features import geometry_mask

    return np.asarray(geometry_mask([area], (rows, columns), transform, invert=True), bool)


def _centre(site: Site, area: Any, above: float) -> Receptors:
    middle = area.representative_point()
    x, y = np.array([middle.x]), np.array([middle.y])
    return Receptors(x, y, site.ground.at(x, y) + above, np.full(1, np.nan))


def _refuse_inside(points: Receptors, obstacles: Obstacles) -> None:
    tree = shapely.STRtree(obstacles.footprints)
    point, building = tree.query(shapely.points(points.x, points.y), predicate="within")
    below = points.z[point] < obstacles.tops[building]
    if below.any():
        first, house = int(point[below][0]), obstacles.ids[int(building[below][0])]
        cure = "put it before the wall, or say where it faces"
        raise TerrainError(f"points[{first}] lies within building {house}, below its top; {cure}")


def _together(one: Obstacles, other: Obstacles) -> Obstacles:
    shapes = np.concatenate([one.footprints, other.footprints])
    return Obstacles(shapes, np.concatenate([one.tops, other.tops]), one.ids + other.ids, one.srid)
