"""Real polygons: plots of Bubeneč, laid into Hangzhou, as red lines against its water and green as control lines.

Bubeneč lies in no zone of China, so its plots are moved, by their metres, onto the ground of zone 40 (EPSG:4549).
"""

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Connection

from layers.importing.loader import load
from layers.registry import load_layers
from planning.check.check import check
from planning.check.pieces import Tolerance, piece_of
from planning.check.subject import Subject, Wishes
from planning.plan.land_codes import LandCode
from planning.survey.areas import areas_of
from planning.survey.parcel import parcel_of
from planning.survey.zones import Zone, zone_at

DATA = Path(__file__).parents[3] / "shared/data"
HANGZHOU = DATA / "02_osm/hangzhou_osm_landuse_water.gpkg.zip"
BUBENEC = DATA / "06_utilities_zoning/bubenec_momepy.gpkg"
#: West Lake's eastern shore: water, parks and streets close together.
CENTRE = (120.155, 30.255)
ZONE = Zone(40)


def _hangzhou(layer: str, folder: Path) -> gpd.GeoDataFrame:
    with zipfile.ZipFile(HANGZHOU) as archive:
        [name] = [n for n in archive.namelist() if n.endswith(".gpkg")]
        archive.extract(name, folder)
    lon, lat = CENTRE
    return gpd.read_file(folder / name, layer=layer, bbox=(lon - 0.02, lat - 0.02, lon + 0.02, lat + 0.02))


def _plots() -> list[Any]:
    plots = gpd.read_file(BUBENEC, layer="plots")
    here = gpd.GeoSeries([shapely.Point(CENTRE)], crs=4490).to_crs(ZONE.srid)[0]
    middle = shapely.box(*plots.total_bounds).centroid
    moved = plots.geometry.translate(here.x - middle.x, here.y - middle.y)
    return [part for shape in moved for part in shapely.get_parts(shape) if part.is_valid]


def test_plots_of_a_real_town_against_real_water_and_green(conn: Connection, tmp_path: Path) -> None:
    if not HANGZHOU.exists() or not BUBENEC.exists():
        pytest.skip("../shared/data/02_osm or 06_utilities_zoning is absent")
    assert zone_at(CENTRE[0]) == ZONE
    names = gpd.list_layers(BUBENEC)["name"].tolist()
    assert "plots" in names
    lines = []
    for layer in ("water", "landuse"):
        frame = _hangzhou(layer, tmp_path)
        kind = "blue" if layer == "water" else "green"
        chosen = (
            frame if kind == "blue" else frame[frame["fclass"].isin(["park", "grass", "forest", "recreation_ground"])]
        )
        lines.append(
            gpd.GeoDataFrame(
                {"kind": kind, "code": [f"{kind}-{i}" for i in range(len(chosen))]},
                geometry=chosen.geometry.to_numpy(),
                crs=frame.crs,
            )
        )
    control = gpd.GeoDataFrame(gpd.pd.concat(lines, ignore_index=True), crs=4326).assign(
        status="approved", plan="杭州", version="1"
    )
    report = load(conn, load_layers(conn)["control-lines"], [control], "append")
    assert report.inserted > 20
    rows = conn.exec_driver_sql("SELECT kind, code, ST_AsBinary(geom) FROM city.control_lines").all()
    stored = gpd.GeoSeries(shapely.from_wkb([bytes(row[2]) for row in rows]), crs=4490).to_crs(ZONE.srid)
    found_some = 0
    for shape in _plots()[::7]:
        told = check(
            conn, None, Subject(shape, ZONE, LandCode("2023", "0901"), date(2026, 1, 1), Tolerance()), Wishes()
        )
        overlaps = {(c.kind, c.feature.code): c.area for c in told.conflicts if c.rule == "must-not-overlap"}
        wanted = {}
        for (kind, code, _), line in zip(rows, stored, strict=True):
            if line.intersects(shape) and (area := piece_of(line.intersection(shape), Tolerance()).area):
                wanted[kind, code] = area
        assert overlaps == pytest.approx(wanted, abs=0.006, rel=1e-6)
        assert told.areas.plane == pytest.approx(areas_of(parcel_of(shape, ZONE)).plane)
        found_some += bool(overlaps)
    assert found_some
