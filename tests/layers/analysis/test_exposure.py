"""Exposure on the sample city, against the same questions put to PostGIS."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import shapely
from sqlalchemy import Connection, create_engine, text

from layers.analysis.errors import AnalysisError
from layers.analysis.features import InlineFeature, InlineFeatures, LayerFeatures
from layers.analysis.processes import exposure
from layers.database import psycopg2_url
from layers.processing import CityCrs

EZHOU = CityCrs(4547, frozenset({4547, 4490}))


@pytest.fixture(scope="module")
def city(city_database: str) -> Iterator[Connection]:
    engine = create_engine(psycopg2_url(city_database))
    with engine.connect() as conn:
        yield conn
    engine.dispose()


def spot(shape: Any) -> InlineFeatures:
    return InlineFeatures("FeatureCollection", (InlineFeature("Feature", orjson.loads(shapely.to_geojson(shape))),))


#: The hazard's ground; what is in it; and people, each community's spread over its dwellings.
GROUND = "ST_Buffer(ST_Transform(ST_SetSRID(ST_Point(114.9, 30.4), 4490), 4547), 700, 'quad_segs=32')"
PEOPLE = f"""
WITH hazard AS (SELECT {GROUND} AS g),
homes AS (SELECT b.id, ST_Transform(b.geom, 4547) AS g, coalesce(floors, 1) AS floors, c.id AS community
    FROM city.buildings b JOIN city.admin_areas c ON c.level = 'community' AND ST_Intersects(c.geom, ST_PointOnSurface(b.geom))
    WHERE use = 'residential'),
spread AS (SELECT community, sum(ST_Area(homes.g) * floors) AS everywhere,
    sum(ST_Area(ST_Intersection(homes.g, hazard.g)) * floors) AS inside FROM homes, hazard GROUP BY community)
SELECT sum(c.population * coalesce(s.inside / s.everywhere,
        ST_Area(ST_Intersection(ST_Transform(c.geom, 4547), hazard.g)) / ST_Area(ST_Transform(c.geom, 4547)))),
    count(*), count(*) FILTER (WHERE s.everywhere IS NULL)
FROM hazard, city.admin_areas c LEFT JOIN spread s ON s.community = c.id
WHERE c.level = 'community' AND ST_Intersects(ST_Transform(c.geom, 4547), hazard.g)"""


def test_people_buildings_and_facilities_are_as_postgis_counts_them(city: Connection) -> None:
    found = exposure(city, EZHOU, spot(shapely.Point(114.9, 30.4)), 700.0, ("pois", "addresses"))
    people, communities, by_ground = city.execute(text(PEOPLE)).one()
    assert found.people is not None and found.buildings is not None
    assert people > 500
    assert found.people.people == pytest.approx(float(people), abs=1)
    assert (found.people.communities, found.people.by_ground) == (communities, by_ground)
    inside = f"FROM city.buildings, (SELECT {GROUND} AS g) AS h WHERE ST_Intersects(ST_Transform(geom, 4547), g)"
    uses = dict(city.execute(text(f"SELECT use, count(*) {inside} GROUP BY use")).all())
    assert found.buildings.by_use == uses and found.buildings.count == sum(uses.values())
    floor = f"SELECT sum(ST_Area(ST_Intersection(ST_Transform(geom, 4547), g)) * floors) {inside}"
    assert found.buildings.floor_area == pytest.approx(city.execute(text(floor)).scalar_one(), rel=1e-6)
    pois, addresses = found.facilities
    rows = city.execute(
        text(
            "SELECT id, category, ST_Distance(ST_Transform(geom, 4547), ST_Transform(ST_SetSRID(ST_Point(114.9, 30.4), 4490), 4547))"
            f" AS d FROM city.pois, (SELECT {GROUND} AS g) AS h WHERE ST_Intersects(ST_Transform(geom, 4547), g) ORDER BY d, id"
        )
    ).all()
    assert pois.count == len(rows) > 3
    assert [f.distance for f in pois.facilities] == pytest.approx([row[2] for row in rows], abs=0.01)
    assert sum(pois.by_category.values()) == pois.count
    assert addresses.count > 0
    assert found.area == pytest.approx(city.execute(text(f"SELECT ST_Area({GROUND})")).scalar_one(), abs=0.01)


def test_everybody_is_exposed_to_what_covers_the_city(city: Connection) -> None:
    found = exposure(city, EZHOU, spot(shapely.box(114.5, 30.1, 115.3, 30.7)), 0.0, ())
    everybody = city.execute(
        text("SELECT sum(population) FROM city.admin_areas WHERE level = 'community'")
    ).scalar_one()
    assert found.people is not None and found.people.people == pytest.approx(everybody, abs=1)


def test_hazard_of_a_layer_and_what_is_wrong(city: Connection) -> None:
    schools = exposure(city, EZHOU, LayerFeatures("pois", "kind = '中小学'"), 100.0, (), communities=None)
    assert schools.people is None and schools.buildings is not None and schools.buildings.by_use.get("school", 0) > 0
    with pytest.raises(AnalysisError, match="give a 'distance'"):
        exposure(city, EZHOU, spot(shapely.Point(114.9, 30.4)), 0.0)
    with pytest.raises(AnalysisError, match="input 'hazard' has no features"):
        exposure(city, EZHOU, LayerFeatures("pois", "kind = 'volcano'"))
