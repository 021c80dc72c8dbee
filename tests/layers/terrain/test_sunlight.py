"""Hours of sun against shadows worked out by hand, and against rays traced one by one through space."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer

from layers.terrain.elevation import Elevation
from layers.terrain.errors import AnalysisTooLarge
from layers.terrain.obstacles import Obstacles, standing_on, with_buildings
from layers.terrain.shadow import shadow_heights, sun_hours
from layers.terrain.solar import SunPath, sun_path
from layers.terrain.sunlight import Receptors, intervals, sunlit, true_north
from tests.layers.terrain.grids import flat

SOLSTICE = date(2001, 12, 22)
#: Noon on the winter solstice at 30° N: 90° - 30° - 23.44°.
NOON_ALTITUDE = 36.56
#: The middle of the plain: on the central meridian of EPSG:4547 (114° E), at 30.35° N; grid north is true north there.
X, Y = 500000.0, 3360000.0


def plain(size: int = 400, cell: float = 1.0) -> Elevation:
    grid = flat(0.0, size, size, cell)
    half = size * cell / 2
    return replace(grid, transform=grid.transform.translation(-half, -half) @ grid.transform)


def receptors(*points: tuple[float, float, float], facing: float = np.nan) -> Receptors:
    x, y, z = np.array(points, float).T
    return Receptors(X + x, Y + y, z, np.full(len(points), facing))


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(X + west, Y + south, X + east, Y + north)


def houses(ground: Elevation, *made: tuple[shapely.Polygon, float]) -> Obstacles:
    return standing_on(ground, [m[0] for m in made], np.array([m[1] for m in made]), range(len(made)))


def test_the_noon_shadow_of_a_box_ends_where_the_suns_height_says() -> None:
    """20 m over level ground at latitude φ: 20 / tan(90° - φ - 23.438°) to the north (27.3 m at 30.35° N)."""
    lat = Transformer.from_crs(4547, 4490, always_xy=True).transform(X, Y)[1]
    length = 20 / np.tan(np.radians(90 - lat - 23.438))
    sun = sun_path(114.0, lat, SOLSTICE, 11.995, 12.005, 5.0)
    ground = plain()
    block = houses(ground, (box(-30, -10, 30, 0), 20.0))
    points = receptors(
        (0, length - 0.1, 0), (0, length + 0.1, 0), (0, 5, 20 - 5.1 * 20 / length), (0, 5, 20 - 4.9 * 20 / length)
    )
    assert sunlit(points, sun, block, ground, 500.0)[:, 0].tolist() == [False, True, False, True]
    assert 27 < length < 27.5


def test_a_wall_to_the_south_of_known_width_takes_the_hours_between_its_corners() -> None:
    """In sight between two corners at true azimuths 150° and 210°, a tall tower hides the sun for just that time."""
    sun = sun_path(114.0, 30.35, SOLSTICE, 9.0, 15.0, 1.0)
    half = 100 * np.tan(np.radians(30))
    ground = plain()
    tower = houses(ground, (box(-half, -110, half, -100), 500.0))
    lit = sunlit(receptors((0, 0, 0)), sun, tower, ground, 1000.0)[0]
    hidden = (sun.azimuths > 150) & (sun.azimuths < 210)
    assert np.array_equal(lit, ~hidden) or np.sum(lit == hidden) <= 2
    first, second = intervals(lit, sun)
    assert (first.start, second.end) == (pytest.approx(9), pytest.approx(15))
    assert first.end == pytest.approx(float(np.interp(150, sun.azimuths, sun.hours)), abs=0.02)
    assert second.start == pytest.approx(float(np.interp(210, sun.azimuths, sun.hours)), abs=0.02)
    assert first.hours == pytest.approx(second.hours, abs=0.04)


def test_a_window_takes_sun_only_from_before_its_wall() -> None:
    sun, ground = sun_path(114.0, 30.35, SOLSTICE, 9.0, 15.0, 5.0), plain()
    nothing = Obstacles(np.empty(0, object), np.empty(0), (), 4547)
    assert sunlit(receptors((0, 0, 1), facing=180.0), sun, nothing, ground, 500.0).all()
    assert not sunlit(receptors((0, 0, 1), facing=0.0), sun, nothing, ground, 500.0).any()
    east = sunlit(receptors((0, 0, 1), facing=90.0), sun, nothing, ground, 500.0)[0]
    assert np.array_equal(east, sun.hours < 12)
    grazing = sunlit(receptors((0, 0, 1), facing=180.0), sun, nothing, ground, 500.0, wall_angle=50.0)[0]
    assert np.array_equal(grazing, np.abs(sun.azimuths - 180) < 40)


def random_city(seed: int, ground: Elevation) -> Obstacles:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(25):
        x, y = rng.uniform(-120, 120, 2)
        turned = shapely.affinity.rotate(box(x, y, x + rng.uniform(10, 40), y + rng.uniform(8, 20)), rng.uniform(0, 90))
        made.append((turned, float(rng.uniform(6, 80))))
    return houses(ground, *made)


def traced(
    point: tuple[float, float, float], azimuth: float, altitude: float, obstacles: Obstacles, ground: Elevation
) -> bool:
    """Whether a ray, walked in steps of 10 cm, meets a building or the ground."""
    steps = np.arange(0.05, 900, 0.1)
    x = point[0] + steps * np.sin(np.radians(azimuth))
    y = point[1] + steps * np.cos(np.radians(azimuth))
    z = point[2] + steps * np.tan(np.radians(altitude))
    for footprint, top in zip(obstacles.footprints, obstacles.tops, strict=True):
        low = z < top
        if low.any() and shapely.contains_xy(footprint, x[low], y[low]).any():
            return True
    far = steps > 2 * ground.transform.a
    return bool((ground.at(x[far], y[far]) > z[far]).any())


def hilly() -> Elevation:
    ground = plain(60, 10.0)
    x, y = np.meshgrid(ground.eastings() - X, ground.northings() - Y)
    return replace(ground, heights=20 + 0.02 * x + 60 * np.exp(-((x + 100) ** 2 + (y + 230) ** 2) / 60**2))


def test_points_among_random_houses_and_a_hill_are_lit_as_rays_traced_slowly_say() -> None:
    ground = hilly()
    city = random_city(3, ground)
    sun = sun_path(114.0, 30.35, date(2001, 1, 20), 8.0, 16.0, 30.0)
    rng = np.random.default_rng(5)
    x, y = rng.uniform(-150, 150, (2, 60))
    outside = ~shapely.contains_xy(shapely.union_all(city.footprints).buffer(0.5), X + x, Y + y)
    x, y = x[outside], y[outside]
    points = Receptors(X + x, Y + y, ground.at(X + x, Y + y) + rng.uniform(0.5, 30, len(x)), np.full(len(x), np.nan))
    got = sunlit(points, sun, city, ground, 900.0)
    turn = true_north(4547, points)
    expected = np.array([
        [not traced((points.x[i], points.y[i], points.z[i]), a + turn[i], h, city, ground) for a, h in zip(sun.azimuths, sun.altitudes, strict=True)]
        for i in range(len(points))
    ])  # fmt: skip
    assert 0.2 < got.mean() < 0.9
    assert np.mean(got == expected) > 0.995  # a ray may pass a corner between two steps of 10 cm


def test_the_raster_is_the_points_answer_but_at_the_shadows_edges() -> None:
    ground = plain(420)
    city = random_city(8, ground)
    sun = sun_path(114.0, 30.35, date(2001, 1, 20), 8.0, 16.0, 20.0)
    surface = with_buildings(ground, city)
    raised = surface.heights > ground.heights
    hours = sun_hours(surface, np.where(raised, np.nan, ground.heights + 0.9), sun, 0.0)
    assert np.array_equal(np.isnan(hours), raised)
    rng = np.random.default_rng(1)
    free = shapely.union_all(city.footprints).buffer(1.5)
    cells = rng.permutation(np.argwhere(~raised))[:1500]
    x, y = ground.eastings()[cells[:, 1]], ground.northings()[cells[:, 0]]
    away = ~shapely.contains_xy(free, x, y)
    x, y, cells = x[away], y[away], cells[away]
    lit = sunlit(Receptors(x, y, np.full(len(x), 0.9), np.full(len(x), np.nan)), sun, city, ground, 900.0)
    per_time = np.array([
        shadow_heights(surface, float(a), float(h))[cells[:, 0], cells[:, 1]] <= 0.9
        for a, h in zip(sun.azimuths, sun.altitudes, strict=True)
    ]).T  # fmt: skip
    edges = np.array(
        [edge_cells(surface, x, y, float(a), float(h), city) for a, h in zip(sun.azimuths, sun.altitudes, strict=True)]
    ).T
    assert np.mean(per_time == lit) > 0.97
    assert np.all((per_time == lit) | edges)
    assert np.abs(hours[cells[:, 0], cells[:, 1]] - lit.sum(axis=1) * sun.step).mean() < 0.15


def edge_cells(
    surface: Elevation, x: np.ndarray, y: np.ndarray, azimuth: float, altitude: float, city: Obstacles
) -> np.ndarray:
    """Whether the shadow's edge passes within two cells: some shift by that changes the exact answer."""
    sun = SunPath(np.array([12.0]), np.array([azimuth]), np.array([altitude]), 1.0)
    answers = []
    for dx, dy in [
        (0, 0),
        (2.0, 0),
        (-2.0, 0),
        (0, 2.0),
        (0, -2.0),
        (1.4, 1.4),
        (-1.4, 1.4),
        (1.4, -1.4),
        (-1.4, -1.4),
    ]:
        moved = Receptors(x + dx, y + dy, np.full(len(x), 0.9), np.full(len(x), np.nan))
        answers.append(sunlit(moved, sun, city, replace(surface, heights=np.zeros(surface.shape)), 900.0)[:, 0])
    return np.any(np.array(answers) != answers[0], axis=0)


