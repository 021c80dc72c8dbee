"""The report of a check: on paper as a reader sees it, and its files as their own readers read them."""

import logging
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import ezdxf
import geopandas
import numpy as np
import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import Browser
from sqlalchemy import Connection

from geoserver.config import load
from geoserver.process_maps import ProcessMaps
from layers.access import Grant, Principal
from layers.processing import CityMaps, Workspace
from layers.raster.store import RasterStore
from planning.boundary.reader import read_boundary_points
from planning.check.processes import CheckAnswer, check_redline
from planning.errors import PlanningError
from planning.options import PlanningOptions
from planning.report.processes import redline_report
from tests.planning.plan_site import make_open_lines, make_plan
from tests.planning.redline_site import square

PLANNER = Principal("zhou", frozenset({"planner"}), (Grant("*", frozenset({"read", "create"}), "sensitive"),))
OPTIONS = PlanningOptions()
#: Pixels in an inch of what is looked at.
DPI = 150


@pytest.fixture
def maps(conn: Connection, tmp_path: Path) -> CityMaps:
    make_plan(conn)
    make_open_lines(conn)
    return ProcessMaps(conn, PLANNER, load(environ={}), RasterStore(tmp_path / "rasters"))


@pytest.fixture
def checked(conn: Connection, maps: CityMaps, tmp_path: Path) -> CheckAnswer:
    return check_redline(
        conn, RasterStore(tmp_path / "rasters"), OPTIONS, parcel=square(900, 900, 320, 240), land_code="0901"
    )


@pytest.fixture
def pdf(conn: Connection, maps: CityMaps, checked: CheckAnswer, tmp_path: Path) -> Iterator[pypdfium2.PdfDocument]:
    found = redline_report(conn, Workspace(tmp_path), maps, OPTIONS, check=checked.check)
    document = pypdfium2.PdfDocument(found.path)
    yield document
    document.close()


def text_of(document: pypdfium2.PdfDocument) -> str:
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def test_the_paper_says_what_the_check_found(
    pdf: pypdfium2.PdfDocument, checked: CheckAnswer, caplog: pytest.LogCaptureFixture
) -> None:
    said = text_of(pdf).replace("\r\n", "").replace("\n", "")
    result = checked.result
    assert any(conflict.length for conflict in result.conflicts) and f"{result.areas.plane:,.2f} m²" in said
    for conflict in result.conflicts:
        assert conflict.size.zh.removesuffix(" m²").replace(" ", "") in said.replace(" ", "")
        assert conflict.clause.zh.replace(" ", "") in said.replace(" ", "")
    for point, x in (("J1", "3365940.000"), ("J3", "38587620.000")):
        assert point in said and x in said
    assert f"第 {len(pdf)} 页，共 {len(pdf)} 页" in said
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]  # a missing glyph is warned of


def test_the_map_is_true_to_its_scale_and_not_blank(pdf: pypdfium2.PdfDocument) -> None:
    picture = pdf[0].render(scale=DPI / 72).to_pil().convert("RGB")
    pixels = np.asarray(picture).astype(int)
    red = (pixels[..., 0] > 215) & (pixels[..., 1] < 30) & (pixels[..., 2] < 30)
    long = [(red.sum(axis), n) for axis, n in ((0, 1), (1, 0))]
    columns, rows = (np.flatnonzero(count > 0.5 * count.max()) for count, _ in long)
    printed = re.search(r"m +1:(\d+)", text_of(pdf))
    assert printed
    for found, metres in ((columns, 320), (rows, 240)):
        millimetres = (found[-1] - found[0] + 1) / DPI * 25.4 - 0.6  # the line's own width
        assert millimetres == pytest.approx(metres * 1000 / int(printed[1]), abs=0.35)
    assert len(Image.fromarray(pixels.astype("u1")).crop((150, 700, 1000, 1500)).getcolors(1 << 20) or []) > 50


def test_the_files_beside_it_are_read_by_their_own_readers(
    conn: Connection, maps: CityMaps, checked: CheckAnswer, tmp_path: Path
) -> None:
    found = redline_report(conn, Workspace(tmp_path), maps, OPTIONS, check=checked.check, format="zip")
    folder = tmp_path / "out"
    with zipfile.ZipFile(found.path) as bundle:
        assert bundle.testzip() is None
        bundle.extractall(folder)
    [parcel] = read_boundary_points((folder / "boundary.txt").read_bytes()).parcels
    assert parcel.polygon.equals_exact(square(900, 900, 320, 240).parcel().polygon)
    [outline] = ezdxf.readfile(folder / "boundary.dxf").modelspace().query('POLYLINE[layer=="用地红线"]')
    assert len(list(outline.points())) == 4
    pieces = geopandas.read_file(folder / "data.gpkg", layer="冲突")
    assert pieces.crs.to_epsg() == 4547 and len(pieces) == len(checked.result.conflicts)
    assert pieces.geometry.area.to_numpy() == pytest.approx(pieces["area"].to_numpy(), abs=0.02)


def test_the_page_in_the_zip_shows_its_map_with_the_network_off(
    conn: Connection, maps: CityMaps, checked: CheckAnswer, tmp_path: Path, browser: Browser
) -> None:
    found = redline_report(conn, Workspace(tmp_path), maps, OPTIONS, check=checked.check, format="zip")
    with zipfile.ZipFile(found.path) as bundle:
        bundle.extract("report.html", tmp_path / "alone")
    text = (tmp_path / "alone/report.html").read_text("utf-8")
    assert not re.findall(r"""(?:src|href)=["'](?!data:)[^"']+""", text)
    context = browser.new_context(offline=True, viewport={"width": 1000, "height": 700})
    page = context.new_page()
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if not r.url.startswith(("data:", "file:")) else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.goto(f"file://{tmp_path}/alone/report.html")
    page.locator("path.leaflet-interactive").first.wait_for()
    pieces = len(checked.result.conflicts)
    assert page.locator("path.leaflet-interactive").count() == 1 + pieces + 4  # parcel, conflicts, points
    assert page.evaluate("document.querySelector('img.leaflet-image-layer').naturalWidth") == 2000
    page.locator("path.leaflet-interactive").nth(pieces).dispatch_event("click")
    said = page.locator(".leaflet-popup-content").inner_text()
    assert checked.result.conflicts[-1].size.zh in said
    assert (asked, wrong) == ([], [])
    context.close()


def test_what_was_never_checked_has_no_report(conn: Connection, maps: CityMaps, tmp_path: Path) -> None:
    for given, words in (({"check": 10**9}, "no check"), ({}, "give one of"), ({"redline": "没有"}, "no red line")):
        with pytest.raises(PlanningError, match=words):
            redline_report(conn, Workspace(tmp_path), maps, OPTIONS, **given)  # type: ignore[arg-type]


def test_the_table_of_conflicts_is_on_white_paper(pdf: pypdfium2.PdfDocument) -> None:
    picture = np.asarray(pdf[1].render(scale=1).to_pil().convert("L"))
    assert (picture[len(picture) // 2 :] > 250).mean() > 0.75
