"""Gi* against esda's, and counts against PostGIS, on the sample city."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from scipy import sparse
from sqlalchemy import Connection, create_engine, text

from layers.analysis import hot_spots as spots
from layers.analysis.errors import AnalysisError, TooMuch
from layers.analysis.features import LayerFeatures
from layers.analysis.hot_spot_processes import hot_spots
from layers.database import psycopg2_url
from layers.processing import CityCrs, Workspace

EZHOU = CityCrs(4547, frozenset({4547, 4490}))
POIS = LayerFeatures("pois")


@pytest.fixture(scope="module")
def city(city_database: str) -> Iterator[Connection]:
    engine = create_engine(psycopg2_url(city_database))
    with engine.connect() as conn:
        yield conn
    engine.dispose()


def esdas(neighbours: sparse.csr_array, counts: Any) -> tuple[Any, Any]:
    """z and one-sided p of esda, whose rows are the cells in their order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda.getisord import G_Local
        from libpysal.weights import WSP

        matrix = sparse.csr_matrix(neighbours)
        weights = WSP(matrix).to_W(silence_warnings=True)
        found = G_Local(counts.astype(float), weights, transform="B", star=None, permutations=0)
    return found.Zs, found.p_norm


@pytest.mark.parametrize("seed", range(2))
def test_z_is_that_of_esda(seed: int) -> None:
    dice = np.random.default_rng(seed)
    points = np.concatenate(
        [dice.normal((586_400, 3_364_800), 400, (300, 2)), dice.uniform(-3000, 3000, (400, 2)) + (586_400, 3_364_800)]
    )
    cells, counts = spots.hexagons(points, 4547, 9)
    assert counts.sum() == len(points) and (counts == 0).any()
    found = spots.heat(cells, counts, corrected=False)
    z, p = esdas(cells.neighbours, counts)
    assert found.z == pytest.approx(z, abs=1e-9)
    assert found.p / 2 == pytest.approx(p, abs=1e-12)
    hot = np.array([c.startswith("hot") for c in found.classes])
    assert np.array_equal(hot, (found.p < 0.1) & (found.z > 0)) and hot.any()


def test_points_of_communities_are_those_that_postgis_counts(city: Connection, tmp_path: Path) -> None:
    zones = LayerFeatures("admin-areas", "level = 'community'")
    found = hot_spots(city, EZHOU, Workspace(tmp_path), POIS, zones)
    rows = city.execute(
        text("""
            SELECT a.name, (SELECT count(*) FROM city.pois p WHERE ST_Intersects(p.geom, a.geom))
            FROM city.admin_areas a WHERE a.level = 'community'""")
    )
    expected = {name: count for name, count in rows}
    told = {f["properties"]["cell"]: f["properties"] for f in found.features}  # type: ignore[union-attr]
    assert {name: about["count"] for name, about in told.items()} == expected
    for about in told.values():
        assert about["density"] == pytest.approx(about["count"] / about["area"] * 1e6, abs=2e-3)


def test_what_lies_on_an_edge_is_counted_once_and_squares_touch_at_corners() -> None:
    squares = np.array([shapely.box(x, y, x + 10, y + 10) for y in (0, 10) for x in (0, 10)], dtype=object)
    cells, counts = spots.zones(list("abcd"), squares, np.array([[10.0, 5.0], [10.0, 10.0], [3.0, 3.0], [50.0, 50.0]]))
    assert counts.tolist() == [3, 0, 0, 0]
    assert cells.neighbours.toarray().all()
    assert spots.heat(cells, counts, corrected=True).z.tolist() == [0, 0, 0, 0]  # each is everybody's neighbour


def test_the_correction_leaves_fewer_cells_significant_by_chance(city: Connection) -> None:
    points = np.random.default_rng(8).uniform(-4000, 4000, (3000, 2)) + (586_400, 3_364_800)
    cells, counts = spots.hexagons(points, 4547, 9)
    plain, corrected = (spots.heat(cells, counts, corrected=c).classes for c in (False, True))
    significant = [sum(c != "none" for c in classes) for classes in (plain, corrected)]
    assert significant[0] > 0.05 * len(counts) and significant[1] < 0.02 * len(counts)


def test_what_cannot_be_judged_is_refused(city: Connection, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with pytest.raises(AnalysisError, match="no feature"):
        hot_spots(city, EZHOU, workspace, LayerFeatures("pois", "name = 'nowhere'"))
    with pytest.raises(AnalysisError, match="must be areas"):
        hot_spots(city, EZHOU, workspace, POIS, LayerFeatures("roads"))
    with pytest.raises(TooMuch, match="lower resolution"):
        spots.hexagons(np.array([[580_000, 3_360_000], [600_000, 3_380_000], [580_000, 3_380_000.0]]), 4547, 12)
    with pytest.raises(AnalysisError, match="three cells"):
        hot_spots(city, EZHOU, workspace, POIS, LayerFeatures("admin-areas", "level = 'city'"))
