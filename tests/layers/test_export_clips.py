"""Exports cut to an area: every format read back by GDAL, pandas or ezdxf and compared with GeoPandas' own clip."""

import csv
import io
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import rasterio
import rasterio.mask
import shapely
from sqlalchemy import Connection, text

from layers.catalogue import Field, Layer, Text
from layers.crs import epsg
from layers.exporting.clipping import area_of, clipped
from layers.exporting.errors import ExportRefused
from layers.exporting.export import FORMATS, write_file
from layers.exporting.options import Options
from layers.exporting.raster import write_geotiff
from layers.query import FeatureQuery
from layers.raster.store import RasterStore
from layers.registry import create_layer, find_layer
from tests.layers.raster.conftest import Take, store, take, write_tif

__all__ = ["store", "take"]

FIELDS = (Field("name", "string", Text("名称", "Name"), role="title"),)
PARCELS = Layer(
    id="clip-parcels", title=Text("地块", "Parcels"), description=Text("", ""), geometry_type="Polygon", fields=FIELDS, srid=4547
)  # fmt: skip
#: A triangle that cuts, holds and misses parcels [°].
AREA = {"type": "Polygon", "coordinates": [[[114.9, 30.395], [114.92, 30.396], [114.905, 30.415], [114.9, 30.395]]]}


@pytest.fixture
def parcels(conn: Connection) -> gpd.GeoDataFrame:
    create_layer(conn, PARCELS)
    conn.execute(text("""
        INSERT INTO city.clip_parcels (geom, name)
        SELECT ST_MakeEnvelope(e, n, e + 180, n + 180, 4547), '地块' || row_number() OVER ()
        FROM generate_series(586000, 589000, 200) e, generate_series(3363000, 3366000, 200) n"""))
    found = conn.execute(text("SELECT name, ST_AsBinary(geom) FROM city.clip_parcels")).all()
    return gpd.GeoDataFrame({"name": [r[0] for r in found]}, geometry=[shapely.from_wkb(bytes(r[1])) for r in found], crs=4547)


def read_back(path: Path, format_: str) -> gpd.GeoDataFrame:
    if format_ == "csv":
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
        shapes = [shapely.from_wkt(next(v for v in row.values() if v.startswith("MULTIPOLYGON"))) for row in rows]
        return gpd.GeoDataFrame({"name": [row["name"] for row in rows]}, geometry=shapes, crs=4547)
    if format_ == "parquet":
        return gpd.read_parquet(path)
    frame: gpd.GeoDataFrame = pyogrio.read_dataframe(f"/vsizip/{path}" if format_ == "shp" else path)
    return frame.rename(columns={"Name": "name"}) if format_ == "kml" else frame


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("format_", [name for name in FORMATS if name != "dxf"])
def test_a_clip_is_what_geopandas_cuts(
    conn: Connection, parcels: gpd.GeoDataFrame, tmp_path: Path, format_: str, encoding: Any
) -> None:
    if encoding == "gbk" and format_ != "shp":
        pytest.skip("only Shapefile and CSV have an encoding")
    srid = 4326 if format_ in ("kml", "geojson") else 4547
    layer, statement = clipped(PARCELS, FeatureQuery(crs=epsg(srid)), area_of(AREA))
    path = tmp_path / f"clip{FORMATS[format_].suffix}"
    written = write_file(conn, statement, layer, format_, srid, path, Options(encoding=encoding))
    expected = parcels.clip(gpd.GeoSeries([shapely.segmentize(shapely.geometry.shape(AREA), 0.0005)], crs=4490).to_crs(4547).iloc[0])
    expected = expected[expected.area > 0]
    found = read_back(path, format_).to_crs(4547)
    assert written.rows == len(found) == len(expected) and 40 < len(found) < len(parcels) / 2
    assert set(found["name"]) == set(expected["name"])
    areas = found.set_index("name").area.sort_index()
    assert np.allclose(areas, expected.set_index("name").area.sort_index(), atol=0.05)


