"""Queries as people write them, and the one feature that each means."""

import pytest
from sqlalchemy import Connection, text

from layers.gazetteer.geocoding import geocode
from layers.gazetteer.model import Point
from layers.registry import load_layers
from tests.layers.gazetteer.conftest import Find

MEANT = {
    # road and number
    "武昌大道12号": ("武昌大道12号", 1.0),
    "武昌大道１２号": ("武昌大道12号", 1.0),
    "武昌大道 12 号": ("武昌大道12号", 1.0),
    "武昌大道12": ("武昌大道12号", 1.0),
    "武昌大道十二号": ("武昌大道12号", 1.0),
    "武昌大道一百二十号": ("武昌大道120号", 1.0),
    "武昌大道12號": ("武昌大道12号", 1.0),
    "武昌大道12号3栋": ("武昌大道12号3栋", 1.0),
    "武昌大道12号三栋": ("武昌大道12号3栋", 1.0),
    "鹤庆路358弄81号": ("鹤庆路358弄81号", 1.0),
    "81 鹤庆路358弄": ("鹤庆路358弄81号", 1.0),
    "文苑路7-1号": ("鄂州市鄂城区文苑路7-1号", 0.5),
    "12 Renmin West Road": ("12 Renmin West Road", 1.0),
    "Renmin West Road 12": ("12 Renmin West Road", 1.0),
    # areas before it, known or not, whole or shortened
    "鄂州市鄂城区凤凰街道武昌大道12号": ("武昌大道12号", 1.0),
    "湖北省鄂州市鄂城区武昌大道14号": ("武昌大道14号", 0.8),
    "鄂城武昌大道14号": ("武昌大道14号", 1.0),
    "鄂城区,武昌大道14号": ("武昌大道14号", 1.0),
    "Bank of China, Echeng District, Ezhou City": ("中国银行", 1.0),
    "12 Renmin West Road, Echeng District": ("12 Renmin West Road", 1.0),
    # whole names, in both languages
    "鄂州市中心医院": ("鄂州市中心医院", 1.0),
    "ezhou central hospital": ("鄂州市中心医院", 1.0),
    "梁子湖": ("梁子湖", 1.0),
    "KFC凤凰店": ("KFC（凤凰店）", 1.0),
    "kfc": ("KFC（凤凰店）", 0.7),
    "莲花山庄": ("滨湖东路8号", 0.9),
    # parts, abbreviations, more than the name
    "中心医院": ("鄂州市中心医院", 0.6),
    "鄂州一中": ("鄂州市第一中学", 0.5),
    "鄂州市一中": ("鄂州市第一中学", 0.9),
    "鄂州市3小": ("鄂州市第三小学", 0.9),
    "鄂州市政府": ("鄂州市人民政府", 0.9),
    "3山湖": ("三山湖", 0.9),
    "鄂州市中心医院急诊楼门口": ("鄂州市中心医院", 0.6),
    # pinyin and initials
    "liangzihu": ("梁子湖", 0.95),
    "liang zi hu": ("梁子湖", 0.95),
    "Liángzǐ Hú": ("梁子湖", 0.95),
    "liangz": ("梁子湖", 0.7),
    "lzh": ("梁子湖", 0.7),
    "ezws": ("鄂州武术学校", 0.5),
    "ezszxyy": ("鄂州市中心医院", 0.7),
    "zxyy": ("鄂州市中心医院", 0.4),
    "zhongxinyiyuan": ("鄂州市中心医院", 0.5),
    "changjiangdajiudian": ("长江大酒店", 0.95),
    # mistakes
    "粱子湖": ("梁子湖", 0.8),  # sounds the same
    "鄂州市忠心医院": ("鄂州市中心医院", 0.8),
    "梁子胡": ("梁子湖", 0.8),
    "鄂州市中心医完": ("鄂州市中心医院", 0.7),
    "鄂州市中医院": ("鄂州市中心医院", 0.7),
    "鄂州市中中心医院": ("鄂州市中心医院", 0.7),
    "鄂州市心中医院": ("鄂州市中心医院", 0.7),
    "三人湖": ("三山湖", 0.5),
    "武昌大到12号": ("武昌大道12号", 0.8),
    "liangzehu": ("梁子湖", 0.5),
    "Ezhou Centrel Hospital": ("鄂州市中心医院", 0.7),
    "長江大酒店": ("长江大酒店", 0.8),  # traditional characters
}


