"""Reports over HTTP: located, compared, illustrated, done once; and the same by POST to the collection."""

import io
import threading
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import Connection, text

from grid.cases.queries import has_cases
from layers.china_offset import wgs84_to_gcj02
from tests.grid.conftest import COMMUNITY, OTHER
from tests.grid.people import act_as, act_as_owner, principal_of
from tests.grid.site import GridSite

#: Each test reports at a place of its own, so that no report is another's double.
_spots = iter((114.9012 + 0.0012 * (n % 14), 30.4012 + 0.0012 * (n // 14)) for n in range(100))


def spot() -> list[float]:
    return list(next(_spots))


def picture(
    width: int = 64, height: int = 48, gps: tuple[float, float] | None = None, taken: str | None = None
) -> bytes:
    image = Image.effect_noise((width, height), 40).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    if taken:
        exif.get_ifd(0x8769)[0x9003] = taken
    if gps:

        def parts(value: float) -> tuple[float, float, float]:
            return (int(value), int(value % 1 * 60), round(value * 60 % 1 * 60, 6))

        exif.get_ifd(0x8825).update({1: "N", 2: parts(gps[1]), 3: "E", 4: parts(gps[0])})
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_report_is_located_in_grid_area_and_street(site: GridSite) -> None:
    found = site.done(
        "worker", "report-case", position=[114.9102, 30.4102], class_code="0102", description="袋装垃圾", accuracy=8
    )
    assert (found["state"], found["area_code"], found["social_grid"]) == ("reported", COMMUNITY, COMMUNITY + "01")
    assert (found["place"], found["worker"]["worker_name"]) == ("文星路与滨湖路交叉口东北角", "王网格")
    item = site.call("worker", "GET", f"/collections/cases/items/{found['id']}").json()["properties"]
    assert (item["title"], item["accuracy"], item["reporter"]) == ("暴露垃圾 文星路与滨湖路交叉口东北角", 8, "worker")


def test_posting_to_the_collection_finds_the_same(site: GridSite) -> None:
    at = spot()
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": at},
               "properties": {"class": "0103", "description": "渣土", "state": "closed", "department": "water", "area_code": OTHER}}  # fmt: skip
    made = site.call("worker", "POST", "/collections/cases/items", json=feature)
    assert made.status_code == 201, made.text
    item = site.call("worker", "GET", made.headers["Location"].removeprefix(site.url)).json()["properties"]
    assert (item["state"], item["department"], item["area_code"], item["class_name"]) == (
        "reported",
        None,
        COMMUNITY,
        "积存垃圾渣土",
    )
    assert site.done("worker", "case-history", case=item["code"])["steps"][0]["act"] == "report"


def test_a_position_in_gcj02_is_moved_back(site: GridSite) -> None:
    lon, lat = spot()
    shifted = [float(v) for v in wgs84_to_gcj02(lon, lat)]
    found = site.done("worker", "report-case", position=shifted, crs="GCJ-02", class_code="0104")
    x, y = site.sql("SELECT ST_X(geom), ST_Y(geom) FROM city.cases WHERE id = :i", i=found["id"])[0]
    assert (x, y) == (pytest.approx(lon, abs=1e-8), pytest.approx(lat, abs=1e-8))


def test_what_is_reported_already_is_added_to_that_case(site: GridSite) -> None:
    lon, lat = spot()
    first = site.done("worker", "report-case", position=[lon, lat], class_code="0105")
    again = site.done("clerk", "report-case", position=[lon + 0.0003, lat], class_code="0105", channel="hotline")
    other = site.done("clerk", "report-case", position=[lon + 0.0003, lat], class_code="0106", channel="hotline")
    apart = site.done("clerk", "report-case", position=[lon, lat], class_code="0105", separate=True)
    assert (again["attached_to"], again["state"]) == (first["case"], "void")
    assert other["attached_to"] is None and apart["attached_to"] is None
    assert site.sql("SELECT reports FROM city.cases WHERE code = :c", c=first["case"])[0][0] == 2
    steps = site.done("clerk", "case-history", case=first["case"])["steps"]
    assert [(s["act"], s["actor"]) for s in steps] == [("report", "worker"), ("report-again", "clerk")]
    near = site.done("clerk", "similar-cases", position=[lon, lat], class_code="0105")
    assert {one["case"] for one in near} == {first["case"], apart["case"]}


def test_of_two_reports_at_the_same_moment_one_joins_the_other(site: GridSite) -> None:
    at, answers = spot(), []
    barrier = threading.Barrier(4)

    def report(n: int) -> None:
        barrier.wait()
        answers.append(site.done("worker", "report-case", position=[at[0] + n * 1e-5, at[1]], class_code="0107"))

    threads = [threading.Thread(target=report, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one["state"] for one in answers) == ["reported", "void", "void", "void"]


def test_a_report_outside_the_own_area_is_refused(site: GridSite) -> None:
    assert site.run("away", "report-case", position=spot(), class_code="0102").status_code == 403
    assert site.run(None, "report-case", position=spot(), class_code="0102").status_code == 401


def test_a_class_that_is_not_there_is_named(site: GridSite) -> None:
    answer = site.run("worker", "report-case", position=spot(), class_code="9999")
    assert answer.status_code == 400 and "no event class '9999' in scheme 'CJ/T 214-2007'" in answer.text
    other = site.run("worker", "report-case", position=spot(), class_code="06010", scheme="GB/T 47678.5-2026")
    assert other.status_code == 200, other.text


def test_the_same_key_reports_once_and_answers_as_before(site: GridSite) -> None:
    key, at = {"Idempotency-Key": str(uuid4())}, spot()
    first = site.run("worker", "report-case", headers=key, position=at, class_code="0110")
    again = site.run("worker", "report-case", headers=key, position=at, class_code="0110")
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert site.sql("SELECT count(*) FROM city.cases WHERE class = '0110'")[0][0] == 1
    other = site.run("worker", "report-case", headers=key, position=at, class_code="0111")
    assert (other.status_code, other.json()["code"]) == (422, "KeyReused")
    stranger = site.run("clerk", "report-case", headers=key, position=spot(), class_code="0112")
    assert stranger.status_code == 200  # keys are each account's own


def test_a_write_that_failed_leaves_its_key_free(site: GridSite) -> None:
    key, at = {"Idempotency-Key": str(uuid4())}, spot()
    assert site.run("worker", "report-case", headers=key, position=at, class_code="9999").status_code == 400
    assert site.run("worker", "report-case", headers=key, position=at, class_code="0113").status_code == 200


def test_a_key_goes_for_edits_of_features_too(site: GridSite) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": spot()}, "properties": {"class": "0114"}}
    first, again = (
        site.call("worker", "POST", "/collections/cases/items", json=feature, headers=key) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.headers["Location"] == again.headers["Location"]


def test_two_dispatchers_at_once_dispatch_once(site: GridSite) -> None:
    case = site.done("worker", "report-case", position=spot(), class_code="0402")["case"]
    site.done("clerk", "advance-case", case=case, act="accept")
    site.done("shift", "advance-case", case=case, act="file")
    answers: list[int] = []
    barrier = threading.Barrier(5)

    def dispatch() -> None:
        barrier.wait()
        answers.append(
            site.run("dispatcher", "advance-case", case=case, act="dispatch", department="water").status_code
        )

    threads = [threading.Thread(target=dispatch) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409, 409]
    assert site.sql("SELECT dispatches FROM city.cases WHERE code = :c", c=case)[0][0] == 1


def test_a_patch_past_the_life_cycle_is_refused_and_says_where_to_go(site: GridSite) -> None:
    found = site.done("worker", "report-case", position=spot(), class_code="0115")
    answer = site.call(
        "worker",
        "PATCH",
        f"/collections/cases/items/{found['id']}",
        json={"type": "Feature", "properties": {"state": "closed"}},
    )
    assert (
        answer.status_code == 409
        and "advance-case" in answer.json()["description"]
        and "advance-case" in answer.json()["zh"]
    )


def test_a_photo_is_made_anew_without_what_it_told(site: GridSite) -> None:
    lon, lat = spot()
    sent = picture(3000, 40, gps=(lon + 0.004, lat), taken="2026:11:20 08:30:00")
    upload = site.upload("worker", "x.png", sent)
    found = site.done("worker", "report-case", position=[lon, lat], class_code="0116", photos=[upload])
    (kept,) = found["photos"]
    assert (kept["width"], kept["far"]) == (2048, True)
    assert kept["offset"] == pytest.approx(384.4, abs=1)
    shown = site.call("clerk", "GET", f"/photos/{kept['id']}")
    assert shown.headers["Content-Type"] == "image/jpeg"
    again = Image.open(io.BytesIO(shown.content))
    assert not again.getexif() and b"SECRET-CAMERA" not in shown.content and b"SECRET-CAMERA" in sent
    taken, offset = site.sql("SELECT taken_at, offset_metres FROM grid.photos WHERE id = :i", i=kept["id"])[0]
    assert taken == datetime.fromisoformat("2026-11-20T08:30:00+08:00") and offset == kept["offset"]
    item = site.call("clerk", "GET", f"/collections/cases/items/{found['id']}").json()["properties"]
    assert (item["photos"], item["photo_offset"]) == (1, kept["offset"])


def test_a_photo_is_seen_by_those_who_see_the_case(site: GridSite) -> None:
    upload = site.upload("worker", "x.jpg", picture())
    kept = site.done("worker", "report-case", position=spot(), class_code="0117", photos=[upload])["photos"][0]["id"]
    seen = {
        who: site.call(who, "GET", f"/photos/{kept}").status_code
        for who in ("worker", "leader", "away", "handler", None)
    }
    assert seen == {"worker": 200, "leader": 200, "away": 404, "handler": 404, None: 404}


def test_photos_are_evidence_of_an_act(site: GridSite) -> None:
    case = site.done("worker", "report-case", position=spot(), class_code="0118")["case"]
    refused = site.run("worker", "advance-case", case=case, act="self-handle")
    assert refused.status_code == 400 and "photo" in refused.text
    (kept,) = site.done("worker", "add-photos", case=case, photos=[site.upload("worker", "x.jpg", picture())])
    assert (
        site.done("worker", "advance-case", case=case, act="self-handle", attachments=[kept["id"]])["state"]
        == "self-handled"
    )
    assert site.done("worker", "case-history", case=case)["steps"][-1]["attachments"] == [kept["id"]]
    assert site.run("worker", "advance-case", case=case, act="void", attachments=[str(uuid4())]).status_code == 400


def broken() -> dict[str, bytes]:
    bomb = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(bomb, "PNG")
    return {"words": b"#!/bin/sh\nrm -rf /", "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
            "cut off": picture(640, 480)[:2000], "too many pixels": bomb.getvalue(), "empty": b"", "gif": b"GIF89a" + bytes(40)}  # fmt: skip


@pytest.mark.parametrize("kind", broken())
def test_what_is_no_photo_is_refused(site: GridSite, kind: str) -> None:
    upload = site.call(
        "worker",
        "POST",
        "/uploads?name=photo.jpg",
        data=broken()[kind] or b"",
        headers={"Content-Type": "application/octet-stream"},
    )
    if upload.status_code != 201:
        assert kind == "empty"
        return
    answer = site.run("worker", "report-case", position=spot(), class_code="0102", photos=[upload.json()["id"]])
    assert answer.status_code == 400 and "photo" in answer.text, answer.text


def test_a_refused_report_leaves_no_case(site: GridSite) -> None:
    before = site.sql("SELECT count(*) FROM city.cases")[0][0]
    upload = site.upload("worker", "x.jpg", b"words")
    assert site.run("worker", "report-case", position=spot(), class_code="0102", photos=[upload]).status_code == 400
    assert site.sql("SELECT count(*) FROM city.cases")[0][0] == before


@pytest.fixture
def crossing(ground: Connection) -> Connection:
    act_as(ground, principal_of("clerk", "intake-clerk"))
    return ground


@pytest.mark.parametrize(
    ("east", "north", "said"),
    [(20, 20, "文星路与滨湖路交叉口东北角"), (-20, 20, "文星路与滨湖路交叉口西北角"), (20, -20, "文星路与滨湖路交叉口东南角"),
     (0, 30, "文星路与滨湖路交叉口北侧"), (1, 1, "文星路与滨湖路交叉口"), (200, 20, "滨湖路北侧"), (20, -300, "文星路东侧"),
     (-400, 0, "滨湖路路面"), (400, 400, None)],
)  # fmt: skip
def test_a_place_is_told_as_people_say_it(crossing: Connection, east: float, north: float, said: str | None) -> None:
    statement = text("SELECT grid.place_at(ST_Project(ST_Project(CAST(ST_SetSRID(ST_MakePoint(114.91, 30.41), 4490) AS geography),"
                     " CAST(:north AS float8), 0), CAST(:east AS float8), pi() / 2)::geometry)")  # fmt: skip
    assert crossing.execute(statement, {"east": east, "north": north}).scalar() == said


def test_a_component_near_by_is_named_and_one_of_the_class_first(ground: Connection) -> None:
    for code, class_, lon in (("A", "0102", 114.9050), ("B", "0118", 114.90505)):
        ground.execute(
            text("INSERT INTO city.components (geom, code, scheme, class, state) VALUES"
                 " (ST_SetSRID(ST_MakePoint(:x, 30.405), 4490), :c, 'GB/T 30428.2-2013', :k, 'sound')"),
            {"c": code, "k": class_, "x": lon},
        )  # fmt: skip
    assert ground.execute(text("SELECT area_code FROM city.components")).scalars().all() == [COMMUNITY] * 2
    act_as(ground, principal_of("clerk", "intake-clerk"))
    found = ground.execute(
        text("INSERT INTO city.cases (geom, kind, class) VALUES (ST_SetSRID(ST_MakePoint(114.905, 30.405), 4490), 'component', '0118')"
             " RETURNING component, component_distance")
    ).one()  # fmt: skip
    assert (found[0], found[1]) == ("B", pytest.approx(4.8, abs=0.1))


def test_imported_cases_keep_their_past(ground: Connection) -> None:
    act_as_owner(ground)
    ground.exec_driver_sql("SELECT set_config('citymap.case_act', 'import', true)")
    values: Any = ground.execute(
        text("INSERT INTO city.cases (geom, class, class_name, state, closed_at, reported_at, area_code, source, source_id) VALUES"
             " (ST_SetSRID(ST_MakePoint(-118.2, 34.0), 4490), 'GRAFFITI', 'Graffiti', 'closed', '2017-01-03', '2017-01-01', '99', 'x', '1')"
             " RETURNING state, class_name, reported_at, area_code, code, reports, channel")
    ).one()  # fmt: skip
    assert tuple(values[:2]) == ("closed", "Graffiti") and values.reported_at.year == 2017
    assert (values.area_code, values.code[:9], values.reports, values.channel) == ("99", "20170101-", 1, "import")


def test_another_layer_of_the_same_name_is_told_apart(ground: Connection) -> None:
    assert has_cases(ground)
    ground.execute(text("DELETE FROM citymap.layers WHERE id = 'cases'"))
    assert not has_cases(ground)
