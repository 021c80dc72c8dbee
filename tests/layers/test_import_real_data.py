"""Real files, against an independent reading of them by geopandas and pyproj."""

import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from sqlalchemy import Connection, text

from layers.catalogue import Layer
from layers.importing.file_import import ImportOptions, LayerImport, import_file
from layers.importing.readers import open_sources
from layers.importing.source import ReadOptions

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SAN_JOSE = DATA / "06_utilities_zoning" / "sanjose"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"real data is not at {DATA}")


def bring(conn: Connection, path: Path, layer: str | None = None, **options: Any) -> LayerImport:
    read = ReadOptions(layer=layer)
    [only] = import_file(conn, path, ImportOptions(read=read, into="real-data", **options)).imports
    return only


def stored(conn: Connection, layer: Layer) -> gpd.GeoDataFrame:
    """The layer's rows as PostGIS gives them."""
    rows = conn.execute(text(f'SELECT ST_AsBinary(geom) AS wkb, * FROM city."{layer.table}" ORDER BY id')).mappings()
    table = pd.DataFrame([dict(row) for row in rows])
    return gpd.GeoDataFrame(table, geometry=shapely.from_wkb([bytes(wkb) for wkb in table["wkb"]]), crs=layer.srid)


def assert_same_places(found: gpd.GeoDataFrame, expected: gpd.GeoDataFrame, tolerance: float) -> None:
    difference = np.abs(shapely.bounds(found.geometry.to_numpy()) - shapely.bounds(expected.geometry.to_numpy()))
    assert difference.max() < tolerance


@pytest.mark.parametrize(
    ("file", "layer", "count", "names", "example"),
    [
        ("01_admin/china_admin_tianditu.gpkg.zip", "city", 375, None, "鄂州市"),
        ("02_osm/hangzhou_osm_landuse_water.gpkg.zip", "water", 2721, "name", "西湖"),
        ("02_osm/shanghai_osm_sample_tilezen.gpkg", "roads", 1778, "name", "世纪大道"),
        ("02_osm/shanghai_osm_sample_tilezen.gpkg", "pois", 494, "name", None),
        ("05_3d_lidar/alexandria_buildings.geojson", None, 84, None, None),
    ],
)
def test_counts_texts_and_places_are_those_of_the_file(
    conn: Connection, file: str, layer: str | None, count: int, names: str | None, example: str | None
) -> None:
    path = DATA / file
    expected = pyogrio.read_dataframe(f"/vsizip/{path}" if path.suffix == ".zip" else path, layer=layer)
    done = bring(conn, path, layer)
    found = stored(conn, done.layer)
    assert len(expected) == len(found) == done.report.inserted == count
    assert done.report.rejected_count == 0
    assert_same_places(found, expected, 1e-12)
    columns = {field.name: field.title.zh for field in done.layer.fields}
    texts = [name for name, original in columns.items() if expected[original].dtype.kind in "OT"]
    for name in texts:
        assert found[name].fillna("").tolist() == expected[columns[name]].fillna("").tolist()
    if example is not None:
        assert any((found[name] == example).any() for name in ([names] if names else texts))


@pytest.mark.parametrize(("name", "count"), [("Benchmark", 687), ("Storm_Outfall", 1392), ("Storm_Overland_Drain", 644)])
def test_surveyed_us_feet_land_where_pyproj_puts_them(conn: Connection, name: str, count: int) -> None:
    raw = pyogrio.read_dataframe(f"/vsizip/{SAN_JOSE / name}.zip")
    done = bring(conn, SAN_JOSE / f"{name}.zip")
    assert done.report.source_crs == "EPSG:2227"
    assert done.report.inserted == len(raw) == count
    assert_same_places(stored(conn, done.layer), raw.set_crs(2227, allow_override=True).to_crs(4326), 1e-9)


