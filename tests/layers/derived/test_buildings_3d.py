"""buildings-3d: what it says of a footprint, and that it says it of the footprint as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from layers.derived.registry import stale
from layers.query import Box, FeatureQuery, rows
from layers.registry import load_layers, row_count
from tests.layers.derived.conftest import build, slope, slope_tif, standing

Take = Callable[..., int]
BringUp = Callable[[], int]


@pytest.mark.parametrize(
    ("values", "height", "source"),
    [
        ({"height": 21.5, "floors": 3}, 21.5, "height"),
        ({"floors": 7}, 21.0, "floors"),
        ({"height": 0, "floors": 2}, 6.0, "floors"),
        ({"height": -4}, 3.0, "assumed"),
        ({"height": 99_999}, 3.0, "assumed"),
        ({}, 3.0, "assumed"),
    ],
)
def test_a_height_is_the_buildings_own_else_its_floors_else_assumed(
    conn: Connection, values: dict[str, float], height: float, source: str
) -> None:
    found = standing(conn, build(conn, **values))
    assert (found["height"], found["height_from"]) == (height, source)


def test_without_other_knowledge_a_height_is_that_of_the_surface_above_the_ground(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    def roofs(x: object, y: object) -> object:  # 12 m on the western two fifths of the building, 18 m on the rest
        inside = (x > 114.9) & (x < 114.904) & (y > 30.4) & (y < 30.404)  # type: ignore[operator]
        return inside * (12.0 + 6.0 * (x > 114.9016))  # type: ignore[operator]

    take(slope_tif(tmp_path / "ground.tif"))
    take(slope_tif(tmp_path / "surface.tif", roofs), "dsm")
    bare, known = build(conn, side=0.004), build(conn, side=0.004, floors=2)
    bring_up()
    found = standing(conn, bare)
    assert found["height_from"] == "surface"
    assert found["height"] == pytest.approx(18.0, abs=0.1)  # its 70th percentile
    assert found["roof"] == pytest.approx(found["ground"] + found["height"])
    assert standing(conn, known)["height"] == 6.0


def test_ground_is_the_mean_along_the_outline_and_the_lowest_point_is_told(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    take(slope_tif(tmp_path / "ground.tif"))
    building = build(conn, height=10)
    assert standing(conn, building)["ground"] is None
    bring_up()
    found = standing(conn, building)
    assert found["ground"] == pytest.approx(slope(114.9002, 30.4002), abs=0.02)
    assert found["ground_low"] == pytest.approx(slope(114.9, 30.4), abs=0.02)
    assert found["roof"] == pytest.approx(found["ground"] + 10, abs=1e-9)


def test_an_edit_of_attributes_is_seen_at_once_and_keeps_the_ground(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    take(slope_tif(tmp_path / "ground.tif"))
    building = build(conn, height=10)
    bring_up()
    before = standing(conn, building)
    conn.execute(text("UPDATE city.buildings SET height = 44 WHERE id = :id"), {"id": building})
    after = standing(conn, building)
    assert (after["height"], after["ground"]) == (44, before["ground"])
    assert after["roof"] == before["ground"] + 44 and after["revision"] == before["revision"] + 1


def test_a_building_that_moves_has_no_ground_until_that_is_worked_out(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    take(slope_tif(tmp_path / "ground.tif"))
    building = build(conn, height=10)
    bring_up()
    conn.execute(text("UPDATE city.buildings SET geom = ST_Translate(geom, 0.01, 0) WHERE id = :id"), {"id": building})
    assert standing(conn, building)["ground"] is None
    bring_up()
    assert standing(conn, building)["ground"] == pytest.approx(slope(114.9102, 30.4002), abs=0.02)


def test_ground_read_of_one_state_is_never_taken_for_that_of_another(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    """As when a building moves while its ground is being worked out: what comes late is of a state that is past."""
    take(slope_tif(tmp_path / "ground.tif"))
    building = build(conn, height=10)
    was = standing(conn, building)["valid_from"]
    conn.execute(text("UPDATE city.buildings SET geom = ST_Translate(geom, 0.01, 0) WHERE id = :id"), {"id": building})
    conn.execute(
        text("INSERT INTO citymap.ground (layer, id, valid_from, ground) VALUES ('buildings-3d', :id, :was, 1)"),
        {"id": building, "was": was},
    )
    assert standing(conn, building)["ground"] is None
    bring_up()
    assert standing(conn, building)["ground"] == pytest.approx(slope(114.9102, 30.4002), abs=0.02)


def test_new_elevation_moves_the_ground_of_the_buildings_below_it_only(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    take(slope_tif(tmp_path / "ground.tif"))
    below, beside = build(conn, height=10), build(conn, 114.93, 30.38, height=10)
    bring_up()
    old = standing(conn, beside)["ground"]
    assert not stale(conn, "buildings-3d", 9)
    take(slope_tif(tmp_path / "raised.tif", 5.0, 60, 114.895, 30.406), priority=1)
    assert [note.input for note in stale(conn, "buildings-3d", 9)] == ["dem"]
    bring_up()
    assert standing(conn, below)["ground"] == pytest.approx(slope(114.9002, 30.4002) + 5, abs=0.02)
    assert standing(conn, beside)["ground"] == old


def test_its_tiles_are_dirty_wherever_buildings_or_their_ground_change(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    def dirty() -> list[tuple[float, float]]:
        found = conn.execute(text("SELECT west, south FROM citymap.dirty WHERE layer = 'buildings-3d' ORDER BY seq"))
        return [(round(w, 6), round(s, 6)) for w, s in found]

    take(slope_tif(tmp_path / "ground.tif"))
    bring_up()
    before = len(dirty())
    build(conn, 114.91, 30.41, height=10)
    assert dirty()[before:] == [(114.91, 30.41)]
    bring_up()
    assert dirty()[before:] == [(114.91, 30.41)] * 2  # once more when its ground is known


def test_count_extent_and_filters_are_those_of_the_buildings(conn: Connection) -> None:
    build(conn, 114.9, 30.4, height=10)
    tall = build(conn, 114.95, 30.45, floors=40)
    layer = load_layers(conn)["buildings-3d"]
    assert row_count(conn, "buildings-3d") == row_count(conn, "buildings") == 2
    assert layer.extent == load_layers(conn)["buildings"].extent
    there = FeatureQuery(box=Box(114.94, 30.44, 114.96, 30.46))
    assert [row.id for row in conn.execute(rows(layer, there))] == [tall]


def test_a_past_state_has_the_ground_that_was_known_of_it(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    take(slope_tif(tmp_path / "ground.tif"))
    building = build(conn, height=10)
    bring_up()
    before = standing(conn, building)
    conn.execute(text("UPDATE city.buildings SET geom = ST_Translate(geom, 0.01, 0) WHERE id = :id"), {"id": building})
    bring_up()
    past = conn.execute(text("SELECT * FROM history.buildings_3d WHERE id = :id"), {"id": building}).mappings().one()
    assert (past["ground"], past["roof"], past["revision"]) == (before["ground"], before["roof"], 1)
    assert standing(conn, building)["ground"] != before["ground"]


def test_it_cannot_be_edited(conn: Connection) -> None:
    layer = load_layers(conn)["buildings-3d"]
    assert not layer.editable and layer.inputs == ("buildings", "dem", "dsm")


def test_it_goes_with_the_layer_that_it_is_derived_of(conn: Connection) -> None:
    conn.execute(text("DELETE FROM citymap.layers WHERE id = 'buildings'"))
    assert not {"buildings", "buildings-3d"} & set(load_layers(conn))
    gone = conn.execute(text("SELECT to_regclass('city.buildings_3d'), to_regclass('history.buildings_3d')")).one()
    assert gone == (None, None)


def test_it_can_go_by_itself_and_buildings_are_edited_on(conn: Connection) -> None:
    conn.execute(text("DELETE FROM citymap.layers WHERE id = 'buildings-3d'"))
    building = build(conn, height=3)
    conn.execute(text("UPDATE city.buildings SET height = 4 WHERE id = :id"), {"id": building})
    assert conn.execute(text("SELECT to_regclass('city.buildings_3d')")).scalar() is None
