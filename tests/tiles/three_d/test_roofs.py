"""Roofs of city models in 3D tiles: each face where the file draws it, by pyproj, while the footprint is what it was."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from pyproj import Transformer
from scipy.spatial import cKDTree
from sqlalchemy import Connection, text

from layers.database import Reader
from layers.importing.file_import import ImportOptions, import_file
from layers.registry import load_layers
from tests.layers.three_d.test_city_models import REAL, house, real, write
from tests.tiles.three_d.reader import Model, model
from tiles.three_d.reading import roots_of, tiles_in
from tiles.three_d.render import render_tile

GEODETIC = Transformer.from_crs(4978, 4979, always_xy=True)


def tiles(conn: Connection) -> Iterator[Model]:
    """Every tile of the buildings, on ground of height 0."""
    reader, layer = Reader(conn.connection.driver_connection), load_layers(conn)["buildings-3d"]  # type: ignore[arg-type]
    for root in roots_of(reader, layer):
        for tile in tiles_in(reader, layer, root):
            made = model(render_tile(reader, layer, tile, lambda shapes: (np.zeros(len(shapes)),) * 2).body)
            assert made is not None
            yield made


def faces(found: Model, feature: int) -> trimesh.Trimesh:
    return trimesh.Trimesh(
        found.positions, found.triangles[found.features[found.triangles[:, 0]] == feature], process=False
    )


def the_house(conn: Connection) -> trimesh.Trimesh:
    [found] = tiles(conn)
    return faces(found, 0)


def areas(solid: trimesh.Trimesh) -> tuple[float, float, float]:
    """Of what lies level, of what leans, and of what stands upright [m²]."""
    up = solid.triangles[0, 0] / np.linalg.norm(solid.triangles[0, 0])
    lean = solid.face_normals @ up
    return tuple(
        float(solid.area_faces[mask].sum()) for mask in (lean > 0.99, (lean > 0.1) & (lean < 0.99), abs(lean) < 0.1)
    )  # type: ignore[return-value]


def test_a_gable_stands_on_its_walls_until_the_house_is_changed(conn: Connection, tmp_path: Path) -> None:
    """10 × 8 m, eaves at 5 m, ridge at 8 m: two slopes of 10 × 5 m, walls of 2 × 50 and 2 × 52 m²."""
    import_file(conn, write(tmp_path / "house.city.json", house()), ImportOptions(into="buildings"))
    gable = (0.0, 100.0, 204.0)
    # the projection's scale there is 0.99995
    assert areas(the_house(conn)) == pytest.approx(gable, rel=5e-4)
    for change, back in (
        ("height = 9", "height = 8"),
        (
            "geom = ST_Translate(geom, 0.00001, 0)",
            "geom = (SELECT geom FROM history.buildings WHERE operation = 'update' LIMIT 1)",
        ),
        ("min_height = 3", "min_height = NULL"),
    ):
        conn.execute(text(f"UPDATE city.buildings SET {change}"))
        assert areas(the_house(conn))[1] == 0, change
        if change == "height = 9":
            conn.execute(text("UPDATE city.buildings SET height = 8"))
            assert areas(the_house(conn)) == pytest.approx(gable, rel=5e-4)
        else:
            conn.execute(text(f"UPDATE city.buildings SET {back}"))


def of_citygml(path: Path) -> dict[str, Any]:
    """Corners of the roofs of each building, by regular expressions."""
    found = {}
    for name, body in re.findall(r'<bldg:Building gml:id="([^"]+)"(.*?)</bldg:Building>', path.read_text(), re.S):
        roofs = re.findall(r"<bldg:RoofSurface.*?</bldg:RoofSurface>", body, re.S)
        lists = [
            np.array(t.split(), float).reshape(-1, 3)
            for roof in roofs
            for t in re.findall(r"<gml:posList[^>]*>([^<]+)<", roof)
        ]
        low = min(
            np.array(t.split(), float).reshape(-1, 3)[:, 2].min()
            for t in re.findall(r"<gml:posList[^>]*>([^<]+)<", body)
        )
        found[name] = (np.vstack(lists), low)
    return found


def of_cityjson(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_text())
    vertices = np.array(document["vertices"]) * document["transform"]["scale"] + document["transform"]["translate"]
    found = {}
    for name, one in document["CityObjects"].items():
        if one["type"] != "Building":
            continue
        parts = [document["CityObjects"][child] for child in one.get("children", ())] or [one]
        kinds, every = [], []
        for geometry in (g for part in parts for g in part["geometry"]):
            nested = [(geometry["boundaries"], geometry["semantics"]["values"])]
            if geometry["type"] == "Solid":
                nested = list(zip(geometry["boundaries"], geometry["semantics"]["values"], strict=True))
            for shell, values in nested:
                every += [vertices[ring] for face in shell for ring in face]
                kinds += [
                    vertices[ring] for face, v in zip(shell, values, strict=True) for ring in face
                    if v is not None and geometry["semantics"]["surfaces"][v]["type"] == "RoofSurface"
                ]  # fmt: skip
        found[name] = (np.vstack(kinds), np.vstack(every)[:, 2].min())
    return found


@real
@pytest.mark.filterwarnings("ignore:Best transformation is not available")  # Munich's grid, which PROJ would download
@pytest.mark.parametrize(("file", "epsg"), [("munich_lod2_citygml.gml.gz", 31468), ("DenHaag_01.city.json", 28992)])
def test_roofs_of_real_cities_lie_where_their_files_draw_them(
    conn: Connection, tmp_path: Path, file: str, epsg: int
) -> None:
    path = REAL / file
    if file.endswith(".gz"):
        path = tmp_path / "munich.gml"
        path.write_bytes(gzip.decompress((REAL / file).read_bytes()))
    import_file(conn, path, ImportOptions(into="buildings"))
    expected = (of_citygml if file.endswith(".gz") else of_cityjson)(path)
    names = dict(conn.execute(text("SELECT id, source_id FROM city.buildings")).all())
    shift = Transformer.from_crs(epsg, 4326, always_xy=True)
    place = Transformer.from_crs(4979, 4978, always_xy=True)
    assert len(names) == len(expected)
    leaning = compared = seen = 0
    for found in tiles(conn):
        for feature, row in enumerate(found.attributes):
            if int(row["id"]) % 6:
                continue
            corners, low = expected[names[int(row["id"])]]
            lon, lat = shift.transform(corners[:, 0], corners[:, 1])
            drawn = found.positions[found.features == feature]
            apart, _ = cKDTree(drawn).query(np.column_stack(place.transform(lon, lat, corners[:, 2] - low)))
            seen += 1
            compared += float(np.quantile(apart, 0.98)) < 0.05
            leaning += areas(faces(found, feature))[1] > 1
    assert seen > len(expected) // 7 and compared > 0.97 * seen and leaning > 0.5 * seen, (seen, compared, leaning)
