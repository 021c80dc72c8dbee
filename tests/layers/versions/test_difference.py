"""The difference between two instants, against all states of the table kept by a plain reference while it is edited."""

import random
from datetime import datetime

import pytest
from sqlalchemy import text

from layers.access import ANONYMOUS
from layers.database import Reader
from layers.query import Box, FeatureQuery
from layers.versions.difference import PRESENT, Change, changes_between, count_changes, every_change
from tests.layers.versions.conftest import PLOTS, Plots, Row

FIELDS = ("code", "use", "floors", "owner", "tags", "geometry")
MOVE = "ST_Translate(geom, 0.0000000001, 0)"


def edit_at_random(plots: Plots, rng: random.Random, steps: int) -> list[tuple[datetime, dict[int, Row]]]:
    """Edits of all kinds, and after each transaction the instant and the whole table."""
    kept = [(plots.moment(), plots.state())]
    for n in range(steps):
        ids = sorted(kept[-1][1])
        kind = rng.choice(("add", "add", "change", "move", "delete", "again", "nothing", "many"))
        one = rng.choice(ids) if ids else 0
        if kind == "add" or not ids:
            plots.add(f"c{n}", rng.choice("RCM"), rng.randrange(9), n / 100)
        elif kind == "change":
            plots.run("UPDATE city.plots SET floors = :f, use = :u WHERE id = :id", f=rng.randrange(3), u="R", id=one)
        elif kind == "move":  # far less than what the digits of GeoJSON show
            plots.run(f"UPDATE city.plots SET geom = {MOVE} WHERE id = :id", id=one)
        elif kind == "delete":
            plots.run("DELETE FROM city.plots WHERE id = :id", id=one)
        elif kind == "again":  # twice in one transaction, and back as it was
            with plots.database.transaction() as conn:
                for change in (1, -1):
                    conn.execute(text(f"UPDATE city.plots SET floors = floors + {change} WHERE id = {one}"))
        elif kind == "nothing":
            plots.run("UPDATE city.plots SET floors = floors WHERE id = :id", id=one)
        else:
            plots.run("UPDATE city.plots SET tags = tags || ARRAY['x'], owner = NULL WHERE floors > 4")
        kept.append((plots.moment(), plots.state()))
    return kept


def reference(before: dict[int, Row], after: dict[int, Row]) -> dict[int, tuple[str, set[str]]]:
    """What differs between two states of the table: id → kind and fields."""
    found: dict[int, tuple[str, set[str]]] = {}
    for id_ in before.keys() | after.keys():
        a, b = before.get(id_), after.get(id_)
        if a is None or b is None:
            found[id_] = ("added" if a is None else "deleted", set())
        elif a != b:
            found[id_] = ("changed", {name for name, x, y in zip(FIELDS, a, b, strict=True) if x != y})
    return found


def told(changes: list[Change]) -> dict[int, tuple[str, set[str]]]:
    return {change.id: (change.kind, set(change.changed)) for change in changes}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_differs_between_any_two_instants_is_what_two_copies_of_the_table_say(plots: Plots, seed: int) -> None:
    rng = random.Random(seed)
    kept = edit_at_random(plots, rng, 25)
    with plots.database.reading(ANONYMOUS) as reader:
        for _ in range(12):
            (begin, before), (end, after) = sorted(rng.sample(kept, 2), key=lambda pair: pair[0])
            if rng.random() < 0.3:
                end, after = PRESENT, kept[-1][1]
            changes = every(reader, begin, end, rng.choice((2, 1000)))
            assert told(changes) == reference(before, after)
            counts = count_changes(reader, PLOTS, begin, end, FeatureQuery())
            kinds = [kind for kind, _ in reference(before, after).values()]
            assert (counts.added, counts.changed, counts.deleted) == tuple(map(kinds.count, ("added", "changed", "deleted")))
            for change in changes:
                shown = before if change.kind == "deleted" else after
                assert change.feature["properties"]["floors"] == shown[change.id][2]
                assert (change.before is None) == (change.kind != "changed")
                if change.before:
                    assert change.before["properties"]["floors"] == before[change.id][2]


def every(reader: Reader, begin: datetime, end: datetime, limit: int) -> list[Change]:
    return [change for page in every_change(reader, PLOTS, begin, end, FeatureQuery(limit=limit)) for change in page]


def test_a_filter_and_a_box_choose_what_meets_them_before_or_after(plots: Plots) -> None:
    left, right = plots.add("left", "R", 1, 0.0), plots.add("right", "C", 1, 0.5)
    begin = plots.moment()
    plots.run("UPDATE city.plots SET use = 'M', geom = ST_Translate(geom, 0.2, 0)")
    query = FeatureQuery(limit=10, equals=(("use", "R"),))
    with plots.database.reading(ANONYMOUS) as reader:
        assert [c.id for c in changes_between(reader, PLOTS, begin, PRESENT, query)] == [left]
        moved_to = FeatureQuery(limit=10, box=Box(114.69, 30, 114.71, 31))
        assert [c.id for c in changes_between(reader, PLOTS, begin, PRESENT, moved_to)] == [right]
        neither = FeatureQuery(limit=10, box=Box(114.3, 30, 114.4, 31))
        assert changes_between(reader, PLOTS, begin, PRESENT, neither) == []
