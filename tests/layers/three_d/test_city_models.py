"""Buildings of CityJSON and CityGML: as many as there are, where they are, as high and as large as others find."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Transformer
from sqlalchemy import Connection, text

from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile, UnsafeFile
from layers.importing.file_import import ImportOptions, import_file
from layers.importing.readers import open_sources
from layers.importing.source import ReadOptions
from tests.conftest import ROOT

REAL = ROOT.parent / "shared" / "data" / "05_3d_lidar"
real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real city models: {REAL} is absent")


def buildings(path: Path, **options: Any) -> geopandas.GeoDataFrame:
    with open_sources(path, ReadOptions(**options)) as [source]:
        return pd.concat(list(source.batches())).set_index("source_id")


def house(x: float = 85_000, y: float = 446_000) -> dict[str, Any]:
    """CityJSON of a house of 10 × 8 m with a gable roof, eaves at 5 m and its ridge at 8 m, standing at 2 m."""
    corners = [
        (0, 0, 2),
        (10, 0, 2),
        (10, 8, 2),
        (0, 8, 2),
        (0, 0, 7),
        (10, 0, 7),
        (10, 8, 7),
        (0, 8, 7),
        (0, 4, 10),
        (10, 4, 10),
    ]
    faces = {
        "GroundSurface": [[0, 3, 2, 1]],
        "WallSurface": [[0, 1, 5, 4], [2, 3, 7, 6], [1, 2, 6, 9, 5], [3, 0, 4, 8, 7]],
        "RoofSurface": [[4, 5, 9, 8], [6, 7, 8, 9]],
    }
    kinds = list(faces)
    return {
        "type": "CityJSON", "version": "2.0",
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/7415"},
        "transform": {"scale": [0.001] * 3, "translate": [x, y, 0]},
        "vertices": [[int(1000 * v) for v in corner] for corner in corners],
        "CityObjects": {"house": {
            "type": "Building",
            "attributes": {"function": "1000", "storeysAboveGround": 2, "yearOfConstruction": "1931", "name": "Oude huis"},
            "geometry": [{
                "type": "Solid", "lod": "2", "boundaries": [[[face] for of in faces.values() for face in of]],
                "semantics": {"surfaces": [{"type": kind} for kind in kinds],
                              "values": [[kinds.index(kind) for kind, of in faces.items() for _ in of]]},
            }],
        }},
    }  # fmt: skip


def write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_a_house_has_the_height_footprint_and_volume_that_it_was_drawn_with(tmp_path: Path) -> None:
    found = buildings(write(tmp_path / "house.city.json", house())).loc["house"]
    assert (found.height, found.ground_height, found.roof_height) == (8.0, 2.0, 10.0)
    assert found.volume == pytest.approx(10 * 8 * 5 + 10 * 8 * 3 / 2)
    assert found.geometry.equals(shapely.box(85_000, 446_000, 85_010, 446_008))
    assert (found.floors, found.year_built, found["name"], found.use) == (2, 1931, "Oude huis", "residential")


def test_parts_are_of_their_building_and_the_finest_geometry_counts(tmp_path: Path) -> None:
    document = house()
    whole = document["CityObjects"]["house"]
    coarse = {"type": "Solid", "lod": "1", "boundaries": [[[[0, 3, 2, 1]]]]}
    part = {"type": "BuildingPart", "parents": ["house"], "geometry": [coarse, whole["geometry"][0]]}
    document["CityObjects"] = {"house": {"type": "Building", "children": ["part"], "geometry": []}, "part": part,
                               "tree": {"type": "SolitaryVegetationObject"}}  # fmt: skip
    found = buildings(write(tmp_path / "house.json", document))
    assert list(found.index) == ["house"] and found.loc["house"].volume == pytest.approx(520)


def _between_roof_and_ground(geometry: Any, vertices: Any) -> float:
    """The volume as a sum of prisms: of each face that is not upright its area on the map by the height of its plane."""
    volume = 0.0
    shells = geometry["boundaries"] if geometry["type"] == "Solid" else [geometry["boundaries"]]
    for shell in shells:
        for face in shell:
            rings = [vertices[ring] for ring in face]
            flat = shapely.Polygon(rings[0][:, :2], [ring[:, :2] for ring in rings[1:]])
            if flat.area < 1e-6:
                continue
            points = np.vstack(rings)
            origin = points.mean(axis=0)
            moved = points - origin
            plane, *_ = np.linalg.lstsq(np.column_stack([moved[:, :2], np.ones(len(points))]), moved[:, 2], rcond=None)
            centre = np.array(flat.centroid.coords[0]) - origin[:2]
            up = 1.0 if shapely.is_ccw(flat.exterior) else -1.0
            volume += up * flat.area * (plane @ [*centre, 1] + origin[2])
    return volume


def as_cjio_reads(path: Path) -> Any:
    """In a process of its own: cjio has all of Python write floats as JSON with six digits."""
    reading = "import sys, json; from cjio import cityjson; json.dump(cityjson.reader(open(sys.argv[1])).j, sys.stdout)"
    done = subprocess.run([sys.executable, "-c", reading, path], capture_output=True, check=True, timeout=120)
    return json.loads(done.stdout)


@real
def test_den_haag_is_read_as_cjio_reads_it_and_volumes_are_those_of_prisms() -> None:
    path = REAL / "DenHaag_01.city.json"
    found = buildings(path)
    theirs = {name: o for name, o in as_cjio_reads(path)["CityObjects"].items() if o["type"] == "Building"}
    assert len(found) == len(theirs) == 844
    document = json.loads(path.read_text())
    vertices = np.array(document["vertices"]) * document["transform"]["scale"] + document["transform"]["translate"]
    compared = 0
    for name in sorted(theirs)[::20]:
        parts = [document["CityObjects"][child] for child in theirs[name].get("children", ())] or [theirs[name]]
        geometries = [geometry for part in parts for geometry in part["geometry"]]
        used = vertices[
            sorted(
                set(
                    np.hstack(
                        [
                            np.hstack([np.hstack(f) for f in g["boundaries"]])
                            if g["type"] != "Solid"
                            else np.hstack([np.hstack(f) for s in g["boundaries"] for f in s])
                            for g in geometries
                        ]
                    ).tolist()
                )
            )
        ]
        assert found.loc[name].height == pytest.approx(np.ptp(used[:, 2]), abs=0.002)
        assert found.loc[name].geometry.bounds == pytest.approx(
            (*used[:, :2].min(axis=0), *used[:, :2].max(axis=0)), abs=0.01
        )
        expected = abs(sum(_between_roof_and_ground(g, vertices) for g in geometries))
        assert found.loc[name].volume == pytest.approx(expected, rel=0.02), name
        compared += 1
    assert compared > 40


@pytest.fixture(scope="module")
def munich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("munich") / "munich.gml"
    path.write_bytes(gzip.decompress((REAL / "munich_lod2_citygml.gml.gz").read_bytes()))
    return path


@real
def test_munich_has_the_heights_that_the_file_measured(munich: Path) -> None:
    import re

    found = buildings(munich)
    told = re.findall(
        r'<bldg:Building gml:id="([^"]+)".*?<bldg:measuredHeight[^>]*>([\d.]+)<', munich.read_text(), re.S
    )
    assert len(found) == len(told) == 111
    measured = pd.Series({name: float(height) for name, height in told})
    assert (found.height - measured).abs().quantile(0.9) < 0.05
    assert set(found.use.dropna()) == {"residential"} and found.floors.notna().sum() == 5
    assert found.volume.min() > 20 and (found.volume <= found.geometry.area * found.height * 1.001).all()


@real
def test_citygml_2_is_read_as_1(munich: Path, tmp_path: Path) -> None:
    path = tmp_path / "munich2.gml"
    path.write_text(
        munich.read_text().replace("/citygml/1.0", "/citygml/2.0").replace("/building/1.0", "/building/2.0")
    )
    pd.testing.assert_frame_equal(pd.DataFrame(buildings(path)), pd.DataFrame(buildings(munich)))


@real
def test_a_model_fills_the_buildings_of_the_city(conn: Connection) -> None:
    done = import_file(conn, REAL / "DenHaag_01.city.json", ImportOptions(into="buildings"))
    assert done.imports[0].report.inserted == 844 and not done.imports[0].report.rejected_count
    row = conn.execute(
        text(
            "SELECT count(*), sum(ST_Area(ST_Transform(geom, 28992))), min(height) FROM city.buildings WHERE height > 0"
        )
    ).one()
    own = buildings(REAL / "DenHaag_01.city.json")
    assert row[0] == 844 and row[1] == pytest.approx(own.geometry.area.sum(), rel=1e-3) and row[2] == own.height.min()
    x, y = Transformer.from_crs(28992, 4326, always_xy=True).transform(
        *shapely.get_coordinates(own.geometry.iloc[0])[0]
    )
    near = conn.execute(
        text("SELECT ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(:x, :y), 4490)::geography) FROM city.buildings"
             " WHERE source_id = :id"), {"x": x, "y": y, "id": own.index[0]},
    ).scalar_one()  # fmt: skip
    assert near < 0.1
    assert conn.execute(text("SELECT count(*) FROM city.buildings_3d WHERE height_from = 'height'")).scalar() == 844


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"vertices": [[0, 0, 0]]}, UnreadableFile),
        ({"vertices": "many"}, ImportRefused),
        ({"version": "9"}, UnreadableFile),
        ({"metadata": {}}, UnknownCrs),
        ({"metadata": {"referenceSystem": "urn:ogc:def:crs:EPSG::4979"}}, UnknownCrs),
        ({"transform": {"scale": [1], "translate": [0, 0, 0, 0]}}, ImportRefused),
        ({"CityObjects": {"a": {"type": "Building", "children": ["a"]}, "b": 3}}, ImportRefused),
        ({"CityObjects": {"a": {"type": "Building", "geometry": [{"type": "Solid", "lod": "2", "boundaries": [[[7]]]}]}}}, ImportRefused),
    ],
)  # fmt: skip
def test_unsound_cityjson_is_refused_by_name(tmp_path: Path, change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        buildings(write(tmp_path / "bad.city.json", house() | change))


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>
<CityModel xmlns="http://www.opengis.net/citygml/2.0"><x>&b;</x></CityModel>"""
HEAD = '<CityModel xmlns="http://www.opengis.net/citygml/2.0" xmlns:b="http://www.opengis.net/citygml/building/2.0" xmlns:g="http://www.opengis.net/gml"><g:boundedBy><g:Envelope srsName="EPSG:25832"/></g:boundedBy>'
RING = "<g:Polygon><g:exterior><g:LinearRing><g:posList>{}</g:posList></g:LinearRing></g:exterior></g:Polygon>"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (BOMB, UnsafeFile),
        (HEAD + "<x>" * 200 + "</x>" * 200 + "</CityModel>", UnsafeFile),
        (HEAD, UnreadableFile),
        (f"{HEAD}<b:Building><b:lod1Solid>{RING.format('1 2 3 4 five 6 7 8 9')}</b:lod1Solid></b:Building></CityModel>", UnreadableFile),
        (f"{HEAD}<b:Building><b:lod1Solid>{RING.format('1 2 3 4')}</b:lod1Solid></b:Building></CityModel>", UnreadableFile),
        ("<Other/>", UnreadableFile),
    ],
)  # fmt: skip
def test_unsound_citygml_is_refused(tmp_path: Path, body: str, error: type[Exception]) -> None:
    path = tmp_path / "bad.gml"
    path.write_text(body)
    with pytest.raises(error):
        buildings(path)
