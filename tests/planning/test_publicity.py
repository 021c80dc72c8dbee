"""Publicity at a running server: what the public sees and says without an account, and what officers make of it."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser

from geoserver.config import load
from geoserver.guard.purposes import purpose_of
from geoserver.process_maps import ProcessMaps
from geoserver.web.assets import NODE_MODULES
from layers.access import Grant, Principal
from layers.database import Database
from layers.processing import Workspace
from layers.raster.store import RasterStore
from planning.options import PlanningOptions
from planning.report.processes import redline_report
from tests.people import PASSWORD
from tests.planning.boundary_files import SOUND
from tests.planning.http_site import Site, open_site

_PLACE = {"lon": 114.9002, "lat": 30.4001}


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(postgres_url, template_name, tmp_path_factory.mktemp("publicity"), "public") as found:
        yield found


@pytest.fixture(scope="module")
def notice(site: Site) -> dict[str, Any]:
    """The notice of a red line with two proposed buildings, open from today."""
    [parcel] = site.done("import-boundary-points", None, text=SOUND)["parcels"]
    points = {key: parcel[key] for key in ("zone", "rings", "number", "name")}
    number = site.done("apply-redline", "chen", name="示范商场", land_code="0901", parcels=[points])["number"]
    site.sql(
        "INSERT INTO city.scheme_buildings (geom, name, height, floors, scheme, redline)"
        f" SELECT ST_Multi(ST_Translate(ST_Expand(ST_Centroid(geom), 0.0001 * n, 0.0001), 0, 0.0003 * n - 0.0004)), 'B' || n, 20 * n, 6, '方案一', '{number}'"
        " FROM city.redlines, generate_series(1, 2) n"
    )
    site.done("check-redline", "zhou", redline=number)
    site.done("advance-redline", "zhou", redline=number, step="examine")
    site.done("advance-redline", "wu", redline=number, step="set-conditions", conditions="容积率 ≤ 2.0")
    today = PlanningOptions().today()
    words = {"title": "示范商场选址公示", "text": "现予公示，欢迎提出意见。", "contact": "027-0000000", "scheme": "方案一",
             "begins": str(today), "ends": str(today + timedelta(days=10))}  # fmt: skip
    site.done("advance-redline", "zhou", redline=number, step="publicise", publicity=words)
    [found] = requests.get(f"{site.url}/notices", params={"f": "json"}, timeout=30).json()["notices"]
    told: dict[str, Any] = requests.get(f"{site.url}{found['page']}", params={"f": "json"}, timeout=30).json()
    return told | {"redline": number}


def say(site: Site, notice: dict[str, Any], key: str | None = None, **values: Any) -> requests.Response:
    headers = {"Idempotency-Key": key} if key else {}
    body = {"stance": "suggest", "comment": "多留绿地", **values}
    return requests.post(f"{site.url}{notice['page']}/comments", json=body, headers=headers, timeout=30)


def test_a_comment_of_the_public_is_seen_once_an_officer_has_published_it(site: Site, notice: dict[str, Any]) -> None:
    area = {"type": "Polygon", "coordinates": [[[114.9, 30.4], [114.901, 30.4], [114.901, 30.401], [114.9, 30.4]]]}
    first = say(site, notice, "key-0000001", name="王某", phone="13900000000", **_PLACE)
    again = say(site, notice, "key-0000001", name="王某", phone="13900000000", **_PLACE)
    other = say(site, notice, stance="oppose", comment="太高", area=area)
    assert (first.status_code, again.json(), other.status_code) == (201, first.json(), 201)
    one, two = first.json()["comment"], other.json()["comment"]

    items = f"{site.url}/collections/notice-comments/items"
    assert requests.get(items, timeout=30).status_code in (401, 404)
    queue = requests.get(items, auth=("chen", PASSWORD), params={"status": "pending"}, timeout=30).json()["features"]
    assert {f["properties"]["number"]: f["geometry"]["type"] for f in queue} == {one: "Point", two: "Polygon"}
    assert "13900000000" in str(queue)  # who answers may call
    assert "13900000000" not in requests.get(items, auth=("grid", PASSWORD), timeout=30).text

    seen = f"{site.url}/collections/published-comments/items"
    assert requests.get(seen, timeout=30).json()["features"] == []
    verdicts = [
        {"comment": one, "publish": True, "reply": "已采纳"},
        {"comment": two, "publish": False, "reason": "辱骂"},
    ]
    assert site.execute("moderate-comments", None, verdicts=verdicts).status_code == 401
    assert site.execute("moderate-comments", "grid", verdicts=verdicts).status_code == 403
    assert site.execute("moderate-comments", "chen", verdicts=[{**verdicts[1], "reason": ""}]).status_code == 400
    done = site.done("moderate-comments", "chen", verdicts=verdicts)
    assert [row["status"] for row in done] == ["published", "rejected"]
    [shown] = requests.get(seen, timeout=30).json()["features"]
    assert (shown["properties"]["comment"], shown["properties"]["reply"]) == ("多留绿地", "已采纳")
    assert "13900000000" not in str(shown) and "王某" not in str(shown) and shown["geometry"]["type"] == "Point"
    site.done("moderate-comments", "zhou", verdicts=[{"comment": one, "publish": False, "reason": "本人撤回"}])
    assert requests.get(seen, timeout=30).json()["features"] == []
    site.done("moderate-comments", "zhou", verdicts=verdicts[:1])

    counts = site.done("comment-summary", "zhou", notice=notice["number"])
    assert {k: counts[k] for k in ("received", "published", "rejected", "pending", "suggest", "oppose")} == {
        "received": 2, "published": 1, "rejected": 1, "pending": 0, "suggest": 1, "oppose": 1,
    }  # fmt: skip
    assert site.done("comment-summary", None, notice=notice["number"])["received"] == 1  # of what all may see


@pytest.mark.parametrize(
    ("values", "status", "why"),
    [
        ({"comment": " "}, 400, "comment"),
        ({"comment": "长" * 2001}, 400, "comment"),
        ({"stance": "hate"}, 400, "stance"),
        ({"lon": 114.9}, 400, "'lon' with 'lat'"),
        ({"lon": 100.0, "lat": 30.0}, 400, "far from the notice"),
        ({"area": {"type": "Polygon", "coordinates": [[[114.9, 30.4], [114.901, 30.401], [114.901, 30.4], [114.9, 30.401], [114.9, 30.4]]]}}, 400, "not valid"),
        ({"area": {"type": "Polygon", "coordinates": [[[114.9, 30.4], [114.901, 30.401], [114.901, 30.4], [114.9, 30.401]]]}}, 400, "no polygon"),
        ({"status": "published"}, 400, "status"),
    ],
)  # fmt: skip
def test_a_comment_out_of_bounds_is_refused(
    site: Site, notice: dict[str, Any], values: dict[str, Any], status: int, why: str
) -> None:
    answer = say(site, notice, **values)
    assert answer.status_code == status and why in answer.json()["description"], answer.text
    assert say(site, {"page": "/notices/999"}).status_code == 404


def test_comments_have_the_narrow_quota_of_public_reports() -> None:
    scope = {"method": "POST", "path": "/notices/1/comments", "query_string": b"", "headers": []}
    assert purpose_of(scope) == "reports" and purpose_of({**scope, "method": "GET"}) is None


def test_a_drawing_is_what_the_file_is_and_goes_to_the_public(site: Site, notice: dict[str, Any]) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")

    def upload(body: bytes, name: str) -> str:
        files = {"file": (name, body)}
        made = requests.post(f"{site.url}/uploads", files=files, auth=("zhou", PASSWORD), timeout=30)
        assert made.status_code in (200, 201), made.text
        return str(made.json()["id"])

    drawing = site.done("add-drawing", "zhou", notice=notice["number"], title="总平面图",
                        upload=upload(picture.getvalue(), "plan.pdf"))  # fmt: skip
    assert drawing["media_type"] == "image/png"
    answer = requests.get(f"{site.url}{notice['page']}/drawings/{drawing['id']}", timeout=30)
    assert answer.content == picture.getvalue() and "sandbox" in answer.headers["Content-Security-Policy"]
    script = upload(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "plan.png")
    refused = site.execute("add-drawing", "zhou", notice=notice["number"], title="x", upload=script)
    assert refused.status_code == 400 and "no PDF, PNG or JPEG" in refused.text
    assert requests.get(f"{site.url}{notice['page']}/drawings/99", timeout=30).status_code == 404


def test_buildings_of_a_notice_stay_as_they_were_publicised(site: Site, notice: dict[str, Any]) -> None:
    assert notice["buildings"] == 2
    site.sql("UPDATE city.scheme_buildings SET height = 99")
    items = requests.get(f"{site.url}/collections/notice-buildings/items", timeout=30).json()["features"]
    assert sorted(f["properties"]["height"] for f in items) == [20, 40]
    assert requests.get(f"{site.url}/collections/scheme-buildings/items", timeout=30).status_code in (401, 404)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_a_notice_takes_a_comment_with_its_place(
    site: Site, notice: dict[str, Any], browser: Browser, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme, locale="zh-CN")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(f"{site.url}{notice['page']}")
    assert (
        page.locator(".notice-massing svg polygon").count() == 1 + 2 * 3
    )  # the ground; of each building the roof and two walls
    box = page.locator(".notice-map img").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.fill("#comment", f"在地图上说 {scheme}")
    page.click("form[data-comments] [type=submit]")
    page.locator("[role=status]", has_text="意字第").wait_for()
    queue = requests.get(
        f"{site.url}/collections/notice-comments/items", auth=("chen", PASSWORD), timeout=30,
        params={"filter": f"comment = '在地图上说 {scheme}'"},
    ).json()["features"]  # fmt: skip
    [comment] = queue
    [area] = requests.get(f"{site.url}/collections/notices/items", timeout=30).json()["features"]
    west, south, east, north = area["bbox"] if "bbox" in area else _bounds(area["geometry"])
    lon, lat = comment["geometry"]["coordinates"]
    assert lon == pytest.approx((west + east) / 2, abs=2e-5) and lat == pytest.approx((south + north) / 2, abs=2e-5)
    assert errors == []
    page.evaluate((NODE_MODULES / "axe-core/axe.min.js").read_text("utf-8"))
    assert page.evaluate("() => axe.run()")["violations"] == []
    page.close()


def test_a_notice_is_closed_with_its_summary_when_all_was_read(site: Site, notice: dict[str, Any]) -> None:
    early = site.execute("close-notice", "zhou", notice=notice["number"])
    assert early.status_code == 409 and "lasts until" in early.text
    site.sql("UPDATE city.notices SET begins = begins - 30, ends = ends - 30")
    assert say(site, notice).status_code == 409
    waiting = requests.get(
        f"{site.url}/collections/notice-comments/items",
        auth=("chen", PASSWORD),
        params={"status": "pending"},
        timeout=30,
    ).json()["features"]
    refused = site.execute("allocate-redline", "zheng", redline=notice["redline"])
    assert not waiting or (refused.status_code == 409 and "comments wait" in refused.text)
    verdicts = [{"comment": f["properties"]["number"], "publish": True} for f in waiting]
    if verdicts:
        assert site.execute("close-notice", "zhou", notice=notice["number"]).status_code == 409
        site.done("moderate-comments", "chen", verdicts=verdicts)
    site.done("close-notice", "zhou", notice=notice["number"], words="已据意见降低高度。")
    text = requests.get(f"{site.url}{notice['page']}", headers={"Accept-Language": "zh"}, timeout=30).text
    assert "已据意见降低高度。" in text and "data-comments" not in text


def _bounds(geometry: Any) -> tuple[float, float, float, float]:
    import shapely

    found = shapely.geometry.shape(geometry).bounds
    return float(found[0]), float(found[1]), float(found[2]), float(found[3])


def test_schemes_stand_among_the_buildings_in_3d_for_who_may_see_them(site: Site, notice: dict[str, Any]) -> None:
    site.sql(
        "INSERT INTO city.buildings (geom, height) SELECT ST_Multi(ST_Expand(ST_Centroid(geom), 0.0001)), 12 FROM city.redlines"
    )
    together = f"{site.url}/3dtiles/tileset.json"
    both = {"collections": "buildings-3d,schemes-3d"}
    assert requests.get(together, params=both, timeout=30).status_code == 404
    tree = requests.get(together, params=both, auth=("zhou", PASSWORD), timeout=30).json()
    contents = [child["content"]["uri"] for child in tree["root"].get("children", ())]
    if not contents:  # worked out as a server with a worker runs
        pytest.skip("no worker runs here to work out the derived layers")
    parts = [
        requests.get(requests.compat.urljoin(together, uri), auth=("zhou", PASSWORD), timeout=30) for uri in contents
    ]
    assert [part.json()["root"]["boundingVolume"] for part in parts] == [
        child["boundingVolume"] for child in tree["root"]["children"]
    ]
    assert len(parts) == 2


def test_the_report_tells_of_the_publicity(site: Site, notice: dict[str, Any], tmp_path: Path) -> None:
    planner = Principal("zhou", frozenset({"planner"}), (Grant("*", frozenset({"read"}), "sensitive"),))
    database = Database(site.database, pool_size=1)
    with database.engine.connect() as conn:
        maps = ProcessMaps(conn, planner, load(environ={}), RasterStore(tmp_path / "r"))
        found = redline_report(conn, Workspace(tmp_path), maps, PlanningOptions(), redline=notice["redline"])
        document = pypdfium2.PdfDocument(found.path)
        said = "".join(page.get_textpage().get_text_bounded() for page in document).replace("\r\n", "")
        document.close()
    database.close()
    assert notice["number"] in said and "共收到意见" in said
