"""Shadows on level ground and on hills against a ray walked from point after point towards the sun."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from astral import Observer, sun
from sqlalchemy import Connection, text

from layers.crs import transformer
from layers.processing import CityCrs
from layers.raster.store import RasterStore
from layers.terrain.cast import Sun, on_ground, shadow_of
from layers.terrain.elevation import Elevation
from layers.terrain.errors import TerrainError
from layers.terrain.geojson import Polygon
from layers.terrain.shadow_processes import shadows
from layers.terrain.sun_processes import ProposedBuilding
from tests.layers.terrain.grids import write
from tests.layers.terrain.test_processes import take

X, Y = 586_400.0, 3_364_800.0
COURT = shapely.Polygon([(0, 0), (40, 0), (40, 30), (0, 30)], [[(10, 10), (30, 10), (30, 20), (10, 20)]])
EZHOU = CityCrs(4547, frozenset({4547}))
BENT = shapely.Polygon([(0, 0), (30, 5), (25, 20), (18, 8), (5, 25)])


def shaded(x: float, y: float, footprint: shapely.Geometry, base: float, top: float, light: Sun) -> bool:
    """Whether the ray from a point of the ground meets the building, in steps of 2 cm."""
    steps = np.arange(0, top / np.tan(np.radians(light.altitude)) + 0.02, 0.02)
    way = np.radians(light.azimuth)
    high = steps * np.tan(np.radians(light.altitude))
    inside = shapely.contains_xy(footprint, x + steps * np.sin(way), y + steps * np.cos(way))
    return bool((inside & (high >= base) & (high <= top)).any())


@pytest.mark.parametrize(("footprint", "base"), [(COURT, 0.0), (BENT, 0.0), (BENT, 6.0)])
@pytest.mark.parametrize(("azimuth", "altitude"), [(180.0, 36.6), (127.0, 12.0), (255.0, 60.0)])
def test_a_point_is_in_the_shadow_just_where_a_ray_to_the_sun_meets_the_building(
    footprint: shapely.Geometry, base: float, azimuth: float, altitude: float
) -> None:
    light, top = Sun(azimuth, altitude), 15.0
    found = shadow_of(footprint, base, top, light).shape
    rng = np.random.default_rng(7)
    west, south, east, north = found.buffer(10).bounds
    points = rng.uniform((west, south), (east, north), (120, 2))
    sure = [p for p in points if found.boundary.distance(shapely.Point(p)) > 0.1]
    assert len(sure) > 90
    assert [bool(shapely.contains_xy(found, *p)) for p in sure] == [
        shaded(*p, footprint, base, top, light) for p in sure
    ]


def hilly(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Smooth ground of slopes up to 1 in 5 [m]."""
    return np.asarray(20 + 6 * np.sin(x / 60 + 1) + 4 * np.cos(y / 45) + x / 12)


@pytest.mark.parametrize(("footprint", "base"), [(COURT, 0.0), (BENT, 6.0)])
@pytest.mark.parametrize(("azimuth", "altitude"), [(150.0, 36.6), (100.0, 22.0)])
def test_on_hills_a_point_is_in_the_shadow_just_where_its_ray_meets_the_building(
    footprint: shapely.Geometry, base: float, azimuth: float, altitude: float
) -> None:
    light, top, cell = Sun(azimuth, altitude), 15.0, 2.0
    axis = np.arange(-150, 150, cell) + cell / 2
    x, y = np.meshgrid(axis, -axis)
    terrain = Elevation(hilly(x, y), Affine(cell, 0, -150, 0, -cell, 150), 4547)
    stands = float(hilly(*shapely.get_coordinates(footprint.exterior).T).mean())
    found = shadow_of(footprint, base, top, light, on_ground(light, terrain, stands)).shape
    level = shadow_of(footprint, base, top, light).shape
    rng = np.random.default_rng(7)
    west, south, east, north = shapely.union_all([found, level]).buffer(5).bounds
    points = rng.uniform((west, south), (east, north), (300, 2))
    sure = [p for p in points if found.boundary.distance(shapely.Point(p)) > 0.3]
    steps = np.arange(0, 150, 0.02)
    way = np.radians(light.azimuth)

    def met(x: float, y: float) -> bool:
        high = float(hilly(np.array(x), np.array(y))) + steps * np.tan(np.radians(light.altitude)) - stands
        inside = shapely.contains_xy(footprint, x + steps * np.sin(way), y + steps * np.cos(way))
        return bool((inside & (high <= top) & ((high >= base) | (base == 0))).any())

    assert [bool(shapely.contains_xy(found, *p)) for p in sure] == [met(*p) for p in sure]
    assert shapely.symmetric_difference(found, level).area > 0.05 * level.area  # the ground matters here


