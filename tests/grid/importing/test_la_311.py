"""The requests of Los Angeles as cases over its neighbourhoods, and their evaluation against pandas and geopandas."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pytest
from sqlalchemy import Connection, text

from grid.evaluation.processes import Evaluation, evaluate
from grid.importing.processes import ImportedCases, import_cases
from grid.options import ClockOptions, GridOptions
from layers.database import Database
from layers.processing import CityCrs, UploadedFile
from tests.grid.people import act_as, principal_of

DATA = Path("/work/shared/data/07_service_requests")
FILES = ("myla311_2017_subset.csv.gz", "myla311_2020_requests.csv.gz")
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the 311 requests of Los Angeles are not in {DATA}")

LA = ZoneInfo("America/Los_Angeles")
OPTIONS = GridOptions(clock=ClockOptions(timezone="America/Los_Angeles"))
STATES = {"Closed": "closed", "Cancelled": "void", "Referred Out": "declined", "Open": "dispatched", "Pending": "filed"}
CHANNELS = {"Call": "hotline", "Mobile App": "public", "Self Service": "public", "Driver Self Report": "patrol"}
COLUMNS = {
    "source_id": "SRNumber", "reported_at": "CreatedDate", "accepted_at": "CreatedDate", "filed_at": "CreatedDate",
    "dispatched_at": "CreatedDate", "handled_at": "ClosedDate", "closed_at": "ClosedDate|UpdatedDate", "due": "ServiceDate",
    "lon": "Longitude", "lat": "Latitude", "class": "RequestType", "status": "Status", "channel": "RequestSource",
    "department": "Owner", "place": "Address",
}  # fmt: skip
#: How the two years write the same columns.
COLUMNS_OF = (COLUMNS, {name: column.lower() for name, column in COLUMNS.items()})
BEGIN, END = datetime(2017, 1, 1, tzinfo=LA), datetime(2021, 1, 1, tzinfo=LA)


class Quiet:
    """A job that nobody watches."""

    def progress(self, percent: float, message: object = None) -> None:
        """Nothing to tell."""

    def cancelled(self) -> bool:
        """Nobody cancels."""
        return False


def brought_in(conn: Connection, file: str, columns: dict[str, str], **more: Any) -> ImportedCases:
    found: ImportedCases = import_cases(
        conn, Quiet(), OPTIONS, CityCrs(4547, frozenset({4490})), UploadedFile(DATA / file, file), "myla311",
        columns, STATES, CHANNELS, time_formats=("%m/%d/%Y %I:%M:%S %p",), **more,
    )  # fmt: skip
    return found


def lay_neighbourhoods(conn: Connection) -> None:
    features = orjson.loads((DATA / "la_neighborhood_councils_2019.geojson").read_bytes())["features"]
    for feature in features:
        conn.execute(
            text("INSERT INTO city.admin_areas (geom, code, level, name) VALUES (ST_SetSRID(ST_Multi(ST_MakeValid("
                 "ST_GeomFromGeoJSON(:g))), 4490), :code, 'community', :name)"),
            {"g": orjson.dumps(feature["geometry"]).decode(), "name": feature["properties"]["name"],
             "code": f"990001001{int(feature['properties']['nc_id']):03d}"},
        )  # fmt: skip


class Imported:
    """What the imports told, the cases, and the evaluation by neighbourhood and month."""

    def __init__(self, conn: Connection) -> None:
        lay_neighbourhoods(conn)
        act_as(conn, principal_of("clerk", "intake-clerk"))
        self.results = [brought_in(conn, file, columns) for file, columns in zip(FILES, COLUMNS_OF, strict=True)]
        self.again = brought_in(conn, FILES[0], COLUMNS_OF[0])
        found = conn.execute(
            text("SELECT *, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM city.cases WHERE source = 'myla311'")
        )
        self.cases = pd.DataFrame([dict(row) for row in found.mappings()])
        self.evaluation: Evaluation = evaluate(conn, OPTIONS, BEGIN, END, by=("community", "month"), filters=False)
        self.departments: Evaluation = evaluate(conn, OPTIONS, BEGIN, END, by=("department", "class"))


@pytest.fixture(scope="module")
def imported(database: Database) -> Imported:
    with database.engine.connect() as conn:
        transaction = conn.begin()
        try:
            return Imported(conn)
        finally:
            transaction.rollback()


@pytest.fixture(scope="module")
def source() -> pd.DataFrame:
    """The two files as pandas reads them; one way of writing columns and times."""
    frames = []
    for file, form in zip(FILES, ("%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S"), strict=True):
        with gzip.open(DATA / file, "rt", encoding="utf-8-sig") as stream:
            frame = pd.read_csv(stream, dtype=str)
        frame = frame.rename(columns=str.lower)
        for name in ("createddate", "closeddate", "updateddate", "servicedate"):
            frame[name] = pd.to_datetime(frame[name], format=form).dt.tz_localize(
                LA, ambiguous=False, nonexistent="shift_forward"
            )
        frames.append(frame)
    found = pd.concat(frames, ignore_index=True)
    return found.astype({"latitude": float, "longitude": float})


def _placed(source: pd.DataFrame) -> pd.DataFrame:
    return source[source["latitude"].notna() & source["longitude"].notna()]


def test_every_line_with_a_position_becomes_a_case_once(imported: Imported, source: pd.DataFrame) -> None:
    placed = _placed(source)
    assert sum(one.lines for one in imported.results) == len(source) == 19_999
    assert sum(one.unplaced for one in imported.results) == len(source) - len(placed) > 1000
    assert sum(one.wrong for one in imported.results) == 0
    assert sum(one.imported for one in imported.results) == placed["srnumber"].nunique() == len(imported.cases)
    assert set(imported.cases["source_id"]) == set(placed["srnumber"])
    assert imported.again.imported == 0 and imported.again.known == imported.results[0].imported


def test_cases_lie_in_the_neighbourhoods_of_geopandas(imported: Imported) -> None:
    areas = gpd.read_file(DATA / "la_neighborhood_councils_2019.geojson")
    areas["code"] = [f"990001001{int(n):03d}" for n in areas["nc_id"]]
    areas["geometry"] = areas.geometry.make_valid()
    points = gpd.GeoDataFrame(
        imported.cases[["source_id", "area_code"]],
        geometry=gpd.points_from_xy(imported.cases["lon"], imported.cases["lat"]), crs=areas.crs,
    )  # fmt: skip
    joined = points.sjoin(areas[["code", "geometry"]], predicate="intersects", how="left")
    expected = joined.sort_values("code").groupby("source_id")["code"].first()
    got = imported.cases.set_index("source_id")["area_code"]
    assert got.reindex(expected.index).fillna("-").eq(expected.fillna("-")).all()
    assert got.notna().mean() > 0.9


def test_cases_are_ended_as_the_data_say(imported: Imported, source: pd.DataFrame) -> None:
    expected = _placed(source).drop_duplicates("srnumber").set_index("srnumber")
    got = imported.cases.set_index("source_id").reindex(expected.index)
    assert (got["state"] == expected["status"].map(STATES)).all()
    over = expected["status"].isin(["Closed", "Cancelled", "Referred Out"])
    ended = expected["closeddate"].fillna(expected["updateddate"])
    assert (pd.to_datetime(got["closed_at"], utc=True)[over] == ended[over]).all() and got["closed_at"][
        ~over
    ].isna().all()
    assert (pd.to_datetime(got["reported_at"], utc=True) == expected["createddate"]).all()


def _expected(source: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """Counts in pandas, from the files alone but for the neighbourhood."""
    rows = _placed(source).drop_duplicates("srnumber").copy()
    rows["community"] = rows["srnumber"].map(cases.set_index("source_id")["area_code"]).fillna("-")
    rows["month"] = rows["createddate"].dt.strftime("%Y-%m")
    live, closed, handled = rows["status"] != "Cancelled", rows["status"] == "Closed", rows["closeddate"].notna()
    day = rows["servicedate"].dt.tz_localize(None)
    due = (day + pd.to_timedelta((day == day.dt.normalize()).astype(int), unit="D")).dt.tz_localize(LA)
    limited = due > rows["createddate"]
    ended = rows["closeddate"].fillna(rows["updateddate"].where(~rows["status"].isin(["Open", "Pending"])))
    over = limited & (ended - rows["createddate"] > due - rows["createddate"])
    late = over | (limited & ended.isna() & (due <= datetime.now(UTC)))
    in_time = limited & ended.notna() & ~over
    rows["filed"], rows["closed"] = True, closed
    rows["handled"], rows["handled-on-time"] = live & handled, live & handled & in_time
    rows["handling-due"] = live & (handled | late)
    rows["closing-due"], rows["closed-on-time"] = live & (closed | late), closed & in_time
    return rows


COUNTED = ["filed", "closed", "handled", "handled-on-time", "handling-due", "closing-due", "closed-on-time"]


def test_the_evaluation_by_neighbourhood_and_month_is_that_of_pandas(imported: Imported, source: pd.DataFrame) -> None:
    rows = _expected(source, imported.cases)
    expected = {key: row.to_dict() for key, row in rows.groupby(["community", "month"])[COUNTED].sum().iterrows()}
    got = {(row.keys["community"] or "-", row.keys["month"]): {name: row.counts[name].cases for name in COUNTED}
           for row in imported.evaluation.rows}  # fmt: skip
    assert got == expected and len(got) > 180
    total = rows[COUNTED].sum()
    indicators = imported.evaluation.total.indicators
    assert indicators["closing-rate"] == total["closed"] / total["closing-due"] > 0.9
    assert indicators["handling-on-time-rate"] == total["handled-on-time"] / total["handling-due"]


def test_the_evaluation_by_department_and_class_is_that_of_pandas(imported: Imported, source: pd.DataFrame) -> None:
    rows = _expected(source, imported.cases)
    expected = {key: row.to_dict() for key, row in rows.groupby(["owner", "requesttype"])[COUNTED].sum().iterrows()}
    got = {(row.keys["department"], row.keys["class"]): {name: row.counts[name].cases for name in COUNTED}
           for row in imported.departments.rows}  # fmt: skip
    assert got == expected


def test_repeats_are_those_of_comparing_each_with_all_before(imported: Imported) -> None:
    """Against a plain look at what there was when a case came; near the bound of 50 m either answer may be right."""
    cases = imported.cases.sort_values(["reported_at", "id"], ignore_index=True)
    first, code, of = (
        cases["duplicate_of"].isna().to_numpy(),
        cases["code"].to_numpy(str),
        cases["duplicate_of"].to_numpy(),
    )
    came = pd.to_datetime(cases["reported_at"], utc=True).astype("datetime64[s, UTC]").astype(np.int64).to_numpy()
    closed = pd.to_datetime(cases["closed_at"], utc=True).astype("datetime64[s, UTC]")
    ended = np.where(closed.isna(), np.iinfo(np.int64).max, closed.astype(np.int64))
    kind, lon, lat = (
        pd.factorize(cases["class"])[0],
        np.radians(cases["lon"].to_numpy()),
        np.radians(cases["lat"].to_numpy()),
    )
    assert sum(one.repeated for one in imported.results) == (~first).sum() > 50
    sure_ones = 0
    for n in range(0, len(cases), 5):
        there = first[:n] & (came[n] - came[:n] <= 72 * 3600) & (kind[:n] == kind[n]) & (ended[:n] > came[n])
        metres = 6_371_000 * np.hypot(lat[:n] - lat[n], (lon[:n] - lon[n]) * np.cos(lat[n]))  # good to 0.6 %
        assert (
            (there & (metres <= 50.5) & (code[:n] == of[n])).any()
            if not first[n]
            else not (there & (metres <= 49.5)).any()
        )
        sure_ones += bool((there & (metres <= 49.5)).any())
    assert sure_ones > 10
    counts = cases.groupby("duplicate_of").size()
    assert (cases.set_index("code")["reports"].reindex(counts.index) == counts + 1).all()
