"""Reports without an account: entered once, bounded, told of by receipt only."""

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from geoserver import public_reports
from geoserver.config import load
from geoserver.errors import SignInNeeded
from geoserver.guard.purposes import purpose_of
from geoserver.settings.server import Rate
from tests.grid.site import GridSite
from tests.grid.test_reporting import picture

HERE = {"lon": 114.9031, "lat": 30.4171, "class_code": "0203", "description": "井盖缺失", "phone": "13900000000"}


def report(site: GridSite, key: str | None = None, **values: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return site.call(None, "POST", "/report/cases", json={**HERE, **values}, headers=headers)


def test_public_report_is_a_case_of_the_public_with_its_photo_and_made_once(site: GridSite) -> None:
    photo = base64.b64encode(picture()).decode()
    first = report(site, "k-0123456789", photos=[photo], separate=True)
    again = report(site, "k-0123456789", photos=[photo], separate=True)
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    [(channel, reporter, photos, phone)] = site.sql(
        "SELECT channel, reporter, photos, reporter_phone FROM city.cases WHERE code = :code", code=first.json()["case"]
    )
    assert (channel, reporter, photos, phone) == ("public", "anonymous", 1, HERE["phone"])
    (shown,) = site.done("clerk", "case-history", case=first.json()["case"])["photos"]
    assert site.call("clerk", "GET", f"/photos/{shown['id']}").content[:2] == b"\xff\xd8"
    assert site.call(None, "GET", f"/photos/{shown['id']}").status_code == 404
    # It waits for the field check, whatever the acceptor wants.
    assert site.run("clerk", "advance-case", case=first.json()["case"], act="accept").status_code == 400


def test_state_is_told_to_who_has_the_receipt_and_is_that_of_the_case_it_joined(site: GridSite) -> None:
    one, other = (report(site, lat=30.4189).json() for _ in range(2))
    assert other["attached_to"] == one["case"]
    site.done("worker", "advance-case", case=one["case"], act="verify", found=True)
    forged = {"case": one["case"], "receipt": other["receipt"]}
    kept = [{k: made[k] for k in ("case", "receipt")} for made in (one, other)]
    told = site.call(None, "POST", "/report/cases/states", json={"reports": [*kept, forged]}).json()["reports"]
    assert {row["case"]: (row["state"], row["attached_to"]) for row in told} == {
        one["case"]: ("verified", None), other["case"]: ("verified", one["case"]),
    }  # fmt: skip
    assert set(told[0]) == {"case", "title", "reported_at", "state", "state_name", "attached_to", "closed_at"}
    only = site.call(None, "POST", "/report/cases/states", json={"reports": [forged]}).json()
    assert only == {"reports": []}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"lon": 100.0}, "outside the city"),
        ({"class_code": "9999x"}, "no event class"),
        ({"photos": ["%%"]}, "Base64"),
        ({"photos": [base64.b64encode(b"GIF89a").decode()]}, "no JPEG"),
        ({"photos": [""] * 4}, "at most 3"),
        ({"reporter": "wang"}, "reporter"),
        ({"description": "长" * 1001}, "description"),
    ],
)
def test_public_report_out_of_bounds_is_refused_and_leaves_nothing(
    site: GridSite, values: dict[str, Any], why: str
) -> None:
    count = "SELECT count(*) FROM city.cases"
    before = site.sql(count)
    answer = report(site, **values)
    assert answer.status_code == 400 and why in answer.json()["description"]
    assert site.sql(count) == before


def test_public_reports_have_a_narrow_quota_of_their_own() -> None:
    scope = {"method": "POST", "path": "/report/cases", "query_string": b"", "headers": []}
    assert purpose_of(scope) == "reports"
    quota = Rate().reports
    assert quota.requests / quota.seconds <= 10 / 3600


def test_a_city_that_takes_no_public_reports_asks_to_sign_in() -> None:
    # Where they are taken it goes on to read the request, which is none here.
    for opened, refused in (("false", SignInNeeded), ("true", AttributeError)):
        city: Any = SimpleNamespace(settings=load(environ={"CITYMAP__GRID__PUBLIC_REPORTS__OPEN": opened}))
        with pytest.raises(refused):
            public_reports._report(city, None, b"")  # type: ignore[arg-type]
