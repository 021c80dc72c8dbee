"""The dispatcher's desk in headless Chromium with software rendering: 5 000 vehicles that all move, frames and memory.

Every vehicle's row changes once a second, as the gateway writes them; the page takes the server's frames and draws
between them. As long as 150 bursts: ten minutes of the default length.
"""

import os
import shutil
import threading
import time

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import text

from benchmarks.bench import Bench
from benchmarks.peers import citymap
from geoserver.accounts import add_account
from layers.database import Database

VEHICLES, BURSTS, PASSWORD = 5000, 150, "correct horse battery 9!"
FLAGS = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--enable-precise-memory-info"]
#: A view in which every vehicle is a sign of its own.
VIEW = "#map=12.7/30.395/114.895"
_MAKE = text("""
    INSERT INTO city.positions (geom, device, name, kind, state, time, heard, speed, heading)
    SELECT ST_SetSRID(ST_MakePoint(114.87 + (n % 100) * 0.0005, 30.37 + (n / 100) * 0.001), 4490), 'bench' || n,
           '车' || n, 'bus', 'moving', now(), now(), 36, (n * 37) % 360
    FROM generate_series(1, :n) n ON CONFLICT (device) DO NOTHING""")
_MOVE = text("""
    UPDATE city.positions SET time = now(), heard = now(),
        geom = ST_Translate(geom, 0.0001 * sin(radians(heading)), 0.0001 * cos(radians(heading)))
    WHERE device LIKE 'bench%'""")


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return ["## Live vehicles in the browser", "", "Not measured: there is no Chromium on this machine."]
    minutes = bench.seconds * BURSTS / 60
    _prepare(bench.database)
    over = threading.Event()
    driver = threading.Thread(target=_drive, args=(bench.database, over), daemon=True)
    driver.start()
    try:
        with (
            citymap(bench.url, bench.folder, CITYMAP__ACCESS__PASSWORD__FORCE_FIRST_CHANGE="false") as server,
            sync_playwright() as playwright,
        ):
            root = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *root])
            told = _watch(browser.new_page(viewport={"width": 1440, "height": 900}), server.url, minutes)
            browser.close()
    finally:
        over.set()
        driver.join(30)
        with bench.database.transaction() as conn:
            conn.execute(text("DELETE FROM city.positions WHERE device LIKE 'bench%'"))
    rates, costs, heaps = (sorted(values) for values in zip(*told, strict=True))
    quarter = max(1, len(told) // 4)
    early, late = (sum(row[2] for row in rows) / len(rows) for rows in (told[:quarter], told[-quarter:]))
    return [
        "## Live vehicles in the browser",
        "",
        f"{VEHICLES} vehicles, all moved once a second by the server, {minutes:g} minutes, headless Chromium with software "
        "rendering (SwiftShader), 1440 × 900, every vehicle a sign of its own; Chromium, server and PostgreSQL on the same cores.",
        "",
        "| | median | 5 % worst |",
        "|---|---|---|",
        f"| frames a second | {rates[len(rates) // 2]:.1f} | {rates[len(rates) // 20]:.1f} |",
        f"| of the page's thread, one frame [ms] | {costs[len(costs) // 2]:.2f} | {costs[-1 - len(costs) // 20]:.2f} |",
        "",
        f"JavaScript heap: {early / 1e6:.0f} MB in the first quarter, {late / 1e6:.0f} MB in the last; at most {heaps[-1] / 1e6:.0f} MB.",
    ]


def _prepare(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute(_MAKE, {"n": VEHICLES})
        if not conn.execute(text("SELECT 1 FROM access.accounts WHERE name = 'bench-desk'")).first():
            add_account(conn, "bench-desk", PASSWORD)
            conn.execute(
                text(
                    "INSERT INTO access.memberships (account, role, department, area) VALUES ('bench-desk', 'fleet-dispatcher', '', '')"
                )
            )


def _drive(database: Database, over: threading.Event) -> None:
    """Move every vehicle once a second."""
    while not over.is_set():
        begun = time.monotonic()
        with database.transaction() as conn:
            conn.execute(_MOVE)
        over.wait(max(0.0, 1.0 - (time.monotonic() - begun)))


def _watch(page: Page, url: str, minutes: float) -> list[tuple[float, float, float]]:
    """Frames a second, what one cost [ms] and the heap [bytes], once a second, after the first ten seconds."""
    page.goto(f"{url}/sign-in?next=/dispatch")
    page.fill("#account", "bench-desk")
    page.fill("#password", PASSWORD)
    page.click("main [type=submit]")
    page.wait_for_url(lambda address: address.split("?")[0].endswith("/dispatch"))
    page.goto(f"{url}/dispatch{VIEW}")
    page.reload()
    page.wait_for_function(
        f"() => Number(document.querySelector('.map')?.dataset.drawn) > {VEHICLES} * 0.9", timeout=120_000
    )
    page.wait_for_timeout(10_000)
    told, until = [], time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        seen = page.locator(".map").evaluate(
            "(map) => [map.dataset.fps, map.dataset.cost, performance.memory.usedJSHeapSize]"
        )
        told.append((float(seen[0]), float(seen[1]), float(seen[2])))
        page.wait_for_timeout(1000)
    return told
