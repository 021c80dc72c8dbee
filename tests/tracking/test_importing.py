"""Tracks in files: what each form says, real ones against other readers, and who may bring them in."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.access import Grant
from layers.features import RowDenied
from layers.processing import UploadedFile
from tests.tracking.conftest import add_device
from tests.tracking.test_storing import act_as
from tracking.importing.processes import ImportedTrack, import_track
from tracking.inputs.track_files import Reading, Told, read_track_file
from tracking.inputs.values import InputRefused
from tracking.tracks import DeviceNotFound, read_device, read_track

DATA = Path(__file__).parents[3] / "shared/data"
GPX = DATA / "09_test_vectors/gpx"
LIVERPOOL = DATA / "03_trajectories/liverpool_bus_route14.csv"
GOTRACK = DATA / "03_trajectories/gotrack_trackspoints.csv"
ALWAYS = (datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


class Silent:
    def progress(self, *_: object) -> None: ...
    def cancelled(self) -> bool:
        return False


def bring(conn: Connection, path: Path, **inputs: Any) -> ImportedTrack:
    return import_track(conn, Silent(), UploadedFile(path, path.name), **inputs)


def written(tmp_path: Path, content: str | bytes, name: str = "track.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path: Path, **told: Any) -> list[Reading]:
    return list(read_track_file(path, Told(**told)))


def stored(conn: Connection, code: str) -> list[tuple[float, float, float]]:
    track = read_track(conn, read_device(conn, code), *ALWAYS)
    return list(zip(track.time.tolist(), track.lon.tolist(), track.lat.tolist(), strict=True))


def test_csv_has_chinese_names_any_delimiter_and_times_of_the_citys_zone(tmp_path: Path) -> None:
    table = "设备;经度;纬度;定位时间;速度\r\nA1;114.9;30.4;2026/11/20 10:00:00;36\r\nA2;x;30;2026/11/20 10:00:00;\r\n\r\nA1;114.9;30.4;;\r\n"
    path = written(tmp_path, table.encode("gb18030"))
    first, second, third = read(path, device_column="设备")
    assert first.fix is not None and first.device == "A1"
    assert (first.fix.time, first.fix.lon, first.fix.speed) == (
        datetime(2026, 11, 20, 2, tzinfo=UTC).timestamp(), 114.9, 36.0,
    )  # fmt: skip
    assert (second.fix, second.where) == (None, "line 3") and "经度" in (second.reason or "")
    assert third.fix is None and third.where == "line 5"
    assert read(path, hours=0)[0].fix.time - first.fix.time == 8 * 3600  # type: ignore[union-attr]


def test_geojson_has_points_lines_and_moving_points(tmp_path: Path) -> None:
    instants = ["2026-11-20T02:00:00Z", "2026-11-20T02:00:10Z"]
    line = [[114.9, 30.4], [114.91, 30.4, 25]]
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": line[0]},
         "properties": {"Time": instants[0], "bus": "A1", "speed": 30}},
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": line}, "properties": {"coordTimes": instants}},
        {"type": "Feature", "temporalGeometry": {"type": "MovingPoint", "datetimes": instants, "coordinates": line}},
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": line}, "properties": {"times": instants[:1]}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": line[0]}, "properties": {}},
        7,
    ]  # fmt: skip
    found = read(
        written(tmp_path, orjson.dumps({"type": "FeatureCollection", "features": features})), device_column="bus"
    )
    good = [(r.fix.time, r.fix.lon, r.fix.altitude) for r in found if r.fix]
    begin = datetime(2026, 11, 20, 2, tzinfo=UTC).timestamp()
    both = [(begin, 114.9, None), (begin + 10, 114.91, 25)]
    assert good == [both[0], *both, *both]
    assert [r.where for r in found if r.fix is None] == ["features[3]", "features[4]", "features[5]"]
    assert found[0].device == "A1" and found[0].fix and found[0].fix.speed == 30


def test_a_file_that_is_none_of_these_is_refused(tmp_path: Path) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a "x">]><gpx version="1.1">&a;</gpx>'
    for content, reason in (
        (bomb, "document type"),
        (bomb.encode("utf-16"), "no column|document type"),
        ("<gpx><trk>", "no sound GPX"),
        ("{", "no sound JSON"),
        ('"x', "no column"),
        ("", "empty"),
        ("a,b\n1,2", "no column of longitude"),
        ("lon,lat\n1,2", "no column of time"),
        ("lon,lat,time\n" + "1" * 200_000, "more than"),
    ):
        with pytest.raises(InputRefused, match=reason):
            read(written(tmp_path, content))
    with pytest.raises(InputRefused, match="no column 'bus'"):
        read(written(tmp_path, "lon,lat,time\n"), device_column="bus")


@given(st.binary(max_size=300), st.sampled_from([b"", b"<gpx ", b'{"features": [', b"lon,lat,time\n"]))
@settings(max_examples=60, deadline=None)
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, begin: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(begin + data)
    try:
        for reading in read_track_file(path, Told()):
            assert (reading.fix is None) == (reading.reason is not None)
    except InputRefused as error:
        assert str(error)


@pytest.mark.parametrize("path", sorted(GPX.glob("*.gpx")), ids=lambda path: path.stem)
def test_gpx_has_the_points_that_its_xml_has(path: Path) -> None:
    """Elements counted by a plain XML parser; a point without a time, or one of 1901, is told of."""
    points = [e for e in ElementTree.parse(path).iter() if e.tag.rpartition("}")[2] == "trkpt"]
    timed = [p for p in points for c in p if c.tag.rpartition("}")[2] == "time" and (c.text or "") > "1990"]
    found = read(path)
    assert len(found) == len(points)
    places = [(float(p.get("lon", "")), float(p.get("lat", ""))) for p in timed]
    assert [(r.fix.lon, r.fix.lat) for r in found if r.fix] == places


def test_a_real_bus_is_imported_once_and_reads_back(conn: Connection) -> None:
    if not LIVERPOOL.exists():
        pytest.skip("../shared/data/03_trajectories/liverpool_bus_route14.csv is absent")
    table = pd.read_csv(LIVERPOOL, dtype={"vehicle_id": str})
    codes = sorted(table["vehicle_id"].unique())
    for code in codes[1:]:
        add_device(conn, code, kind="bus")
    report = bring(conn, LIVERPOOL, device_column="vehicle_id", utc_offset=0.0)
    ours = table[table["vehicle_id"] != codes[0]]
    assert (report.read, report.left_out) == (len(table), len(table) - len(ours))
    assert all(codes[0] in left.reason for left in report.reasons)
    assert report.devices == ours.groupby("vehicle_id").size().to_dict()
    key = ["vehicle_id", "timestamp", "longitude", "latitude"]
    assert (report.stored, report.stored + report.present) == (len(ours.drop_duplicates(key)), len(ours))
    again = bring(conn, LIVERPOOL, device_column="vehicle_id", utc_offset=0.0)
    assert (again.stored, again.present) == (0, len(ours))
    for code, rows in ours.drop_duplicates(key).groupby("vehicle_id"):
        rows = rows.assign(at=pd.to_datetime(rows["timestamp"], utc=True).map(datetime.timestamp))
        expected = sorted(rows[["at", "longitude", "latitude"]].itertuples(index=False, name=None))
        assert sorted(stored(conn, str(code))) == expected


def test_real_tracks_of_ten_years_ago_are_not_in_doubt(conn: Connection) -> None:
    if not GOTRACK.exists():
        pytest.skip("../shared/data/03_trajectories/gotrack_trackspoints.csv is absent")
    with GOTRACK.open() as file:
        rows = list(csv.DictReader(file))
    for track in {row["track_id"] for row in rows}:
        add_device(conn, track)
    report = bring(conn, GOTRACK, device_column="track_id", utc_offset=-3.0)
    assert (report.read, report.left_out, report.stored + report.present) == (len(rows), 0, len(rows))
    assert report.first == datetime(2014, 9, 13, 10, 24, 32, tzinfo=UTC)
    doubts = conn.execute(text("SELECT DISTINCT doubt FROM tracking.positions")).scalars().all()
    assert doubts == [0]


def test_a_track_of_a_persons_free_time_is_not_kept_and_the_future_is_in_doubt(
    conn: Connection, tmp_path: Path
) -> None:
    add_device(conn, "w", person=True, duty="Fri 09:00-11:00")
    table = (
        "time,lon,lat\n2026-11-20 10:00:00,114.9,30.4\n2026-11-20 12:00:00,114.9,30.4\n2099-01-02 10:00:00,114.9,30.4\n"
    )
    report = bring(conn, written(tmp_path, table), device="w")
    assert (report.stored, report.left_out) == (2, 1)
    assert "off duty" in report.reasons[0].reason
    doubts = conn.execute(text("SELECT doubt FROM tracking.positions ORDER BY time")).scalars().all()
    assert doubts == [0, 4]


def test_only_whoever_may_change_a_device_brings_tracks_for_it(conn: Connection, tmp_path: Path) -> None:
    add_device(conn, "ours")
    add_device(conn, "theirs", department="water")
    path = written(tmp_path, "time,lon,lat\n2026-11-20 10:00:00,114.9,30.4\n")
    for inputs in ({}, {"device": "ours", "device_column": "x"}):
        with pytest.raises(InputRefused, match="either"):
            bring(conn, path, **inputs)
    act_as(conn, Grant("devices", frozenset({"read", "update"}), "internal", departments=("roads",)),
           Grant("devices", frozenset({"read"}), "internal"), Grant("positions", frozenset({"read"}), "internal"))  # fmt: skip
    assert bring(conn, path, device="ours").stored == 1
    assert bring(conn, path, device="ours").present == 1
    with pytest.raises(RowDenied):
        bring(conn, path, device="theirs")
    with pytest.raises(DeviceNotFound):
        bring(conn, path, device="nobody")
