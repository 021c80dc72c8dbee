"""OGC API – Features Part 4 over a real server: create, replace, update, delete, and what is refused."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyproj
import pytest
import requests

from tests.conftest import serve
from tests.geoserver.conftest import Site
from tests.people import employ

ITEMS = "/collections/trees/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry or {"type": "Point", "coordinates": [114.9, 30.4]}, "properties": properties}


def send(method: str, url: str, body: Any = None, **headers: str) -> requests.Response:
    return requests.request(method, url, json=body, headers={"Content-Type": "application/geo+json", **headers}, timeout=30)


@pytest.fixture
def tree(site: Site) -> Iterator[str]:
    """The URL of a feature of the test's own."""
    made = send("POST", site.url + ITEMS, feature(name="试", height=5.5, tags=["a"], checked="2026-01-02"))
    assert made.status_code == 201, made.text
    yield made.headers["Location"]
    send("DELETE", made.headers["Location"])


def test_a_created_feature_reads_back_as_sent(tree: str) -> None:
    answer = requests.get(tree, timeout=30).json()
    assert answer["geometry"] == {"type": "Point", "coordinates": [114.9, 30.4]}
    sent = {"name": "试", "height": 5.5, "tags": ["a"], "checked": "2026-01-02"}
    assert {k: v for k, v in answer["properties"].items() if v is not None} == sent


def test_put_replaces_and_patch_changes_what_is_named(tree: str) -> None:
    assert send("PUT", tree, feature(name="换", age=3)).status_code == 204
    replaced = requests.get(tree, timeout=30).json()["properties"]
    assert replaced["name"] == "换" and replaced["height"] is None
    patched = send("PATCH", tree, {"properties": {"age": 4}}, **{"Content-Type": "application/merge-patch+json"})
    assert patched.status_code == 204
    after = requests.get(tree, timeout=30).json()
    assert after["properties"]["name"] == "换" and after["properties"]["age"] == 4
    assert after["geometry"]["coordinates"] == [114.9, 30.4]


def test_the_id_of_a_put_is_the_paths(tree: str, site: Site) -> None:
    other = site.sql("SELECT min(id) FROM city.trees")[0][0]
    assert send("PUT", tree, {**feature(name="换"), "id": other}).status_code == 204
    assert site.get(f"{ITEMS}/{other}").json()["properties"]["name"] != "换"


def test_content_crs_gives_the_axis_order_of_the_body(tree: str, site: Site) -> None:
    north, east = pyproj.Transformer.from_crs(4490, 4547).transform(30.41, 114.91)
    body = feature({"type": "Point", "coordinates": [north, east]}, name="测")
    assert send("PUT", tree, body, **{"Content-Crs": f"<{EPSG}4547>"}).status_code == 204
    assert requests.get(tree, timeout=30).json()["geometry"]["coordinates"] == pytest.approx([114.91, 30.41], abs=1e-8)
    body = feature({"type": "Point", "coordinates": [30.42, 114.92]}, name="测")
    assert send("PUT", tree, body, **{"Content-Crs": f"<{EPSG}4490>"}).status_code == 204
    assert requests.get(tree, timeout=30).json()["geometry"]["coordinates"] == [114.92, 30.42]


def test_a_polygon_becomes_the_multipolygon_of_its_layer(site: Site) -> None:
    ring = [[586410.0, 3364710.0], [586420.0, 3364710.0], [586420.0, 3364720.0], [586410.0, 3364710.0]]
    swapped = {"type": "Polygon", "coordinates": [[[y, x] for x, y in ring]]}
    made = send("POST", f"{site.url}/collections/plots/items", feature(swapped, name="二号"), **{"Content-Crs": f"<{EPSG}4547>"})
    try:
        back = requests.get(made.headers["Location"], params={"crs": EPSG + "4547"}, timeout=30).json()
        assert back["geometry"] == {"type": "MultiPolygon", "coordinates": [swapped["coordinates"]]}
    finally:
        send("DELETE", made.headers["Location"])


def test_an_edit_based_on_an_old_state_is_refused(tree: str) -> None:
    tag = requests.get(tree, timeout=30).headers["ETag"]
    assert send("PUT", tree, feature(name="一"), **{"If-Match": tag}).status_code == 204
    stale = send("PUT", tree, feature(name="二"), **{"If-Match": tag})
    assert stale.status_code == 412 and "revision 2" in stale.json()["description"]
    assert send("DELETE", tree, **{"If-Match": tag}).status_code == 412
    assert send("PUT", tree, feature(name="三"), **{"If-Match": '"nonsense"'}).status_code == 412
    assert requests.get(tree, timeout=30).json()["properties"]["name"] == "一"


def test_of_two_editors_with_the_same_state_exactly_one_wins(tree: str) -> None:
    tag = requests.get(tree, timeout=30).headers["ETag"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: send("PATCH", tree, {"properties": {"age": i}}, **{"If-Match": tag}).status_code, range(8)))
    assert sorted(answers) == [204] + [412] * 7


