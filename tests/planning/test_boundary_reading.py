"""Boundary-point files that are sound, in every dress they come in."""

import pytest

from planning.boundary.reader import read_boundary_points
from planning.errors import PlanningError
from planning.survey.areas import areas_of
from tests.planning.boundary_files import HEADER, PARCEL, SOUND, SQUARE, spoiled, with_points


def test_a_sound_file_is_read_without_a_word() -> None:
    found = read_boundary_points(SOUND)
    assert found.findings == ()
    [parcel] = found.parcels
    assert [p.position for p in parcel.rings[0]] == [
        (3364900.0, 586400.0), (3364900.0, 586500.0), (3364800.0, 586500.0), (3364800.0, 586400.0),
    ]  # fmt: skip
    assert (parcel.number, parcel.name, parcel.use, parcel.land_code) == ("420704-001", "示范地块", "商业用地", "0901")
    assert (parcel.zone.number, parcel.zone.srid, found.prefixed) == (38, 4547, True)
    assert areas_of(parcel).plane == 10_000
    assert found.header.producer == "鄂州市自然资源和规划局"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (SOUND.encode("gbk"), "GBK"),
        (SOUND.encode(), "UTF-8"),
        (SOUND.encode("utf-8-sig"), "UTF-8"),
        (SOUND.encode("utf-16"), "UTF-16"),
        (SOUND.replace("\n", "\r\n").encode("gbk"), "GBK"),
        (SOUND.replace("\n", "\r").encode(), "UTF-8"),
        (SOUND.replace("\n", "\n\n  \n").encode(), "UTF-8"),
        (SOUND.replace(",", "，").encode("gbk"), "GBK"),
        (SOUND.replace(",", " ,\t").encode(), "UTF-8"),
        (SOUND.replace("38586400.000", "３８５８６４００．０００").encode(), "UTF-8"),
        (SOUND.replace("[", "【").replace("]", "】").encode(), "UTF-8"),
        (SOUND.replace(",@", "@").encode(), "UTF-8"),
        (SOUND.replace("@", "＠").encode(), "UTF-8"),
    ],
)
def test_encodings_line_ends_and_full_width_signs_change_nothing(content: bytes, encoding: str) -> None:
    found = read_boundary_points(content)
    assert found.findings == ()
    assert found.encoding == encoding
    assert found.parcels[0].rings[0][0].position == (3364900.0, 586400.0)
    assert areas_of(found.parcels[0]).plane == 10_000


def test_zone_prefix_and_closing_point_may_be_there_or_not() -> None:
    whole = [p.position for p in read_boundary_points(SOUND).parcels[0].rings[0]]
    for text in (
        SOUND.replace(",38586", ",586"),
        SOUND.replace(SQUARE, SQUARE.rsplit("J1", 1)[0]),
        SOUND.replace(SQUARE, SQUARE.rsplit("J1", 1)[0]).replace("5,1.0000", "4,1.0000"),
        SOUND.replace("J1,1,3364900.000,38586400.000\n", "J1,1,3364900.000,38586400.000\n", 1)
        .replace("\nJ1,1,3364900.000,38586400.000\n", "\nJ5,1,3364900.000,38586400.000\n")
        .replace("@\nJ5,", "@\nJ1,"),
    ):
        found = read_boundary_points(text)
        assert found.findings == ()
        assert [p.position for p in found.parcels[0].rings[0]] == whole
    assert read_boundary_points(SOUND.replace(",38586", ",586")).prefixed is False


def test_many_parcels_and_holes() -> None:
    hole = "".join(
        f"J{5 + i},2,{3364820 + n},{38586420 + e}\n" for i, (n, e) in enumerate(((0, 0), (0, 30), (30, 30), (30, 0)))
    )
    hole = hole.replace(",38", ".000,38").replace("0\n", "0.000\n")
    second = (PARCEL + SQUARE).replace("001", "002").replace("3364", "3365")
    found = read_boundary_points(HEADER + PARCEL.replace("5,1.0000", "9,0.9100") + SQUARE + hole + second)
    assert found.findings == ()
    assert [len(parcel.rings) for parcel in found.parcels] == [2, 1]
    assert [areas_of(parcel).plane for parcel in found.parcels] == [9_100, 10_000]


def test_a_broken_parcel_keeps_out_itself_only() -> None:
    second = (PARCEL + SQUARE).replace("001", "002").replace("3364", "3365").replace("J3,1,3365800", "J3,1,33658x0")
    found = read_boundary_points(SOUND + second)
    assert [parcel.number for parcel in found.parcels] == ["420704-001"]
    assert [finding.line for finding in found.errors] == [22]


@pytest.mark.parametrize(("stated", "unit"), [("10000.00", "平方米"), ("15.00", "亩")])
def test_an_area_in_another_unit_is_recognised_and_told(stated: str, unit: str) -> None:
    [finding] = read_boundary_points(spoiled("1.0000", stated)).findings
    assert (finding.severity, finding.line, finding.code) == ("warning", 13, "area-unit")
    assert unit in finding.text.zh


def test_a_parcel_on_the_border_of_zones_is_said_to_be() -> None:
    """115.5° E, the border of zones 38 and 39, lies near easting 644 000 at 30.4° N."""
    text = with_points((0, 57000), (0, 59500), (-1000, 59500), (-1000, 57000))
    [finding] = read_boundary_points(text).findings
    assert (finding.code, finding.line) == ("two-zones", 13)
    assert "38 带" in finding.text.zh and "39 带" in finding.text.zh


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x00\x00", "零字节"),
        (b"[\xff\xff\xff", "既不是|不是 UTF-8 也不是 GBK"),
        (b"x" * 10_000_001, "超过"),
        (b"[" + b"a" * 3000, "第 1 行超过"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(PlanningError) as refused:
        read_boundary_points(content)
    assert any(part in refused.value.zh for part in says.split("|"))
