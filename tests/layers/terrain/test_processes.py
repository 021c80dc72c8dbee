"""Terrain processes on real files in a real store and buildings in a real layer."""

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pydantic import TypeAdapter, ValidationError
from pyproj import Geod, Transformer
from sqlalchemy import Connection, text

from layers.processing import CityCrs
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from layers.registry import LayerNotFound
from layers.terrain.answers import SunlightAnswer, ViewshedAnswer
from layers.terrain.earthwork import Plane
from layers.terrain.earthwork import cut_fill as volumes
from layers.terrain.errors import AnalysisTooLarge, OutsideElevation, TerrainError
from layers.terrain.geojson import Line, MultiPolygon, Polygon
from layers.terrain.processes import cut_fill, elevation_profile, line_of_sight, viewshed
from layers.terrain.sources import read_elevation
from layers.terrain.sun_processes import ProposedBuilding, WindowPoint, sunlight_hours
from tests.layers.terrain.grids import RASTERS, SRTM, read, write

#: UTM 31N over Andorra, and the Gauss-Krüger zone of Ezhou.
ANDORRA, EZHOU = CityCrs(25831, frozenset({25831, 4490})), CityCrs(4547, frozenset({4547, 4490}))
DEGREES = Transformer.from_crs(4547, 4490, always_xy=True)
X, Y = 586000.0, 3364000.0


class Job:
    def progress(self, percent: float, message: Any = None) -> None:
        assert 0 <= percent <= 100

    def cancelled(self) -> bool:
        return False


@pytest.fixture
def store(tmp_path: Path) -> RasterStore:
    return RasterStore(tmp_path / "rasters")


def take(conn: Connection, store: RasterStore, path: Path, coverage: str = "dem") -> None:
    import_images(conn, store, load_coverage(conn, coverage), path, ImageOptions(), lambda _share, _text: None)
    conn.dispatch.commit(conn)  # the files appear; the fixture rolls the rows back


@pytest.fixture
def andorra(conn: Connection, store: RasterStore, tmp_path: Path) -> RasterStore:
    ground = Path(SRTM)
    if RASTERS.is_dir():
        with zipfile.ZipFile(RASTERS / "srtm_N42E001.hgt.zip") as archive:
            ground = Path(archive.extract("N42E001.hgt", tmp_path))
    take(conn, store, ground)
    return store


@pytest.fixture
def hill(conn: Connection, store: RasterStore, tmp_path: Path) -> RasterStore:
    """1 km of ground at 2 m near Ezhou: 20 m, rising by 1 in 10 to the east beyond its middle."""
    x = np.arange(500) * 2.0 - 499
    heights = np.tile(20 + np.maximum(x, 0) / 10, (500, 1))
    take(conn, store, write(tmp_path / "hill.tif", heights, Affine(2, 0, X - 500, 0, -2, Y + 500), 4547))
    return store


def place(x: float, y: float) -> tuple[float, float]:
    lon, lat = DEGREES.transform(X + x, Y + y)
    return float(lon), float(lat)


def ring(west: float, south: float, east: float, north: float) -> Polygon:
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return Polygon("Polygon", (tuple(place(*c) for c in corners),))


def build(
    conn: Connection,
    west: float,
    south: float,
    east: float,
    north: float,
    height: float | None,
    floors: int | None = None,
) -> int:
    shape = shapely.transform(
        shapely.MultiPolygon([shapely.box(X + west, Y + south, X + east, Y + north)]),
        DEGREES.transform,
        interleaved=False,
    )
    row = conn.execute(
        text(
            "INSERT INTO city.buildings (geom, height, floors) VALUES (ST_GeomFromText(:w, 4490), :h, :f) RETURNING id"
        ),
        {"w": shape.wkt, "h": height, "f": floors},
    )
    return int(row.scalar_one())


def test_a_profile_of_real_ground_is_geodesic_and_bilinear(conn: Connection, andorra: RasterStore) -> None:
    line = ((1.2, 42.93), (1.25, 42.97), (1.32, 42.94))  # where SRTM has no voids
    found = elevation_profile(conn, andorra, Line("LineString", line), 100.0)
    assert found.length == pytest.approx(Geod(ellps="GRS80").line_length(*zip(*line, strict=True)), abs=0.01)
    grid = read(SRTM)
    ours = np.array([p.height for p in found.points])
    expected = grid.at(np.array([p.longitude for p in found.points]), np.array([p.latitude for p in found.points]))
    assert np.abs(ours - expected).max() < 0.02
    rises = np.diff(expected)
    assert found.ascent == pytest.approx(rises[rises > 0].sum(), abs=1)
    assert (found.lowest, found.highest) == (
        pytest.approx(expected.min(), abs=0.02),
        pytest.approx(expected.max(), abs=0.02),
    )


