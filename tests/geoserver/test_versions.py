"""Past states over HTTP: import, edit, history, difference, named versions and undo, as a client meets them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

import layers.importing.file_import  # noqa: F401 - so that no request waits while the libraries are loaded
from layers.catalogue import Field, Layer, Text
from layers.registry import create_layer
from tests.geoserver.job_site import JobSite, job_site

LAMPS = Layer(
    id="street-lamps",
    title=Text("路灯", "Street lamps"),
    description=Text("", ""),
    geometry_type="Point",
    fields=(
        Field("code", "string", Text("编号", "Code"), role="key"),
        Field("watts", "integer", Text("功率", "Watts")),
        Field("guard", "string", Text("看护人", "Guard"), visibility="sensitive"),
    ),
)
ITEMS = "/collections/street-lamps/items"


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobSite]:
    directory: Path = tmp_path_factory.mktemp("versions")
    tiles = {"TILES__DIRECTORY": str(directory / "tiles")}
    with job_site(postgres_url, template_name, f"citymap_http_versions_{os.getpid()}", directory, **tiles) as found:
        with found.database.transaction() as conn:
            create_layer(conn, LAMPS)
        yield found


def lamps(*codes: str, watts: int) -> bytes:
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [114.9 + n / 1000, 30.4]},
         "properties": {"code": code, "watts": watts, "guard": f"G-{code}"}}
        for n, code in enumerate(codes)
    ]  # fmt: skip
    return orjson.dumps({"type": "FeatureCollection", "features": features})


def run(site: JobSite, process: str, **inputs: Any) -> Any:
    answer = site.execute(process, inputs, wait=True)
    assert answer.status_code == 200, answer.text
    return answer.json()


def bring(site: JobSite, mode: str, *codes: str, watts: int) -> int:
    upload = site.upload("路灯.geojson", lamps(*codes, watts=watts)).json()["id"]
    report = run(site, "import-layer", upload=upload, layer="street-lamps", mode=mode)
    return int(report["layers"][0]["import_id"])


def codes(site: JobSite, auth: tuple[str, str] | None = None, **params: Any) -> dict[str, int]:
    answer = site.get(ITEMS, auth, limit=100, **params)
    assert answer.status_code == 200, answer.text
    return {f["properties"]["code"]: f["properties"]["watts"] for f in answer.json()["features"]}


def test_a_layer_is_imported_named_replaced_compared_and_put_back(site: JobSite) -> None:
    first = bring(site, "append", "a", "b", "c", watts=100)
    named = run(site, "name-version", name="2026版路灯", layers=["street-lamps"], note="年检")
    second = bring(site, "update", "b", "d", watts=60)
    now = {"a": 100, "b": 60, "c": 100, "d": 60}
    assert codes(site) == now

    # by name wherever as-of is taken
    assert codes(site, **{"as-of": "2026版路灯"}) == {"a": 100, "b": 100, "c": 100}
    [listed] = site.get("/collections/street-lamps/versions", None).json()["versions"]
    assert (listed["name"], listed["at"], listed["actor"]) == ("2026版路灯", named["at"].replace("Z", "+00:00"), None)
    tile = "/collections/street-lamps/tiles/WebMercatorQuad/14/6738/13421"
    past = site.get(tile, None, **{"as-of": "2026版路灯"})
    same = site.get(tile, None, **{"as-of": named["at"]})
    present = site.get(tile, None)
    assert past.content == same.content != present.content
    wrong = site.get(ITEMS, None, **{"as-of": "没有的版本"})
    assert (wrong.status_code, "neither" in wrong.json()["description"]) == (400, True)
    assert site.get("/collections/admin-areas/items", None, **{"as-of": "2026版路灯"}).status_code == 400

    # what differs
    changed = site.get("/collections/street-lamps/difference", None, **{"from": "2026版路灯"}).json()
    by_code = {f["properties"]["code"]: f for f in changed["features"]}
    assert {code: f["change"] for code, f in by_code.items()} == {"b": "changed", "d": "added"}
    assert by_code["b"]["before"]["properties"] == {"code": "b", "watts": 100}
    assert by_code["b"]["changed"] == ["watts", "geometry"]
    paged = site.get("/collections/street-lamps/difference", None, limit=1, **{"from": "2026版路灯"}).json()
    following = next(link["href"] for link in paged["links"] if link["rel"] == "next")
    rest = site.call("GET", following.removeprefix(site.url), None).json()
    assert [f["id"] for f in paged["features"] + rest["features"]] == [f["id"] for f in changed["features"]]
    hits = site.get("/collections/street-lamps/difference", None, resulttype="hits", **{"from": "2026版路灯"}).json()
    assert hits["counts"] == {"added": 1, "changed": 1, "deleted": 0}
    few = site.get("/collections/street-lamps/difference", None, filter="watts < 80", **{"from": "2026版路灯"}).json()
    assert len(few["features"]) == 2
    counted = run(site, "layer-difference", layer="street-lamps", begin="2026版路灯", counts_only=True)
    assert counted["counts"] == hits["counts"]

    # who imported what, and undo
    assert [(i["id"], i["actor"], i["file"], i["inserted"], i["updated"]) for i in run(site, "list-imports", layer="street-lamps")] == [
        (second, "wang", "路灯.geojson", 1, 1), (first, "wang", "路灯.geojson", 3, 0)
    ]
    assert site.get("/collections/street-lamps/imports", None).status_code == 401
    assert len(site.get("/collections/street-lamps/imports").json()["imports"]) == 2
    assert site.execute("undo-import", {"number": second}, None, wait=True).status_code == 401
    done = run(site, "undo-import", number=second)
    assert codes(site) == {"a": 100, "b": 100, "c": 100}
    assert site.get(tile, None).content == past.content, "the tile was not drawn anew"
    run(site, "undo-import", number=done["import_id"])
    assert codes(site) == now
    assert site.sql("SELECT count(*) FROM audit.entries WHERE action = 'administer' AND object = '2026版路灯'")[0][0] == 1


def test_later_edits_refuse_an_undo_over_http_naming_them(site: JobSite) -> None:
    number = bring(site, "append", "x", "y", watts=40)
    at_x = next(f for f in site.get(ITEMS, code="x").json()["features"])
    patch = site.call("PATCH", f"{ITEMS}/{at_x['id']}", json={"properties": {"watts": 45}})
    assert patch.status_code in (200, 204), patch.text
    refused = site.execute("undo-import", {"number": number}, wait=True)
    assert refused.status_code == 409
    assert f"{at_x['id']} (x)" in refused.json()["description"]
    done = run(site, "undo-import", number=number, on_conflict="keep")
    assert [edit["title"] for edit in done["kept"]] == ["x"]
    assert {code: watts for code, watts in codes(site).items() if code in "xy"} == {"x": 45}


def test_the_history_of_a_feature_names_people_and_hidden_fields_to_those_who_may_know_them(site: JobSite) -> None:
    bring(site, "append", "h", watts=1)
    id_ = site.get(ITEMS, code="h").json()["features"][0]["id"]
    for watts in (2, 3):
        site.call("PATCH", f"{ITEMS}/{id_}", json={"properties": {"watts": watts}})
    public = site.get(f"{ITEMS}/{id_}/history", None).json()
    assert [(f["version"]["revision"], f["version"]["changed"], f["version"]["before"], f["version"]["actor"]) for f in public["features"]] == [
        (3, ["watts"], {"watts": 2}, None), (2, ["watts"], {"watts": 1}, None), (1, None, None, None)
    ]
    assert "guard" not in orjson.dumps(public).decode()
    staff = site.get(f"{ITEMS}/{id_}/history", limit=2).json()
    assert {f["version"]["actor"] for f in staff["features"]} == {"wang"}
    assert staff["features"][0]["properties"]["guard"] == "G-h"
    following = next(link["href"] for link in staff["links"] if link["rel"] == "next")
    older = site.call("GET", following.removeprefix(site.url)).json()
    assert [f["version"]["revision"] for f in older["features"]] == [1]
    assert site.get(f"{ITEMS}/999999/history", None).status_code == 404
