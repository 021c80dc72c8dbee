"""The sample city is a city: complete, without contradictions, and the same every time."""

import csv
import hashlib
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, text

from layers.base_layers import BASE_LAYERS
from layers.pipes.layers import PIPE_LAYERS
from layers.sample_city import generate
from layers.sample_city.city import SampleCityError

LAYERS = {layer.id: layer for layer in (*BASE_LAYERS, *PIPE_LAYERS)}
LAND_USE_CSV = Path(__file__).parents[3] / "shared" / "domain" / "landuse_2023.csv"
#: Storey heights that each use may have [m].
STOREYS = {"residential": (2.8, 3.3), "office": (3.4, 4.3), "commercial": (3.4, 5.1), "industrial": (4.7, 6.1),
           "warehouse": (8.9, 9.1)}


def city(buildings: int, seed: int) -> dict[str, gpd.GeoDataFrame]:
    frames: dict[str, list[gpd.GeoDataFrame]] = {}
    for layer, frame in generate(buildings, seed):
        frames.setdefault(layer, []).append(frame)
    return {layer: pd.concat(parts, ignore_index=True) for layer, parts in frames.items()}


@pytest.fixture(scope="module", params=[(3000, 1), (7000, 5)], ids=["3000", "7000"])
def town(request: pytest.FixtureRequest) -> dict[str, gpd.GeoDataFrame]:
    return city(*request.param)


@pytest.fixture(scope="module")
def metres(town: dict[str, gpd.GeoDataFrame]) -> dict[str, gpd.GeoDataFrame]:
    return {layer: frame.to_crs(4547) for layer, frame in town.items()}


def digest(buildings: int, seed: int) -> str:
    total = hashlib.sha256()
    for layer, frame in generate(buildings, seed):
        total.update(layer.encode())
        for shape in shapely.to_wkb(frame.geometry.to_numpy()):
            total.update(shape)
        total.update(frame.drop(columns="geom").to_csv().encode())
    return total.hexdigest()


def test_layers_come_in_drawing_order_with_the_declared_columns() -> None:
    seen = []
    for layer, frame in generate(800, 3):
        if layer not in seen:
            seen.append(layer)
        assert list(frame.drop(columns="geom").columns) == [field.name for field in LAYERS[layer].fields]
        assert frame.crs.to_epsg() == 4490
        assert set(frame.geom_type) == {LAYERS[layer].geometry_type}
        assert (frame["source"] == "示范城市").all()
    assert seen == list(LAYERS)


@pytest.mark.parametrize("wanted", [1, 777, 9001])
def test_there_are_exactly_as_many_buildings_as_asked_for(wanted: int) -> None:
    assert sum(len(frame) for layer, frame in generate(wanted, 2) if layer == "buildings") == wanted


@pytest.mark.parametrize(("wanted", "seed"), [(0, 1), (-5, 1), (2_000_001, 1), (10, -1)])
def test_an_impossible_city_is_refused_before_anything_is_made(wanted: int, seed: int) -> None:
    with pytest.raises(SampleCityError, match="ask for 1 to 2000000 buildings"):
        generate(wanted, seed)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_city() -> None:
    assert digest(1500, 4) == digest(1500, 4)
    assert digest(1500, 4) != digest(1500, 5)


def test_buildings_come_in_batches_whose_identifiers_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.sample_city.city.BATCH", 400)
    frames = [frame for layer, frame in generate(1000, 1) if layer == "buildings"]
    assert [len(frame) for frame in frames] == [400, 400, 200]
    assert list(pd.concat(frames)["source_id"]) == [f"b-{number:06d}" for number in range(1, 1001)]


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    list(generate(500, 1, lambda what, share: told.append(share)))
    assert told == sorted(told) and told[0] == 0.0 and told[-1] == 1.0


def test_all_geometry_is_valid_and_near_the_city_of_the_request(town: dict[str, gpd.GeoDataFrame]) -> None:
    for layer, frame in town.items():
        assert frame.geometry.is_valid.all(), layer
        assert not frame.geometry.is_empty.any(), layer
        west, south, east, north = frame.total_bounds
        assert 114.7 < west < east < 115.1 and 30.2 < south < north < 30.6


def test_coded_values_lie_in_their_domains_and_keys_are_unique(town: dict[str, gpd.GeoDataFrame]) -> None:
    for layer, frame in town.items():
        assert frame["source_id"].is_unique
        for field in LAYERS[layer].fields:
            if field.domain:
                assert set(frame[field.name].astype(str)) <= set(field.domain), (layer, field.name)