def test_a_profile_beyond_the_ground_has_nulls(conn: Connection, andorra: RasterStore) -> None:
    found = elevation_profile(conn, andorra, Line("LineString", ((1.95, 42.5), (2.1, 42.5))), 500.0)
    heights = [p.height for p in found.points]
    assert heights[0] is not None and heights[-1] is None
    away = elevation_profile(conn, andorra, Line("LineString", ((100.0, 30.0), (100.1, 30.0))), 500.0)
    assert away.lowest is None and {p.height for p in away.points} == {None}


def test_a_viewshed_of_real_ground_is_gdals(conn: Connection, andorra: RasterStore, tmp_path: Path) -> None:
    """GDAL warps the file and looks from the same cell; its fault beside the observer (see test_viewshed) costs little
    from a tower."""
    observer = (1.52, 42.51)
    found = viewshed(conn, andorra, ANDORRA, observer, 60.0, 0.0, 5000.0, 1 / 7, resolution=90.0)
    x, y = Transformer.from_crs(4490, 25831, always_xy=True).transform(*observer)
    warped, seen = tmp_path / "utm.tif", tmp_path / "seen.tif"
    bounds = [str(v) for v in (x - 5000, y + 5000 - 112 * 90, x - 5000 + 112 * 90, y + 5000)]
    subprocess.run(
        [
            "gdalwarp",
            "-q",
            "-t_srs",
            "EPSG:25831",
            "-tr",
            "90",
            "90",
            "-te",
            *bounds,
            "-r",
            "bilinear",
            "-ot",
            "Float32",
            SRTM,
            warped,
        ],
        check=True,
    )
    marks = ["-oz", "60", "-md", "5000", "-cc", str(6 / 7), "-vv", "1", "-iv", "0", "-ov", "255", "-a_nodata", "255"]
    subprocess.run(["gdal_viewshed", "-q", "-ox", str(x), "-oy", str(y), *marks, warped, seen], check=True)
    with rasterio.open(seen) as source:
        theirs = source.read(1)
    assert found.visible_area == pytest.approx(np.sum(theirs == 1) * 8100, rel=0.02)
    assert found.judged_area == pytest.approx(np.sum(theirs != 255) * 8100, rel=0.005)
    outline = shapely.from_geojson(
        TypeAdapter(ViewshedAnswer).dump_json(found).decode().partition('"geometry":')[2][:-1]
    )
    drawn = shapely.transform(outline, Transformer.from_crs(4490, 25831, always_xy=True).transform, interleaved=False)
    assert drawn.area == pytest.approx(found.visible_area, rel=1e-3)
    assert found.share == pytest.approx(found.visible_area / found.judged_area, abs=1e-6)


def test_buildings_close_a_view_and_a_line_of_sight(conn: Connection, hill: RasterStore) -> None:
    open_view = viewshed(conn, hill, EZHOU, place(-400, 0), radius=300.0)
    house = build(conn, -300, -50, -290, 50, 30.0)
    closed = viewshed(conn, hill, EZHOU, place(-400, 0), radius=300.0, buildings="buildings")
    assert closed.visible_area < 0.8 * open_view.visible_area
    hidden = line_of_sight(conn, hill, EZHOU, place(-400, 0), place(-200, 0), 1.7, 1.7)
    assert not hidden.visible and hidden.hidden_by is not None
    assert (hidden.hidden_by.building, hidden.hidden_by.height) == (house, pytest.approx(50, abs=0.01))
    assert hidden.hidden_by.distance == pytest.approx(100, abs=0.1)
    assert hidden.needed_height == pytest.approx(1.7 + (30 - 1.7) * 2, rel=0.01)
    assert line_of_sight(conn, hill, EZHOU, place(-400, 0), place(-200, 0), 1.7, 1.7, buildings=None).visible


