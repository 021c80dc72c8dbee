"""Messages: put in the queue by the act, sent by the worker, signed, tried again, at last given up."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from geoserver.config import ConfigError, load
from geoserver.notices import Delivery
from geoserver.settings import Settings
from grid.notices.model import MOST_ATTEMPTS, next_attempt
from grid.options import GridOptions, NoticeOptions, WebhookOptions
from tests.grid.conftest import COMMUNITY
from tests.grid.people import act_as_owner
from tests.grid.site import GridSite
from tests.grid.test_life_cycle import dispatched, does

SECRET = "a secret of sixteen"


@contextmanager
def receiver(*answers: int) -> Iterator[Any]:
    """A web server that answers these statuses, the last one for ever, and remembers what it got."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.got.append(({k.lower(): v for k, v in self.headers.items()}, body))  # type: ignore[attr-defined]
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.end_headers()
            self.wfile.write(b'{"code": "OK"}')

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got = []  # type: ignore[attr-defined]
    server.address = f"http://127.0.0.1:{server.server_address[1]}"  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def settings(**environ: str) -> Settings:
    return load(environ={f"CITYMAP__{k}": v for k, v in environ.items()})


def listening(address: str) -> Settings:
    hook = json.dumps([{"url": f"{address}/cases", "secret": SECRET}])
    return settings(
        GRID__NOTICES__WEBHOOKS=hook, OUTBOUND__HOSTS=json.dumps([address]), OUTBOUND__PRIVATE='["127.0.0.0/8"]'
    )


def wait(site: GridSite, road: str, to: str, body: str = '{"type": "case.dispatch", "data": {"case": "c"}}') -> int:
    site.sql("DELETE FROM grid.notices")
    return int(site.sql("INSERT INTO grid.notices (road, receiver, event, body) VALUES (:r, :t, 'dispatch', CAST(:b AS jsonb)) RETURNING id",
                        r=road, t=to, b=body)[0][0])  # fmt: skip


def state(site: GridSite, notice: int) -> Any:
    return site.sql("SELECT state, attempts, problem, next_at FROM grid.notices WHERE id = :i", i=notice)[0]


def test_a_webhook_is_signed_so_that_its_receiver_can_check_it(site: GridSite) -> None:
    with receiver(200) as server:
        notice = wait(site, "webhook", f"{server.address}/cases")
        assert Delivery(listening(server.address), site.database).run() == 1
        ((headers, body),) = server.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}" and headers["webhook-id"] == f"notice-{notice}"
    assert json.loads(body)["data"] == {"case": "c"}
    assert state(site, notice)[0] == "sent"


def test_what_fails_is_tried_again_later_under_the_same_id(site: GridSite) -> None:
    with receiver(503, 200) as server:
        notice = wait(site, "webhook", f"{server.address}/cases")
        delivery = Delivery(listening(server.address), site.database)
        assert delivery.run() == 1
        failed = state(site, notice)
        assert failed[:3] == ("waiting", 1, "it answered 503") and failed.next_at > datetime.now(UTC) + timedelta(
            seconds=20
        )
        assert delivery.run() == 0
        site.sql("UPDATE grid.notices SET next_at = now()")
        assert delivery.run() == 1
        assert len({headers["webhook-id"] for headers, _ in server.got}) == 1
    assert state(site, notice)[:2] == ("sent", 2)


def test_a_message_that_always_fails_is_dead_in_the_end(site: GridSite) -> None:
    notice = wait(site, "webhook", "https://nobody.test/cases")
    delivery = Delivery(settings(), site.database)
    for _ in range(MOST_ATTEMPTS):
        site.sql("UPDATE grid.notices SET next_at = now()")
        delivery.run()
    dead = state(site, notice)
    assert dead[:2] == ("dead", MOST_ATTEMPTS) and "configured no longer" in dead.problem
    assert delivery.run() == 0


def test_a_host_that_is_not_listed_is_not_called(site: GridSite) -> None:
    with receiver(200) as server:
        closed = listening(server.address).model_copy(update={"outbound": settings().outbound})
        notice = wait(site, "webhook", f"{server.address}/cases")
        Delivery(closed, site.database).run()
        assert server.got == []
    assert "outbound.hosts" in state(site, notice).problem


def test_pauses_grow_and_end() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    pauses = [next_attempt(n, at) for n in range(1, MOST_ATTEMPTS + 1)]
    assert pauses[0] == at + timedelta(seconds=30) and pauses[-1] is None
    assert [p for p in pauses if p] == sorted({p for p in pauses if p})


def test_a_text_message_goes_to_a_file(site: GridSite, tmp_path: Path) -> None:
    wait(site, "sms", "13800000001", '{"words": "派遣：暴露垃圾"}')
    Delivery(
        settings(GRID__NOTICES__SMS__GATEWAY="file", GRID__NOTICES__SMS__FILE=str(tmp_path / "sms.jsonl")),
        site.database,
    ).run()
    (line,) = (tmp_path / "sms.jsonl").read_text("utf-8").splitlines()
    assert {k: v for k, v in json.loads(line).items() if k != "at"} == {
        "phone": "13800000001",
        "text": "派遣：暴露垃圾",
    }


