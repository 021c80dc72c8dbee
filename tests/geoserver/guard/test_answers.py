"""What every answer carries, whoever made it; other origins; request ids."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from geoserver.guard.security_headers import SecurityHeaders
from geoserver.settings.server import Server
from tests.conftest import serve
from tests.geoserver.conftest import Site

PAGES = (
    "/", "/collections", "/collections/trees", "/collections/trees/items", "/collections/trees/items/1", "/collections/trees/queryables",
    "/collections/trees/schema", "/conformance", "/openapi", "/processes", "/processes/buffer", "/jobs", "/map", "/nowhere",
)  # fmt: skip
DATA = (
    "/?f=json", "/collections/trees/items?limit=1", "/collections/trees/items?f=csv", "/collections/none", "/nowhere", "/health", "/ready",
    "/styles/city", "/static/pages.css", "/favicon.svg", "/collections/trees/tiles/WebMercatorQuad/12/1684/3354", "/openapi?f=json",
    "/collections/trees/items?token=abc", "/conformance?lang=xx",
)  # fmt: skip
ID = re.compile(r"[0-9a-f]{32}")


def page(site: Site, path: str) -> requests.Response:
    return requests.get(site.url + path, headers={"Accept": "text/html"}, timeout=30)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_that_stands_in_it_and_lies_in_no_foreign_frame(site: Site, path: str) -> None:
    answer = page(site, path)
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = dict(part.partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split("; "))
    assert (
        policy["default-src"] == "'none'" and policy["base-uri"] == "'none'" and policy["frame-ancestors"] == "'self'"
    )
    assert (
        "unsafe" not in str(policy)
        and "nonce" not in str(policy)
        and "*" not in str(policy)
        and "http" not in str(policy)
    )
    assert not re.search(
        r"\sstyle=|\son[a-z]+=|<style|javascript:", re.sub(r"<script.*?</script>", "", answer.text, flags=re.DOTALL)
    )
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", answer.text)
    assert all("importmap" in tag or "application/json" in tag for tag in inline), inline
    assert (
        answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        and answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    )


@pytest.mark.parametrize("path", PAGES + DATA)
def test_every_answer_carries_the_headers_once(site: Site, path: str) -> None:
    answer = page(site, path) if path in PAGES else requests.get(site.url + path, timeout=30)
    for name, value in {
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
    }.items():  # fmt: skip
        assert answer.headers[name] == value
    assert (
        "camera=()" in answer.headers["Permissions-Policy"]
        and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    )
    assert ID.fullmatch(answer.headers["X-Request-Id"])
    assert (
        "Strict-Transport-Security" not in answer.headers
        and "Server" not in answer.headers
        and "X-Powered-By" not in answer.headers
    )
    if "html" not in answer.headers.get("Content-Type", ""):
        assert "Cross-Origin-Opener-Policy" not in answer.headers


def test_browsers_keep_to_tls_when_there_is_any() -> None:
    for server in (Server(url="https://map.example.gov.cn"), Server(url="http://127.0.0.1:8080")):
        headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
        SecurityHeaders(server).complete(headers)
        assert (dict(headers).get(b"strict-transport-security") == b"max-age=31536000") == server.encrypted
    own = [(b"content-type", b"text/html"), (b"content-security-policy", b"default-src 'self'")]
    SecurityHeaders(Server()).complete(own)
    assert [value for name, value in own if name == b"content-security-policy"] == [b"default-src 'self'"]


def test_a_request_is_named_by_the_server_alone(site: Site) -> None:
    forged = [
        requests.get(f"{site.url}/health", headers={"X-Request-Id": "a" * 32}, timeout=10).headers["X-Request-Id"]
        for _ in range(2)
    ]
    assert len({*forged, "a" * 32}) == 3 and all(ID.fullmatch(one) for one in forged)


def test_an_error_names_the_request_that_its_answer_and_log_name(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from geoserver import features

    def fail(*_: Any) -> None:
        raise RuntimeError("inner detail")

    monkeypatch.setattr(features, "read_feature", fail)
    answer = site.get("/collections/trees/items/1")
    assert answer.status_code == 500 and "inner detail" not in answer.text
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
    assert f"request {answer.headers['X-Request-Id']} failed" in caplog.text


@pytest.mark.parametrize(
    "name", ["token", "api_key", "apikey", "ACCESS_TOKEN", "password", "%74oken", "jwt", "client_secret"]
)
def test_credentials_in_a_url_are_refused_with_what_to_do(site: Site, name: str) -> None:
    answer = requests.get(f"{site.url}/collections/trees/items?limit=1&{name}=s3cr3t", timeout=10)
    assert answer.status_code == 400 and "Authorization" in answer.json()["description"] and "s3cr3t" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_compressed_body_is_refused_before_it_is_read(site: Site) -> None:
    answer = requests.post(
        f"{site.url}/processes/buffer/execution", data=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}, timeout=10
    )
    assert answer.status_code == 415 and "Content-Encoding" in answer.json()["description"]
    assert (
        requests.post(
            f"{site.url}/processes/buffer/execution", data=b"{}", headers={"Content-Encoding": "identity"}, timeout=10
        ).status_code
        != 415
    )


OTHER = "https://cg.example.gov.cn"


@pytest.fixture(scope="module")
def open_site(site: Site) -> Iterator[str]:
    with serve(site.database.url, SERVER__CORS_ORIGINS=f"['{OTHER}']") as url:
        yield url


def asked(url: str, origin: str, method: str = "GET", **headers: str) -> requests.Response:
    return requests.request(method, f"{url}/collections/trees/items", headers={"Origin": origin, **headers}, timeout=10)


def test_no_other_origin_may_read_by_default(site: Site) -> None:
    assert "Access-Control-Allow-Origin" not in asked(site.url, OTHER).headers
    preflight = asked(site.url, OTHER, "OPTIONS", **{"Access-Control-Request-Method": "PUT"})
    assert "Access-Control-Allow-Origin" not in preflight.headers


def test_a_named_origin_may_read_and_sign_in(open_site: str) -> None:
    answer = asked(open_site, OTHER)
    assert (
        answer.headers["Access-Control-Allow-Origin"] == OTHER
        and answer.headers["Access-Control-Allow-Credentials"] == "true"
    )
    assert "Origin" in answer.headers["Vary"] and "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    preflight = asked(
        open_site,
        OTHER,
        "OPTIONS",
        **{"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"},
    )
    assert (
        preflight.status_code == 200
        and "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
        and preflight.headers["X-Request-Id"]
    )


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "null", "http://cg.example.gov.cn", f"{OTHER}.evil.com"]
)
def test_an_unnamed_origin_may_not(open_site: str, origin: str) -> None:
    assert "Access-Control-Allow-Origin" not in asked(open_site, origin).headers
    assert asked(open_site, origin, "OPTIONS", **{"Access-Control-Request-Method": "PUT"}).status_code == 400


def test_any_origin_may_read_only_without_credentials(site: Site) -> None:
    with serve(site.database.url, SERVER__CORS_ORIGINS="['*']") as url:
        answer = asked(url, "https://anyone.example.com")
        assert (
            answer.headers["Access-Control-Allow-Origin"] == "*"
            and "Access-Control-Allow-Credentials" not in answer.headers
        )


def test_refusals_can_be_read_by_other_origins_too(site: Site, tmp_path: Path) -> None:
    rate = f"{{file: {tmp_path}/rates, address: {{requests: 1}}}}"
    with serve(site.database.url, SERVER__CORS_ORIGINS=f"['{OTHER}']", SERVER__LIMITS__RATE=rate) as url:
        assert [asked(url, OTHER).status_code for _ in range(2)] == [200, 429]
        assert asked(url, OTHER).headers["Access-Control-Allow-Origin"] == OTHER
