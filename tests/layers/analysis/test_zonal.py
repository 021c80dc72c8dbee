"""Zonal statistics against exactextract on the files, a slow reckoning pixel by pixel, and gdalwarp's own areas."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import rasterio
import shapely
from affine import Affine
from exactextract import exact_extract
from sqlalchemy import Connection

from layers.analysis.answers import FeatureAnswer
from layers.analysis.errors import AnalysisError
from layers.analysis.features import InlineFeature, InlineFeatures
from layers.analysis.processes import zonal_statistics
from layers.processing import CityCrs, Workspace
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.layers.terrain.grids import RASTERS, write
from tests.layers.terrain.test_processes import Job

ALL = ("count", "sum", "mean", "min", "max", "stdev", "variance", "median", "majority", "minority", "variety")
EZHOU = CityCrs(4547, frozenset({4547, 4490}))


@pytest.fixture
def store(tmp_path: Path) -> RasterStore:
    return RasterStore(tmp_path / "rasters")


def take(conn: Connection, store: RasterStore, path: Path, coverage: str, acquired: datetime | None = None) -> None:
    import_images(
        conn, store, load_coverage(conn, coverage), path, ImageOptions(acquired=acquired), lambda _s, _t: None
    )
    conn.dispatch.commit(conn)


def zones(*shapes: Any) -> InlineFeatures:
    return InlineFeatures(
        "FeatureCollection",
        tuple(InlineFeature("Feature", orjson.loads(shapely.to_geojson(s)), {}, i) for i, s in enumerate(shapes)),
    )


def told(answer: Any) -> list[dict[str, Any]]:
    assert isinstance(answer, FeatureAnswer)
    return [feature["properties"]["statistics"] for feature in answer.features]


def around(lon: float, lat: float, size: float) -> Any:
    return shapely.Point(lon, lat).buffer(size, 9)


def test_real_elevation_is_as_exactextract_reads_the_file(conn: Connection, store: RasterStore, tmp_path: Path) -> None:
    if not RASTERS.is_dir():
        pytest.skip("../shared/data/04_raster is absent")
    with zipfile.ZipFile(RASTERS / "srtm_N42E001.hgt.zip") as archive:
        archive.extractall(tmp_path)
    path = tmp_path / "N42E001.hgt"
    take(conn, store, path, "dem")
    andorra = CityCrs(25831, frozenset({25831, 4490}))
    some = [around(1.5 + 0.05 * i, 42.3 + 0.07 * i, 0.004 + 0.006 * i) for i in range(7)]
    ours = told(zonal_statistics(conn, Job(), store, andorra, Workspace(tmp_path), zones(*some), statistics=ALL))
    features = [{"type": "Feature", "geometry": shapely.geometry.mapping(s), "properties": {}} for s in some]
    theirs = [row["properties"] for row in exact_extract(str(path), features, list(ALL))]
    for our, their in zip(ours, theirs, strict=True):
        assert our["count"] == pytest.approx(their["count"], rel=1e-6)
        for name in ALL[1:]:
            # The zones go to the city's plane and back, which costs a nanometre. Of whole metres, as the file has
            # them, exactextract cuts the median to a whole one.
            assert our[name] == pytest.approx(their[name], rel=1e-6, abs=1.0 if name == "median" else 1e-9), name


def slow(zone: Any, values: Any, transform: Affine) -> dict[str, float]:
    """Every pixel cut by shapely."""
    weights, found = [], []
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            x, y = transform @ (column, row)
            cell = shapely.box(x, y + transform.e, x + transform.a, y)
            share = cell.intersection(zone).area / cell.area
            if share > 0 and values[row, column] != -1:
                weights.append(share)
                found.append(values[row, column])
    w, v = np.array(weights), np.array(found)
    mean = (w * v).sum() / w.sum()
    return {
        "count": w.sum(), "sum": (w * v).sum(), "mean": mean, "min": v.min(), "max": v.max(),
        "variance": (w * (v - mean) ** 2).sum() / w.sum(),
    }  # fmt: skip


@pytest.fixture
def plane(conn: Connection, store: RasterStore, tmp_path: Path) -> tuple[Any, Affine]:
    """A coarse grid of the city's plane with a hole."""
    values = np.random.default_rng(5).integers(0, 90, (24, 30)).astype(float)
    values[3:6, 4:9] = -1
    transform = Affine(25, 0, 586000, 0, -25, 3365000)
    path = write(tmp_path / "rough.tif", np.where(values == -1, np.nan, values), transform, 4547)
    take(conn, store, path, "dem")
    return values, transform


