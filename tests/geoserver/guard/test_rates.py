"""How often a client may ask: the algorithm against a plain count, the shared table, and the running server."""

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from geoserver.errors import SignInNeeded, TooManyRequests
from geoserver.guard import rates as rates_module
from geoserver.guard import shared_times
from geoserver.guard.admission import admit, attempt
from geoserver.guard.purposes import purpose_of
from geoserver.guard.rates import Rates
from geoserver.guard.shared_times import open_shared_times
from geoserver.settings.server import Quota, Rate
from layers.access import Principal
from tests.conftest import serve
from tests.geoserver.conftest import Site


def rate(file: Path, requests_: int, seconds: float) -> Rate:
    return Rate(address=Quota(requests=requests_, seconds=seconds), file=str(file))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rates_module, "time", clock)
    return clock


def test_as_a_bucket_that_refills_evenly_would_decide(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(rate(tmp_path / "rates", 7, 3.0))
    chance, tokens, seen = random.Random(1), 7.0, clock.now
    for _ in range(3000):
        clock.now += chance.choice([0.0, 0.0, 0.1, 0.37, 1.9])
        tokens, seen = min(7.0, tokens + (clock.now - seen) * 7 / 3.0), clock.now
        if abs(tokens - round(tokens)) < 1e-6:
            tokens = float(round(tokens))
        spent = rates.spend("address", "a")
        assert (spent.wait == 0) == (tokens >= 1), (tokens, spent)
        if tokens >= 1:
            tokens -= 1
            assert spent.remaining == int(tokens)
        else:
            assert spent.wait == pytest.approx((1 - tokens) * 3 / 7)


def test_waiting_as_long_as_told_is_enough(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(rate(tmp_path / "rates", 2, 60))
    while not (spent := rates.spend("address", "a")).wait:
        pass
    clock.now += spent.wait
    assert rates.spend("address", "a").wait == 0
    assert rates.spend("address", "b").wait == 0


def test_times_of_another_boot_are_forgotten(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(rate(tmp_path / "rates", 1, 60))
    clock.now = 1e9
    rates.spend("address", "a")
    clock.now = 5.0
    assert rates.spend("address", "a").wait == 0


def test_a_flood_of_clients_neither_grows_the_file_nor_frees_the_busiest(tmp_path: Path, clock: Clock) -> None:
    rates = Rates(rate(tmp_path / "rates", 100, 1000))
    while not rates.spend("address", "busy").wait:
        pass
    for number in range(300_000):  # more than twice as many as there are entries
        rates.spend("address", f"flood{number}")
    assert rates.spend("address", "busy").wait > 0
    assert (tmp_path / "rates").stat().st_size == shared_times.SIZE < 3_000_000


def _count(file: str, requests_: int, barrier: object, admitted: object) -> None:
    rates = Rates(rate(Path(file), requests_, 3600))
    barrier.wait()  # type: ignore[attr-defined]
    passed = 0
    for _ in range(requests_):
        passed += rates.spend("address", "a").wait == 0
        time.sleep(0.0002)  # some thousand requests a second, as a busy worker has
    with admitted.get_lock():  # type: ignore[attr-defined]
        admitted.value += passed  # type: ignore[attr-defined]


def test_worker_processes_count_together(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier, admitted = spawn.Barrier(3), spawn.Value("i", 0)
    workers = [spawn.Process(target=_count, args=(str(tmp_path / "rates"), 2000, barrier, admitted)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    # Alone each would admit 2000; a few are counted once when two write at the same moment.
    assert 2000 <= admitted.value < 2600


def test_a_broken_or_foreign_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "rates").write_bytes(b"x" * 10)
    open_shared_times(tmp_path / "rates")
    assert (tmp_path / "rates").stat().st_size == shared_times.SIZE
    assert (tmp_path / "rates").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["rates"]


def test_without_a_usable_file_a_process_counts_by_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    rates = Rates(rate(tmp_path / "file" / "rates", 1, 60))
    assert "cannot be shared" in caplog.text
    assert rates.spend("address", "a").wait == 0 and rates.spend("address", "a").wait > 0


@pytest.mark.parametrize(
    ("method", "path", "query", "accept", "purpose"),
    [
        ("GET", "/collections/roads/items", "limit=10", "*/*", None),
        ("GET", "/collections/roads/items", "f=json", "*/*", None),
        ("GET", "/collections/roads/items", "f=gpkg", "*/*", "exports"),
        ("GET", "/collections/roads/items", "limit=1&%66=csv", "*/*", "exports"),
        ("GET", "/collections/roads/items", "", "text/csv", "exports"),
        ("GET", "/tiles/WebMercatorQuad/1/2/3", "f=gpkg", "*/*", None),
        ("POST", "/processes/buffer/execution", "", "*/*", "executions"),
        ("GET", "/processes/buffer", "", "*/*", None),
        ("POST", "/uploads", "", "*/*", "uploads"),
        ("GET", "/uploads/x", "", "*/*", None),
        ("POST", "/sign-in", "", "*/*", "sign_in"),
        ("GET", "/sign-in", "", "*/*", None),
        ("GET", "/sign-in/city-id/callback", "", "*/*", "sign_in"),
        ("POST", "/token", "", "*/*", "sign_in"),
        ("POST", "/account/password", "", "*/*", "sign_in"),
        ("POST", "/account/totp/remove", "", "*/*", "sign_in"),
        ("GET", "/account", "", "*/*", None),
    ],
)
def test_what_a_request_is_for(method: str, path: str, query: str, accept: str, purpose: str | None) -> None:
    scope = {"method": method, "path": path, "query_string": query.encode(), "headers": [(b"accept", accept.encode())]}
    assert purpose_of(scope) == purpose


@contextmanager
def limited(site: Site, tmp_path: Path, **quotas: str) -> Iterator[str]:
    settings = {f"SERVER__LIMITS__RATE__{name}": value for name, value in quotas.items()}
    with serve(site.database.url, SERVER__LIMITS__RATE=f"{{file: {tmp_path}/rates}}", **settings) as url:
        yield url


def test_a_client_that_asks_too_often_is_told_when_to_come_back(site: Site, tmp_path: Path) -> None:
    with limited(site, tmp_path, ADDRESS="{requests: 4, seconds: 24}") as url:
        answers = [requests.get(f"{url}/conformance", timeout=10) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 4 + [429]
        assert "RateLimit" not in answers[0].headers  # nothing to tell a modest client
        assert answers[3].headers["RateLimit"].startswith('"address";r=0;t=')
        refused = answers[4]
        assert refused.headers["RateLimit-Policy"] == '"address";q=4;w=24' and refused.headers["X-Request-Id"]
        wait = int(refused.headers["Retry-After"])
        assert 0 < wait <= 6 and refused.headers["RateLimit"] == f'"address";r=0;t={wait}'
        assert refused.headers["Cache-Control"] == "no-store"
        assert "4 in 24 s" in refused.json()["description"]
        assert requests.get(f"{url}/health", timeout=10).status_code == 200
        chinese = requests.get(url, headers={"Accept-Language": "zh-CN"}, timeout=10)
        assert "请求过于频繁" in chinese.json()["description"]
        time.sleep(wait)
        assert requests.get(f"{url}/conformance", timeout=10).status_code == 200


def test_exports_have_a_quota_of_their_own(site: Site, tmp_path: Path) -> None:
    with limited(site, tmp_path, EXPORTS="{requests: 2}") as url:
        items = f"{url}/collections/trees/items"
        statuses = [requests.get(items, params={"f": "csv"}, timeout=10).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert requests.get(items, headers={"Accept": "text/csv"}, timeout=10).status_code == 429
        assert requests.get(items, timeout=10).status_code == 200


def test_a_map_that_pans_is_never_held_up_by_default(site: Site, tmp_path: Path) -> None:
    with limited(site, tmp_path) as url, requests.Session() as session:
        session.headers["X-Forwarded-For"] = "203.0.113.7"
        tile = f"{url}/collections/trees/tiles/WebMercatorQuad/12/1684/3354"
        assert {session.get(tile, timeout=10).status_code for _ in range(200)} == {200}


def test_behind_a_trusted_proxy_each_client_has_its_own_quota(site: Site, tmp_path: Path) -> None:
    quota = {"SERVER__LIMITS__RATE": f"{{file: {tmp_path}/rates, address: {{requests: 1}}}}"}
    with serve(site.database.url, SERVER__TRUSTED_PROXIES="[127.0.0.0/8]", **quota) as url:

        def ask(forwarded: str) -> int:
            return requests.get(f"{url}/conformance", headers={"X-Forwarded-For": forwarded}, timeout=10).status_code

        assert (ask("203.0.113.1"), ask("203.0.113.2"), ask("203.0.113.1")) == (200, 200, 429)
        assert ask("9.9.9.9, 203.0.113.2") == 429  # what a client writes itself changes nothing
        assert (ask("2001:db8::1"), ask("2001:db8::ffff:2"), ask("2001:db8:0:1::1")) == (200, 429, 200)


class _State:
    def __init__(self, rates: Rates) -> None:
        self.rates = rates


class _Request:
    """What :func:`admit` reads of a request."""

    def __init__(self, rates: Rates, path: str = "/", method: str = "GET", address: str = "203.0.113.1") -> None:
        self.app = type("App", (), {"state": _State(rates)})()
        self.scope = {
            "path": path, "method": method, "query_string": b"", "headers": [], "state": {"client_address": address}
        }  # fmt: skip


def test_an_account_is_bounded_whatever_addresses_it_asks_from(tmp_path: Path) -> None:
    rates = Rates(Rate(account=Quota(requests=3), executions=Quota(requests=2), file=str(tmp_path / "rates")))
    planner, other = Principal(account="planner"), Principal(account="other")
    execute = [_Request(rates, "/processes/buffer/execution", "POST", f"203.0.113.{i}") for i in range(3)]
    admit(execute[0], planner)  # type: ignore[arg-type]
    admit(execute[1], planner)  # type: ignore[arg-type]
    with pytest.raises(TooManyRequests) as refused:
        admit(execute[2], planner)  # type: ignore[arg-type]
    assert "executions" in str(refused.value) and refused.value.headers["Retry-After"] == "30"
    with pytest.raises(TooManyRequests, match="account"):
        admit(_Request(rates), planner)  # type: ignore[arg-type]
    admit(execute[2], other)  # type: ignore[arg-type]
    for _ in range(10):
        admit(_Request(rates), Principal())  # type: ignore[arg-type]


def test_passwords_can_be_tried_only_so_often_from_one_address(tmp_path: Path) -> None:
    rates = Rates(Rate(sign_in=Quota(requests=5), file=str(tmp_path / "rates")))
    for _ in range(20):
        with attempt(_Request(rates)):  # type: ignore[arg-type]
            pass  # the right password
    for _ in range(5):
        with pytest.raises(SignInNeeded), attempt(_Request(rates)):  # type: ignore[arg-type]
            raise SignInNeeded
    with pytest.raises(TooManyRequests), attempt(_Request(rates)):  # type: ignore[arg-type]
        pytest.fail("a password was tried")
    with attempt(_Request(rates, address="203.0.113.2")):  # type: ignore[arg-type]
        pass
