"""Export and import of boundary-point files are inverse, to the millimetre."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planning.boundary.model import Header
from planning.boundary.reader import read_boundary_points
from planning.boundary.writer import Form, encoded, write_boundary_points
from planning.errors import PlanningError
from planning.survey.parcel import Parcel
from planning.survey.zones import Zone
from tests.planning.random_parcels import parcels


def _plain(parcel: Parcel) -> Parcel:
    """Without where it stood in the file and what area the file states."""
    rings = tuple(tuple(replace(point, line=0) for point in ring) for ring in parcel.rings)
    return replace(parcel, rings=rings, line=0, stated_area=None)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(parcels(Zone(38)), min_size=1, max_size=3), st.booleans(), st.booleans(), st.sampled_from(["gbk", "utf-8"])
)
def test_what_is_written_reads_back_identical(found: list[Parcel], prefixed: bool, closed: bool, encoding: str) -> None:
    usable = [parcel for parcel in found if parcel.polygon.is_valid]
    if not usable:
        return
    content = encoded(write_boundary_points(usable, Header(producer="测绘院"), Form(prefixed, closed)), encoding)  # type: ignore[arg-type]
    again = read_boundary_points(content)
    assert again.errors == ()
    assert [_plain(parcel) for parcel in again.parcels] == usable
    assert again.prefixed is prefixed and again.header.zone == "38" and again.header.producer == "测绘院"
    assert not again.codes() - {"near-points", "spike", "parcels-overlap", "number-twice"}


@settings(max_examples=25, deadline=None)
@given(parcels())
def test_every_zone_of_china_survives(parcel: Parcel) -> None:
    if not parcel.polygon.is_valid:
        return
    again = read_boundary_points(write_boundary_points([parcel], Header()))
    assert [_plain(found) for found in again.parcels] == [parcel]


def test_a_name_cannot_end_its_field() -> None:
    ring = read_boundary_points(write_boundary_points([_square("a,b@c\nd，e")], Header())).parcels[0]
    assert ring.name == "a、b c d、e"


def test_one_file_has_one_zone() -> None:
    with pytest.raises(PlanningError, match="a file has one zone, the parcels have: 38, 39"):
        write_boundary_points([_square("a"), replace(_square("b"), zone=Zone(39))], Header())


def test_a_character_that_gbk_lacks_is_named() -> None:
    with pytest.raises(PlanningError, match="GBK lacks the character '😀'"):
        encoded("😀", "gbk")


def _square(name: str) -> Parcel:
    from shapely import box

    from planning.survey.parcel import parcel_of

    return parcel_of(box(500_000, 3_300_000, 500_100, 3_300_100), Zone(38), name=name)
