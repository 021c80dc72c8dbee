"""Loading batches into a layer: what is stored, what is reported, what is left alone."""

from datetime import date

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.geometry import LineString, MultiPoint, MultiPolygon, Point, Polygon, box
from sqlalchemy import Connection, text

from layers.catalogue import Field, Layer, Text
from layers.importing.errors import ImportRefused, StrictRefusal, UnknownCrs, WrongCoordinates
from layers.importing.loader import load
from layers.registry import create_layer, row_count

PARCELS = Layer(
    id="import-test-parcels",
    title=Text("地块", "Parcels"),
    description=Text("", ""),
    geometry_type="MultiPolygon",
    fields=(
        Field("name", "string", Text("名称", "Name")),
        Field("floors", "integer", Text("层数", "Floors")),
        Field("height", "number", Text("高度", "Height")),
        Field("built", "date", Text("建成", "Built")),
        Field("seen", "date-time", Text("核查", "Seen")),
        Field("listed", "boolean", Text("保护", "Listed")),
        Field("tags", "string-array", Text("标签", "Tags")),
        Field("code", "string", Text("编号", "Code"), role="key"),
    ),
)


@pytest.fixture
def parcels(conn: Connection) -> Layer:
    create_layer(conn, PARCELS)
    return PARCELS


def squares(*codes: object, crs: object = 4490, **columns: list[object]) -> gpd.GeoDataFrame:
    boxes = [box(114.9 + i * 0.01, 30.4, 114.905 + i * 0.01, 30.405) for i in range(len(codes))]
    return gpd.GeoDataFrame({"code": list(codes), **columns}, geometry=boxes, crs=crs)


def rows(conn: Connection, layer: Layer, columns: str) -> list[tuple[object, ...]]:
    found = conn.execute(text(f'SELECT {columns} FROM city."{layer.table}" ORDER BY code'))
    return [tuple(row) for row in found]


def test_every_type_arrives_as_it_was(conn: Connection, parcels: Layer) -> None:
    frame = squares(
        "A", "B",
        name=['带"引号",逗号\n换行 \\N', ""],
        floors=[3.0, None],
        height=[0.1 + 0.2, float("nan")],
        built=["2001年02月03日", date(1999, 1, 2)],
        seen=[pd.Timestamp("2024-05-01 08:00"), pd.Timestamp("2024-05-01 08:00", tz="UTC")],
        listed=["是", "0"],
        tags=[["a,b", 'c"d'], '["学校"]'],
    )  # fmt: skip
    report = load(conn, parcels, [frame], "append")
    assert (report.read, report.inserted, report.rejected_count, report.repaired_count) == (2, 2, 0, 0)
    assert rows(conn, parcels, "name, floors, height, built::text, tags, listed") == [
        ('带"引号",逗号\n换行 \\N', 3, 0.1 + 0.2, "2001-02-03", ["a,b", 'c"d'], True),
        ("", None, None, "1999-01-02", ["学校"], False),
    ]
    assert rows(conn, parcels, "to_char(seen AT TIME ZONE 'UTC', 'HH24:MI')") == [("00:00",), ("08:00",)]
    stored = shapely.from_wkb(str(rows(conn, parcels, "ST_AsHEXEWKB(geom)")[0][0]))
    assert shapely.get_srid(stored) == 4490
    assert shapely.equals_exact(stored, MultiPolygon([frame.geometry[0]]), tolerance=0)


def test_a_value_that_does_not_fit_its_field_is_left_empty_and_named(conn: Connection, parcels: Layer) -> None:
    report = load(conn, parcels, [squares("A", "B", floors=["ACPT", " 12 "])], "append")
    assert rows(conn, parcels, "floors") == [(None,), (12,)]
    assert [(r.id, r.reason.en) for r in report.repaired] == [("A", "field floors: 'ACPT' is not an integer, left empty")]


