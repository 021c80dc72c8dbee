"""GeoReport v2 answers as its specification's examples do, by the rights of the account whose key is sent."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from geoserver.identity.api_keys import make_key
from grid.open311.documents import document, errors
from grid.open311.errors import Open311Error
from grid.open311.model import attributes, request_query
from tests.grid.conftest import COMMUNITY
from tests.grid.site import GridSite, grid_site

_spots = iter((114.9203 + 0.0012 * (n % 14), 30.4012 + 0.0012 * (n // 14)) for n in range(100))


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GridSite]:
    """A running server over a small community."""
    name = f"citymap_open311_{os.getpid()}"
    with grid_site(postgres_url, template_name, name, tmp_path_factory.mktemp("open311")) as found:
        yield found


@pytest.fixture(scope="module")
def key(site: GridSite) -> str:
    """A key of the intake clerk."""
    with site.database.transaction() as conn:
        return make_key(conn, "clerk", "open311", None, 1, "clerk", 1)[0]


def get(site: GridSite, path: str, key: str | None = None, **values: Any) -> requests.Response:
    headers = {"X-API-Key": key} if key else {}
    return requests.get(f"{site.url}/open311/v2/{path}", params=values, headers=headers, timeout=60)


def post(site: GridSite, key: str | None, format_: str = "json", **values: Any) -> requests.Response:
    lon, lat = next(_spots)
    sent = {"service_code": "event-0102", "lat": lat, "long": lon, **({"api_key": key} if key else {}), **values}
    return requests.post(f"{site.url}/open311/v2/requests.{format_}", data=sent, timeout=60)


def posted(site: GridSite, key: str, **values: Any) -> str:
    answer = post(site, key, **values)
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0]["service_request_id"])


def problem(answer: requests.Response) -> tuple[int, str]:
    (found,) = answer.json()
    assert found["code"] == answer.status_code
    return answer.status_code, found["description"]


def test_services_are_the_classes_of_the_city(site: GridSite) -> None:
    answer = get(site, "services.json")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    services = {one["service_code"]: one for one in answer.json()}
    (count,) = site.sql("SELECT count(*) FROM grid.classes WHERE (kind, scheme) IN (('event', 'CJ/T 214-2007'),"
                        " ('component', 'GB/T 30428.2-2013'))")[0]  # fmt: skip
    assert len(services) == count > 50
    assert services["event-0102"] == {
        "service_code": "event-0102", "service_name": "暴露垃圾", "description": "暴露垃圾", "metadata": True,
        "type": "realtime", "keywords": "暴露垃圾", "group": "市容环境",
    }  # fmt: skip
    assert services["event-0103"]["metadata"] is False


def test_xml_says_the_same_in_the_specifications_form(site: GridSite) -> None:
    answer = get(site, "services.xml")
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert answer.content.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    root = ElementTree.fromstring(answer.content)
    assert (root.tag, {child.tag for child in root}) == ("services", {"service"})
    told = [{part.tag: part.text for part in one} for one in root]
    expected = [{k: str(v).lower() if isinstance(v, bool) else v for k, v in one.items()}
                for one in get(site, "services.json").json()]  # fmt: skip
    assert told == expected


def test_a_definition_lists_the_conditions_of_a_class(site: GridSite) -> None:
    found = get(site, "services/event-0102.json").json()
    assert found["service_code"] == "event-0102"
    (attribute,) = found["attributes"]
    assert (attribute["code"], attribute["datatype"], attribute["order"]) == ("condition", "singlevaluelist", 1)
    assert {"key": "小于一立方米", "name": "小于一立方米"} in attribute["values"]
    root = ElementTree.fromstring(get(site, "services/event-0102.xml").content)
    assert root.tag == "service_definition" and root.find("attributes/attribute/values/value/key") is not None
    assert root.findtext("attributes/attribute/variable") == "true"
    assert problem(get(site, "services/event-9999.json"))[0] == 404


def test_the_specifications_example_of_a_report_becomes_a_case(site: GridSite, key: str) -> None:
    lon, lat = next(_spots)
    form = (
        f"api_key={key}&jurisdiction_id=city.gov&service_code=event-0102&lat={lat}&long={lon}"
        "&address_string=1234+5th+street&email=smit333%40sfgov.edu&device_id=tt222111&account_id=123456&first_name=john"
        "&last_name=smith&phone=111111111&description=A+large+sinkhole+is+destroying+the+street"
        "&media_url=http%3A%2F%2Ffarm3.static.flickr.com%2F2002%2F2212426634_5ed477a060.jpg"
        "&attribute[condition]=%E5%B0%8F%E4%BA%8E%E4%B8%80%E7%AB%8B%E6%96%B9%E7%B1%B3"
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    answer = requests.post(f"{site.url}/open311/v2/requests.xml", data=form, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    root = ElementTree.fromstring(answer.content)
    assert (root.tag, [one.tag for one in root]) == ("service_requests", ["request"])
    assert [part.tag for part in root[0]] == ["service_request_id", "service_notice", "account_id"]
    code = root.findtext("request/service_request_id")
    row = site.sql("SELECT channel, reporter, reporter_name, reporter_phone, description, state, ST_X(geom), ST_Y(geom)"
                   " FROM city.cases WHERE code = :c", c=code)[0]  # fmt: skip
    assert row[:4] == ("open311", "clerk", "john smith", "111111111") and row[5] == "reported"
    assert row[4] == (
        "A large sinkhole is destroying the street\n立案条件：小于一立方米\nhttp://farm3.static.flickr.com/2002/2212426634_5ed477a060.jpg"
    )
    assert (row[6], row[7]) == (pytest.approx(lon), pytest.approx(lat))


def test_a_request_is_told_with_every_member(site: GridSite, key: str) -> None:
    code = posted(site, key, description="桶满了")
    (found,) = get(site, f"requests/{code}.json", key).json()
    assert list(found) == [
        "service_request_id", "status", "status_notes", "service_name", "service_code", "description", "agency_responsible",
        "service_notice", "requested_datetime", "updated_datetime", "expected_datetime", "address", "address_id", "zipcode",
        "lat", "long", "media_url",
    ]  # fmt: skip
    assert (found["status"], found["service_code"], found["description"]) == ("open", "event-0102", "桶满了")
    at = datetime.fromisoformat(found["requested_datetime"])
    assert at.utcoffset() == timedelta(hours=8) and abs(datetime.now(UTC) - at) < timedelta(minutes=5)
    root = ElementTree.fromstring(get(site, f"requests/{code}.xml", key).content)
    assert root.findtext("request/service_request_id") == code
    assert problem(get(site, "requests/20200101-999999.json", key))[0] == 404


def test_a_case_follows_its_life_cycle_to_closed(site: GridSite, key: str) -> None:
    code = posted(site, key)
    (open_,) = get(site, f"requests/{code}.json", key).json()
    site.done("shift", "advance-case", case=code, act="void", reason="误报")
    (closed,) = get(site, f"requests/{code}.json", key).json()
    assert (open_["status"], closed["status"]) == ("open", "closed")
    assert "作废" in closed["status_notes"]
    ended = site.sql("SELECT closed_at FROM city.cases WHERE code = :c", c=code)[0][0]
    assert abs(datetime.fromisoformat(closed["updated_datetime"]) - ended) < timedelta(seconds=1)


def test_a_repeated_report_names_the_first(site: GridSite, key: str) -> None:
    lon, lat = next(_spots)
    first = posted(site, key, lat=lat, long=lon)
    (again,) = post(site, key, lat=lat, long=lon + 0.0001).json()
    assert first in again["service_notice"] and again["service_request_id"] != first
    (found,) = get(site, f"requests/{again['service_request_id']}.json", key).json()
    assert found["status"] == "closed" and f"see {first}" in found["status_notes"]


def test_requests_are_chosen_by_ids_services_status_and_time(site: GridSite, key: str) -> None:
    bin_, rubble = posted(site, key), posted(site, key, service_code="event-0103")
    site.done("shift", "advance-case", case=rubble, act="void", reason="误报")

    def codes(**values: Any) -> set[str]:
        return {one["service_request_id"] for one in get(site, "requests.json", key, **values).json()}

    assert codes(service_request_id=f"{bin_}, {rubble}") == {bin_, rubble}
    assert codes(service_request_id=bin_, service_code="event-0103", status="closed") == {bin_}  # overrides all else
    assert {bin_, rubble} <= codes() and {bin_, rubble} <= codes(status="open,closed", service_code="", start_date="")
    assert bin_ in codes(status="open") and rubble not in codes(status="open")
    assert codes(service_code="event-0103", status="closed") >= {rubble} and bin_ not in codes(
        service_code="event-0103"
    )
    past = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    assert not {bin_, rubble} & codes(end_date=past) and {bin_, rubble} <= codes(start_date=past)
    listed = [one["service_request_id"] for one in get(site, "requests.json", key).json()]
    paged = [get(site, "requests.json", key, page=n, page_size=1).json()[0]["service_request_id"] for n in (1, 2)]
    assert paged == listed[:2]


def test_a_token_is_the_number_itself(site: GridSite, key: str) -> None:
    code = posted(site, key)
    assert get(site, f"tokens/{code}.json", key).json() == [{"service_request_id": code, "token": code}]
    assert problem(get(site, "tokens/123456.json", key))[0] == 404


def test_without_a_right_key_it_is_403(site: GridSite, key: str) -> None:
    for answer in (
        post(site, None),
        post(site, "cm_wrong"),
        get(site, "requests.json"),
        get(site, "requests.json", "x"),
    ):
        status, says = problem(answer)
        assert status == 403 and "API key" in says
    wrong = post(site, None, "xml")
    root = ElementTree.fromstring(wrong.content)
    assert (root.tag, root.findtext("error/code")) == ("errors", "403")
    handler = site.call(
        "handler", "POST", "/open311/v2/requests.json", data={"service_code": "event-0102", "lat": 30, "long": 114}
    )
    assert handler.status_code == 403


def test_one_sees_the_cases_of_ones_own_area_only(site: GridSite, key: str) -> None:
    code = posted(site, key)
    assert site.call("away", "GET", f"/open311/v2/requests/{code}.json").status_code == 200
    assert site.call("worker", "GET", f"/open311/v2/requests/{code}.json").status_code == 404
    assert COMMUNITY not in site.sql("SELECT area_code FROM city.cases WHERE code = :c", c=code)[0]


@pytest.mark.parametrize(
    ("values", "status", "says"),
    [({"service_code": ""}, 400, "service_code was not provided"), ({"service_code": "event-9999"}, 404, "service_code 'event-9999' was not found"),
     ({"lat": ""}, 400, "no location was provided"), ({"lat": "north"}, 400, "decimal degrees"), ({"lat": "nan"}, 400, "decimal degrees"),
     ({"lat": "", "address_string": "火星大道"}, 400, "was not found; send lat and long"),
     ({"attribute[WHISPAWN]": "1"}, 400, "has no attribute 'WHISPAWN'"), ({"attribute[condition]": "无"}, 400, "is one of 一立方米以上, 小于一立方米"),
     ({"description": "长" * 4001}, 400, "longer than 4000")],
)  # fmt: skip
def test_a_wrong_report_says_what_is_wrong(
    site: GridSite, key: str, values: dict[str, str], status: int, says: str
) -> None:
    found = problem(post(site, key, **values))
    assert found[0] == status and says in found[1]


def test_an_unknown_format_and_a_wrong_body_are_400(site: GridSite, key: str) -> None:
    answer = get(site, "services.html")
    assert answer.status_code == 400 and b"<code>400</code>" in answer.content
    sent = requests.post(f"{site.url}/open311/v2/requests.json", json={}, headers={"X-API-Key": key}, timeout=60)
    assert problem(sent)[0] in (400, 415)


def test_the_same_idempotency_key_reports_once(site: GridSite, key: str) -> None:
    lon, lat = next(_spots)
    sent = {"service_code": "event-0110", "lat": lat, "long": lon, "api_key": key}
    answers = [requests.post(f"{site.url}/open311/v2/requests.json", data=sent, headers={"Idempotency-Key": "o311-1"}, timeout=60)
               for _ in range(2)]  # fmt: skip
    assert answers[0].json() == answers[1].json() and answers[1].headers["Idempotent-Replayed"] == "true"


def test_discovery_says_where_it_is(site: GridSite) -> None:
    (endpoint,) = get(site, "discovery.json").json()["endpoints"]
    assert (
        endpoint["url"].endswith("/open311/v2") and endpoint["specification"] == "http://wiki.open311.org/GeoReport_v2"
    )


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "begin", "end"),
    [({}, NOW - timedelta(days=90), NOW), ({"start_date": "2010-01-01T00:00:00Z"}, datetime(2010, 1, 1, tzinfo=UTC), datetime(2010, 4, 1, tzinfo=UTC)),
     ({"end_date": "2010-04-01T08:00:00 08:00"}, datetime(2010, 1, 1, tzinfo=UTC), datetime(2010, 4, 1, tzinfo=UTC)),
     ({"start_date": "2010-05-24T00:00:00Z", "end_date": "2010-06-24T00:00:00Z"}, datetime(2010, 5, 24, tzinfo=UTC), datetime(2010, 6, 24, tzinfo=UTC))],
)  # fmt: skip
def test_a_query_spans_ninety_days_at_most(values: dict[str, str], begin: datetime, end: datetime) -> None:
    found = request_query(values, NOW)
    assert (found.begin, found.end, found.size) == (begin, end, 1000)


@pytest.mark.parametrize(
    ("values", "says"),
    [({"start_date": "2010-01-01T00:00:00Z", "end_date": "2010-04-02T00:00:00Z"}, "more than 90 days"), ({"status": "done"}, "open or closed"),
     ({"start_date": "yesterday"}, "start_date is such as"), ({"start_date": "9999-12-31T00:00:00-23:00"}, "start_date"),
     ({"start_date": "2010-02-01", "end_date": "2010-01-01"}, "after end_date"), ({"page": "0"}, "page is a positive")],
)  # fmt: skip
def test_a_wrong_query_says_what_is_wrong(values: dict[str, str], says: str) -> None:
    with pytest.raises(Open311Error, match=says):
        request_query(values, NOW)


def test_what_xml_cannot_hold_is_left_out() -> None:
    written = document("service_requests", "request", [{"description": "a\x0bb<&\ufffe", "lat": 1.5, "x": None}], "xml")
    (one,) = ElementTree.fromstring(written)
    assert [(part.tag, part.text) for part in one] == [("description", "ab<&"), ("lat", "1.5"), ("x", None)]
    assert ElementTree.fromstring(errors(404, "服务", "xml")).findtext("error/description") == "服务"


def test_attributes_of_one_and_of_many_values_are_read() -> None:
    pairs = [("attribute[A]", "1"), ("attribute[B][]", "2"), ("attribute[B][]", "3"), ("attribute", "4")]
    assert attributes(pairs) == {"A": ["1"], "B": ["2", "3"]}