def test_survey_data_keeps_its_crs_and_millimetres(conn: Connection) -> None:
    raw = pyogrio.read_dataframe(f"/vsizip/{SAN_JOSE / 'Benchmark'}.zip")
    done = bring(conn, SAN_JOSE / "Benchmark.zip", keep_crs=True)
    assert done.layer.srid == 2227
    found = stored(conn, done.layer)
    assert shapely.equals_exact(found.geometry.to_numpy(), shapely.force_2d(raw.geometry.to_numpy()), tolerance=0).all()
    extent = done.layer.extent
    assert extent is not None
    assert -122.2 < extent[0] < extent[2] < -121.5
    assert 37.0 < extent[1] < extent[3] < 37.6


def test_texts_for_numbers_are_left_empty_and_told(conn: Connection) -> None:
    """Sanitary_Main has years such as ACPT, which GDAL alone reads as the year 0."""
    with open_sources(SAN_JOSE / "Sanitary_Main.zip", ReadOptions()) as [source]:
        years = pd.concat([frame["SRC_YR_BLT"] for frame in source.batches()])
    assert len(years) == 45954
    assert [w.en for w in source.warnings] == ["field SRC_YR_BLT has values that are no numbers: left empty"]
    with zipfile.ZipFile(SAN_JOSE / "Sanitary_Main.zip") as archive:
        raw = archive.read("Sanitary_Main.dbf")
    texts = len(re.findall(rb"(?:ACPT|TRCT|ACQN|PROX)\.0000000000", raw))
    with warnings.catch_warnings(action="ignore"):
        path = f"/vsizip/{SAN_JOSE / 'Sanitary_Main'}.zip"
        alone = pyogrio.read_dataframe(path, read_geometry=False, columns=["SRC_YR_BLT"])["SRC_YR_BLT"]
    assert texts > 0
    assert int((alone == 0).sum()) - int((years == 0).sum()) == texts
    assert int(years.isna().sum()) - int(alone.isna().sum()) == texts


def test_parquet_of_a_big_city_streams_with_its_types(conn: Connection) -> None:
    path = DATA / "02_osm" / "nyc_osm_buildings_3d.parquet"
    expected = gpd.read_parquet(path, columns=["geometry", "height", "name", "osm_id"])
    with open_sources(path, ReadOptions()) as [source]:
        assert (source.count, source.geometry_type) == (122_840, "MultiPolygon")
        frames = list(source.batches())
    assert len(frames) == 7
    found = pd.concat([frame[["height", "name", "osm_id"]] for frame in frames])
    assert int(found["height"].notna().sum()) == int(expected["height"].notna().sum()) > 100_000
    assert found["osm_id"].tolist() == expected["osm_id"].tolist()
    assert found["name"].fillna("").tolist() == expected["name"].fillna("").tolist()
    shapes = np.concatenate([frame.geometry.to_numpy() for frame in frames])
    assert shapely.equals_exact(shapes, expected.geometry.to_numpy(), tolerance=0).all()


def test_a_zoning_of_another_date_updates_by_its_key(conn: Connection) -> None:
    """Sources two years apart: the change is what comparing both files by hand gives."""
    old, new = (pyogrio.read_dataframe(f"/vsizip/{SAN_JOSE / name}.zip") for name in ("Zoning_2014-07", "Zoning"))
    first = bring(conn, SAN_JOSE / "Zoning_2014-07.zip", key="ZONING_ID", mode="update")
    before = set(old["ZONING_ID"].dropna())
    after = set(new["ZONING_ID"].dropna())
    assert first.report.inserted == len(before)
    second = bring(conn, SAN_JOSE / "Zoning.zip", mode="update", prune=True).report
    assert (second.inserted, second.deleted) == (len(after - before), len(before - after))
    assert second.updated + second.unchanged == len(after & before)
    again = bring(conn, SAN_JOSE / "Zoning.zip", mode="update", prune=True).report
    assert (again.inserted, again.updated, again.deleted, again.unchanged) == (0, 0, 0, len(after))