def test_an_invalid_polygon_is_repaired_and_reported(conn: Connection, parcels: Layer) -> None:
    frame = squares("bow", "good")
    frame.loc[0, "geometry"] = Polygon([(114, 30), (115, 31), (115, 30), (114, 31)])
    report = load(conn, parcels, [frame], "append")
    assert report.inserted == 2
    assert [r.id for r in report.repaired] == ["bow"]
    assert report.repaired[0].reason.zh.startswith("自相交[114.5 30.5]")
    assert rows(conn, parcels, "ST_IsValid(geom), round(ST_Area(geom)::numeric, 6)::float8") == [(True, 0.5), (True, 0.000025)]


def test_what_cannot_be_stored_is_kept_out_by_name_and_counted(conn: Connection, parcels: Layer) -> None:
    frame = squares("null", "empty", "nan", "line", "flat", "moon", "good", "good2", "good3", "good4")
    with np.errstate(invalid="ignore"):
        not_a_number = Polygon([(114, 30), (float("nan"), 31), (115, 30)])
    frame["geometry"] = [
        None, Polygon(), not_a_number, LineString([(114, 30), (115, 31)]),
        Polygon([(114, 30), (115, 31), (114, 30)]), box(1000, 1000, 1001, 1001),
        *frame.geometry[6:],
    ]  # fmt: skip
    report = load(conn, parcels, [frame], "append")
    assert (report.read, report.inserted, report.rejected_count) == (10, 4, 6)
    assert {r.id: r.reason.en for r in report.rejected} == {
        "null": "no readable geometry",
        "empty": "empty geometry",
        "nan": "a coordinate is not a finite number",
        "line": "its geometry is no MultiPolygon",
        "flat": "nothing was left after the repair",
        "moon": "its coordinates are not on Earth",
    }


def test_strict_refuses_what_it_would_have_to_leave_out(conn: Connection, parcels: Layer) -> None:
    frame = squares("A", "B")
    frame.loc[1, "geometry"] = None
    with pytest.raises(StrictRefusal, match="feature B: no readable geometry"):
        load(conn, parcels, [frame], "append", strict=True)
    assert rows(conn, parcels, "code") == []


def test_update_changes_only_what_differs(conn: Connection, parcels: Layer) -> None:
    load(conn, parcels, [squares("A", "B", "C", name=["a", "b", "c"])], "append")
    conn.execute(text(f"UPDATE city.{parcels.table} SET floors = 9"))
    frame = squares("A", "B", "C", "D", name=["a", "changed", "c", "new"])
    frame.loc[2, "geometry"] = box(114, 30, 114.1, 30.1)
    report = load(conn, parcels, [frame.iloc[:2], frame.iloc[2:]], "update")
    assert (report.inserted, report.updated, report.unchanged, report.deleted) == (1, 2, 1, 0)
    # revision 2 comes from the UPDATE above; a field that the file lacks stays as it was
    assert rows(conn, parcels, "code, name, floors, revision") == [
        ("A", "a", 9, 2), ("B", "changed", 9, 3), ("C", "c", 9, 3), ("D", "new", None, 1),
    ]  # fmt: skip
    past = conn.execute(text(f"SELECT code FROM history.{parcels.table} WHERE revision = 2 ORDER BY code")).scalars()
    assert list(past) == ["B", "C"]


def test_update_with_prune_deletes_what_is_gone_but_not_what_was_rejected(conn: Connection, parcels: Layer) -> None:
    load(conn, parcels, [squares("A", "B", "C")], "append")
    frame = squares("A", "B")
    frame.loc[1, "geometry"] = None
    report = load(conn, parcels, [frame], "update", prune=True)
    assert (report.unchanged, report.deleted) == (1, 1)
    assert rows(conn, parcels, "code") == [("A",), ("B",)]