def test_a_clipped_drawing_has_the_cut_outlines(conn: Connection, parcels: gpd.GeoDataFrame, tmp_path: Path) -> None:
    layer, statement = clipped(PARCELS, FeatureQuery(crs=epsg(4547)), area_of(AREA))
    write_file(conn, statement, layer, "dxf", 4547, tmp_path / "clip.dxf", Options())
    drawn = [e for e in ezdxf.readfile(tmp_path / "clip.dxf").modelspace() if e.dxftype() in ("LWPOLYLINE", "POLYLINE")]
    inside = gpd.GeoSeries([shapely.segmentize(shapely.geometry.shape(AREA), 0.0005)], crs=4490).to_crs(4547).iloc[0].buffer(0.01)
    places = [v.dxf.location for line in drawn if line.dxftype() == "POLYLINE" for v in line.vertices]
    points = [(place.x, place.y) for place in places]
    points += [point for line in drawn if line.dxftype() == "LWPOLYLINE" for point in line.get_points("xy")]
    assert len(drawn) > 40 and all(inside.covers(shapely.Point(p)) for p in points)


@pytest.mark.parametrize(
    "geometry",
    [{"type": "Point", "coordinates": [1, 2]}, {"type": "Polygon", "coordinates": []}, {"nothing": 1}, None,
     {"type": "Polygon", "coordinates": [[[0, 0], [500, 0], [500, 5], [0, 0]]]}],
)  # fmt: skip
def test_what_is_no_area_is_refused(geometry: Any) -> None:
    with pytest.raises(ExportRefused):
        area_of(geometry)


def test_a_raster_clip_has_the_pixels_that_gdal_cuts(conn: Connection, store: RasterStore, take: Take, tmp_path: Path) -> None:
    rows, columns = np.mgrid[0:200, 0:300]
    heights = (100 + 30 * np.sin(columns / 30) + 20 * np.cos(rows / 20)).astype("f4")
    source = write_tif(tmp_path / "dem.tif", heights, rasterio.Affine(2, 0, 586400, 0, -2, 3364800), nodata=-9999)
    take("dem", source, vertical_datum="1985")
    layer = find_layer(conn, "dem")
    there = shapely.Polygon([(586450, 3364450), (586900, 3364480), (586600, 3364780)])
    degrees = gpd.GeoSeries([there], crs=4547).to_crs(4490).iloc[0]
    width, height = write_geotiff(conn, store, layer, tmp_path / "clip.tif", 4547, None, area_of(shapely.geometry.mapping(degrees)))
    with rasterio.open(source) as file, rasterio.open(tmp_path / "clip.tif") as clip:
        assert clip.crs.to_epsg() == 4547 and clip.res == (2.0, 2.0) and (clip.width, clip.height) == (width, height)
        found = clip.read(1)
        window = rasterio.windows.from_bounds(*clip.bounds, transform=file.transform).round()
        mask = rasterio.features.geometry_mask([degrees_to(there, degrees)], found.shape, clip.transform)
        whole = file.read(1, window=window)
    inside = ~np.isnan(found)
    assert (inside == mask).sum() <= 5 and 17_000 < inside.sum() < 19_000  # centres on the very edge
    assert np.array_equal(found[inside], whole[inside])
    with pytest.raises(ExportRefused, match="no image there"):
        write_geotiff(conn, store, layer, tmp_path / "none.tif", 4547, (10.0, 10.0, 11.0, 11.0), None)
    with pytest.raises(ExportRefused, match="no images"):
        write_geotiff(conn, store, find_layer(conn, "roads"), tmp_path / "none.tif", 4547, None, None)


def degrees_to(there: Any, degrees: Any) -> Any:
    """The area as it comes back from degrees: millimetres decide which pixels its edge leaves out."""
    back = gpd.GeoSeries([shapely.segmentize(degrees, 0.001)], crs=4490).to_crs(4547).iloc[0]
    assert back.symmetric_difference(there).area < 5  # [m²] along 1.2 km
    return back