@pytest.mark.parametrize("azimuth", [0.0, 37.0, 90.0, 133.0, 180.0, 205.0, 270.0, 300.0])
def test_a_pillars_shadow_falls_away_from_the_sun_to_its_length(azimuth: float) -> None:
    ground = plain(201)
    heights = ground.heights.copy()
    heights[100, 100] = 30.0
    shadow = shadow_heights(replace(ground, heights=heights), azimuth, 45.0) > 0
    shadow[100, 100] = False
    rows, columns = np.nonzero(shadow)
    x, y = columns - 100, 100 - rows
    along = -(x * np.sin(np.radians(azimuth)) + y * np.cos(np.radians(azimuth)))
    across = x * np.cos(np.radians(azimuth)) - y * np.sin(np.radians(azimuth))
    assert along.min() > 0 and along.max() == pytest.approx(29.3, abs=1.0)
    assert np.abs(across).max() < 1.0


def test_short_glimpses_do_not_count_where_a_least_time_is_asked() -> None:
    sun = sun_path(114.0, 30.35, SOLSTICE, 9.0, 15.0, 1.0)
    lit = np.zeros(360, bool)
    lit[10:13] = lit[100:160] = True
    assert [round(i.hours * 60) for i in intervals(lit, sun)] == [3, 60]
    assert [round(i.hours * 60) for i in intervals(lit, sun, shortest=5.0)] == [60]
    assert intervals(np.zeros(360, bool), sun) == ()
    (whole,) = intervals(np.ones(360, bool), sun)
    assert (whole.start, whole.end) == (pytest.approx(9), pytest.approx(15))


