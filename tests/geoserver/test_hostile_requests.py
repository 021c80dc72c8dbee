"""What a hostile or unlucky client sends is answered with its fault, and poisons nothing for others."""

import base64
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from geoserver.errors import describe
from layers import query
from layers.catalogue import CatalogueError, Field, Layer, Text
from layers.importing.definition import field_name
from layers.query import SortKey, encode_cursor
from layers.registry import create_layer, drop_layer
from tests.geoserver.conftest import Site

ITEMS = "/collections/trees/items"


@contextmanager
def layer(site: Site, layer_id: str, *fields: str, geometry_type: Any = "Point", srid: int = 4490) -> Iterator[str]:
    """A layer of text fields that exists for a moment; gives its path."""
    made = Layer(layer_id, Text(layer_id, layer_id), Text("", ""), geometry_type,
                 tuple(Field(name, "string", Text(name, name)) for name in fields), srid)  # fmt: skip
    with site.database.transaction() as conn:
        create_layer(conn, made)
    try:
        deadline = time.monotonic() + 5
        while site.get(f"/collections/{layer_id}/items").status_code == 404 and time.monotonic() < deadline:
            time.sleep(0.05)
        yield f"/collections/{layer_id}"
    finally:
        with site.database.transaction() as conn:
            drop_layer(conn, layer_id)


def post(site: Site, path: str, geometry: Any, content_crs: str | None = None, **properties: Any) -> requests.Response:
    headers = {"Content-Crs": content_crs} if content_crs else {}
    body = {"type": "Feature", "geometry": geometry, "properties": properties}
    return requests.post(f"{site.url}{path}/items", json=body, headers=headers, timeout=30)


@pytest.mark.parametrize("field", ["name", "height", "age", "planted", "checked", "listed", "tags", "code"])
def test_pages_ordered_by_any_type_of_field_visit_every_feature(site: Site, field: str) -> None:
    whole = [f["id"] for f in site.get(ITEMS, sortby=field, limit=1000).json()["features"]]
    seen: list[int] = []
    page = site.get(ITEMS, sortby=field, limit=70).json()
    for _ in range(10):
        seen += [f["id"] for f in page["features"]]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        page = requests.get(following[0], timeout=30).json()
    assert len(seen) == 300 and seen == whole


@pytest.mark.parametrize(
    ("field", "keys"),
    [(None, "[true]"), (None, "[9223372036854775808]"), ("name", '["\\u0000",1]'), ("height", "[true,1]"),
     ("height", '["x",1]'), ("age", "[true,1]"), ("planted", "[5,1]"), ("checked", '["0000-00-00",1]'),
     ("listed", "[1.5,1]"), ("tags", "[1,1]"), ("tags", '["x",1]')],
)  # fmt: skip
def test_a_forged_cursor_is_a_bad_request(site: Site, field: str | None, keys: str) -> None:
    sort = (SortKey(field),) if field else ()
    answer = site.get(ITEMS, cursor=encode_cursor(sort, keys.encode()), **({"sortby": field} if field else {}))
    assert answer.status_code == 400


@pytest.mark.parametrize("field", ["height", "age", "listed"])
def test_null_is_no_value_of_a_field(site: Site, field: str) -> None:
    assert site.get(ITEMS, **{field: "null"}).status_code == 400


def test_fields_may_have_any_plain_name(site: Site) -> None:
    names = ("p", "t", "f", "feature", "keys", "limit", "bbox", "filter", "ewkb", "oid")
    with layer(site, "odd-names", *names) as path:
        values = {name: name for name in names}
        assert post(site, path, {"type": "Point", "coordinates": [114.85, 30.35]}, **values).status_code == 201
        assert site.get(f"{path}/items").json()["features"][0]["properties"] == values
        tile = site.get(f"{path}/tiles/WebMercatorQuad/3/3/6")
        assert tile.status_code == 200 and b"odd-names" in tile.content