@pytest.mark.parametrize("form", [False, True])
def test_a_text_message_goes_by_http_in_the_providers_form(site: GridSite, form: bool) -> None:
    with receiver(200) as server:
        notice = wait(site, "sms", "13800000001", '{"words": "派遣"}')
        sms = {"gateway": "http", "url": f"{server.address}/send", "headers": {"x-key": "k"}, "form": form,
               "body": {"mobile": "{phone}", "content": "{text}", "sign": "城管"}, "success": '"OK"'}  # fmt: skip
        made = settings(
            GRID__NOTICES__SMS=json.dumps(sms),
            OUTBOUND__HOSTS=json.dumps([server.address]),
            OUTBOUND__PRIVATE='["127.0.0.0/8"]',
        )
        Delivery(made, site.database).run()
        ((headers, body),) = server.got
    assert headers["x-key"] == "k" and state(site, notice)[0] == "sent"
    expected = b"mobile=13800000001&content=%E6%B4%BE%E9%81%A3&sign=%E5%9F%8E%E7%AE%A1"
    assert (
        body == expected if form else json.loads(body) == {"mobile": "13800000001", "content": "派遣", "sign": "城管"}
    )


def test_a_good_status_without_the_word_of_success_is_a_failure(site: GridSite) -> None:
    with receiver(200) as server:
        notice = wait(site, "sms", "13800000001", '{"words": "x"}')
        sms = {"gateway": "http", "url": server.address, "success": "0000"}
        made = settings(
            GRID__NOTICES__SMS=json.dumps(sms),
            OUTBOUND__HOSTS=json.dumps([server.address]),
            OUTBOUND__PRIVATE='["127.0.0.0/8"]',
        )
        Delivery(made, site.database).run()
    assert state(site, notice)[:2] == ("waiting", 1)


def test_an_act_tells_the_people_of_the_department_and_who_listens(ground: Connection) -> None:
    for name, department, area, active in (("a", "sanitation", None, True), ("b", "sanitation", None, False), ("c", "water", None, True),
                                           ("d", None, COMMUNITY, True), ("e", None, "429702", True)):  # fmt: skip
        ground.execute(text("INSERT INTO city.grid_workers (code, name, phone, department, area_code, active) VALUES (:n, :n, :n, :d, :a, :x)"),
                       {"n": name, "d": department, "a": area, "x": active})  # fmt: skip
    hooks = (
        WebhookOptions("https://all.test", SECRET),
        WebhookOptions("https://some.test", SECRET, frozenset({"feedback"})),
    )
    options = replace(GridOptions(), notices=NoticeOptions(True, hooks))
    case = dispatched(ground, options)
    does(ground, options, "handler", case, "handle")
    does(ground, options, "handler", case, "feedback", reason="已清")
    act_as_owner(ground)
    rows = ground.execute(text("SELECT road, receiver, event, body FROM grid.notices ORDER BY id")).all()
    assert [(r.event, r.receiver) for r in rows if r.road == "sms"] == [("dispatch", "a"), ("feedback", "d")]
    assert [r.event for r in rows if r.receiver == "https://all.test"] == [
        "accept",
        "file",
        "dispatch",
        "handle",
        "feedback",
    ]
    assert [r.event for r in rows if r.receiver == "https://some.test"] == ["feedback"]
    words = next(r.body["words"] for r in rows if r.road == "sms")
    assert (
        words.startswith("【城市一张图】派遣：暴露垃圾 文星路与滨湖路交叉口东北角")
        and case in words
        and "截止" in words
    )


def test_a_refused_act_tells_nobody(ground: Connection) -> None:
    options = replace(GridOptions(), notices=NoticeOptions(False, (WebhookOptions("https://all.test", SECRET),)))
    case = dispatched(ground, options)
    before = ground.execute(text("SELECT count(*) FROM grid.notices")).scalar_one()
    with pytest.raises(Exception, match="not allowed"):
        does(ground, options, "handler", case, "feedback", reason="x")
    assert ground.execute(text("SELECT count(*) FROM grid.notices")).scalar_one() == before


def test_a_configuration_that_cannot_work_is_refused() -> None:
    for wrong in ({"GRID__NOTICES__SMS": '{"gateway": "http"}'}, {"GRID__CLOCK__HOURS": '["12:00-08:00"]'}, {"GRID__CLOCK__HOURS": '["08:00-12:00", "11:00-13:00"]'},
                  {"GRID__CLOCK__TIMEZONE": "Mars/Olympus"}, {"GRID__PHOTOS__DIRECTORY": "/srv/pg/photos", "DATABASE__DIRECTORY": "/srv/pg"}, {"GRID__NOTICES__WEBHOOKS": '[{"url": "https://x.test", "secret": "0123456789abcdef", "events": ["fly"]}]'}):  # fmt: skip
        with pytest.raises(ConfigError, match="grid"):
            settings(**wrong)