def area(shape: shapely.Geometry) -> Polygon:
    degrees = shapely.transform(shape, transformer(4547, 4490).transform, interleaved=False)
    return Polygon("Polygon", tuple(tuple(map(tuple, ring.coords)) for ring in (degrees.exterior,)))


def test_shadows_of_a_layer_and_of_what_is_proposed_lie_where_the_sun_throws_them(
    conn: Connection, tmp_path: Path
) -> None:
    store = RasterStore(tmp_path)
    block = shapely.box(X, Y, X + 20, Y + 20)
    conn.execute(
        text("""INSERT INTO city.buildings (geom, height) VALUES
                (ST_Multi(ST_Transform(ST_GeomFromText(:wkt, 4547), 4490)), 30)"""),
        {"wkt": block.wkt},
    )
    time = datetime(2026, 12, 22, 1, 0, tzinfo=UTC)  # 9 h in Beijing
    tower = shapely.box(X + 60, Y, X + 80, Y + 10)
    lot = area(shapely.box(X - 100, Y - 20, X + 120, Y + 120))
    found = shadows(conn, store, EZHOU, lot, time, proposed=(ProposedBuilding(area(tower), 50.0),))
    assert "dem has no elevation here" in found.warnings[0].en
    lon, lat = transformer(4547, 4490).transform(X + 10, Y + 50)
    zenith, azimuth = sun.zenith_and_azimuth(Observer(lat, lon), time, with_refraction=False)
    assert (found.azimuth, found.altitude) == (pytest.approx(azimuth, abs=0.01), pytest.approx(90 - zenith, abs=0.01))
    lengths = {f["properties"]["id"] < 0: f["properties"]["length"] for f in found.shadows["features"]}
    assert lengths[True] == pytest.approx(50 / np.tan(np.radians(90 - zenith)), rel=1e-3)
    assert lengths[True] / lengths[False] == pytest.approx(50 / 30, rel=1e-3)
    # In the forenoon the sun stands in the south-east: the shadow lies to the north-west of its building.
    proposed = next(f for f in found.shadows["features"] if f["properties"]["id"] < 0)
    plane = shapely.transform(
        shapely.geometry.shape(proposed["geometry"]), transformer(4490, 4547).transform, interleaved=False
    )
    assert plane.bounds[0] < X + 60 - 40 and plane.bounds[1] == pytest.approx(Y, abs=0.05)
    night = shadows(conn, store, EZHOU, lot, time - timedelta(hours=9))
    assert night.shadows["features"] == [] and night.warnings
    with pytest.raises(TerrainError, match="no layer of footprints"):
        shadows(conn, store, EZHOU, lot, time, buildings=("roads",))


def test_a_shadow_downhill_is_longer_by_the_slope_and_each_building_stands_on_its_own_ground(
    conn: Connection, tmp_path: Path
) -> None:
    """Ground of 100 m that falls by 1 in 10 to the west, and the sun in the south-east: height = fall + slope."""
    store = RasterStore(tmp_path / "rasters")
    heights = np.tile(100 + (np.arange(200) * 5.0 - 500 + 2.5) / 10, (200, 1))
    take(conn, store, write(tmp_path / "slope.tif", heights, Affine(5, 0, X - 500, 0, -5, Y + 500), 4547))
    lot, time = area(shapely.box(X - 200, Y - 50, X + 120, Y + 220)), datetime(2026, 12, 22, 1, 0, tzinfo=UTC)
    towers = [shapely.box(X + dx, Y, X + dx + 20, Y + 10) for dx in (-60, 60)]
    proposed = tuple(ProposedBuilding(area(tower), 40.0) for tower in towers)
    found, flat = (shadows(conn, store, EZHOU, lot, time, proposed=proposed, dem=dem) for dem in ("dem", None))
    assert found.warnings == () and flat.warnings
    told = {f["properties"]["id"]: f["properties"] for f in found.shadows["features"]}
    assert [told[n]["ground"] for n in (-1, -2)] == [pytest.approx(100 + x / 10, abs=0.05) for x in (-50, 70)]
    lon, lat = transformer(4547, 4490).transform(X - 40, Y + 85)
    north = transformer(4490, 4547).transform(lon, lat + 1e-4)
    grid = found.azimuth + np.degrees(np.arctan2(north[0] - (X - 40), north[1] - (Y + 85)))
    fall = np.tan(np.radians(found.altitude))
    west = -np.sin(np.radians(grid + 180)) / 10  # how far the ground falls on one metre of the shadow's way
    # The tops of the western wall are 1 m higher over their ground than the mean, those of the eastern one lower.
    assert told[-1]["length"] == pytest.approx((40 + 1.0) / (fall - west), rel=2e-3)
    assert told[-1]["length"] > 1.1 * flat.shadows["features"][0]["properties"]["length"]
