"""Schemes in three dimensions: models of known size in, and the sun that they take of their neighbours."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import trimesh
from sqlalchemy import Connection, text

from layers.crs import transformer
from layers.processing import CityCrs, UploadedFile
from layers.raster.store import RasterStore
from layers.registry import load_layers
from layers.terrain.geojson import Polygon
from layers.terrain.sun_processes import ProposedBuilding, WindowPoint, sunlight_hours
from planning.errors import PlanningError
from planning.massing.impact import windows_of
from planning.massing.processes import Position, import_massing, sunlight_impact
from planning.options import PlanningOptions, SunStandard, SunStandards

CITY = CityCrs(4547, frozenset({4547}))
X, Y = 586_400.0, 3_364_800.0
TO_DEGREES = transformer(4547, 4490).transform


class Quiet:
    """A job that nobody looks at."""

    def progress(self, percent: float, message: Any = None) -> None: ...

    def cancelled(self) -> bool:
        return False


def here() -> Position:
    lon, lat = TO_DEGREES(X, Y)
    return Position(lon, lat)


def stored(conn: Connection, scheme: str) -> list[tuple[str, float, shapely.Geometry]]:
    rows = conn.execute(
        text("""SELECT name, height, ST_AsBinary(ST_Transform(geom, 4547)) FROM city.scheme_buildings
                WHERE scheme = :scheme ORDER BY id"""),
        {"scheme": scheme},
    ).all()
    return [(row[0], row[1], shapely.from_wkb(bytes(row[2]))) for row in rows]


def gltf(path: Path) -> Path:
    """Two boxes of a scene: 20 m east, 10 m north, 30 m up; and one of 6 m, 40 m further east. y is upwards."""
    scene = trimesh.Scene()
    for name, size, x in (("tower", (20, 30, 10), 10.0), ("lodge", (6, 6, 6), 50.0)):
        box = trimesh.creation.box(size)
        box.apply_translation((x, size[1] / 2, -size[2] / 2))
        scene.add_geometry(box, node_name=name)
    path.write_bytes(scene.export(file_type="glb"))
    return path


def test_a_gltf_is_placed_and_turned(conn: Connection, tmp_path: Path) -> None:
    file = UploadedFile(gltf(tmp_path / "m.glb"), "m.glb")
    done = import_massing(conn, CITY, file, "方案一", position=here(), rotation=90.0)
    assert (done.format, done.buildings, done.highest) == ("glTF", 2, 30.0)
    assert done.footprint == pytest.approx(200 + 36, abs=0.1)
    found = {name: (height, shape) for name, height, shape in stored(conn, "方案一")}
    # Turned clockwise by 90°, what lay to the east lies to the south.
    assert found["tower"][1].bounds == pytest.approx((X, Y - 20, X + 10, Y), abs=0.02)
    assert found["lodge"][0] == 6.0 and found["lodge"][1].centroid.y == pytest.approx(Y - 50, abs=0.02)
    import_massing(conn, CITY, file, "方案一", position=here())
    assert len(stored(conn, "方案一")) == 2  # the same scheme is replaced
    with pytest.raises(PlanningError, match="has no CRS"):
        import_massing(conn, CITY, file, "方案二")


def test_an_ifc_gives_a_building_with_all_that_is_in_it(conn: Connection, tmp_path: Path) -> None:
    import ifcopenshell.api.aggregate
    import ifcopenshell.api.context
    import ifcopenshell.api.geometry
    import ifcopenshell.api.project
    import ifcopenshell.api.root
    import ifcopenshell.api.spatial
    import ifcopenshell.api.unit

    api = ifcopenshell.api
    model = api.project.create_file()
    project = api.root.create_entity(model, ifc_class="IfcProject", name="P")
    api.unit.assign_unit(model, length={"is_metric": True, "raw": "MILLIMETERS"})
    context = api.context.add_context(model, context_type="Model")
    body = api.context.add_context(
        model, context_type="Model", context_identifier="Body", target_view="MODEL_VIEW", parent=context
    )
    site, house, storey = (
        api.root.create_entity(model, ifc_class=kind, name=name)
        for kind, name in (("IfcSite", "S"), ("IfcBuilding", "一号楼"), ("IfcBuildingStorey", "1F"))
    )
    for part, whole in ((site, project), (house, site), (storey, house)):
        api.aggregate.assign_object(model, products=[part], relating_object=whole)
    for x, length, height in ((0, 12, 9), (12, 8, 15)):
        wall = api.root.create_entity(model, ifc_class="IfcWall")
        shape = api.geometry.add_wall_representation(model, context=body, length=length, height=height, thickness=10)
        api.geometry.assign_representation(model, product=wall, representation=shape)
        matrix = np.eye(4)
        matrix[0, 3] = x
        api.geometry.edit_object_placement(model, product=wall, matrix=matrix)
        api.spatial.assign_container(model, products=[wall], relating_structure=storey)
    path = tmp_path / "b.ifc"
    model.write(str(path))
    done = import_massing(conn, CITY, UploadedFile(path, "b.ifc"), "IFC方案", position=here())
    assert (done.format, done.buildings) == ("IFC", 1)
    [(name, height, shape)] = stored(conn, "IFC方案")
    assert (name, height) == ("一号楼", 15.0)
    assert shape.bounds == pytest.approx((X, Y, X + 20, Y + 10), abs=0.02) and shape.area == pytest.approx(200, abs=0.5)


def test_a_cityjson_stands_where_it_says(conn: Connection, tmp_path: Path) -> None:
    corners = [(x, y, z) for z in (20, 44) for x, y in ((X, Y), (X + 30, Y), (X + 30, Y + 15), (X, Y + 15))]
    faces = [[[0, 3, 2, 1]], [[4, 5, 6, 7]], *([[a, (a + 1) % 4, (a + 1) % 4 + 4, a + 4]] for a in range(4))]
    model = {
        "type": "CityJSON", "version": "2.0", "vertices": corners,
        "transform": {"scale": [1, 1, 1], "translate": [0, 0, 0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/4547"},
        "CityObjects": {"b1": {"type": "Building", "attributes": {"storeysAboveGround": 8},
                               "geometry": [{"type": "MultiSurface", "lod": "1", "boundaries": faces}]}},
    }  # fmt: skip
    path = tmp_path / "c.json"
    path.write_text(json.dumps(model))
    done = import_massing(conn, CITY, UploadedFile(path, "c.json"), "CJ")
    assert (done.format, done.highest, done.footprint) == ("CityJSON", 24.0, 450.0)


@pytest.mark.parametrize(
    ("name", "body"), [("x.glb", b"glTF\x02\x00"), ("x.ifc", b"ISO-10303-21;\nx"), ("x.json", b"{}"), ("x.skp", b"")]
)
def test_a_broken_model_is_refused_by_name(conn: Connection, tmp_path: Path, name: str, body: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises(PlanningError, match=name):
        import_massing(conn, CITY, UploadedFile(path, name), "坏", position=here())


def test_a_gltf_reads_no_other_file(conn: Connection, tmp_path: Path) -> None:
    triangle = np.array([[0, 0, 0], [10, 5, 0], [0, 0, 10]], "<f4")  # which would be a building, were it read
    (tmp_path / "secret.bin").write_bytes(triangle.tobytes())
    document = {
        "asset": {"version": "2.0"}, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}], "buffers": [{"byteLength": 36, "uri": "secret.bin"}],
    }  # fmt: skip
    path = tmp_path / "m.gltf"
    path.write_text(json.dumps(document))
    with pytest.raises(PlanningError, match="cannot be read as glTF|has no buildings"):
        import_massing(conn, CITY, UploadedFile(path, "m.gltf"), "外", position=here())


def polygon(shape: shapely.Polygon) -> Polygon:
    degrees = shapely.transform(shape, TO_DEGREES, interleaved=False)
    return Polygon("Polygon", (tuple((float(a), float(b)) for a, b in degrees.exterior.coords),))


def test_windows_stand_along_the_walls_that_see_the_sun_on_each_storey() -> None:
    house = shapely.box(X, Y, X + 12, Y + 8)
    found = windows_of(house, 3, "dwelling", 7, 4.0, 0.0, TO_DEGREES)
    assert {w.facing for w in found} == {180.0} and len(found) == 3 * 3
    assert sorted({w.height for w in found}) == [0.9, 3.9, 6.9]


def test_the_impact_is_the_hours_of_sun_before_and_after_window_by_window(conn: Connection, tmp_path: Path) -> None:
    store = RasterStore(tmp_path)
    home, tower = shapely.box(X, Y, X + 30, Y + 12), shapely.box(X - 20, Y - 45, X + 50, Y - 30)
    conn.execute(
        text("""INSERT INTO city.buildings (geom, height, floors, use) VALUES
                (ST_Multi(ST_Transform(ST_GeomFromText(:wkt, 4547), 4490)), 18, 6, 'residential')"""),
        {"wkt": home.wkt},
    )
    proposed = (ProposedBuilding(polygon(tower), 60.0),)
    standards = SunStandards(dwelling=SunStandard("great-cold", 2.0))
    options = PlanningOptions(sunlight=standards)
    found = sunlight_impact(conn, Quiet(), store, CITY, options, proposed=proposed, dem=None, detail="all", every=6.0)
    assert not found.passed and len(found.neighbours) == 1
    assert len(found.windows) == found.neighbours[0].windows == 5 * 6
    points = tuple(
        WindowPoint(o.window.longitude, o.window.latitude, o.window.height, o.window.facing) for o in found.windows
    )
    for when, added in (("before", ()), ("after", proposed)):
        hours = sunlight_hours(conn, Quiet(), store, CITY, points=points, proposed=added, dem=None, step=5.0)
        assert [p.hours for p in hours.points] == pytest.approx([getattr(o, when) for o in found.windows], abs=1e-3)
    lost = [o for o in found.windows if o.after < 2.0 <= o.before]
    assert lost and all(o.verdict == "fail" for o in lost)
    assert found.neighbours[0].failed == len(lost)
    lax = PlanningOptions(sunlight=SunStandards(dwelling=SunStandard("great-cold", 0.0)))
    assert sunlight_impact(conn, Quiet(), store, CITY, lax, proposed=proposed, dem=None).passed
    with pytest.raises(PlanningError, match="nothing is proposed"):
        sunlight_impact(conn, Quiet(), store, CITY, options, scheme="无", dem=None)


def test_proposed_buildings_stand_in_3d_beside_those_that_are_there(conn: Connection) -> None:
    layers = load_layers(conn)
    assert (
        layers["schemes-3d"].inputs[:2] == ("scheme-buildings", "dem") and layers["schemes-3d"].visibility == "internal"
    )
    assert {"ground", "roof", "height_from"} <= {f.name for f in layers["schemes-3d"].fields}
