"""What is hidden is answered as what does not exist: the same status, the same words but the name that was asked for."""

import re
from typing import Any
from uuid import uuid4

import pytest
import requests

from layers.query import SortKey, encode_cursor
from tests.security.rules import PEOPLE, ROWS, seen_fields, seen_rows
from tests.security.secrets_site import JOBS, UPLOADS, SecretsSite

#: A hidden field, and one as long that no layer has.
HIDDEN = {
    "note_sensitive": "note_nonsense_", "note_core": "note_zero", "key_core": "key_zero", "secret_size": "secret_none",
    "secret_time": "secret_noon", "secret_flag": "secret_flat",
}  # fmt: skip
#: Who asks which layer: a public one, one of which all rows are seen, one of which some are.
ASKED = [("anonymous", "open"), ("a-intake-clerk", "inner"), ("b-handler", "cases"), ("a-grid-worker", "visits")]
_VOLATILE = re.compile(r'"timeStamp":"[^"]*"|"requestId":"[^"]*"')
_HEADERS = ("x-request-id", "date", "ratelimit", "ratelimit-policy")
PREDICATES = [
    "{} = 'SECRET'", "{} IS NULL", "{} IS NOT NULL", "{} LIKE 'SECRET%'", "{} > 5", "{} BETWEEN 1 AND 9", "{} IN ('a', 'b')",
    "NOT {} = 1", "{} = true", "name = {}", "lower({}) = 'a'", "1 = 1 OR {} = 'x'", "1 = 2 AND {} = 'x'", "{} + 1 = 2",
    "T_AFTER({}, DATE('2019-03-02'))", "S_INTERSECTS({}, POINT(114.8 30.3))", "A_CONTAINS({}, ('a'))", "casei({}) = 'a'",
    '"{}" = 1', "{}",
]  # fmt: skip
JSON_PREDICATES = [
    '{{"op":"=","args":[{{"property":"{}"}},"x"]}}', '{{"op":"isNull","args":[{{"property":"{}"}}]}}',
    '{{"op":"or","args":[{{"op":"=","args":[1,1]}},{{"op":">","args":[{{"property":"{}"}},5]}}]}}',
]  # fmt: skip
QUERIES: list[dict[str, str]] = [
    *({"filter": predicate} for predicate in PREDICATES),
    *({"filter": predicate, "resulttype": "hits"} for predicate in PREDICATES[:3]),
    *({"filter": predicate, "filter-lang": "cql2-json"} for predicate in JSON_PREDICATES),
    {"sortby": "{}"}, {"sortby": "-{}"}, {"sortby": "name,{}"}, {"properties": "{}"}, {"properties": "name,{}"},
    {"{}": "x"}, {"{}": "7000001"}, {"{}": "true"}, {"{}": "null"}, {"{}": ""}, {"{}": "2019-03-01T00:00:00Z"},
    *({"f": format_, "filter": "{} IS NULL"} for format_ in ("html", "jsonld", "csv", "gpkg", "shp", "fgb", "parquet", "kml", "dxf")),
    {"f": "csv", "properties": "{}"}, {"f": "csv", "sortby": "{}"}, {"as-of": "2020-01-01", "filter": "{} = 1"},
]  # fmt: skip


def hidden_of(who: str, layer: str) -> list[tuple[str, str]]:
    """The fields of ``HIDDEN`` that this person does not see in the layer."""
    seen = seen_fields(PEOPLE[who], layer)
    return [(hidden, missing) for hidden, missing in HIDDEN.items() if hidden not in seen]


