"""Undo of imports, against copies of the table kept by the test, while others edit."""

import threading

import geopandas as gpd
import pytest
from shapely.geometry import box
from sqlalchemy import text

from layers.access import Grant, Principal
from layers.features import RowDenied
from layers.importing.loader import load
from layers.importing.options import Mode
from layers.versions.errors import UndoRefused
from layers.versions.imports import imports_of
from layers.versions.undo import Undone, undo_import
from tests.layers.versions.conftest import PLOTS, Plots


def frame(*codes: str, use: str = "N") -> gpd.GeoDataFrame:
    shapes = [box(114.5 + n / 100, 30.5, 114.505 + n / 100, 30.505) for n in range(len(codes))]
    return gpd.GeoDataFrame({"code": list(codes), "use": use, "floors": 7}, geometry=shapes, crs=4490)


def bring(plots: Plots, data: gpd.GeoDataFrame, mode: Mode, *, prune: bool = False) -> int:
    with plots.database.transaction(actor="importer") as conn:
        report = load(conn, PLOTS, [data], mode, prune=prune, file="plots.gpkg")
    assert report.import_id is not None
    return report.import_id


def undo(plots: Plots, number: int, how: str = "refuse") -> Undone:
    with plots.database.transaction(actor="undoer") as conn:
        return undo_import(conn, PLOTS, number, how)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["append", "replace", "update", "prune"])
def test_an_undone_import_leaves_the_layer_as_it_was_and_can_come_back(plots: Plots, mode: str) -> None:
    for code in "abc":
        plots.add(code)
    before = plots.state()
    codes = ("x", "y") if mode == "append" else ("b", "c", "x")
    number = bring(plots, frame(*codes), "update" if mode == "prune" else mode, prune=mode == "prune")  # type: ignore[arg-type]
    after = plots.state()
    assert before != after

    done = undo(plots, number)
    assert plots.state() == before
    assert undo(plots, done.import_id).undoes == done.import_id
    assert plots.state() == after
    last = undo(plots, done.import_id + 1)
    assert plots.state() == before
    with plots.database.transaction() as conn:
        listed = imports_of(conn, "plots")
    assert [(i.id, i.mode, i.undoes, i.undone_by) for i in listed][:2] == [
        (last.import_id, "undo", last.undoes, None), (last.undoes, "undo", done.import_id, last.import_id)
    ]
    first = listed[-1]
    assert (first.actor, first.file, first.undone_by) == ("importer", "plots.gpkg", done.import_id)


def test_an_import_is_undone_once_only(plots: Plots) -> None:
    number = bring(plots, frame("x"), "append")
    done = undo(plots, number)
    with pytest.raises(UndoRefused, match=f"undone by {done.import_id}"):
        undo(plots, number)


def test_later_edits_refuse_an_undo_by_name_unless_they_are_kept_or_overwritten(plots: Plots) -> None:
    old = [plots.add(code) for code in "abc"]
    before = plots.state()
    number = bring(plots, frame("a", "b", "x", "y"), "update")
    new = {row[0]: id_ for id_, row in plots.state().items()}
    plots.run("UPDATE city.plots SET floors = 99 WHERE code IN ('b', 'x')")
    plots.run("DELETE FROM city.plots WHERE code = 'y'")
    edited = plots.state()

    with pytest.raises(UndoRefused, match=rf"3 features were edited .*: {old[1]} \(b\), {new['x']} \(x\), {new['y']} \(y\)"):
        undo(plots, number)
    assert plots.state() == edited

    kept = undo(plots, number, "keep")
    assert plots.state() == {**{id_: before[id_] for id_ in (old[0], old[2])}, **{id_: edited[id_] for id_ in (old[1], new["x"])}}
    assert [(edit.id, edit.title, edit.deleted, edit.actor) for edit in kept.kept] == [
        (old[1], "b", False, "tester"), (new["x"], "x", False, "tester"), (new["y"], "y", True, "tester")
    ]
    undo(plots, kept.import_id)
    assert plots.state() == edited


def test_overwriting_puts_back_rows_with_later_edits_which_stay_in_history(plots: Plots) -> None:
    for code in "ab":
        plots.add(code)
    before = plots.state()
    number = bring(plots, frame("b", "x"), "replace")
    plots.run("UPDATE city.plots SET floors = 99")
    edited, moment = plots.state(), plots.moment()
    done = undo(plots, number, "overwrite")
    assert (done.overwritten, plots.state()) == (2, before)
    past = plots.run("SELECT code FROM history.plots WHERE floors = 99 AND valid_from <= :at AND valid_to > :at", at=moment)
    assert {row[0] for row in past} == {row[0] for row in edited.values()}


def test_a_restored_feature_never_has_the_revision_of_another_state(plots: Plots) -> None:
    id_ = plots.add("a")
    number = bring(plots, frame("x"), "replace")
    undo(plots, number)
    assert plots.run("SELECT revision FROM city.plots WHERE id = :id", id=id_)[0][0] == 2


def test_a_key_that_a_later_feature_took_refuses_the_undo(plots: Plots) -> None:
    plots.add("a")
    number = bring(plots, frame("x"), "replace")
    plots.add("a", x=0.3)
    state = plots.state()
    with pytest.raises(UndoRefused, match="key"):
        undo(plots, number)
    assert plots.state() == state


def test_who_may_not_edit_every_row_undoes_none(plots: Plots) -> None:
    plots.add("a")
    number = bring(plots, frame("x"), "replace")
    state = plots.state()
    only_reads = Principal("reader", grants=(Grant("*", frozenset({"read", "create"}), "core"),))
    with plots.database.engine.begin() as conn:
        conn.execute(text("SET LOCAL ROLE citymap_app"))
        from layers.database import acting_as

        values = acting_as(only_reads)
        for name in ("actor", "grants"):
            conn.execute(text(f"SELECT set_config('citymap.{name}', :value, true)"), {"value": values[name]})
        with pytest.raises(RowDenied):
            undo_import(conn, PLOTS, number)
    assert plots.state() == state


def test_an_undo_while_others_edit_loses_nothing_of_theirs(plots: Plots) -> None:
    """Each row ends as before the import, or as its last editor left it; whichever, it is whole."""
    for n in range(60):
        plots.add(f"p{n}", x=n / 100)
    before = plots.state()
    number = bring(plots, frame(*(f"p{n}" for n in range(60))), "update")
    stop, edited = threading.Event(), set()

    def edit() -> None:
        for id_ in sorted(before)[::3]:
            if stop.is_set():
                return
            plots.run("UPDATE city.plots SET owner = 'later' WHERE id = :id", id=id_)
            edited.add(id_)

    editor = threading.Thread(target=edit)
    editor.start()
    done = None
    while done is None:
        try:
            done = undo(plots, number, "keep")
        except RowDenied:  # a row was being edited that very moment: nothing was undone
            continue
    stop.set()
    editor.join()
    after = plots.state()
    for id_, row in after.items():
        assert (row[3] == "later") == (id_ in edited)
        whole = before[id_] if row[1] == before[id_][1] else None
        if whole is None:  # kept: the import's state, with the later edit
            assert row[1] == "N" and row[3] == "later"
        else:
            assert row[:3] == whole[:3] and row[4:] == whole[4:]
    assert {edit.id for edit in done.kept} == {id_ for id_, row in after.items() if row[1] == "N"}