def test_an_edit_in_another_representation_shares_the_revision(tree: str) -> None:
    tag = requests.get(tree, params={"crs": EPSG + "4490"}, timeout=30).headers["ETag"]
    assert send("PUT", tree, feature(name="一"), **{"If-Match": tag}).status_code == 204


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "one GeoJSON Feature"),
        ({"type": "FeatureCollection", "features": []}, '"type" must be "Feature"'),
        (feature(colour="red"), "properties.colour"),
        (feature(height="tall"), "properties.height: 'tall' is not a number"),
        (feature(age=2.5), "properties.age"),
        (feature(age=2**70), "properties.age"),
        (feature(age=True), "properties.age"),
        (feature(listed=1), "properties.listed"),
        (feature(checked="soon"), "properties.checked"),
        (feature(planted="2026-13-01T00:00:00Z"), "properties.planted"),
        (feature(tags="a"), "properties.tags"),
        (feature(name="a\0b"), "properties.name"),
        (feature({"type": "Point", "coordinates": []}), "geometry"),
        (feature({"type": "Point", "coordinates": ["a", "b"]}), "geometry"),
        (feature({"type": "Blob", "coordinates": [1, 2]}), "geometry"),
        (feature({"type": "Point", "coordinates": [30.4, 114.9]}), "longitude, latitude"),
        (feature({"type": "LineString", "coordinates": [[114, 30], [115, 31]]}), "LineString does not fit"),
        ({"type": "Feature", "geometry": None, "properties": [1]}, "properties"),
    ],
    ids=str,
)
def test_a_body_that_does_not_fit_is_refused_and_changes_nothing(tree: str, site: Site, body: Any, problem: str) -> None:
    before = requests.get(tree, timeout=30).text
    for answer in (send("PUT", tree, body), send("POST", site.url + ITEMS, body)):
        assert answer.status_code == 400 and problem in answer.json()["description"]
    assert requests.get(tree, timeout=30).text == before


def test_a_self_crossing_polygon_is_refused_with_its_place(site: Site) -> None:
    bow = {"type": "Polygon", "coordinates": [[[114, 30], [115, 31], [115, 30], [114, 31], [114, 30]]]}
    answer = send("POST", f"{site.url}/collections/plots/items", feature(bow, name="x"))
    assert answer.status_code == 400 and "Self-intersection[114.5 30.5]" in answer.json()["description"]


def test_wrong_targets_media_types_and_bodies_have_their_own_status(tree: str, site: Site) -> None:
    items = site.url + ITEMS
    assert send("DELETE", f"{items}/999999").status_code == 404
    assert send("PUT", f"{items}/999999", feature()).status_code == 404
    assert send("PUT", tree, feature(), **{"Content-Type": "text/plain"}).status_code == 415
    assert requests.put(tree, data=b"{", headers={"Content-Type": "application/geo+json"}, timeout=30).status_code == 400
    assert send("PUT", tree, feature(), **{"Content-Crs": "<nonsense>"}).status_code == 400
    assert send("POST", items + "?x=1", feature()).status_code == 400
    refused = requests.post(tree, timeout=30)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT")


def test_a_second_feature_with_the_same_key_is_a_conflict(site: Site) -> None:
    answer = send("POST", site.url + ITEMS, feature(code="T1"))
    assert answer.status_code == 409 and "code" in answer.json()["description"]


def test_options_tell_what_qgis_asks(site: Site, tree: str) -> None:
    assert "POST" in requests.options(site.url + ITEMS, timeout=30).headers["Allow"]
    item = requests.options(tree, timeout=30)
    assert {"PUT", "PATCH", "DELETE"} <= set(item.headers["Allow"].split(", "))
    assert "application/merge-patch+json" in item.headers["Accept-Patch"]


def test_editing_needs_an_account_unless_the_city_opens_it(site: Site) -> None:
    from geoserver.accounts import set_disabled

    with site.database.transaction() as conn:
        employ(conn, "张三", "planner", password="correct horse battery")
        employ(conn, "李四", password="correct horse battery")
    with serve(site.database.url) as url:
        def edit(auth: Any) -> requests.Response:
            return requests.post(url + ITEMS, json=feature(name="谁"), auth=auth, timeout=30)

        assert edit(None).status_code == 401
        assert edit(None).headers["WWW-Authenticate"].startswith("Basic")
        assert edit(("张三".encode(), b"wrong")).status_code == 401
        no_role = edit(("李四".encode(), b"correct horse battery"))
        assert no_role.status_code == 403 and "'trees'" in no_role.json()["description"]
        made = edit(("张三".encode(), b"correct horse battery"))
        assert made.status_code == 201
        new = int(made.headers["Location"].rsplit("/", 1)[1])
        assert site.sql("SELECT actor FROM city.trees WHERE id = :id", id=new) == [("张三",)]
        site.sql("DELETE FROM city.trees WHERE id = :id", id=new)
    with site.database.transaction() as conn:
        set_disabled(conn, "张三", True)
    with serve(site.database.url) as url:
        assert requests.get(url + ITEMS, auth=("张三".encode(), b"correct horse battery"), timeout=30).status_code == 401
        answer = requests.post(url + ITEMS, json=feature(), auth=("张三".encode(), b"correct horse battery"), timeout=30)
        assert answer.status_code == 401


def test_a_read_only_layer_takes_no_edits(site: Site) -> None:
    site.sql("UPDATE citymap.layers SET editable = false WHERE id = 'plots'")
    try:
        for _ in range(50):
            allow = requests.options(f"{site.url}/collections/plots/items", timeout=30).headers["Allow"]
            if "POST" not in allow:
                break
            time.sleep(0.05)
        answer = send("POST", f"{site.url}/collections/plots/items", feature(name="x"))
        assert answer.status_code == 403 and "read-only" in answer.json()["description"]
        assert "post" not in site.get("/openapi", f="json").json()["paths"]["/collections/plots/items"]
    finally:
        site.sql("UPDATE citymap.layers SET editable = true WHERE id = 'plots'")


def test_a_body_above_the_bound_is_refused(site: Site) -> None:
    with serve(site.database.url, ACCESS__ANONYMOUS_EDIT="true", SERVER__LIMITS__MAX_BODY_MB="0.001") as url:
        answer = send("POST", url + ITEMS, feature(name="x" * 5000))
        assert answer.status_code == 413