def test_update_names_repeated_and_missing_keys(conn: Connection, parcels: Layer) -> None:
    report = load(conn, parcels, [squares("A", None, "A", name=["first", "x", "second"])], "update")
    assert rows(conn, parcels, "code, name") == [("A", "first")]
    assert [(r.id, r.reason.en) for r in report.rejected] == [
        ("#2", "it has no key"),
        ("A", "its key stands in the file before; only the first was taken"),
    ]


def test_replace_leaves_only_the_file(conn: Connection, parcels: Layer) -> None:
    load(conn, parcels, [squares("A", "B")], "append")
    report = load(conn, parcels, [squares("B", "C", "D")], "replace")
    assert (report.inserted, report.deleted, row_count(conn, parcels.id)) == (3, 2, 3)


def test_replace_by_nothing_is_refused(conn: Connection, parcels: Layer) -> None:
    load(conn, parcels, [squares("A")], "append")
    with pytest.raises(ImportRefused, match="no feature to load"):
        load(conn, parcels, [squares("A").iloc[:0]], "replace")
    assert rows(conn, parcels, "code") == [("A",)]


def test_append_of_a_known_key_is_refused_and_changes_nothing(conn: Connection, parcels: Layer) -> None:
    load(conn, parcels, [squares("A")], "append")
    with pytest.raises(ImportRefused, match=r"\(code\)=\(A\) already exists"):
        load(conn, parcels, [squares("B", "A")], "append")
    assert rows(conn, parcels, "code") == [("A",)]


def test_a_dry_run_tells_and_changes_nothing(conn: Connection, parcels: Layer) -> None:
    load(conn, parcels, [squares("A")], "append")
    report = load(conn, parcels, [squares("B", "C")], "replace", dry_run=True)
    assert (report.dry_run, report.inserted, report.deleted) == (True, 2, 1)
    assert rows(conn, parcels, "code, revision") == [("A", 1)]
    assert row_count(conn, parcels.id) == 1


