"""Buffer, overlay and nearest against PostGIS and geopandas on the sample city."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, create_engine, text

from layers.analysis.answers import FeatureAnswer
from layers.analysis.errors import AnalysisError, TooMuch
from layers.analysis.features import InlineFeature, InlineFeatures, LayerFeatures, load_features
from layers.analysis.nearest import nearest_straight
from layers.analysis.overlay import joined_properties
from layers.analysis.overlay import overlay as lay
from layers.analysis.processes import buffer, nearest, overlay
from layers.cql2 import Cql2Error
from layers.database import psycopg2_url
from layers.processing import CityCrs, FileResult, Workspace

EZHOU = CityCrs(4547, frozenset({4547, 4490}))
SCHOOLS = LayerFeatures("pois", "category = 'education'")


@pytest.fixture(scope="module")
def city(city_database: str) -> Iterator[Connection]:
    engine = create_engine(psycopg2_url(city_database))
    with engine.connect() as conn:
        yield conn
    engine.dispose()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def inline(*shapes: Any, **values: Any) -> InlineFeatures:
    return InlineFeatures(
        "FeatureCollection",
        tuple(
            InlineFeature("Feature", orjson.loads(shapely.to_geojson(shape)), {k: v[i] for k, v in values.items()}, i)
            for i, shape in enumerate(shapes)
        ),
    )


def shapes_of(answer: Any) -> gpd.GeoDataFrame:
    assert isinstance(answer, FeatureAnswer)
    return gpd.GeoDataFrame.from_features(answer.features, crs=4326).set_crs(4490, allow_override=True)


def test_buffers_are_those_of_postgis(city: Connection, workspace: Workspace) -> None:
    found = shapes_of(buffer(city, EZHOU, workspace, SCHOOLS, 150.0))
    rows = city.execute(
        text(
            "SELECT id, ST_AsText(b), ST_Area(b) FROM (SELECT id, ST_Buffer(ST_Transform(geom, 4547), 150, 'quad_segs=16')"
            " AS b FROM city.pois WHERE category = 'education' ORDER BY id) AS s"
        )
    ).all()
    assert found["id"].tolist() == [row[0] for row in rows] and len(rows) > 5
    assert found["area"].to_numpy() == pytest.approx([row[2] for row in rows], abs=0.001)
    ours = found.to_crs(4547).geometry
    for shape, row in zip(ours, rows, strict=True):
        assert shapely.hausdorff_distance(shape, shapely.from_wkt(row[1])) < 0.02
    assert set(found["category"]) == {"education"}


def test_dissolved_buffers_are_the_union(city: Connection, workspace: Workspace) -> None:
    found = shapes_of(buffer(city, EZHOU, workspace, SCHOOLS, 400.0, dissolve=True))
    count, area = city.execute(
        text(
            "SELECT ST_NumGeometries(u), ST_Area(u) FROM (SELECT ST_Multi(ST_Union(ST_Buffer(ST_Transform(geom, 4547), 400,"
            " 'quad_segs=16'))) AS u FROM city.pois WHERE category = 'education') AS s"
        )
    ).one()
    assert len(found) == count
    assert found["area"].sum() == pytest.approx(area, rel=1e-9)


def test_buffer_by_a_field_and_inwards(city: Connection, workspace: Workspace) -> None:
    spots = inline(shapely.Point(114.9, 30.4), shapely.Point(114.91, 30.4), reach=[10, 20.5])
    found = shapes_of(buffer(city, EZHOU, workspace, spots, field="reach"))
    circle = 64 / 2 * np.sin(2 * np.pi / 64)
    assert found["area"].tolist() == pytest.approx([circle * 100, circle * 20.5**2], rel=1e-6)
    lot = inline(shapely.box(114.9, 30.4, 114.901, 30.401), shapely.box(114.9, 30.4, 114.90001, 30.40001))
    assert len(shapes_of(buffer(city, EZHOU, workspace, lot, -10.0))) == 1  # nothing is left of the small one
    with pytest.raises(AnalysisError, match="'reach' of feature 0 is no number: 'far'"):
        buffer(city, EZHOU, workspace, inline(shapely.Point(114.9, 30.4), reach=["far"]), field="reach")
    with pytest.raises(AnalysisError, match="one of the inputs 'distance' and 'field'"):
        buffer(city, EZHOU, workspace, lot)


def areas(seed: int, count: int) -> gpd.GeoDataFrame:
    """Random quadrangles within some 2 km, of which some touch, and one contains another."""
    draw = random.Random(seed)
    found = [shapely.box(114.905, 30.405, 114.906, 30.406), shapely.box(114.904, 30.404, 114.907, 30.407)]
    for _ in range(count):
        x, y = 114.9 + draw.uniform(0, 0.02), 30.4 + draw.uniform(0, 0.02)
        found.append(shapely.box(x, y, x + draw.uniform(0.001, 0.004), y + draw.uniform(0.001, 0.004)))
    return gpd.GeoDataFrame({"name": [f"{seed}-{i}" for i in range(len(found))]}, geometry=found, crs=4490)


@pytest.mark.parametrize("how", ["intersection", "union", "difference", "symmetric-difference"])
def test_overlays_are_those_of_geopandas(city: Connection, workspace: Workspace, how: Any) -> None:
    one, two = areas(1, 40), areas(2, 30)
    sources = [inline(*frame.geometry, name=frame["name"].tolist()) for frame in (one, two)]
    found = shapes_of(overlay(city, EZHOU, workspace, *sources, how))
    theirs = gpd.overlay(one.to_crs(4547), two.to_crs(4547), how=how.replace("-", "_"), keep_geom_type=True)
    first = "name_1" if "name_1" in theirs else "name"
    ours = {(row["name"], row["name_2"]): row["area"] for _, row in found.iterrows()} if "name_2" in found else {}
    assert len(found) == len(theirs)
    expected = {(row[first], row.get("name_2")): row.geometry.area for _, row in theirs.iterrows()}
    assert {tuple(map(blank, key)) for key in ours} == {tuple(map(blank, key)) for key in expected}
    ours, expected = ({tuple(map(blank, k)): v for k, v in d.items()} for d in (ours, expected))
    for key, area in expected.items():
        assert ours[key] == pytest.approx(area, abs=0.01), key


def blank(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def test_overlay_of_layers_and_clip_are_postgis(city: Connection, workspace: Workspace) -> None:
    box = (114.89, 30.39, 114.91, 30.41)
    land, water = LayerFeatures("land-use", None, box), LayerFeatures("water", None, box)
    found = shapes_of(overlay(city, EZHOU, workspace, land, water, "intersection"))
    query = (
        "SELECT l.id, w.id, ST_Area(ST_CollectionExtract(ST_Intersection(l.g, w.g), 3)) FROM"
        " (SELECT id, ST_Transform(geom, 4547) AS g FROM city.land_use WHERE ST_Intersects(geom, ST_MakeEnvelope(:a, :b, :c, :d, 4490))) AS l"
        " JOIN (SELECT id, ST_Transform(geom, 4547) AS g FROM city.water WHERE ST_Intersects(geom, ST_MakeEnvelope(:a, :b, :c, :d, 4490))) AS w"
        " ON ST_Intersects(l.g, w.g)"
    )
    theirs = {(a, b): area for a, b, area in city.execute(text(query), dict(zip("abcd", box, strict=True)))}
    ours = {(row["id"], row["id_2"]): row["area"] for _, row in found.iterrows()}
    theirs = {pair: area for pair, area in theirs.items() if area > 0.01}
    assert {pair for pair, area in ours.items() if area > 0.01} == set(theirs)
    assert sum(ours.values()) == pytest.approx(sum(theirs.values()), rel=1e-6)
    roads = LayerFeatures("roads", "class = 'primary'")
    lot = inline(shapely.box(*box), shapely.box(114.9, 30.4, 114.95, 30.42))  # they overlap: a road counts once
    clipped = shapes_of(overlay(city, EZHOU, workspace, roads, lot, "clip"))
    expected = city.execute(
        text(
            "SELECT sum(ST_Length(ST_Intersection(ST_Transform(geom, 4547), u))) FROM city.roads, (SELECT ST_Union("
            "ST_Transform(ST_MakeEnvelope(:a, :b, :c, :d, 4490), 4547), ST_Transform(ST_MakeEnvelope(114.9, 30.4, 114.95, 30.42,"
            " 4490), 4547)) AS u) AS s WHERE class = 'primary'"
        ),
        dict(zip("abcd", box, strict=True)),
    ).scalar_one()
    assert clipped["length"].sum() == pytest.approx(expected, rel=1e-6)
    assert set(clipped["class"]) == {"primary"}


def test_invalid_and_mixed_input_is_repaired_or_named(city: Connection, workspace: Workspace) -> None:
    bow = shapely.Polygon([(114.9, 30.4), (114.901, 30.401), (114.901, 30.4), (114.9, 30.401)])
    box = inline(shapely.box(114.9, 30.4, 114.902, 30.402))
    [piece] = overlay(city, EZHOU, workspace, inline(bow), box).features  # type: ignore[union-attr]
    assert piece["properties"]["area"] == pytest.approx(96 * 111 / 2, rel=0.02)
    with pytest.raises(AnalysisError, match="input 'other' has features that are no areas"):
        overlay(city, EZHOU, workspace, box, inline(shapely.Point(114.9, 30.4)))
    with pytest.raises(AnalysisError, match="the union is of areas"):
        overlay(city, EZHOU, workspace, inline(shapely.Point(114.9, 30.4)), box, "union")
    with pytest.raises(AnalysisError, match="input 'features': coordinates are longitude and latitude"):
        overlay(city, EZHOU, workspace, inline(shapely.Point(586489, 3364799)), box)
    with pytest.raises(AnalysisError, match="the geometry of feature 1 is no GeoJSON geometry"):
        wrong = InlineFeatures("FeatureCollection", (InlineFeature("Feature", {"type": "Point", "coordinates": "x"}),))
        overlay(city, EZHOU, workspace, wrong, box)
    flat = inline(shapely.Polygon([(114.9, 30.4), (114.91, 30.4), (114.9, 30.4)]))
    with pytest.raises(AnalysisError, match="feature 1 is no GeoJSON geometry, or empty"):
        overlay(city, EZHOU, workspace, flat, box)
    with pytest.raises(Cql2Error, match=r"input 'features\.filter'"):
        overlay(city, EZHOU, workspace, LayerFeatures("pois", "category ="), box)


def test_what_is_large_becomes_a_file(city: Connection, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.analysis.answers.MAX_FEATURES", 3)
    with pytest.raises(TooMuch, match="set 'file' and send Prefer: respond-async"):
        buffer(city, EZHOU, workspace, SCHOOLS, 10.0)
    found = buffer(city, EZHOU, workspace, SCHOOLS, 10.0, file=True)
    assert isinstance(found, FileResult)
    frame = gpd.read_file(found.path)
    assert len(frame) == city.execute(text("SELECT count(*) FROM city.pois WHERE category = 'education'")).scalar_one()
    monkeypatch.setattr("layers.analysis.features.MAX_FEATURES", 2)
    with pytest.raises(TooMuch, match="input 'features': more than 2 features of 'pois'"):
        buffer(city, EZHOU, workspace, SCHOOLS, 10.0)


@pytest.mark.parametrize("count", [1, 3])
def test_nearest_is_postgis_knn(city: Connection, count: int) -> None:
    found = nearest(city, EZHOU, SCHOOLS, LayerFeatures("pois", "category = 'health'"), count, 3000.0)
    rows = city.execute(
        text(
            "SELECT s.id, h.id, ST_Distance(ST_Transform(s.geom, 4547), ST_Transform(h.geom, 4547)) AS d FROM city.pois AS s"
            " JOIN city.pois AS h ON h.category = 'health' WHERE s.category = 'education' ORDER BY 1, 3, 2"
        )
    ).all()
    expected: dict[int, list[Any]] = {}
    for school, place, distance in rows:
        if distance <= 3000 and len(expected.setdefault(school, [])) < count:
            expected[school].append((place, distance))
    assert {row.id for row in found} == {row[0] for row in rows}
    for row in found:
        theirs = expected.get(int(row.id or 0), [])
        assert [n.distance for n in row.nearest] == pytest.approx([d for _, d in theirs], abs=0.001)


def test_nearest_by_road_is_longer_than_straight_and_as_the_network_says(city: Connection) -> None:
    health = LayerFeatures("pois", "category = 'health'")
    straight = nearest(city, EZHOU, SCHOOLS, health, 100, 4000.0)
    by_road = nearest(city, EZHOU, SCHOOLS, health, 2, 4000.0, "length", "walk")
    known = {(row.id, n.id): n.distance for row in straight for n in row.nearest}
    compared = 0
    for row in by_road:
        assert [n.distance for n in row.nearest] == sorted(n.distance or 0 for n in row.nearest)
        for n in row.nearest:
            if (row.id, n.id) in known:
                compared += 1
                assert (n.distance or 0) >= (known[row.id, n.id] or 0) - 400  # both ends may lie beside the road
    assert compared > 3
    assert any(n.seconds for row in nearest(city, EZHOU, SCHOOLS, health, 1, 600.0, "time") for n in row.nearest)


def test_nearest_of_none_is_none() -> None:
    found = nearest_straight(np.array([shapely.Point(0, 0)]), np.array([], dtype=object), 3, 10.0)
    assert len(found.of) == 0


def test_layer_is_read_with_the_rights_of_who_asks(city: Connection) -> None:
    from layers.access import Principal
    from layers.database import acting_as
    from layers.registry import LayerNotFound

    with city.begin_nested() as savepoint:
        city.execute(text("UPDATE citymap.layers SET visibility = 'internal' WHERE id = 'pois'"))
        city.execute(text("SET LOCAL ROLE citymap_app"))
        city.execute(
            text("SELECT set_config('citymap.grants', :grants, true)"), {"grants": acting_as(Principal())["grants"]}
        )
        with pytest.raises(LayerNotFound):
            load_features(city, SCHOOLS, "features", 4547)
        savepoint.rollback()


def test_pieces_without_either_feature_have_its_attributes_empty() -> None:
    from layers.analysis.features import Features

    def made(*boxes: Any, **values: Any) -> Features:
        shapes = np.empty(len(boxes), dtype=object)
        shapes[:] = boxes
        told = [{k: v[i] for k, v in values.items()} for i in range(len(boxes))]
        return Features(list(range(len(boxes))), shapes, told, 4547)

    one, two = made(shapely.box(0, 0, 2, 2), a=[1]), made(shapely.box(1, 0, 3, 2), a=[7], b=["x"])
    pieces = lay(one, two, "union")
    assert sorted((p["a"] or 0, p["a_2"] or 0, p["b"] or "") for p in joined_properties(one, two, pieces)) == [
        (0, 7, "x"), (1, 0, ""), (1, 7, "x"),
    ]  # fmt: skip