def test_children_tile_their_parents_without_gap_or_overlap(town: dict[str, gpd.GeoDataFrame]) -> None:
    areas = town["admin-areas"]
    for level, digits in (("city", 4), ("district", 6), ("street", 9), ("community", 12)):
        mine = areas[areas["level"] == level]
        assert mine["code"].str.fullmatch(rf"\d{{{digits}}}").all() and len(mine)
        assert mine["code"].is_unique
        assert shapely.coverage_is_valid(mine.geometry.to_numpy())
    for parent in areas[areas["level"] != "community"].itertuples():
        children = areas[areas["parent"] == parent.code]
        assert children["code"].str.startswith(parent.code).all()
        assert children["population"].sum() == parent.population
        assert shapely.coverage_union_all(children.geometry.to_numpy()).equals(parent.geom)


def test_codes_of_a_large_city_tell_streets_from_towns() -> None:
    areas = next(frame for layer, frame in generate(120_000, 1) if layer == "admin-areas")
    assert areas["code"].is_unique
    streets = areas[areas["level"] == "street"]
    number = streets["code"].str[6:].astype(int)
    urban = streets["name"].str.endswith("街道")
    assert number[urban].between(1, 99).all() and number[~urban].between(100, 199).all()


def test_postgis_finds_the_districts_area_equal_to_the_citys(
    conn: Connection, town: dict[str, gpd.GeoDataFrame]
) -> None:
    areas = town["admin-areas"]
    rows = [{"level": a.level, "wkb": shapely.to_wkb(a.geom)} for a in areas.itertuples()]
    conn.execute(text("CREATE TEMP TABLE area (level text, geom geometry(MultiPolygon, 4490)) ON COMMIT DROP"))
    conn.execute(text("INSERT INTO area VALUES (:level, ST_GeomFromWKB(:wkb, 4490))"), rows)
    sums = text("SELECT level, sum(ST_Area(ST_Transform(geom, 4547))) AS area FROM area GROUP BY level")
    measured = {row.level: row.area for row in conn.execute(sums)}
    for level in ("district", "street", "community"):
        assert measured[level] == pytest.approx(measured["city"], rel=1e-9)


def test_roads_are_one_network_joined_at_shared_end_points(town: dict[str, gpd.GeoDataFrame]) -> None:
    lines = town["roads"].geometry.to_numpy()
    ends = np.stack([shapely.get_coordinates(shapely.get_point(lines, k)) for k in (0, -1)], axis=1)
    _, node = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    parent = list(range(node.max() + 1))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    for a, b in node.reshape(-1, 2).tolist():
        parent[root(a)] = root(b)
    assert len({root(n) for n in range(len(parent))}) == 1


def test_roads_meet_at_end_points_only(metres: dict[str, gpd.GeoDataFrame]) -> None:
    lines = metres["roads"].geometry.to_numpy()
    one, other = shapely.STRtree(lines).query(lines, predicate="intersects")
    pairs = one < other
    met = shapely.intersection(lines[one[pairs]], lines[other[pairs]])
    assert shapely.length(met).max() < 0.001
    where, pair = shapely.get_coordinates(met, return_index=True)
    for side in (lines[one[pairs]], lines[other[pairs]]):
        ends = shapely.boundary(side[pair])
        assert shapely.distance(shapely.points(where), ends).max() < 0.001


def test_roads_cross_water_only_as_bridges_and_bridges_cross_water(metres: dict[str, gpd.GeoDataFrame]) -> None:
    roads, water = metres["roads"], metres["water"]
    wet = gpd.sjoin(roads, water[["geom"]], predicate="intersects").index.unique()
    assert roads.loc[wet, "bridge"].all()
    river = water[water["kind"] == "river"].union_all()
    assert roads[roads["bridge"]].intersects(river).sum() >= 4
    assert roads["bridge"].sum() > roads[roads["bridge"]].intersects(river).sum(), "creeks have bridges too"


def test_one_way_roads_come_in_opposite_pairs(town: dict[str, gpd.GeoDataFrame]) -> None:
    roads = town["roads"]
    dual = roads[(roads["oneway"] != 0) & (roads["class"] == "motorway")]
    assert (dual["oneway"] == 1).sum() > 3 and (dual["oneway"] == -1).sum() > 3
    two_way = roads[roads["class"].isin(["residential", "tertiary"])]
    assert (two_way["oneway"] == 0).all()


def test_buildings_overlap_neither_each_other_nor_roads_nor_water(metres: dict[str, gpd.GeoDataFrame]) -> None:
    shapes = metres["buildings"].geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="intersects")
    assert (one == other).all()
    assert not tree.query(metres["roads"].geometry.to_numpy(), predicate="intersects").size
    assert not tree.query(metres["water"].geometry.to_numpy(), predicate="intersects").size


def test_each_building_lies_in_the_one_community_it_names(town: dict[str, gpd.GeoDataFrame]) -> None:
    communities = town["admin-areas"].query("level == 'community'")[["code", "geom"]]
    joined = gpd.sjoin(town["buildings"], communities, predicate="intersects")
    assert len(joined) == len(town["buildings"])
    assert (joined["admin_code"] == joined["code"]).all()
    within = gpd.sjoin(town["buildings"], communities, predicate="within")
    assert len(within) == len(joined)


