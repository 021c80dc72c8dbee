"""The processes on coordinates and names, over a running server and from its configuration."""

from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from geoserver.config import ConfigError, load
from layers.coordinates.processes import transform_coordinates
from layers.database import Database

_GRIDS = """
crs:
  towgs84:
    xian80: [-12.3, 45.6, 78.9, 1.2, -2.3, 3.4, 5.6]
  local_grids:
    城建坐标系: {base: 4547, east: -500000, north: -3300000, rotation: 3600.5, scale: 12.5}
    老城坐标系: {proj: +proj=tmerc +lat_0=0 +lon_0=114.5 +x_0=50000 +ellps=GRS80}
"""


def _execute(url: str, process: str, **inputs: object) -> requests.Response:
    return requests.post(f"{url}/processes/{process}/execution", json={"inputs": inputs}, timeout=30)


def _configured(tmp_path: Path, content: str) -> Path:
    file = tmp_path / "config.yml"
    file.write_text(content)
    return file


def test_grids_and_parameters_come_from_the_configuration(tmp_path: Path) -> None:
    city = load(_configured(tmp_path, _GRIDS), {}).crs.for_processes()
    made = transform_coordinates(city, "城建坐标系", "老城坐标系", points=((27738.0, 74785.0),))
    assert made.points is not None
    back = transform_coordinates(city, "老城坐标系", "城建坐标系", points=made.points)
    assert back.points is not None
    assert back.points[0] == pytest.approx((27738.0, 74785.0), abs=1e-3)
    assert transform_coordinates(city, "Xian80", "EPSG:4490", points=((114.9, 30.4),)).points != ((114.9, 30.4),)


@pytest.mark.parametrize(("declared", "says"), [
    ("{}", "either proj or base"), ("{base: 4547, proj: +proj=longlat}", "either proj or base"),
    ("{proj: +proj=pipeline +step}", "PROJ text does not take"), ("{base: 4547, rotation: oops}", "rotation"),
    ("{proj: +proj=longlat +nadgrids=/etc/passwd}", "nadgrids"), ("{proj: +proj=longlat, towgs84: [1, 2]}", "towgs84"),
])  # fmt: skip
def test_a_grid_that_is_declared_wrong_is_named(tmp_path: Path, declared: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load(_configured(tmp_path, f"crs:\n  local_grids:\n    g: {declared}\n"), {})


def test_a_point_is_transformed_over_the_api(live_city: str) -> None:
    reply = _execute(
        live_city, "transform-coordinates", source="EPSG:4490", target="EPSG:4526", points=[[114.9, 30.4, 5]]
    )
    assert reply.status_code == 200
    assert reply.json()["points"][0] == pytest.approx([38586489.034, 3364799.485, 5], abs=5e-4)
    assert reply.json()["target"].startswith("EPSG:4526 CGCS2000 / 3-degree Gauss-Kruger zone 38")


@pytest.mark.parametrize(("inputs", "says"), [
    ({"source": "Xian80", "target": "WGS84", "points": [[114.9, 30.4]]}, "seven parameters"),
    ({"source": "EPSG:4547", "target": "WGS84", "points": [[38586489.0, 3364799.0]]}, "EPSG:4526"),
    ({"source": "WGS84", "target": "WGS84", "points": [[114.9]]}, "input 'points.0'"),
    ({"source": "WGS84", "target": "WGS84", "points": []}, "input 'points'"),
    ({"source": "WGS84", "target": "WGS84"}, "input 'geometry'"),
    ({"source": "WGS84", "target": "WGS84", "points": [[1, 2]], "source_order": "up"}, "input 'source_order'"),
])  # fmt: skip
def test_wrong_coordinates_are_refused_by_name_over_the_api(
    live_city: str, inputs: dict[str, object], says: str
) -> None:
    reply = _execute(live_city, "transform-coordinates", **inputs)
    assert reply.status_code == 400
    assert says in reply.text


def test_an_address_is_found_and_its_point_leads_back(live_city: str, city_database: str) -> None:
    database = Database(city_database, pool_size=1)
    with database.transaction() as conn:
        row = conn.execute(
            text("""
            SELECT a.id, a.address, d.name, c.name FROM city.addresses a
            JOIN city.admin_areas d ON d.level = 'district' AND ST_Intersects(d.geom, a.geom)
            JOIN city.admin_areas c ON c.level = 'city'
            WHERE a.road IS NOT NULL ORDER BY a.id OFFSET 500 LIMIT 1""")
        ).one()
    database.close()
    reply = _execute(live_city, "geocode", query=f"{row[3]}{row[2]}{row[1]}", limit=3)
    assert reply.status_code == 200
    first = reply.json()["answers"][0]
    assert (first["name"], first["score"], first["match"]["area"]) == (row[1], 1.0, "inside")
    back = _execute(live_city, "reverse-geocode", **first["point"], limit=3).json()
    assert row[1] in [
        near["name"] for near in back["nearest"] if near["layer"] == "addresses" and near["distance"] < 0.01
    ]
    assert back["areas"] == first["areas"]
    assert back["address"].startswith(f"{row[3]}{row[2]}")


@pytest.mark.parametrize(("inputs", "says"), [
    ({}, "input 'query' is missing"), ({"query": ""}, "input 'query'"), ({"query": "甲" * 201}, "input 'query'"),
    ({"query": "甲", "limit": 51}, "input 'limit'"), ({"query": "甲", "layers": ["roads"]}, "input 'layers.0'"),
    ({"query": "甲", "near": [200, 0]}, "input 'near.0'"),
])  # fmt: skip
def test_inputs_of_geocode_are_bounded(live_city: str, inputs: dict[str, object], says: str) -> None:
    reply = _execute(live_city, "geocode", **inputs)
    assert reply.status_code == 400
    assert says in reply.text