def test_a_building_with_floors_only_is_three_metres_a_floor(conn: Connection, hill: RasterStore) -> None:
    build(conn, -300, -50, -290, 50, None, floors=6)
    build(conn, -280, -50, -270, 50, None)
    found = line_of_sight(conn, hill, EZHOU, place(-400, 0), place(-200, 0), 1.0, 1.0)
    assert found.hidden_by is not None and found.hidden_by.height == pytest.approx(20 + 18, abs=0.01)


def test_cut_and_fill_of_a_lot_on_a_slope(conn: Connection, hill: RasterStore) -> None:
    """Ground 20 + x / 10 from x 100 to 200: at a level of 35 m, two wedges of 50 m × 5 m / 2 on 80 m."""
    lot = ring(100, -40, 200, 40)
    done = cut_fill(conn, Job(), hill, EZHOU, lot, level=35.0)
    assert done.cut == pytest.approx(50 * 5 / 2 * 80, rel=2e-3) and done.fill == pytest.approx(done.cut, rel=5e-3)
    assert done.cut_area + done.fill_area == pytest.approx(100 * 80, rel=1e-3) and done.unknown_area < 1
    plane = ((*place(100, -40), 28.0), (*place(200, -40), 38.0), (*place(100, 40), 28.0))
    assert cut_fill(conn, Job(), hill, EZHOU, lot, plane=plane).cut == pytest.approx(2 * 100 * 80, rel=1e-3)
    both = MultiPolygon("MultiPolygon", (lot.coordinates, ring(-300, -40, -200, 40).coordinates))
    assert cut_fill(conn, Job(), hill, EZHOU, both, level=19.0).cut == pytest.approx(16 * 8000 + 1 * 8000, rel=1e-3)


def test_a_second_coverage_is_the_design(conn: Connection, hill: RasterStore) -> None:
    done = cut_fill(conn, Job(), hill, EZHOU, ring(100, -40, 200, 40), design="dem")
    assert (done.cut, done.fill, done.net) == (0, 0, 0)


def test_real_cut_and_fill_equals_that_of_the_warped_file(
    conn: Connection, andorra: RasterStore, tmp_path: Path
) -> None:
    to_utm = Transformer.from_crs(4490, 25831, always_xy=True)
    lot = shapely.Point(to_utm.transform(1.25, 42.95)).buffer(1000, quad_segs=4)
    corners = tuple(tuple(map(float, to_utm.transform(*p, direction="INVERSE"))) for p in lot.exterior.coords)
    done = cut_fill(conn, Job(), andorra, ANDORRA, Polygon("Polygon", (corners,)), level=750.0, resolution=20.0)
    warped = tmp_path / "utm.tif"
    west, south, east, north = (
        str(round(v / 20) * 20 + pad) for v, pad in zip(lot.bounds, (-100, -100, 100, 100), strict=True)
    )
    subprocess.run(
        [
            "gdalwarp",
            "-q",
            "-t_srs",
            "EPSG:25831",
            "-tr",
            "20",
            "20",
            "-te",
            west,
            south,
            east,
            north,
            "-r",
            "bilinear",
            "-ot",
            "Float32",
            SRTM,
            warped,
        ],
        check=True,
    )
    theirs = volumes(read(warped), Plane(750.0), lot)
    assert done.cut == pytest.approx(theirs.cut, rel=2e-3) and done.fill == pytest.approx(theirs.fill, rel=2e-3)


