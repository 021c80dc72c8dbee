"""Grids equal the OGC's definitions, and the national one the same scales in EPSG:4490."""

import json
from pathlib import Path

import morecantile
import pytest

from tiles.matrix_sets import MatrixSetError, NoSuchTile, load_sets, standard_sets

SETS = standard_sets()
OFFICIAL = Path(morecantile.__file__).parent / "data"


@pytest.mark.parametrize("name", ["WebMercatorQuad", "WorldCRS84Quad"])
def test_a_document_equals_the_official_definition(name: str) -> None:
    official = json.loads((OFFICIAL / f"{name}.json").read_text())
    for matrix in official["tileMatrices"]:
        matrix.setdefault("cornerOfOrigin", "topLeft")
    document = SETS[name].document
    assert document == official | {"tileMatrices": document["tileMatrices"]}
    assert document["tileMatrices"] == official["tileMatrices"]


def test_the_national_grid_has_the_scales_of_the_geographic_one_and_its_own_axes() -> None:
    ours, official = SETS["CGCS2000Quad"].document, json.loads((OFFICIAL / "WorldCRS84Quad.json").read_text())
    assert ours["crs"].endswith("/EPSG/0/4490")
    for matrix, other in zip(ours["tileMatrices"], official["tileMatrices"], strict=True):
        assert matrix["pointOfOrigin"] == [90, -180]
        assert matrix["scaleDenominator"] == pytest.approx(other["scaleDenominator"], rel=1e-9)
        assert (matrix["matrixWidth"], matrix["matrixHeight"]) == (other["matrixWidth"], other["matrixHeight"])
        assert matrix["cellSize"] == pytest.approx(other["cellSize"])


@pytest.mark.parametrize("name", list(SETS))
@pytest.mark.parametrize("z", [0, 3, 14, 23])
def test_boxes_are_those_of_morecantile(name: str, z: int) -> None:
    grid, judge = SETS[name], morecantile.TileMatrixSet.model_validate(dict(SETS[name].document))
    x, y = grid.levels[z].columns * 3 // 4, grid.levels[z].rows // 3
    assert grid.box(z, y, x) == pytest.approx(tuple(judge.xy_bounds(x, y, z)), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("name", list(SETS))
def test_a_box_covers_the_tiles_whose_bounds_it_meets(name: str) -> None:
    grid = SETS[name]
    box = grid.from_degrees((114.89, 30.39, 114.93, 30.41))
    margin = 64 / 4096
    z = 13
    met = set()
    for x in range(grid.levels[z].columns * 81 // 100, grid.levels[z].columns * 83 // 100):
        for y in range(grid.levels[z].rows * 30 // 100, grid.levels[z].rows * 44 // 100):
            west, south, east, north = grid.box(z, y, x, margin)
            if west <= box[2] and box[0] <= east and south <= box[3] and box[1] <= north:
                met.add((x, y))
    covering = grid.covering(box, z, margin)
    assert covering
    first_x, first_y, last_x, last_y = covering
    assert {(x, y) for x in range(first_x, last_x + 1) for y in range(first_y, last_y + 1)} == met != set()


def test_beyond_the_last_row_there_is_no_tile() -> None:
    with pytest.raises(NoSuchTile, match="CGCS2000Quad of levels 0 to 23"):
        SETS["CGCS2000Quad"].box(0, 1, 0)


def test_a_city_adds_a_grid_by_a_file_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "nztm.json"
    file.write_text((OFFICIAL / "NZTM2000Quad.json").read_text())
    added = load_sets([str(file)])["NZTM2000Quad"]
    judge = morecantile.tms.get("NZTM2000Quad")
    assert added.srid == 2193
    assert added.box(7, 60, 60) == pytest.approx(tuple(judge.xy_bounds(60, 60, 7)), abs=1e-6)
    file.write_text("{}")
    with pytest.raises(MatrixSetError, match="nztm.json"):
        load_sets([str(file)])