def test_progress_counts_features_read(conn: Connection, parcels: Layer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.importing.loader.BATCH_ROWS", 2)
    seen: list[int] = []
    load(conn, parcels, [squares("A", "B", "C"), squares("D")], "append", seen.append)
    assert seen == [2, 3, 4]


def test_survey_coordinates_land_where_the_standard_says(conn: Connection, parcels: Layer) -> None:
    # domain §4: 114.9E 30.4N is N 3364799.485, E 586489.034 in EPSG:4547
    frame = squares("A", crs=4547)
    frame.loc[0, "geometry"] = box(586489.034, 3364799.485, 586500, 3364900)
    load(conn, parcels, [frame], "append")
    assert rows(conn, parcels, "ST_XMin(geom), ST_YMin(geom)")[0] == pytest.approx(
        (114.9, 30.4), abs=2e-5
    )


@pytest.mark.parametrize(
    ("crs", "corner", "message"),
    [
        (4490, (30.4, 114.9), "longitude and latitude seem to be swapped"),
        (4547, (3364799, 586489), r"X \(north\) and Y \(east\) seem to be swapped"),
        (4547, (114.9, 30.4), "look like degrees"),
        (4490, (586489, 3364799), "are no degrees"),
        (4547, (38586489, 3364799), "zone number 38.*EPSG:4526"),
        (4526, (586489, 3364799), "no zone number.*EPSG:4547"),
    ],
)
def test_coordinates_that_contradict_the_crs_are_refused_with_the_likely_cause(
    conn: Connection, parcels: Layer, crs: int, corner: tuple[float, float], message: str
) -> None:
    frame = squares("A", crs=crs)
    frame.loc[0, "geometry"] = box(*corner, corner[0] + 0.01, corner[1] + 0.01)
    with pytest.raises(WrongCoordinates, match=message):
        load(conn, parcels, [frame], "append")


def test_without_a_crs_the_error_says_what_to_pass(conn: Connection, parcels: Layer) -> None:
    with pytest.raises(UnknownCrs, match="EPSG:4490"):
        load(conn, parcels, [squares("A", crs=None)], "append")


def test_xian80_is_refused_because_proj_knows_no_true_shift(conn: Connection, parcels: Layer) -> None:
    with pytest.raises(UnknownCrs, match="seven parameters"):
        load(conn, parcels, [squares("A", crs=4610)], "append")


def test_features_far_outside_the_area_of_use_are_warned_of(conn: Connection, parcels: Layer) -> None:
    frame = squares("A", "B", "island")
    frame.loc[2, "geometry"] = box(0, 0, 0.1, 0.1)
    report = load(conn, parcels, [frame], "append")
    assert report.inserted == 3
    assert ["area of use" in w.en and "island" in w.en for w in report.warnings] == [True]


def test_collections_keep_the_parts_of_the_layers_dimension(conn: Connection, parcels: Layer) -> None:
    frame = squares("A")
    frame.loc[0, "geometry"] = shapely.GeometryCollection([box(114, 30, 115, 31), Point(114, 30)])
    report = load(conn, parcels, [frame], "append")
    assert (report.inserted, report.repaired_count) == (1, 1)
    assert rows(conn, parcels, "ST_Area(geom)") == [(1.0,)]


def test_lines_that_join_become_single_and_others_are_rejected(conn: Connection) -> None:
    roads = PARCELS.changed(id="import-test-roads", table="import_test_roads", geometry_type="LineString")
    create_layer(conn, roads)
    frame = squares("joined", "apart", "ring")
    frame["geometry"] = [
        shapely.MultiLineString([[(114, 30), (114, 31)], [(114, 31), (115, 31)]]),
        shapely.MultiLineString([[(114, 30), (114, 31)], [(116, 31), (115, 31)]]),
        shapely.LinearRing([(114, 30), (114, 31), (115, 31)]),
    ]
    report = load(conn, roads, [frame], "append")
    assert rows(conn, roads, "code, ST_NumPoints(geom)") == [("joined", 3), ("ring", 4)]
    assert [r.id for r in report.rejected] == ["apart"]


def test_heights_are_dropped_with_a_warning(conn: Connection, parcels: Layer) -> None:
    frame = squares("A")
    frame["geometry"] = shapely.force_3d(frame.geometry.to_numpy(), 5.0)
    report = load(conn, parcels, [frame], "append")
    assert rows(conn, parcels, "ST_NDims(geom)") == [(2,)]
    assert any("Z/M" in w.en for w in report.warnings)


def test_remarks_are_bounded_and_counts_exact(conn: Connection, parcels: Layer) -> None:
    frame = squares(*(str(i) for i in range(1500)))
    frame["geometry"] = [None] * 1499 + [box(114, 30, 115, 31)]
    report = load(conn, parcels, [frame], "append")
    assert (report.rejected_count, len(report.rejected), report.inserted) == (1499, 1000, 1)


def test_a_multipoint_with_one_point_fits_a_point_layer(conn: Connection) -> None:
    points = PARCELS.changed(id="import-test-points", table="import_test_points", geometry_type="Point")
    create_layer(conn, points)
    frame = squares("A")
    frame.loc[0, "geometry"] = MultiPoint([(114, 30)])
    load(conn, points, [frame], "append")
    assert rows(conn, points, "ST_AsText(geom)") == [("POINT(114 30)",)]


def test_fields_may_have_any_name_the_catalogue_allows(conn: Connection) -> None:
    names = ("place", "order", "select", "import_stage", "t", "s", "名称")
    fields = tuple(Field(name, "string", Text(name, name)) for name in names)
    layer = PARCELS.changed(id="import-test-names", table="import_test_names", fields=(*fields, PARCELS.fields[-1]))
    create_layer(conn, layer)
    columns: dict[str, list[object]] = {name: ["x"] for name in names}
    load(conn, layer, [squares("A", **columns)], "update")
    report = load(conn, layer, [squares("A", **{**columns, "place": ["y"]})], "update")
    assert (report.updated, rows(conn, layer, '"place", "order", "名称"')) == (1, [("y", "x", "x")])