def test_what_cannot_be_computed_is_refused_by_name(conn: Connection, hill: RasterStore) -> None:
    lot = ring(100, -40, 200, 40)
    with pytest.raises(TerrainError, match="'level', 'plane' and 'design', not none"):
        cut_fill(conn, Job(), hill, EZHOU, lot)
    with pytest.raises(TerrainError, match="on one line"):
        cut_fill(
            conn, Job(), hill, EZHOU, lot, plane=((*place(0, 0), 1.0), (*place(10, 10), 1.0), (*place(20, 20), 1.0))
        )
    bow = Polygon("Polygon", ((place(0, 0), place(10, 10), place(10, 0), place(0, 10), place(0, 0)),))
    with pytest.raises(TerrainError, match="'area' is no valid area: Self-intersection"):
        cut_fill(conn, Job(), hill, EZHOU, bow, level=1.0)
    with pytest.raises(LayerNotFound, match="no coverage 'roads'"):
        viewshed(conn, hill, EZHOU, place(0, 0), dem="roads")
    with pytest.raises(TerrainError, match="no heights"):
        viewshed(conn, hill, EZHOU, place(0, 0), dem="imagery")
    with pytest.raises(TerrainError, match="no layer of footprints"):
        viewshed(conn, hill, EZHOU, place(0, 0), radius=100.0, buildings="roads")
    with pytest.raises(OutsideElevation, match="no image there"):
        viewshed(conn, hill, EZHOU, (115.9, 31.9))
    with pytest.raises(AnalysisTooLarge, match="coarser resolution"):
        viewshed(conn, hill, EZHOU, place(0, 0), radius=500.0, resolution=0.1)
    with pytest.raises(AnalysisTooLarge, match="'step'"):
        elevation_profile(conn, hill, Line("LineString", (place(0, 0), (115.9, 30.4))), 1.0)
    with pytest.raises(TerrainError, match="does not reach"):
        viewshed(conn, hill, EZHOU, (-60.0, 30.0))
    with pytest.raises(ValidationError):
        TypeAdapter(Line).validate_python({"type": "LineString", "coordinates": [[200, 0], [0, 0]]})


SOUTH = WindowPoint(*place(-300, 0), 0.9, 180.0)


def test_a_window_loses_its_sun_to_a_house_before_it_and_gains_it_back(conn: Connection, hill: RasterStore) -> None:
    def hours(**more: Any) -> SunlightAnswer:
        return sunlight_hours(conn, Job(), hill, EZHOU, (SOUTH,), **more)

    free = hours()
    assert (free.date, free.start, free.end, free.required, free.step) == ("2001-01-20", 8.0, 16.0, 2.0, 1.0)
    assert free.points[0].hours == pytest.approx(8.0) and free.points[0].enough
    assert [(i.start, i.end) for i in free.points[0].intervals] == [("08:00", "16:00")]
    house = build(conn, -400, -40, -200, -20, 60.0)
    shut = hours()
    assert shut.buildings == 1 and shut.points[0].hours < 1 and not shut.points[0].enough
    assert hours(left_out=(house,)).points[0].hours == pytest.approx(8.0)
    assert (
        hours(left_out=(house,), proposed=(ProposedBuilding(ring(-400, -40, -200, -20), 60.0),)).points == shut.points
    )


def test_a_hill_to_the_east_takes_the_morning(conn: Connection, store: RasterStore, tmp_path: Path) -> None:
    x = np.arange(500) * 2.0 - 500
    heights = np.tile(np.where(x > 0, 120.0, 20.0), (500, 1))
    take(conn, store, write(tmp_path / "cliff.tif", heights, Affine(2, 0, X - 500, 0, -2, Y + 500), 4547))
    found = sunlight_hours(conn, Job(), store, EZHOU, (WindowPoint(*place(-150, 0), 0.9),)).points[0]
    first = found.intervals[0].start
    assert 5 < found.hours < 7.5 and first > "08:30" and found.intervals[-1].end == "16:00"
    lawn = sunlight_hours(conn, Job(), store, EZHOU, area=ring(-155, -5, -145, 5)).coverage
    assert lawn is not None
    over = [hours for hours in lawn["ranges"]["hours"]["values"] if hours is not None]
    assert len(over) >= 90 and np.allclose(over, found.hours, atol=0.07)
    level = sunlight_hours(conn, Job(), store, EZHOU, (WindowPoint(*place(-150, 0), 0.9),), dem=None)
    assert level.points[0].hours == pytest.approx(8) and level.warnings


