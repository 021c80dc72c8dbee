"""CQL2 text and JSON: what is read, what is refused, and that refusing is quick."""

import json
import time

import pytest

from layers.cql2 import Cql2Error, parse

TEXT = "cql2-text"
JSON = "cql2-json"


@pytest.mark.parametrize(
    ("text", "args"),
    [
        (r"a = 'it\'s'", [{"property": "a"}, "it's"]),
        ("a = 'it''s'", [{"property": "a"}, "it's"]),
        ("a = .5", [{"property": "a"}, 0.5]),
        ("a = 9007199254740993", [{"property": "a"}, 9007199254740993]),
        ("_x = 1", [{"property": "_x"}, 1]),
        (":x = 1", [{"property": ":x"}, 1]),
        ("名称 = '城关'", [{"property": "名称"}, "城关"]),
        ("a\u3000=\u00a01", [{"property": "a"}, 1]),
        ("division = notable", [{"property": "division"}, {"property": "notable"}]),
        ("point = 1", [{"property": "point"}, 1]),
        ("date = DATE('2024-01-01')", [{"property": "date"}, {"date": "2024-01-01"}]),
        ("a_equals(a, ())", [{"property": "a"}, []]),
        ("a = -1e3", [{"property": "a"}, -1000]),
        ("s_within(geom, POINT(-1.5e1 +2))",
         [{"property": "geom"}, {"type": "Point", "coordinates": [-15, 2]}]),
        ("s_within(geom, POINT Z (1E-2 .5 3))",
         [{"property": "geom"}, {"type": "Point", "coordinates": [0.01, 0.5, 3]}]),
        ("a = - 2 - -3", [{"property": "a"}, {"op": "-", "args": [-2, -3]}]),
        ("NOT - 2.5 < a", [{"op": "<", "args": [-2.5, {"property": "a"}]}]),
        ("now() > a", [{"op": "now", "args": []}, {"property": "a"}]),
    ],
)  # fmt: skip
def test_text_of_the_standards_grammar_is_read(text: str, args: list[object]) -> None:
    expression = parse(text, TEXT)
    assert isinstance(expression, dict)
    assert expression["args"] == args


def test_integers_stay_exact_in_json() -> None:
    expression = parse('{"op": "=", "args": [{"property": "a"}, 9007199254740993]}', JSON)
    assert expression == {"op": "=", "args": [{"property": "a"}, 9007199254740993]}


def test_a_dict_is_read_like_its_json() -> None:
    expression = {"op": "=", "args": [{"property": "a"}, 1]}
    assert parse(expression, JSON) == expression


@pytest.mark.parametrize("text", ["true", "TRUE OR a = 1", "a = 12345678901234567890123", "a = 1e300"])
def test_what_is_parsed_can_be_written_as_json_again(text: str) -> None:
    import orjson

    assert orjson.loads(orjson.dumps(parse(text, TEXT))) == parse(text, TEXT)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1 and", "ends too early"),
        ("a = 1\n  and b ~ 2", "line 2, column 9"),
        ("a = 'x", "line 1, column 5"),
        ("a = (1 + 2", "1 '(' open"),
        ("a = 1)", "line 1, column 6"),
        ("_long_name = = 1", "line 1, column 14"),
        ("a division = 1", "line 1, column 3"),
        ("", "ends too early"),
        ("a; DROP TABLE x", "line 1, column 2"),
        ("a = 1e999", "too large"),
        ("a = 'x\0'", "control character"),
        ('"\x01" = 1', "control character"),
        ("'just a text'", "bare value"),
        ("s_within(geom, POINT EMPTY)", "not valid CQL2 text"),
        ("s_within(geom, POINT(1e99 1))", "column 22"),
    ],
)
def test_malformed_text_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(Cql2Error) as error:
        parse(text, TEXT)
    assert place in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "null", '{"op": 1}', '{"op": "=", "args": "x"}', '{"op":"=","args":[{"property":"a"},NaN]}',
     '{"op":"=","args":[{"property":"a"},1e999]}', r'{"op":"=","args":[{"property":"a"},"\u0000"]}',
     r'{"op":"=","args":[{"property":"a"},"\ud800"]}', '{"filter": true}'],
)  # fmt: skip
def test_malformed_json_is_refused(text: str) -> None:
    pytest.raises(Cql2Error, parse, text, JSON)


