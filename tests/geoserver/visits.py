"""Visits of a page in real Chromium: signed in or not, with what must never happen noted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser, Page

from geoserver.web.assets import NODE_MODULES
from tests.people import PASSWORD

PHONE = {"width": 390, "height": 844}
READY = "html[data-ready=true]"
_BREACHES = "window.breaches = []; addEventListener('securitypolicyviolation', (e) => breaches.push(e.blockedURI + ' ' + e.violatedDirective))"
_RULES = "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"

type Visit = Callable[..., Page]


@contextmanager
def visitor(browser: Browser, url: str) -> Iterator[Visit]:
    """``visit(path, who)`` in a new profile; script errors, breaches of policy and foreign requests fail at the end."""
    pages: list[Page] = []
    errors: list[str] = []
    foreign: list[str] = []

    def note(request: Any) -> None:
        if not request.url.startswith((url, "data:", "blob:")):
            foreign.append(request.url)

    def visit(path: str, who: str | None = None, **options: Any) -> Page:
        settings = {
            "locale": "zh-CN",
            "viewport": {"width": 1280, "height": 900},
            "reduced_motion": "reduce",
            **options,
        }
        context = browser.new_context(**settings)
        page = context.new_page()
        page.add_init_script(_BREACHES)
        page.on("pageerror", lambda error: errors.append(f"{error} {error.stack}"))
        context.on("request", note)
        pages.append(page)
        if who:
            page.goto(f"{url}/sign-in?next={quote(path, safe='')}")
            sign_in(page, who)
        else:
            page.goto(url + path)
        page.wait_for_selector(READY, state="attached", timeout=60_000)
        return page

    yield visit
    breaches = [page.evaluate("window.breaches ?? []") for page in pages if not page.is_closed()]
    for page in pages:
        page.context.close()
    assert (errors, foreign, [found for found in breaches if found]) == ([], [], [])


def sign_in(page: Page, who: str) -> None:
    page.fill("#account", who)
    page.fill("#password", PASSWORD)
    page.click("main [type=submit]")


def fits(page: Page) -> bool:
    """Whether nothing makes the page wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def faults(page: Page) -> list[str]:
    """What axe finds, light and dark; its script, and the styles it tries, come by the test's own road."""
    before = page.evaluate("breaches.length")
    page.evaluate((NODE_MODULES / "axe-core" / "axe.min.js").read_text("utf-8"))
    found = []
    for look in ("light", "dark"):
        page.evaluate("(look) => { document.documentElement.dataset.theme = look; }", look)
        found += [(look, one) for one in page.evaluate(_RULES)["violations"]]
    page.evaluate("(kept) => { breaches.length = kept; document.documentElement.dataset.theme = 'light'; }", before)
    return [f"{look} {one['id']}: {node['html'][:200]}" for look, one in found for node in one["nodes"]]