def test_a_feature_made_in_a_layer_with_a_chinese_id_has_its_location(site: Site) -> None:
    with layer(site, "古树名木", "名称") as path:
        made = post(site, path, None, 名称="樟树")
        assert made.status_code == 201 and unquote(made.headers["Location"]).endswith(f"{path}/items/1")
        assert requests.get(made.headers["Location"], timeout=30).json()["properties"] == {"名称": "樟树"}


@pytest.mark.parametrize("z", range(6))
def test_tiles_beside_the_antimeridian_hold_what_lies_in_them(site: Site, z: int) -> None:
    x, y = int((114.85 + 180) / 360 * 2**z), int(0.411 * 2**z)
    assert b"trees" in site.get(f"/collections/trees/tiles/WebMercatorQuad/{z}/{y}/{x}").content


def test_coordinates_that_no_transformation_takes_are_a_bad_request(site: Site) -> None:
    far = "<http://www.opengis.net/def/crs/EPSG/0/4547>"
    assert post(site, "/collections/trees", {"type": "Point", "coordinates": [1e9, 1e9]}, far).status_code == 400
    with layer(site, "far-away", srid=3857) as path:
        assert post(site, path, {"type": "Point", "coordinates": [24, 0]}).status_code == 201
        answer = site.get(f"{path}/items", crs=far[1:-1])
        assert answer.status_code == 400 and "coordinate" in answer.json()["description"]


def test_no_edit_can_make_a_layer_unreadable(site: Site) -> None:
    answer = post(site, "/collections/trees", None, planted="0001-01-01T00:00:00+14:00")
    assert answer.status_code == 400 and "planted" in answer.json()["description"]
    point = {"type": "Point", "coordinates": [1, 1]}
    nested = {"type": "GeometryCollection", "geometries": [point, {"type": "GeometryCollection", "geometries": [point]}]}
    with layer(site, "anything", geometry_type="Geometry") as path:
        assert post(site, path, nested).status_code == 400
        assert post(site, path, nested["geometries"][1]).status_code == 201
        assert site.get(f"{path}/items").json()["features"][0]["geometry"]["geometries"] == [point]


def test_a_key_too_long_for_its_index_is_the_clients_fault(site: Site) -> None:
    assert post(site, "/collections/trees", None, code=secrets.token_hex(9000)).status_code == 400


def test_an_account_name_that_no_database_takes_is_just_wrong(site: Site) -> None:
    credentials = base64.b64encode(b"\0a:b").decode()
    answer = requests.delete(f"{site.url}{ITEMS}/1", headers={"Authorization": f"Basic {credentials}"}, timeout=30)
    assert answer.status_code == 401


def test_a_version_name_that_no_database_takes_is_a_bad_request(site: Site) -> None:
    answer = requests.get(f"{site.url}{ITEMS}?as-of=a%00b", timeout=30)
    assert answer.status_code == 400 and "as-of" in answer.json()["description"]


def test_a_table_that_has_just_gone_is_not_found(site: Site) -> None:
    with site.database.engine.connect() as conn, pytest.raises(Exception) as gone:
        conn.exec_driver_sql("SELECT 1 FROM city.gone")
    assert describe(gone.value)[0] == 404
    with site.database.engine.connect() as conn, pytest.raises(Exception) as missing:
        conn.exec_driver_sql("SELECT 1 FROM citymap.gone")
    assert describe(missing.value)[0] == 500


FAR = ["-180,-90,180,90", "0,0,180,90", "24,-80,204,80", "-180,-85,180,85", "73,3,136,54", "114,30,115,31", "115,0,180,90",
       "170,-90,160,90", "-170,-80,-10,80"]  # fmt: skip


