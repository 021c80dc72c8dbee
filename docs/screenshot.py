"""Take a picture of the map of a running server, for the README.

``.venv/bin/python docs/screenshot.py http://127.0.0.1:8080/map docs/images/map.png``; see also ``--help``.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

#: Software WebGL in a headless browser that calls nobody.
FLAGS = [
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
]
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
READY = "html[data-ready=true]"


def main() -> int:
    """Open the page, wait until the map rests, write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--phone", action="store_true")
    parser.add_argument("--language", default="zh-CN")
    parser.add_argument("--account", help="sign in first; the password is in CITYMAP_PASSWORD")
    parser.add_argument("--click", action="append", default=[], metavar="SELECTOR", help="click this first")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no Chromium found: install it with 'apt-get install chromium'", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *root])
        page = browser.new_page(
            **(PHONE if asked.phone else DESKTOP),
            locale=asked.language,
            color_scheme="dark" if asked.dark else "light",
        )
        if asked.account:
            page.goto(f"{asked.url.split('#')[0].rsplit('/', 1)[0]}/sign-in?next=/health")
            page.fill("#account", asked.account)
            page.fill("#password", os.environ["CITYMAP_PASSWORD"])
            page.click("main [type=submit]")
            page.wait_for_url("**/health")
        page.goto(asked.url)
        page.wait_for_selector(READY, state="attached", timeout=60_000)
        for selector in asked.click:
            page.click(selector)
            page.wait_for_timeout(1500)
            page.wait_for_selector(READY, state="attached", timeout=60_000)
        # Labels fade in after the last tile.
        page.wait_for_timeout(800)
        asked.file.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=asked.file)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
