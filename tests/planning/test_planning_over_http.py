"""Planning at a running server, as an office uses it: import, apply, check, step by step, each by its own account."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from planning.options import PlanningOptions
from tests.people import PASSWORD
from tests.planning.boundary_files import SOUND
from tests.planning.http_site import Site, open_site


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(postgres_url, template_name, tmp_path_factory.mktemp("planning"), "http") as found:
        yield found


def test_an_office_takes_a_red_line_to_its_permit(site: Site) -> None:
    read = site.done("import-boundary-points", None, text=SOUND)
    assert (read["errors"], read["warnings"]) == (0, 0)
    [parcel] = read["parcels"]
    assert parcel["areas"]["plane"] == 10_000 and parcel["areas"]["mu"] == 15 and parcel["crs"] == "EPSG:4547"
    points = {key: parcel[key] for key in ("zone", "rings", "number", "name")}
    written = site.done("export-boundary-points", None, parcels=[points], encoding="utf-8")
    assert written["text"].replace("\r\n", "\n").endswith(SOUND[SOUND.index("J1,1") :])

    assert site.execute("apply-redline", None, name="学校", land_code="0901", parcels=[points]).status_code == 401
    assert site.execute("apply-redline", "grid", name="学校", land_code="0901", parcels=[points]).status_code == 403
    line = site.done("apply-redline", "chen", name="示范商场", land_code="0901", parcels=[points])
    number = line["number"]
    assert number == f"红字第420700{PlanningOptions().today().year}00001号" and line["status"] == "applied"
    checked = site.done("check-redline", "zhou", redline=number)
    assert checked["result"]["verdict"] == "clear" and checked["result"]["areas"]["plane"] == 10_000
    assert [p["plot"] for p in checked["result"]["plots"]] == ["P"]

    wrong = site.execute("advance-redline", "chen", redline=number, step="examine")
    assert wrong.status_code == 403 and "planner" in wrong.json()["description"]
    site.done("advance-redline", "zhou", redline=number, step="examine")
    site.done("advance-redline", "wu", redline=number, step="set-conditions", conditions="容积率 ≤ 2.0")
    today = PlanningOptions().today()
    notice = {
        "title": "示范商场选址公示",
        "text": "现予公示",
        "begins": str(today),
        "ends": str(today + timedelta(days=10)),
    }
    site.done("advance-redline", "zhou", redline=number, step="publicise", publicity=notice)
    public = requests.get(f"{site.url}/collections/notices/items", params={"f": "json"}, timeout=30).json()
    assert [f["properties"]["title"] for f in public["features"]] == ["示范商场选址公示"]
    assert requests.get(f"{site.url}/collections/redlines/items", timeout=30).status_code in (401, 404)

    early = site.execute("allocate-redline", "zheng", redline=number)
    assert early.status_code == 409 and "publicity has not ended" in str(early.json())
    site.sql("UPDATE city.notices SET begins = begins - 30, ends = current_date - 1")
    assert site.execute("allocate-redline", "zhou", redline=number).status_code == 403
    allocated = site.done("allocate-redline", "zheng", redline=number, opinion="同意")
    assert allocated["redline"]["status"] == "approved" and allocated["redline"]["unbroken"]
    line = site.done("advance-redline", "zheng", redline=number, step="permit-land")
    assert line["steps"][-1]["document"].startswith("地字第")

    other = site.done("apply-redline", "chen", name="另一项目", land_code="0901", parcels=[points])["number"]
    result = site.done("check-redline", "zhou", redline=other)["result"]
    assert [(c["subject"], c["severity"], c["area"]) for c in result["conflicts"]] == [("redlines", "blocking", 10_000)]
    items = requests.get(f"{site.url}/collections/redlines/items", auth=("zhou", PASSWORD), timeout=30).json()
    assert {f["properties"]["status"] for f in items["features"]} == {"land-permit", "applied"}
    feature = items["features"][0]["id"]
    direct = requests.delete(f"{site.url}/collections/redlines/items/{feature}", auth=("zhou", PASSWORD), timeout=30)
    assert direct.status_code in (403, 405)


@pytest.mark.parametrize(
    ("process", "inputs", "says"),
    [
        ("import-boundary-points", {}, "give one of the inputs 'text', 'file' and 'geometry'"),
        ("import-boundary-points", {"text": "x", "zone": 99}, "input 'zone'"),
        ("check-redline", {"redline": "无"}, "no red line '无'"),
        ("check-redline", {"geometry": {"type": "Polygon", "coordinates": [[[114.9, 30.4], [114.91, 30.41], [114.91, 30.4], [114.9, 30.41], [114.9, 30.4]]]}}, "no valid area"),
        ("check-redline", {"geometry": {"type": "Polygon", "coordinates": [[[10, 30], [10.01, 30], [10.01, 30.01], [10, 30]]]}}, "outside China's 3° zones"),
        ("compare-plans", {"plan": "x", "before": "1", "after": "2"}, "plan 'x' has no version '1'"),
        ("redline-history", {"redline": "无"}, "no red line"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_both_languages(site: Site, process: str, inputs: dict[str, Any], says: str) -> None:
    answer = site.execute(process, "zhou", **inputs)
    assert answer.status_code == 400, answer.text
    told = answer.json()
    assert says in str(told), told