@pytest.mark.parametrize("box", FAR)
def test_a_box_far_beyond_a_layers_projection_finds_what_lies_in_it(site: Site, box: str) -> None:
    west, south, east, north = map(float, box.split(","))
    if east > 180:
        west, east = west, 180.0
        box = f"{west},{south},{east},{north}"
    parts = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    count = sum(
        site.sql(
            "SELECT count(*) FROM city.plots WHERE ST_Intersects(ST_Transform(geom, 4490), "
            "ST_MakeEnvelope(:west, :south, :east, :north, 4490))", west=w, south=south, east=e, north=north,
        )[0][0]
        for w, e in parts
    )  # fmt: skip
    items = "/collections/plots/items"
    assert site.get(items, bbox=box, resulttype="hits").json()["numberMatched"] == count
    assert site.get(items, filter=f"S_INTERSECTS(geom, BBOX({box}))", resulttype="hits").json()["numberMatched"] == count


@pytest.mark.parametrize(("srid", "box"), [(4547, "0,0,10000000,10000000"), (4547, "3000000,100000,4000000,900000"),
                                           (3857, "-20037508,-20037508,20037508,20037508"), (3857, "-1e8,-1e8,1e8,1e8")])  # fmt: skip
def test_a_box_larger_than_its_own_projection_finds_what_lies_in_it(site: Site, srid: int, box: str) -> None:
    crs = f"http://www.opengis.net/def/crs/EPSG/0/{srid}"
    present = site.sql("SELECT count(*) FROM city.trees WHERE geom IS NOT NULL")[0][0]
    assert site.get(ITEMS, bbox=box, resulttype="hits", **{"bbox-crs": crs}).json()["numberMatched"] == present


def test_survey_layers_fill_tiles_of_every_zoom(site: Site) -> None:
    with layer(site, "benchmarks", srid=4547) as path:
        assert post(site, path, {"type": "Point", "coordinates": [114.85, 30.35]}).status_code == 201
        for z in range(6):
            for x in range(2**z) if z < 4 else range(2**z)[:: 2 ** (z - 3)]:
                for y in range(2**z) if z < 4 else range(2**z)[:: 2 ** (z - 3)]:
                    holds = (x, y) == (int((114.85 + 180) / 360 * 2**z), int(0.411 * 2**z))
                    tile = site.get(f"{path}/tiles/WebMercatorQuad/{z}/{y}/{x}")
                    assert (tile.status_code, b"benchmarks" in tile.content) == (200, holds), (z, y, x)


def test_long_filters_do_not_fill_the_memory(site: Site) -> None:
    def ask(number: int, length: int) -> None:
        values = ",".join(f"'{number}-{i}'" for i in range(length))
        assert site.get(ITEMS, filter=f"code IN ({values})").status_code == 200

    before = query._page.cache_info().currsize
    for number in range(5):
        ask(number, 300)
    assert query._page.cache_info().currsize == before
    ask(0, 3)
    assert query._page.cache_info().currsize == before + 1


@pytest.mark.parametrize("boundary", ["boundary*=UTF-8''%E4%B8%AD", "boundary=" + "x" * 300])
def test_a_form_with_an_unusable_boundary_is_a_bad_request(site: Site, boundary: str) -> None:
    headers = {"Content-Type": f"multipart/form-data; {boundary}"}
    assert requests.post(f"{site.url}/uploads", data=b"--x", headers=headers, timeout=30).status_code == 400


def test_names_longer_than_postgresql_keeps_are_told_apart_or_refused(site: Site) -> None:
    long = "图" * 40
    with layer(site, long + "甲", "名" * 21) as first, layer(site, long + "乙", "名" * 21) as second:
        assert post(site, first, None, **{"名" * 21: "樟树"}).status_code == 201
        assert site.get(f"{first}/items").json()["features"][0]["properties"] == {"名" * 21: "樟树"}
        assert site.get(f"{second}/items").json()["features"] == []
    for name in ("名" * 22, "xmin", "ctid"):
        with pytest.raises(CatalogueError):
            Field(name, "string", Text(name, name))
    taken: set[str] = set()
    for original in ("名" * 30, "名" * 31, "xmin"):
        taken.add(field_name(original, taken))
    assert len(taken) == 3 and all(Field(name, "string", Text("", "")) for name in taken)
