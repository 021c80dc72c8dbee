"""The working pages' documents, worker, manifest and texts, without a browser."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import uvicorn
from starlette.applications import Starlette

from geoserver.web import assets
from geoserver.web.map_page import LANGUAGES
from geoserver.web.routes import routes
from geoserver.web.work_pages import offline_files, strings

APPS = ("report", "cases", "planning", "admin")


type Get = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def get() -> Iterator[Get]:
    """GET from the client's routes alone, as somebody who is signed in."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = Starlette(routes=routes(lambda _request: {}, lambda _request: "wang"))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield lambda path, **params: requests.get(f"http://127.0.0.1:{port}{path}", params=params, timeout=10)
    server.should_exit = True
    thread.join(10)


def modules(path: str, seen: set[str]) -> set[str]:
    """A module of ours and all that it imports, as paths below static/."""
    if path in seen:
        return seen
    seen.add(path)
    source = (assets.STATIC / path).read_text("utf-8")
    for name in re.findall(r'\b(?:from|import\()\s*"([^"]+)"', source):
        if name.startswith("."):
            modules((assets.STATIC / path).parent.joinpath(name).resolve().relative_to(assets.STATIC).as_posix(), seen)
        else:
            seen.add(f"vendor/{assets.IMPORTS[name]}")
    return seen


def code(app: str) -> str:
    own = [path for path in modules(f"{app}/app.js", set()) if not path.startswith("vendor/")]
    return "".join((assets.STATIC / path).read_text("utf-8") for path in own)


@pytest.mark.parametrize("app", APPS)
def test_policy_lets_nothing_inline_run_but_the_import_map(get: Get, app: str) -> None:
    answer = get("/admin/layers" if app == "admin" else f"/{app}")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "manifest-src 'self'" in policy and "worker-src 'self'" in policy
    assert not re.search(r"\sstyle=|\son\w+=", answer.text)
    inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", answer.text)
    assert sorted(inline) == [' type="application/json" id="strings"', ' type="importmap"']


def test_report_page_names_nobody_so_that_a_phone_may_keep_it(get: Get) -> None:
    assert "wang" not in get("/report").text
    assert 'data-account="wang"' in get("/cases").text


def test_worker_has_the_report_page_alone_as_scope_and_keeps_all_that_it_needs(get: Get) -> None:
    answer = get("/report/worker.js")
    assert answer.headers["Service-Worker-Allowed"] == "/report"
    build = json.loads(answer.text.split("self.BUILD = ", 1)[1].split(";\n", 1)[0])
    needed = modules("report/app.js", set()) | {"report/report.css", "work/work.css", "map/theme.js"}
    kept = {path.split("/", 3)[3] for path in build["files"]}
    assert needed <= kept and not {path for path in kept if path.startswith(("cases/", "board/"))}
    assert all(get(path).status_code == 200 for path in build["files"])
    assert "vendor/maplibre-gl-worker.mjs" in kept


def test_worker_changes_with_every_file_of_the_page() -> None:
    files = assets.read_assets()
    changed = files | {"report/what.js": assets.Asset(b"x", "text/javascript", "other")}
    assert assets.fingerprint(files) != assets.fingerprint(changed)
    assert "report/worker.js" not in offline_files(files)


@pytest.mark.parametrize("language", LANGUAGES)
def test_manifest_makes_it_installable(get: Get, language: str) -> None:
    manifest = get("/report/manifest.webmanifest", lang=language).json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/report", "/report", "standalone")
    assert manifest["name"] == strings("report", language)["page.app"]
    sizes = {icon["sizes"]: get(icon["src"]).content for icon in manifest["icons"]}
    for size in ("192x192", "512x512"):
        width = int.from_bytes(sizes[size][16:20], "big")  # of the PNG's IHDR
        assert sizes[size].startswith(b"\x89PNG") and f"{width}x{width}" == size


@pytest.mark.parametrize("folder", [*APPS, "work"])
def test_both_languages_say_the_same(folder: str) -> None:
    chinese, english = (
        json.loads((assets.STATIC / f"i18n/{folder}/{language}.json").read_text("utf-8")) for language in LANGUAGES
    )
    assert list(chinese) == list(english)
    for key, text in chinese.items():
        assert text.strip() and english[key].strip(), key
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", english[key])), key


@pytest.mark.parametrize("app", APPS)
def test_every_text_that_the_code_names_exists_and_every_text_is_named(app: str) -> None:
    texts, source = set(strings(app, "zh-CN")), code(app)
    page = (assets.WEB / "work.html").read_text("utf-8") + (assets.WEB / "work_pages.py").read_text("utf-8")
    called = set(re.findall(r'\bt\(\s*"([^"]+)"', source))
    assert called <= texts
    built = tuple(re.findall(r"\bt\(`([\w.]+\.)\$", source))
    own = {key for key in texts if not key.startswith("maplibre.")} - set(
        json.loads((assets.STATIC / "i18n/work/zh-CN.json").read_text())
    )
    named = {
        key
        for key in own
        if f'"{key}"' in source or key.startswith(built) or key.replace(".", "_") in page or f'"{key}"' in page
    }
    assert own == named


@pytest.mark.parametrize(
    "path",
    sorted(p for app in (*APPS, "work") for p in (assets.STATIC / app).glob("*.js")),
    ids=lambda p: f"{p.parent.name}/{p.name}",
)
def test_no_chinese_sentence_hides_in_the_code(path: Path) -> None:
    source = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.S)
    assert set(re.findall(r"[\u4e00-\u9fff]+", source)) <= {"中文"}


def test_every_act_and_role_of_the_life_cycle_has_its_name_and_form() -> None:
    from grid.cases.life_cycle import TRANSITIONS

    texts = strings("cases", "zh-CN")
    forms = (assets.STATIC / "cases/acts.js").read_text("utf-8")
    for row in TRANSITIONS:
        assert f"act.{row.act}" in texts and {f"role.{role}" for role in row.roles} <= set(texts)
        if "clock" not in row.roles:
            assert re.search(rf'^  "?{row.act}"?: \[', forms, re.M), row.act