def told(answer: requests.Response, name: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text, without the name and what differs every time."""
    text = _VOLATILE.sub("", answer.text.replace(answer.headers["x-request-id"], "")).replace(name, "@")
    headers = {k.lower(): v.replace(name, "@") for k, v in answer.headers.items() if k.lower() not in _HEADERS}
    return answer.status_code, headers, text


@pytest.mark.parametrize(("who", "layer"), ASKED)
def test_a_hidden_property_is_answered_as_one_that_is_not_there(
    secrets_city: SecretsSite, who: str, layer: str
) -> None:
    def ask(query: dict[str, str], name: str) -> tuple[int, dict[str, str], str]:
        params = {k.replace("{}", name): v.format(name) if "{" in v else v for k, v in query.items()}
        return told(secrets_city.get(who, f"/collections/{layer}/items", **params), name)

    for query in QUERIES:
        for hidden, missing in hidden_of(who, layer):
            answer = ask(query, hidden)
            assert answer == ask(query, missing), (query, hidden)
            assert answer[0] == 400, (query, hidden)


@pytest.mark.parametrize(("who", "layer"), ASKED)
def test_a_cursor_tells_nothing_of_a_hidden_property(secrets_city: SecretsSite, who: str, layer: str) -> None:
    for hidden, missing in hidden_of(who, layer):
        for sorted_by in ({}, {"sortby": "@"}, {"sortby": "name"}):
            answers = []
            for name in (hidden, missing):
                cursor = encode_cursor((SortKey(name),), b'["a",1]')
                params = {k: v.replace("@", name) for k, v in sorted_by.items()}
                answers.append(
                    told(secrets_city.get(who, f"/collections/{layer}/items", cursor=cursor, **params), name)
                )
            assert answers[0] == answers[1] and answers[0][0] == 400


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "items"), ("PUT", "items/2"), ("PATCH", "items/2"), ("PATCH", "items/777")]
)
def test_a_hidden_property_cannot_be_written(secrets_city: SecretsSite, method: str, path: str) -> None:
    answers = []
    for name in ("note_core", "note_zero"):
        body = {"type": "Feature", "geometry": None, "properties": {"name": "n", name: "x"}}
        answers.append(
            told(secrets_city.call("a-administrator", method, f"/collections/inner/{path}", json=body), name)
        )
    assert answers[0] == answers[1] and answers[0][0] == 400


def test_replacing_a_feature_leaves_what_is_hidden_of_it(secrets_city: SecretsSite) -> None:
    kept = "SELECT note_core, key_core, secret_size FROM city.inner WHERE id = 4"
    [before] = secrets_city.sql(kept)
    body = {"type": "Feature", "geometry": None, "properties": {"name": "SECRET-inner-4-name"}}
    row = "SELECT geom::text AS g, code, note_internal, size FROM city.inner WHERE id = 4"
    [was] = secrets_city.sql(row)
    assert secrets_city.call("a-administrator", "PUT", "/collections/inner/items/4", json=body).status_code == 204
    assert secrets_city.sql(kept) == [before]
    secrets_city.sql("UPDATE city.inner SET geom = :g, code = :c, note_internal = :n, size = :s WHERE id = 4",
                     g=was[0], c=was[1], n=was[2], s=was[3])  # fmt: skip


@pytest.mark.parametrize(("who", "layer"), ASKED)
def test_a_hidden_time_field_selects_nothing(secrets_city: SecretsSite, who: str, layer: str) -> None:
    rows = seen_rows(PEOPLE[who], layer)
    for row in ROWS:
        answer = secrets_city.get(who, f"/collections/{layer}/items", datetime=f"2019-03-0{row}T00:00:00Z/..", limit=50)
        assert {f["id"] for f in answer.json()["features"]} == rows
        answer = secrets_city.get(who, f"/collections/{layer}/items", datetime=f"../2019-03-0{row}T00:00:00Z")
        assert answer.json()["features"] == []  # the past of a layer without a time field: it did not exist


@pytest.mark.parametrize(
    ("who", "layer"), [*ASKED, ("a-area-guard", "visits"), ("a-unit-guard", "positions"), ("b-child", "cases")]
)
def test_counts_are_of_what_can_be_enumerated(secrets_city: SecretsSite, who: str, layer: str) -> None:
    rows = seen_rows(PEOPLE[who], layer)
    items = f"/collections/{layer}/items"
    for query, expected in (
        ({}, rows), ({"bbox": "114,30,115,31"}, rows), ({"filter": "size > 2"}, {r for r in rows if r > 2}),
        ({"size": "1"}, rows & {1}), ({"filter": "name LIKE 'SECRET%'"}, rows), ({"as-of": "2020-01-01"}, set()),
        ({"as-of": secrets_city.past}, rows), ({"bbox": "114.86,30.36,114.9,30.4"}, {r for r in rows if r in (1, 2)}),
    ):  # fmt: skip
        hits = secrets_city.get(who, items, resulttype="hits", **query).json()
        assert hits["numberMatched"] == len(expected), query
        seen: set[int] = set()
        page = secrets_city.get(who, items, limit=1, **query).json()
        while True:
            assert page.get("numberMatched", len(expected)) == len(expected), query
            seen |= {feature["id"] for feature in page["features"]}
            following = [link["href"] for link in page["links"] if link["rel"] == "next"]
            if not following:
                break
            page = secrets_city.get(who, following[0]).json()
        assert seen == expected, query


def test_a_part_of_a_layer_tells_no_extent_of_the_rest(secrets_city: SecretsSite) -> None:
    whole = secrets_city.sql("SELECT extent FROM citymap.layers WHERE id = 'cases'")[0][0]
    told = str(secrets_city.get("b-handler", "/collections/cases").json()["extent"])
    assert len(whole) == 4 and not any(str(side) in told for side in whole)


@pytest.mark.parametrize(("who", "layer", "hidden"), [("b-handler", "cases", 1), ("b-verifier", "cases", 1), ("a-area-guard", "kernel", 3),
                                                      ("a-area-guard", "cases", 3), ("b-fleet", "positions", 1)])  # fmt: skip
def test_a_hidden_row_is_answered_as_one_that_is_not_there(
    secrets_city: SecretsSite, who: str, layer: str, hidden: int
) -> None:
    revision = secrets_city.sql(f"SELECT revision FROM city.{layer} WHERE id = {hidden}")[0][0]
    feature: dict[str, Any] = {"type": "Feature", "geometry": None, "properties": {"name": "taken"}}
    headers: list[dict[str, str]] = [{}, *({kind: tag} for kind in ("If-Match", "If-None-Match")
                                           for tag in (f'"{revision}-json-CRS84"', '"99-json-CRS84"', "*", "nonsense"))]  # fmt: skip
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        for header in headers:
            for params in ({}, {"f": "html"}, {"as-of": secrets_city.past}):
                if params and method not in ("GET", "HEAD"):
                    continue
                answers = []
                for row in (hidden, 777):
                    body = feature if method in ("PUT", "PATCH") else None
                    path = f"/collections/{layer}/items/{row}"
                    answer = secrets_city.call(who, method, path, json=body, headers=header, params=params)
                    status, more, text = told(answer, str(uuid4()))
                    more.pop("content-length", None)
                    answers.append((status, more, re.sub(rf"\b{row}\b", "#", text)))
                assert answers[0] == answers[1], (method, header, params)
                allowed = (
                    (403, 404) if method in ("PUT", "PATCH", "DELETE") else (204,) if method == "OPTIONS" else (404,)
                )
                assert answers[0][0] in allowed, (method, answers[0])
    assert secrets_city.sql(f"SELECT revision, name FROM city.{layer} WHERE id = {hidden}") == [
        (revision, f"SECRET-{layer}-{hidden}-name")
    ]


def test_who_may_edit_a_part_gets_404_for_the_rest(secrets_city: SecretsSite) -> None:
    body = {"type": "Feature", "properties": {"name": "taken"}}
    for method in ("PATCH", "DELETE", "PUT"):
        sent = None if method == "DELETE" else {**body, "geometry": None}
        answer = secrets_city.call("a-area-guard", method, "/collections/cases/items/3", json=sent)
        assert answer.status_code == 404, (method, answer.text)
    assert secrets_city.call("b-handler", "PATCH", "/collections/cases/items/1", json=body).status_code == 404


@pytest.mark.parametrize("who", ["anonymous", "a-leader", "b-handler", "a-administrator", "a-audit-administrator"])
def test_a_hidden_layer_is_answered_as_one_that_is_not_there(secrets_city: SecretsSite, who: str) -> None:
    for path in (
        "",
        "/items",
        "/items/1",
        "/queryables",
        "/schema",
        "/tiles/WebMercatorQuad/0/0/0",
        "/items?filter=x=1",
        "/items?f=gpkg",
    ):
        answers = []
        for layer in ("kernel", "kernal"):
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS") if "?" not in path else ("GET",):
                answers.append(told(secrets_city.call(who, method, f"/collections/{layer}{path}"), layer))
        half = len(answers) // 2
        assert answers[:half] == answers[half:], path
    for layers in ("open,@", "@", "@,open"):
        tiles = [
            told(secrets_city.get(who, "/tiles/WebMercatorQuad/0/0/0", collections=layers.replace("@", n)), n)
            for n in ("kernel", "kernal")
        ]
        assert tiles[0] == tiles[1] and tiles[0][0] == 404


@pytest.mark.parametrize("who", ["anonymous", "a-leader", "b-fleet", "a-administrator", "a-security-administrator"])
def test_other_peoples_jobs_and_files_are_answered_as_none(secrets_city: SecretsSite, who: str) -> None:
    for number in (1, 3):
        for method, path, known in (("GET", "/jobs/@", JOBS), ("DELETE", "/jobs/@", JOBS), ("GET", "/jobs/@/results", JOBS),
                                    ("GET", "/uploads/@", UPLOADS), ("DELETE", "/uploads/@", UPLOADS)):  # fmt: skip
            answers = [
                told(secrets_city.call(who, method, path.replace("@", str(found))), str(found))
                for found in (known[number], uuid4())
            ]
            assert answers[0] == answers[1] and answers[0][0] in (401, 403, 404), (method, path, answers[0])
        bodies = [{"inputs": {"upload": str(found)}} for found in (UPLOADS[number], uuid4())]
        answers = [
            told(
                secrets_city.call(who, "POST", "/processes/import-layer/execution", json=body), body["inputs"]["upload"]
            )
            for body in bodies
        ]
        assert answers[0] == answers[1] and answers[0][0] in (400, 401, 403)
    assert "SECRET-job" not in secrets_city.get(who, "/jobs", limit=1000).text or who == "a-leader"
    assert secrets_city.sql("SELECT count(*) FROM citymap.jobs WHERE status = 'successful'")[0][0] >= 3