def degrees(shape: Any) -> Any:
    from layers.crs import transformer

    return shapely.transform(shape, transformer(4547, 4490).transform, interleaved=False)


def test_statistics_are_those_of_a_slow_reckoning(
    conn: Connection, store: RasterStore, plane: tuple[Any, Affine], tmp_path: Path
) -> None:
    flat = [
        shapely.Point(586200, 3364800).buffer(90, 5),
        shapely.Polygon(
            [(586010, 3364990), (586400, 3364930), (586030, 3364500)],
            [[(586100, 3364900), (586150, 3364900), (586110, 3364850)]],
        ),
        shapely.MultiPolygon(
            [shapely.box(586001, 3364501, 586003, 3364503), shapely.box(586703, 3364452, 586760, 3364481)]
        ),
    ]
    ours = told(
        zonal_statistics(conn, Job(), store, EZHOU, Workspace(tmp_path), zones(*map(degrees, flat)), statistics=ALL)
    )
    for our, zone in zip(ours, flat, strict=True):
        for name, value in slow(zone, *plane).items():
            assert our[name] == pytest.approx(value, rel=1e-5), name


def test_zones_far_apart_are_read_one_by_one_and_answer_the_same(
    conn: Connection, store: RasterStore, plane: tuple[Any, Affine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = zones(*(degrees(shapely.Point(586050 + 60 * i, 3364950 - 40 * i).buffer(40)) for i in range(9)))
    whole = told(zonal_statistics(conn, Job(), store, EZHOU, Workspace(tmp_path), some))
    monkeypatch.setattr("layers.analysis.zonal._AT_ONCE", 20)
    assert told(zonal_statistics(conn, Job(), store, EZHOU, Workspace(tmp_path), some)) == whole
    monkeypatch.setattr("layers.analysis.zonal._AT_ONCE", 2)
    with pytest.raises(AnalysisError, match="give a coarser 'resolution'"):
        zonal_statistics(conn, Job(), store, EZHOU, Workspace(tmp_path), some)


def test_zone_without_pixels_has_none_and_place_without_image_is_named(
    conn: Connection, store: RasterStore, plane: tuple[Any, Affine], tmp_path: Path
) -> None:
    hole = degrees(shapely.box(586110, 3364860, 586140, 3364890))
    inside = degrees(shapely.box(586300, 3364700, 586320, 3364720))
    [empty, known] = told(zonal_statistics(conn, Job(), store, EZHOU, Workspace(tmp_path), zones(hole, inside)))
    assert empty["mean"] is None and empty["count"] == 0
    assert known["mean"] is not None
    with pytest.raises(AnalysisError, match="'dem' has no image where the zones lie"):
        zonal_statistics(conn, Job(), store, EZHOU, Workspace(tmp_path), zones(around(114, 31, 0.01)))
    with pytest.raises(AnalysisError, match="some that are no areas"):
        zonal_statistics(conn, Job(), store, EZHOU, Workspace(tmp_path), zones(shapely.Point(114.9, 30.4)))


def test_classes_have_shares_and_the_date_chooses_the_year(
    conn: Connection, store: RasterStore, tmp_path: Path
) -> None:
    """Part of a made-up year of classes; half of the zone turns from forest to built-up."""
    transform = Affine(10, 0, 586000, 0, -10, 3365000)
    for year, right in ((2020, 10), (2021, 50)):
        codes = np.full((20, 20), 10, np.uint8)
        codes[:, 10:] = right
        path = tmp_path / f"{year}.tif"
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            width=20,
            height=20,
            count=1,
            dtype="uint8",
            crs="EPSG:4547",
            transform=transform,
            nodata=0,
        ) as out:
            out.write(codes, 1)
        take(conn, store, path, "land-cover", datetime(year, 7, 1, tzinfo=UTC))
    zone = zones(degrees(shapely.box(586050, 3364850, 586130, 3364950)))

    def shares(**times: Any) -> dict[str, float]:
        [found] = told(
            zonal_statistics(conn, Job(), store, EZHOU, Workspace(tmp_path), zone, "land-cover", ("majority",), **times)
        )
        assert found["majority"] == 10
        return dict(found["shares"])

    assert shares() == pytest.approx({"10": 5 / 8, "50": 3 / 8}, abs=1e-6)
    assert shares(end=datetime(2020, 12, 31, tzinfo=UTC)) == pytest.approx({"10": 1.0})
    assert shares(end=datetime(2020, 12, 31)) == pytest.approx({"10": 1.0})  # without a zone: UTC