def test_heights_follow_floors_and_use(town: dict[str, gpd.GeoDataFrame]) -> None:
    buildings = town["buildings"]
    assert (buildings["floors"] >= 1).all() and buildings["floors"].max() >= 30
    storey = buildings["height"] / buildings["floors"]
    for use, (low, high) in STOREYS.items():
        of = storey[buildings["use"] == use]
        assert len(of) and of.between(low, high).all(), use
    assert buildings["year_built"].between(1600, 2025).all()


def test_the_centre_is_high_and_the_country_low(metres: dict[str, gpd.GeoDataFrame]) -> None:
    buildings = metres["buildings"]
    centre = metres["places"].query("kind == 'city'").geometry.iloc[0]
    far = buildings.geometry.centroid.distance(centre)
    offices = buildings[buildings["use"] == "office"]
    assert far[offices.index].median() < 0.5 * far.median()
    assert buildings["floors"][far > far.quantile(0.95)].median() <= 4


def test_a_larger_city_is_bigger_not_denser() -> None:
    def density(count: int) -> float:
        area = next(frame for layer, frame in generate(count, 1) if layer == "admin-areas").to_crs(4547)
        return count / float(area[area["level"] == "city"].area.iloc[0])

    assert 0.6 < density(40_000) / density(10_000) < 1.7


def test_house_numbers_are_odd_on_one_side_of_the_road_and_even_on_the_other(
    metres: dict[str, gpd.GeoDataFrame],
) -> None:
    addresses, roads = metres["addresses"], metres["roads"]
    assert addresses["number"].str.fullmatch(r"[1-9]\d*号").all()
    assert addresses["postcode"].str.fullmatch(r"\d{6}").all()
    assert addresses["address"].is_unique
    streets = roads[roads["name"].notna() & (roads["class"] == "residential")]
    checked = 0
    for name, parts in streets.groupby("name"):
        mine = addresses[addresses["road"] == name]
        line = shapely.line_merge(shapely.union_all(parts.geometry.to_numpy()))
        if len(mine) < 4 or line.geom_type != "LineString":
            continue
        houses = mine.geometry.to_numpy()
        place = np.clip(shapely.line_locate_point(line, houses), 1, line.length - 1)
        before, behind = (shapely.get_coordinates(shapely.line_interpolate_point(line, place + d)) for d in (-1, 1))
        ahead, away = behind - before, shapely.get_coordinates(houses) - before
        left = ahead[:, 0] * away[:, 1] - ahead[:, 1] * away[:, 0] > 0
        odd = mine["number"].str.removesuffix("号").astype(int).to_numpy() % 2 == 1
        share = max((left == odd).mean(), (left != odd).mean())
        assert share > 0.9, name
        checked += 1
    assert checked > 5


def test_land_use_parcels_do_not_overlap_and_leave_the_roads_free(metres: dict[str, gpd.GeoDataFrame]) -> None:
    parcels = metres["land-use"].geometry.to_numpy()
    one, other = shapely.STRtree(parcels).query(parcels, predicate="intersects")
    pairs = one < other
    shared = shapely.area(shapely.intersection(parcels[one[pairs]], parcels[other[pairs]]))
    assert (shared <= 0.01 * shapely.length(parcels[one[pairs]])).all(), "more than the 0.01 m grid allows"
    main = metres["roads"][metres["roads"]["class"].isin(["trunk", "primary", "secondary"])]
    dry = main[~main["bridge"]].geometry.to_numpy()
    line, parcel = shapely.STRtree(parcels).query(dry, predicate="crosses")
    assert shapely.length(shapely.intersection(dry[line], parcels[parcel])).max(initial=0) < 1.0


def test_land_use_codes_are_of_the_2023_classification(town: dict[str, gpd.GeoDataFrame]) -> None:
    if not LAND_USE_CSV.exists():
        pytest.skip("../shared/domain/landuse_2023.csv is absent")
    with LAND_USE_CSV.open(encoding="utf-8-sig") as file:
        names = {row["code"]: row["name"] for row in csv.DictReader(file)}
    used = town["land-use"][["code", "kind"]].drop_duplicates()
    assert {row.code: row.kind for row in used.itertuples()}.items() <= names.items()


def test_names_are_chinese_with_a_romanisation(town: dict[str, gpd.GeoDataFrame]) -> None:
    for layer in ("admin-areas", "roads", "places"):
        named = town[layer][town[layer]["name"].notna()]
        assert named["name"].map(lambda name: bool(re.fullmatch(r"[\u4e00-\u9fff]+", name))).all()
        assert named["name_en"].map(str.isascii).all()
    places = town["places"].set_index("name")
    assert places.loc["云泽市", "pinyin"] == "Yúnzéshì"
    assert places.loc["云泽市", "name_en"] == "Yunze City"
    assert {"city", "district", "village", "natural", "island"} <= set(places["kind"])
