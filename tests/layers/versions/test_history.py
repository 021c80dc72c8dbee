"""The history of one feature: every state, who made it, what each edit changed."""

import orjson
import pytest
from sqlalchemy import text

from layers.access import ANONYMOUS, Grant, Principal
from layers.crs import CRS84
from layers.features import FeatureNotFound
from layers.versions.history import states_of
from layers.versions.people import told_of
from tests.layers.versions.conftest import PLOTS, Plots


def test_every_state_tells_when_by_whom_and_what_was_changed(plots: Plots) -> None:
    id_ = plots.add("a", "R", 1)
    plots.run("UPDATE city.plots SET floors = 3, tags = ARRAY['x', 'y'] WHERE id = :id", id=id_)
    # less than the digits that GeoJSON shows
    plots.run("UPDATE city.plots SET geom = ST_Translate(geom, 1e-10, 0) WHERE id = :id", id=id_)
    plots.run("DELETE FROM city.plots WHERE id = :id", id=id_)
    with plots.database.reading(ANONYMOUS) as reader:
        moved, changed, made = states_of(reader, PLOTS, id_, CRS84)
        assert [s.revision for s in states_of(reader, PLOTS, id_, CRS84, limit=1, before=3)] == [2]
        with pytest.raises(FeatureNotFound):
            states_of(reader, PLOTS, id_ + 1, CRS84)
    assert [s.operation for s in (made, changed, moved)] == ["insert", "update", "update"]
    assert (made.changed, made.before) == (None, None)
    assert changed.changed == ("floors", "tags")
    assert changed.before == {"floors": 1, "tags": ["R"]}
    assert (moved.changed, moved.ended_with, moved.ended_by) == (("geometry",), "delete", "tester")
    assert changed.valid_from == made.valid_to and moved.valid_from == changed.valid_to and moved.valid_to is not None
    kept = plots.run("SELECT revision, valid_from, valid_to FROM history.plots WHERE id = :id ORDER BY revision", id=id_)
    assert [row[1].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for row in kept] == [s.valid_from for s in (made, changed, moved)]
    assert orjson.loads(orjson.dumps(made.feature))["properties"]["owner"] == "oa"


def test_people_are_named_to_those_who_work_with_the_layer_only(plots: Plots) -> None:
    id_ = plots.add("a")
    with plots.database.reading(ANONYMOUS) as reader:
        states = states_of(reader, PLOTS, id_, CRS84)
    staff = Principal("clerk", grants=(Grant("*", frozenset({"read"}), "internal"),))
    for principal, actor in ((staff, "tester"), (ANONYMOUS, None), (Principal("visitor"), None)):
        assert [state.actor for state in told_of(principal, PLOTS, states)] == [actor]


def test_a_state_of_rows_that_may_not_be_seen_is_not_told_by_the_next_one(plots: Plots) -> None:
    """A row of an area came from another: who sees this area only sees neither that state nor what it held."""
    with plots.database.transaction() as conn:
        conn.execute(text("""
            UPDATE citymap.layers SET visibility = 'internal', fields = jsonb_set(fields, '{1,role}', '"area"')
            WHERE id = 'plots'"""))
    id_ = plots.add("a", "420704", 8)
    plots.run("UPDATE city.plots SET use = '420703', floors = 9 WHERE id = :id", id=id_)
    here = Principal("here", grants=(Grant("plots", frozenset({"read"}), "internal", "420703"),))
    with plots.database.engine.connect() as connection, connection.begin():
        from layers.database import Reader

        connection.execute(text("SET LOCAL ROLE citymap_app"))
        [state] = states_of(Reader(connection.connection.driver_connection, here), PLOTS, id_, CRS84)
    assert (state.revision, state.operation, state.changed, state.before) == (2, "update", None, None)