def test_the_hours_of_an_area_are_those_of_its_points(conn: Connection, hill: RasterStore) -> None:
    build(conn, -320, -30, -280, -15, 24.0)
    build(conn, -260, 0, -245, 40, 45.0)
    answer = sunlight_hours(conn, Job(), hill, EZHOU, area=ring(-330, -40, -250, 40), step=5.0, day="winter-solstice")
    assert answer.coverage is not None and answer.share_enough is not None
    hours = answer.coverage["ranges"]["hours"]
    rows, columns = hours["shape"]
    values = np.array([np.nan if v is None else v for v in hours["values"]]).reshape(rows, columns)
    x = np.linspace(*(answer.coverage["domain"]["axes"]["x"][k] for k in ("start", "stop", "num")))
    y = np.linspace(*(answer.coverage["domain"]["axes"]["y"][k] for k in ("start", "stop", "num")))
    rng = np.random.default_rng(6)
    cells = [c for c in rng.permutation(np.argwhere(np.isfinite(values))) if not inside_house(x[c[1]], y[c[0]])][:150]
    asked = tuple(WindowPoint(*map(float, DEGREES.transform(x[c], y[r])), 0.9) for r, c in cells)
    points = sunlight_hours(conn, Job(), hill, EZHOU, asked, step=5.0, day="winter-solstice").points
    apart = np.abs(np.array([p.hours for p in points]) - values[tuple(np.array(cells).T)])
    assert apart.mean() < 0.12 and np.quantile(apart, 0.9) <= 0.35
    assert np.nanmin(values) < 2 and np.nanmax(values) == pytest.approx(6)
    assert answer.share_enough == pytest.approx(np.mean(values[np.isfinite(values)] >= 1), abs=1e-6)


def inside_house(x: float, y: float) -> bool:
    return any(
        west <= x - X <= east and south <= y - Y <= north
        for west, south, east, north in ((-322, -32, -278, -13), (-262, -2, -243, 42))
    )


def test_sunlight_asks_for_points_or_an_area_and_for_points_outside_walls(conn: Connection, hill: RasterStore) -> None:
    with pytest.raises(TerrainError, match="either the input 'points' or"):
        sunlight_hours(conn, Job(), hill, EZHOU)
    house = build(conn, -310, -10, -290, 10, 30.0)
    with pytest.raises(TerrainError, match=f"points\\[0\\] lies within building {house}"):
        sunlight_hours(conn, Job(), hill, EZHOU, (SOUTH,))
    roof = sunlight_hours(conn, Job(), hill, EZHOU, (WindowPoint(*place(-300, 0), 30.1),))
    assert roof.points[0].hours == pytest.approx(8)
    with pytest.raises(AnalysisTooLarge, match="in parts"):
        sunlight_hours(conn, Job(), hill, EZHOU, (SOUTH, WindowPoint(*place(-300, 20_000))))
    with pytest.raises(AnalysisTooLarge, match="smaller area"):
        sunlight_hours(conn, Job(), hill, EZHOU, area=ring(-400, -400, 400, 400))


def test_a_window_at_its_own_wall_is_not_in_its_own_houses_shadow(conn: Connection, hill: RasterStore) -> None:
    build(conn, -310, 0, -290, 10, 30.0)
    found = sunlight_hours(conn, Job(), hill, EZHOU, (SOUTH,), step=5.0).points[0]  # on the south wall
    assert found.hours == pytest.approx(8.0, abs=0.1)


def test_heights_in_whole_metres_are_not_rounded_again_between_cells(conn: Connection, andorra: RasterStore) -> None:
    x, y = Transformer.from_crs(4490, 25831, always_xy=True).transform(1.25, 42.95)
    grid = read_elevation(conn, andorra, "dem", (x - 1000, y - 1000, x + 1000, y + 1000), 25831, 20.0)
    east, north = (v.ravel() for v in np.meshgrid(grid.eastings(), grid.northings()))
    lon, lat = Transformer.from_crs(25831, 4490, always_xy=True).transform(east, north)
    assert np.abs(grid.heights.ravel() - read(SRTM).at(lon, lat)).max() < 0.5
    assert np.std(grid.heights.ravel() - read(SRTM).at(lon, lat)) < 0.05  # rounding to metres makes 0.29


def test_what_is_asked_for_coarser_than_the_data_is_averaged(conn: Connection, andorra: RasterStore) -> None:
    x, y = Transformer.from_crs(4490, 25831, always_xy=True).transform(1.25, 42.95)
    bounds = (x - 2000, y - 2000, x + 2000, y + 2000)
    fine, coarse = (read_elevation(conn, andorra, "dem", bounds, 25831, size) for size in (20.0, 1000.0))
    assert coarse.shape == (4, 4)
    assert np.allclose(coarse.heights, fine.heights.reshape(4, 50, 4, 50).mean(axis=(1, 3)), atol=5)
    bounded = read_elevation(conn, andorra, "dem", bounds, 25831, max_cells=400)
    assert bounded.heights.size <= 441 and bounded.transform.a == pytest.approx(200)