def test_other_languages_and_encodings_are_refused() -> None:
    pytest.raises(Cql2Error, parse, "a = 1", "ecql").match("not offered")
    pytest.raises(Cql2Error, parse, b"\xff\xfe", TEXT).match("UTF-8")
    pytest.raises(Cql2Error, parse, {"op": "="}, TEXT).match("cql2-json")
    pytest.raises(Cql2Error, parse, {"op": {1, 2}}, JSON).match("plain JSON")


def nested_dict(depth: int) -> dict[str, object]:
    expression: dict[str, object] = {"op": "isNull", "args": [{"property": "a"}]}
    for _ in range(depth):
        expression = {"op": "not", "args": [expression]}
    return expression


# Each of these stopped the process, or the processor for seconds to years, when given to the parser as it is.
BOMBS = {
    "not": "NOT " * 30_000 + "a = 1",
    "minus": "a = " + "- " * 30_000 + "1",
    "comparisons": "a = " * 20_000 + "a",
    "likes": "a LIKE " * 10_000 + "'x'",
    "powers": "a = " + "b ^ " * 20_000 + "1",
    "parentheses": "(" * 50_000 + "a = 1" + ")" * 50_000,
    "malformed parentheses": "(" * 30 + "a b" + ")" * 30,
    "malformed alternatives": "(a = 1 OR b IN (" * 15 + "a b" + "))" * 15,
    "malformed polygon": "S_INTERSECTS(geom, POLYGON" + "(" * 28 + "0 0" + ")" * 28 + ")",
    "malformed wide": "(" * 9 + "a = 1 AND b = 2 OR " * 90 + "a b" + ")" * 9,
    "list": "a IN (" + ",".join(["1"] * 45_000) + ")",
    "line": "S_INTERSECTS(geom, LINESTRING(" + ",".join(["1 2"] * 24_000) + "))",
    "digits": "a = " + "9" * 90_000,
    "quotes": "'" * 99_999,
    "backslashes": "'" + "\\" * 99_990,
    "size": "a = '" + "x" * 200_000 + "'",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_text_bomb_is_refused_quickly(name: str) -> None:
    started = time.process_time()
    pytest.raises(Cql2Error, parse, BOMBS[name], TEXT)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "bomb",
    [
        '{"op":"not","args":[' * 4_000 + "true" + "]}" * 4_000,
        '{"op":"=","args":[' + "[" * 40_000 + "]" * 40_000 + "]}",
        json.dumps({"op": "in", "args": [{"property": "a"}, [1] * 20_000]}),
        json.dumps({"op": "or", "args": [{"op": "isNull", "args": [{"property": "a"}]}] * 1_500}),
        '{"op":"=","args":[{"property":"a"},' + "9" * 90_000 + "]}",
    ],
    ids=["operations", "arrays", "list", "alternatives", "digits"],
)
def test_a_json_bomb_is_refused_quickly(bomb: str) -> None:
    started = time.process_time()
    pytest.raises(Cql2Error, parse, bomb, JSON)
    assert time.process_time() - started < 2


def test_a_deep_dict_is_refused() -> None:
    pytest.raises(Cql2Error, parse, nested_dict(40), JSON).match("nested")
    pytest.raises(Cql2Error, parse, nested_dict(5_000), JSON).match("nested")


def test_ordinary_nesting_passes() -> None:
    text = "a = 1"
    for i in range(10):
        text = f"({text}) AND b = {i}"
    assert parse(text, TEXT)
    assert parse(nested_dict(25), JSON)