@pytest.mark.parametrize("query", MEANT)
def test_the_feature_that_is_meant_comes_first(find: Find, query: str) -> None:
    answers = find(query)
    name, score = MEANT[query]
    assert answers, "nothing found"
    assert answers[0].name == name, [(a.name, a.score, a.match.how) for a in answers]
    assert score <= answers[0].score <= 1
    if score == 1.0:
        assert answers[0].match.how in ("exact", "pinyin")


@pytest.mark.parametrize(("query", "district"), [
    ("华容区武昌大道12号", "华容区"), ("鄂城区武昌大道12号", "鄂城区"), ("华容区中国银行", "华容区"),
    ("鄂城中国银行", "鄂城区"), ("Bank of China, Huarong District", "华容区"),
])  # fmt: skip
def test_the_area_that_is_named_decides_between_namesakes(find: Find, query: str, district: str) -> None:
    first, *others = find(query)
    assert district in [area.name for area in first.areas]
    assert first.match.area == "inside"
    assert all(other.score < first.score for other in others if district not in [area.name for area in other.areas])


def test_a_missing_number_gives_the_nearest_one_and_says_so(find: Find) -> None:
    first = find("武昌大道118号")[0]
    assert first.name == "武昌大道120号"
    assert first.score < 0.6
    assert first.match.number == "nearest"
    assert first.match.reason.zh == "名称相同；无118号，最近的是120号"
    assert first.match.reason.en == "same name; no number 118, the nearest is 120"


def test_a_number_is_not_the_beginning_of_another(find: Find) -> None:
    answers = find("武昌大道1号")
    assert {a.match.number for a in answers} == {"nearest"}
    assert {a.name for a in find("武昌大道12号") if a.match.number == "same"} == {"武昌大道12号", "武昌大道12号3栋"}


def test_answers_tell_where_they_lie_and_why(find: Find) -> None:
    first = find("鄂州市中心医院")[0]
    assert (first.layer, first.match.how, first.match.field, first.match.text) == (
        "pois",
        "exact",
        "name",
        "鄂州市中心医院",
    )
    assert first.point == Point(114.91, 30.41)
    assert [(area.name, area.level) for area in first.areas] == [
        ("鄂州市", "city"), ("鄂城区", "district"), ("凤凰街道", "street"), ("凤凰社区", "community"),
    ]  # fmt: skip
    assert first.grid is None


def test_only_the_chosen_layers_are_searched(find: Find) -> None:
    assert {a.layer for a in find("鄂州", searched=("places",))} == {"places"}
    assert {a.layer for a in find("鄂州", searched=("pois",))} == {"pois"}
    assert find("鄂州", searched=()) == []


def test_the_nearer_of_namesakes_comes_first(find: Find) -> None:
    for lon in (114.71, 114.91):
        assert find("中国银行", near=Point(lon, 30.41))[0].point.lon == pytest.approx(lon, abs=0.01)


def test_never_more_than_the_limit(find: Find) -> None:
    for limit in (1, 2, 5):
        assert len(find("鄂州", limit)) == limit


def test_nothing_is_better_than_chance(find: Find) -> None:
    for query in ("乌鲁木齐", "qqqqxxzz", "Reykjavik Harbour", "！！！", "号", "   "):
        assert find(query) == [], query


def test_aliases_are_names_too(gazetteer: Connection) -> None:
    layers = load_layers(gazetteer)
    if layers["places"].field("alias") is None:
        pytest.fail("layer places has no field alias")
    gazetteer.execute(text("UPDATE city.places SET alias = ARRAY['樊川', '武昌门户'] WHERE name = '樊口'"))
    for query in ("樊川", "武昌门户", "fanchuan"):
        first = geocode(gazetteer, layers, query)[0]
        assert (first.name, first.match.field) == ("樊口", "alias")


def test_the_grid_cell_is_told_where_there_is_such_a_layer(gazetteer: Connection) -> None:
    from layers.catalogue import Field, Layer, Text
    from layers.registry import create_layer

    if "grid-cells" not in load_layers(gazetteer):
        create_layer(gazetteer, Layer(
            id="grid-cells", title=Text("单元网格", "Unit grid"), description=Text("", ""), geometry_type="MultiPolygon",
            fields=(Field("code", "string", Text("标识码", "Code"), role="title"),)))  # fmt: skip
        gazetteer.execute(
            text("""
            INSERT INTO city.grid_cells (geom, code)
            VALUES (ST_Multi(ST_MakeEnvelope(114.909, 30.409, 114.911, 30.411, 4490)), '420704001001001')""")
        )
        found = geocode(gazetteer, load_layers(gazetteer), "鄂州市中心医院")[0].grid
        assert found is not None
        assert found.name == "420704001001001"