def test_true_north_leans_to_the_central_meridian() -> None:
    points = Receptors(np.array([500000.0, 600000.0, 400000.0]), np.full(3, 3360000.0), np.zeros(3), np.full(3, np.nan))
    centre, east, west = true_north(4547, points)
    assert centre == pytest.approx(0, abs=1e-4)
    assert east == pytest.approx(-1.04 * np.sin(np.radians(30.35)), rel=0.01) and west == pytest.approx(-east, rel=1e-3)


def test_noon_is_where_true_south_is_and_not_the_grids() -> None:
    """1° east of the central meridian a mast 400 m to the south stands 3.5 m beside the grid's south."""
    x = X + 96_000
    geod, back = Geod(ellps="GRS80"), Transformer.from_crs(4490, 4547, always_xy=True)
    lon, lat = back.transform(x, Y, direction="INVERSE")
    mast = shapely.Point(back.transform(*geod.fwd(lon, lat, 180.0, 400.0)[:2])).buffer(1.0)
    assert x - mast.centroid.x == pytest.approx(-3.5, abs=0.3)
    ground = flat(0.0, 2, 2, 5000.0)
    ground = replace(ground, transform=ground.transform.translation(90_000, -5000) @ ground.transform)
    sun = sun_path(lon, lat, SOLSTICE, 11.995, 12.005, 5.0)
    point = Receptors(np.array([x]), np.array([Y]), np.zeros(1), np.full(1, np.nan))
    assert not sunlit(point, sun, houses(ground, (mast, 500.0)), ground, 1000.0).any()
    beside = shapely.affinity.translate(mast, x - mast.centroid.x)
    assert sunlit(point, sun, houses(ground, (beside, 500.0)), ground, 1000.0).all()


def test_too_many_rays_are_refused() -> None:
    sun, ground = sun_path(114.0, 30.35, SOLSTICE, 9.0, 15.0, 1.0), plain()
    many = Receptors(np.full(2000, X), np.full(2000, Y), np.zeros(2000), np.full(2000, np.nan))
    with pytest.raises(AnalysisTooLarge, match="fewer points"):
        sunlit(many, sun, houses(ground, (box(0, 0, 5, 5), 3.0)), ground, 500.0)
