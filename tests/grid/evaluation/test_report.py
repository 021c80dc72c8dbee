"""A month's report: the workbook as openpyxl reads it against pandas, and the paper as a reader sees it."""

import logging
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pypdfium2
import pytest
from sqlalchemy import Connection

from grid.errors import GridError
from grid.evaluation.report.processes import evaluation_report
from grid.options import GridOptions
from layers.processing import Workspace
from tests.grid.conftest import COMMUNITY, OTHER
from tests.grid.evaluation.test_evaluate import enter
from tests.grid.people import act_as, principal_of

ZONE = ZoneInfo("Asia/Shanghai")
FEBRUARY = datetime(2026, 2, 1, tzinfo=ZONE)


def _case(dice: random.Random) -> dict[str, Any]:
    at = FEBRUARY + timedelta(minutes=dice.randrange(-31 * 1440, 40 * 1440))
    return {
        "state": "filed", "reported_at": at, "accepted_at": at, "filed_at": at + timedelta(hours=2),
        "filing_due": at + timedelta(hours=dice.choice((1, 3))), "area_code": dice.choice((COMMUNITY, OTHER, None)),
        "class": "0102", "channel": "patrol", "department": dice.choice(("sanitation", "园林'局", "=1+1")),
    }  # fmt: skip


@pytest.fixture
def cases(ground: Connection) -> pd.DataFrame:
    """Cases of three months, of which a leader reads."""
    dice = random.Random(5)
    found = [_case(dice) for _ in range(150)]
    enter(ground, found)
    act_as(ground, principal_of("leader", "leader"))
    frame = pd.DataFrame(found)
    frame["day"] = frame["reported_at"].dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d")
    frame["on time"] = frame["filed_at"] <= frame["filing_due"]
    return frame


def _written(ground: Connection, folder: Path, **more: Any) -> Path:
    options = GridOptions()
    return evaluation_report(ground, Workspace(folder), options, month="2026-02", areas=("community",), **more).path


def test_the_workbook_holds_what_pandas_counts(ground: Connection, cases: pd.DataFrame, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(_written(ground, tmp_path))
    february, january = (cases[cases["day"].str.startswith(month)] for month in ("2026-02", "2026-01"))
    whole = {row[0]: row[1:] for row in book["总览"].iter_rows(values_only=True)}
    assert whole["上报"] == (len(february), len(january), len(february) - len(january))
    this, before = february["on time"].mean(), january["on time"].mean()
    assert whole["按时立案率"] == pytest.approx((this, before, this - before))
    assert whole["处置率"] == (None, None, None)  # nothing was due

    days = {row[0]: row[1] for row in book["每日"].iter_rows(min_row=2, values_only=True) if row[0]}
    assert days == february.groupby("day").size().to_dict()
    heads, *rows = book["部门"].iter_rows(values_only=True)
    found = {row[0]: (row[1], row[heads.index("按时立案率")]) for row in rows}
    expected = february.groupby("department")["on time"].agg(["size", "mean"])
    for name, (size, share) in expected.iterrows():
        assert found[name] == pytest.approx((size, share))  # '=1+1' is a name here, no formula
    areas = {row[0]: row[1] for row in book["社区"].iter_rows(min_row=2, values_only=True)}
    assert sum(areas.values()) == len(february) and areas["（未定）"] == february["area_code"].isna().sum()


def test_the_paper_says_the_same(
    ground: Connection, cases: pd.DataFrame, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    document = pypdfium2.PdfDocument(_written(ground, tmp_path, format="pdf"))
    texts = [page.get_textpage().get_text_bounded() for page in document]
    document.close()
    february = cases[cases["day"].str.startswith("2026-02")]
    whole = texts[0].partition("全市")[2] + texts[1]
    assert "2026-02" in texts[0] and str(len(february)) in whole
    assert f"{february['on time'].mean():.2%}" in whole
    assert "园林'局" in texts[-1] and f"第 {len(texts)} 页，共 {len(texts)} 页" in texts[-1]
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]  # a missing glyph is warned of


def test_a_month_that_is_none_is_refused(ground: Connection, cases: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(GridError, match="2026-13"):
        evaluation_report(ground, Workspace(tmp_path), GridOptions(), month="2026-13")
