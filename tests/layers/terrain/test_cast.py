"""Shadows on level ground against a ray walked from point after point towards the sun."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from astral import Observer, sun
from sqlalchemy import Connection, text

from layers.crs import transformer
from layers.processing import CityCrs
from layers.terrain.cast import Sun, shadow_of
from layers.terrain.errors import TerrainError
from layers.terrain.geojson import Polygon
from layers.terrain.shadow_processes import shadows
from layers.terrain.sun_processes import ProposedBuilding

X, Y = 586_400.0, 3_364_800.0
COURT = shapely.Polygon([(0, 0), (40, 0), (40, 30), (0, 30)], [[(10, 10), (30, 10), (30, 20), (10, 20)]])
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
    found = shadow_of(footprint, base, top, light)
    rng = np.random.default_rng(7)
    west, south, east, north = found.buffer(10).bounds
    points = rng.uniform((west, south), (east, north), (120, 2))
    sure = [p for p in points if found.boundary.distance(shapely.Point(p)) > 0.1]
    assert len(sure) > 90
    assert [bool(shapely.contains_xy(found, *p)) for p in sure] == [
        shaded(*p, footprint, base, top, light) for p in sure
    ]


def area(shape: shapely.Geometry) -> Polygon:
    degrees = shapely.transform(shape, transformer(4547, 4490).transform, interleaved=False)
    return Polygon("Polygon", tuple(tuple(map(tuple, ring.coords)) for ring in (degrees.exterior,)))


def test_shadows_of_a_layer_and_of_what_is_proposed_lie_where_the_sun_throws_them(conn: Connection) -> None:
    block = shapely.box(X, Y, X + 20, Y + 20)
    conn.execute(
        text("""INSERT INTO city.buildings (geom, height) VALUES
                (ST_Multi(ST_Transform(ST_GeomFromText(:wkt, 4547), 4490)), 30)"""),
        {"wkt": block.wkt},
    )
    time = datetime(2026, 12, 22, 1, 0, tzinfo=UTC)  # 9 h in Beijing
    tower = shapely.box(X + 60, Y, X + 80, Y + 10)
    lot = area(shapely.box(X - 100, Y - 20, X + 120, Y + 120))
    found = shadows(conn, CityCrs(4547, frozenset({4547})), lot, time, proposed=(ProposedBuilding(area(tower), 50.0),))
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
    night = shadows(conn, CityCrs(4547, frozenset({4547})), lot, time - timedelta(hours=9))
    assert night.shadows["features"] == [] and night.warnings
    with pytest.raises(TerrainError, match="no layer of footprints"):
        shadows(conn, CityCrs(4547, frozenset({4547})), lot, time, buildings=("roads",))
