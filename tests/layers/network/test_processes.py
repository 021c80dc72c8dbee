"""The processes route and service-area at a running server, on the sample city."""

from typing import Any

import pyproj
import pytest
import requests
import shapely
from sqlalchemy import create_engine, text

from layers.database import psycopg2_url

URI = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"


def execute(site: str, process: str, **inputs: Any) -> requests.Response:
    return requests.post(f"{site}/processes/{process}/execution", json={"inputs": inputs}, timeout=60)


@pytest.fixture(scope="module")
def ends(city_database: str) -> list[list[float]]:
    """Two places on main roads of the sample city, some kilometres from each other."""
    engine = create_engine(psycopg2_url(city_database))
    with engine.connect() as conn:
        rows = conn.execute(
            text(
                "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_LineInterpolatePoint(geom, 0.4) AS p FROM city.roads"
                " WHERE class = 'secondary') AS s ORDER BY ST_X(p) + ST_Y(p)"
            )
        ).all()
    engine.dispose()
    return [[rows[0][0], rows[0][1]], [rows[-1][0], rows[-1][1]]]


def test_route_crosses_the_sample_city(live_city: str, ends: list[list[float]]) -> None:
    found = execute(live_city, "route", points=ends).json()
    line = shapely.LineString(found["geometry"]["coordinates"])
    geod = pyproj.Geod(ellps="GRS80")
    straight = geod.inv(*ends[0], *ends[1])[2]
    assert found["length"] == pytest.approx(geod.geometry_length(line), abs=0.5)
    assert straight <= found["length"] < 2 * straight
    assert [place["distance"] for place in found["snapped"]] == pytest.approx([0, 0], abs=0.01)
    [leg] = found["legs"]
    assert leg["steps"][0]["turn"] == "depart"
    assert leg["steps"][-1]["instruction"] == {"zh": "到达终点", "en": "Arrive at the destination"}
    assert sum(step["seconds"] for step in leg["steps"]) == pytest.approx(found["seconds"], abs=0.5)
    shortest = execute(live_city, "route", points=ends, by="length").json()
    assert shortest["length"] <= found["length"]
    assert shortest["seconds"] >= found["seconds"]


def test_route_uses_a_committed_edit_at_once(live_city: str, city_database: str, ends: list[list[float]]) -> None:
    """A straight motorway between the two: faster than any street, until it is taken away again."""
    before = execute(live_city, "route", points=ends).json()
    engine = create_engine(psycopg2_url(city_database))
    sql = (
        "INSERT INTO city.roads (geom, class, name) SELECT ST_MakeLine(ARRAY[ST_Point(:a, :b, 4490),"
        " ST_Point(:c, :d, 4490)]), 'motorway', '直达路' RETURNING id"
    )
    streets = "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_StartPoint(geom) AS p FROM city.roads WHERE class = 'secondary') AS s ORDER BY ST_X(p) + ST_Y(p)"
    with engine.begin() as conn:
        rows = conn.execute(text(streets)).all()
        corners = {"a": rows[0][0], "b": rows[0][1], "c": rows[-1][0], "d": rows[-1][1]}
        id_ = conn.execute(text(sql), corners).scalar_one()
    try:
        with_it = execute(live_city, "route", points=ends).json()
    finally:
        with engine.begin() as conn:
            conn.execute(text("DELETE FROM city.roads WHERE id = :id"), {"id": id_})
        engine.dispose()
    roads = [step["road"]["zh"] for step in with_it["legs"][0]["steps"] if step["road"]]
    assert "直达路" in roads
    assert with_it["seconds"] < before["seconds"]
    assert execute(live_city, "route", points=ends).json() == before


def test_service_area_grows_with_its_limits(live_city: str, ends: list[list[float]]) -> None:
    found = execute(live_city, "service-area", point=ends[0], limits=[240, 60, 120], roads=True).json()
    bands = found["bands"]
    assert [band["limit"] for band in bands] == [60, 120, 240]
    areas = [shapely.from_geojson(requests.models.complexjson.dumps(band["area"])) for band in bands]
    assert all(shape.is_valid for shape in areas)
    assert areas[0].area < areas[1].area < areas[2].area
    lines = shapely.from_geojson(requests.models.complexjson.dumps(bands[1]["roads"]))
    assert pyproj.Geod(ellps="GRS80").geometry_length(lines) == pytest.approx(bands[1]["road_length"], rel=1e-3)
    assert (
        "roads" in bands[0]
        and execute(live_city, "service-area", point=ends[0], limits=[60]).json()["bands"][0]["roads"] is None
    )


@pytest.mark.parametrize(
    ("process", "inputs", "says"),
    [
        ("route", {"points": [[114.9, 30.4]]}, "input 'points'"),
        ("route", {"points": [[114.9, 30.4], [400, 30.4]]}, "input 'points.1.0'"),
        ("route", {"points": [[0, 0], [114.9, 30.4]]}, "input 'points', number 1 (0, 0): the nearest road is"),
        ("route", {"points": [[114.9, 30.4]] * 51}, "input 'points'"),
        ("route", {"points": [[114.9, 30.4]] * 2, "mode": "fly"}, "input 'mode'"),
        ("service-area", {"point": [114.9, 30.4], "limits": [7201]}, "input 'limits': 7201 is more than 7200"),
        ("service-area", {"point": [114.9, 30.4], "limits": []}, "input 'limits'"),
        ("service-area", {"point": [114.9, 90.0], "limits": [60], "reach": 500}, "input 'point', number 1"),
        ("service-area", {"point": [114.9, 30.4], "limits": [60], "beside": 10_000}, "input 'beside'"),
    ],
)
def test_what_is_wrong_is_named(live_city: str, process: str, inputs: dict[str, Any], says: str) -> None:
    answer = execute(live_city, process, **inputs)
    assert answer.status_code == 400
    assert says in answer.json()["description"]
