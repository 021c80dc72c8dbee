"""Names for states: what a name shows stays as it was, whoever was writing."""

import random
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from geoserver.process_adapter import PROCESSES
from layers.access import ANONYMOUS, Grant, Principal
from layers.database import acting_as
from layers.features import RowDenied, read_page
from layers.query import FeatureQuery
from layers.versions.errors import NoSuchVersion, VersionError
from layers.versions.moments import moment_given
from layers.versions.names import find_version, forget_version, instant_of, name_version, versions
from tests.layers.versions.conftest import PLOTS, Plots, Row


def named(plots: Plots, name: str) -> dict[int, Row]:
    """Name the present state, and read it by plain SQL before anybody else may write."""
    with plots.database.transaction(actor="steward") as conn:
        name_version(conn, name, ["plots"])
        return plots.state(conn)


def shown(plots: Plots, name: str) -> set[tuple[int, str, int]]:
    """What a read as of that name shows."""
    import orjson

    with plots.database.reading(ANONYMOUS) as reader:
        instant = instant_of(reader, name, ["plots"])
        page = read_page(reader, PLOTS, FeatureQuery(limit=1000, as_of=instant))
    found = [orjson.loads(feature) for feature in page.features]
    return {(f["id"], f["properties"]["code"], f["properties"]["floors"]) for f in found}


def plain(state: dict[int, Row]) -> set[tuple[int, str, int]]:
    return {(id_, row[0], row[2]) for id_, row in state.items()}


def test_a_transaction_that_began_before_a_name_and_wrote_after_it_is_not_part_of_it(plots: Plots) -> None:
    kept, gone = plots.add("kept"), plots.add("gone", x=0.1)
    with plots.database.transaction() as slow:
        slow.execute(text("SELECT now()"))  # the transaction's instant is before the name's
        state = named(plots, "审批版")
        slow.execute(text("UPDATE city.plots SET floors = 50 WHERE id = :id"), {"id": kept})
        slow.execute(text("DELETE FROM city.plots WHERE id = :id"), {"id": gone})
        slow.execute(text("INSERT INTO city.plots (code, floors) VALUES ('new', 5)"))
    assert shown(plots, "审批版") == plain(state)
    assert len(plots.state()) == 2


def test_names_given_while_others_write_show_what_the_table_held(plots: Plots) -> None:
    ids = [plots.add(f"p{n}", x=n / 100) for n in range(20)]
    stop = threading.Event()

    def write(seed: int) -> None:
        rng = random.Random(seed)
        while not stop.is_set():
            with plots.database.transaction(actor=f"writer {seed}") as conn:
                for id_ in sorted(rng.sample(ids, 3)):
                    conn.execute(text("UPDATE city.plots SET floors = :f WHERE id = :id"), {"f": rng.randrange(99), "id": id_})
                if rng.random() < 0.3:
                    conn.execute(text("INSERT INTO city.plots (code) VALUES (:c)"), {"c": f"{seed}-{rng.random()}"})

    writers = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2, 3)]
    for writer in writers:
        writer.start()
    states = {f"版{n}": named(plots, f"版{n}") for n in range(8)}
    stop.set()
    for writer in writers:
        writer.join()
    assert len({frozenset(plain(state)) for state in states.values()}) > 1, "nothing was written meanwhile"
    for name, state in states.items():
        assert shown(plots, name) == plain(state)


def test_a_name_is_listed_read_and_forgotten_and_stands_once(plots: Plots) -> None:
    plots.add("a")
    named(plots, "2026版控规")
    with plots.database.transaction() as conn:
        assert [(v.name, v.layers, v.actor) for v in versions(conn, "plots")] == [("2026版控规", ("plots",), "steward")]
        for wrong in ("2026版控规", "2026-11-22", "20261122", "2026-11-22T08:00:00Z", " x", "a/b"):
            with pytest.raises(VersionError):
                name_version(conn, wrong, ["plots"])
        assert versions(conn, "buildings") == []
        # as an input of a process
        assert moment_given(conn, "2026版控规") == find_version(conn, "2026版控规").at
        asked = PROCESSES["check-redline"].checked({"redline": "x", "as_of": "2026版控规"})
        assert asked["as_of"] == "2026版控规"
        assert moment_given(conn, "2026-11-22T08:00:00+08:00") == datetime(2026, 11, 22, tzinfo=UTC)
        forget_version(conn, "2026版控规")
        with pytest.raises(NoSuchVersion):
            find_version(conn, "2026版控规")


def test_only_who_manages_all_its_layers_names_and_forgets_a_version(plots: Plots) -> None:
    named(plots, "甲版")
    reads = Grant("*", frozenset({"read", "update"}), "core")
    for grants in ((reads,), (reads, Grant("plots", frozenset({"manage"}), "core"))):
        with plots.database.engine.begin() as conn:
            conn.execute(text("SET LOCAL ROLE citymap_app"))
            for name, value in acting_as(Principal("somebody", grants=grants)).items():
                conn.execute(text(f"SELECT set_config('citymap.{name}', :value, true)"), {"value": value})
            with pytest.raises(RowDenied):
                name_version(conn, "乙版", ["plots", "buildings"])
            if len(grants) == 1:
                with pytest.raises(RowDenied):
                    forget_version(conn, "甲版")
            else:
                name_version(conn, "丙版", ["plots"])
                forget_version(conn, "甲版")
