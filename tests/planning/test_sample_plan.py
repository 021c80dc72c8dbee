"""The plan of the sample city: complete, without contradictions, the same every time."""

from collections.abc import Iterator

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Connection, create_engine

from layers.database import psycopg2_url
from planning.sample import sample_plan


@pytest.fixture(scope="module")
def city(city_database: str) -> Iterator[Connection]:
    engine = create_engine(psycopg2_url(city_database))
    with engine.connect() as conn:
        yield conn
    engine.dispose()


def made(conn: Connection) -> dict[str, gpd.GeoDataFrame]:
    return {layer.id: frame for layer, frame in sample_plan(conn)}


def test_the_same_city_gets_the_same_plan(city: Connection) -> None:
    one, other = made(city), made(city)
    assert list(one) == ["control-lines", "control-zones", "control-plan"]
    for layer, frame in one.items():
        assert len(frame) > 50 and frame.equals(other[layer])
        assert frame["code"].is_unique and frame.geometry.is_valid.all() and not frame.geometry.is_empty.any()


def test_the_database_has_it_in_its_versions(city: Connection) -> None:
    rows = city.exec_driver_sql(
        "SELECT version, status, count(*), count(DISTINCT plot) FROM city.control_plan GROUP BY 1, 2 ORDER BY 1"
    ).all()
    assert [tuple(row[:2]) for row in rows] == [("2019", "superseded"), ("2024", "approved")]
    assert rows[0][2] == rows[1][2] == rows[0][3] > 100


def test_plots_keep_out_of_roads_and_farmland_out_of_town(city: Connection) -> None:
    plan = made(city)
    zones, lines = plan["control-zones"], plan["control-lines"]
    town = zones[zones["kind"] == "urban-boundary"].geometry.iloc[0]
    assert zones[zones["kind"].isin(["farmland", "ecology"])].distance(town).min() > 30
    plots = plan["control-plan"].query("version == '2024'")
    roads = lines[lines["kind"] == "road"].union_all()
    overlap = shapely.area(shapely.intersection(plots.geometry.to_numpy(), roads)).sum()
    assert overlap < 0.02 * plots.area.sum()
