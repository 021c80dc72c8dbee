"""A superuser takes the triggers away and changes the log: verifying names what was done."""

import pytest
from sqlalchemy import Connection

from geoserver.audit.chain import GENESIS, Fault, Place, Report, linked
from geoserver.audit.heads import current_head
from geoserver.audit.sealing import _store, seal_waiting
from geoserver.audit.verification import rows, verify
from tests.geoserver.audit.conftest import add_wells

#: What a superuser does first, so that the tampering itself is what is found.
UNGUARDED = "ALTER TABLE audit.entries DISABLE TRIGGER ALL; ALTER TABLE audit.links DISABLE TRIGGER ALL"
GUARDED = """
    ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER refuse_update, ENABLE ALWAYS TRIGGER refuse_truncate, ENABLE ALWAYS TRIGGER refuse_delete;
    ALTER TABLE audit.links ENABLE ALWAYS TRIGGER refuse_update, ENABLE ALWAYS TRIGGER refuse_truncate, ENABLE ALWAYS TRIGGER refuse_delete"""


@pytest.fixture
def chain(wells: Connection) -> Connection:
    """A sealed log with links 1 … n, the triggers already away."""
    add_wells(wells, *"abcdefghijklmnopqrst")
    while seal_waiting(wells, "sha256"):
        pass
    assert verify(wells).ok
    wells.exec_driver_sql(UNGUARDED)
    return wells


def verified(conn: Connection, heads: tuple[Place, ...] = ()) -> Report:
    """The verdict once the triggers stand again as if nothing had been."""
    conn.exec_driver_sql(GUARDED)
    while seal_waiting(conn, "sha256"):
        pass
    return verify(conn, heads)


def named(report: Report) -> list[tuple[str, int | None, int | None]]:
    return [(fault.kind, fault.seq, fault.entry) for fault in report.faults]


def entry_of(conn: Connection, seq: int) -> int:
    return int(conn.exec_driver_sql("SELECT entry FROM audit.links WHERE seq = %s", (seq,)).scalar_one())


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'somebody'", "login = 'x'", "at = at + interval '1 microsecond'", "at = 'infinity'", "address = '10.0.0.9'",
        "via = 'x'", "request = 'x'", "action = 'read'", "kind = NULL", "object = 'roads'", "row_count = 2", "row_ids = NULL",
        "outcome = 'refused'", "detail = '{}'",
    ],
)  # fmt: skip
def test_a_changed_value_of_any_column_is_named(chain: Connection, change: str) -> None:
    seq, entry = chain.exec_driver_sql("SELECT seq, entry FROM audit.links ORDER BY seq DESC OFFSET 4 LIMIT 1").one()
    chain.exec_driver_sql(f"UPDATE audit.entries SET {change} WHERE id = {entry}")
    assert named(verified(chain)) == [("changed", seq, entry)]


def test_every_column_of_the_table_is_hashed(chain: Connection) -> None:
    from geoserver.audit.entries import NAMES

    columns = (
        chain.exec_driver_sql(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'audit' AND table_name = 'entries'"
        )
        .scalars()
        .all()
    )
    assert sorted(columns) == sorted(NAMES)


def test_a_removed_entry_is_named(chain: Connection) -> None:
    entry = entry_of(chain, 9)
    chain.exec_driver_sql(f"DELETE FROM audit.entries WHERE id = {entry}")
    assert named(verified(chain)) == [("removed", 9, entry)]


def test_a_removed_entry_with_its_link_is_named(chain: Connection) -> None:
    chain.exec_driver_sql(f"DELETE FROM audit.entries WHERE id = {entry_of(chain, 9)}")
    chain.exec_driver_sql("DELETE FROM audit.links WHERE seq = 9")
    assert named(verified(chain)) == [("removed", 9, None)]


def test_a_removed_beginning_is_named(chain: Connection) -> None:
    chain.exec_driver_sql("DELETE FROM audit.entries USING audit.links l WHERE entry = id AND seq <= 4")
    chain.exec_driver_sql("DELETE FROM audit.links WHERE seq <= 4")
    report = verified(chain)
    assert named(report) == [("removed", 1, None)] and "links 1 to 4" in report.faults[0].text


def test_a_removed_entry_whose_successors_were_renumbered_is_found(chain: Connection) -> None:
    chain.exec_driver_sql("DELETE FROM audit.entries USING audit.links l WHERE entry = id AND seq = 9")
    chain.exec_driver_sql("DELETE FROM audit.links WHERE seq = 9")
    chain.exec_driver_sql(
        "UPDATE audit.links SET seq = seq + 1000 WHERE seq > 9; UPDATE audit.links SET seq = seq - 1001 WHERE seq > 9"
    )
    report = verified(chain)
    assert named(report)[0] == ("broken", 9, entry_of(chain, 9))
    assert named(report)[1][:2] == ("reordered", 10) and "sealed as link 11" in report.faults[1].text


def test_an_entry_that_was_removed_before_it_was_sealed_is_named(chain: Connection) -> None:
    add_wells(chain, "waiting")
    entry = chain.exec_driver_sql("SELECT max(id) FROM audit.entries").scalar_one()
    chain.exec_driver_sql(f"DELETE FROM audit.entries WHERE id = {entry}")
    assert named(verified(chain)) == [("removed", None, entry)]


def test_links_that_changed_places_are_named_with_the_places_they_had(chain: Connection) -> None:
    chain.exec_driver_sql("""
        UPDATE audit.links SET seq = 1000 WHERE seq = 7; UPDATE audit.links SET seq = 7 WHERE seq = 12;
        UPDATE audit.links SET seq = 12 WHERE seq = 1000""")
    report = verified(chain)
    moved = {fault.seq: fault.text for fault in report.faults if fault.kind == "reordered"}
    assert set(moved) == {7, 12}
    assert "was sealed as link 12" in moved[7] and "was sealed as link 7" in moved[12]
    assert all(fault.kind in ("reordered", "broken") for fault in report.faults)


def test_neighbours_that_changed_places_are_named(chain: Connection) -> None:
    chain.exec_driver_sql("""
        UPDATE audit.links SET seq = 1000 WHERE seq = 7; UPDATE audit.links SET seq = 7 WHERE seq = 8;
        UPDATE audit.links SET seq = 8 WHERE seq = 1000""")
    assert {("reordered", 7), ("reordered", 8)} <= {fault[:2] for fault in named(verified(chain))}


def test_entries_whose_links_were_exchanged_are_named(chain: Connection) -> None:
    a, b = entry_of(chain, 7), entry_of(chain, 12)
    chain.exec_driver_sql(f"""
        UPDATE audit.links SET entry = -1 WHERE seq = 7; UPDATE audit.links SET entry = {a} WHERE seq = 12;
        UPDATE audit.links SET entry = {b} WHERE seq = 7""")
    assert {("changed", 7, b), ("changed", 12, a)} <= set(named(verified(chain)))


def test_entries_that_exchanged_their_ids_are_named(chain: Connection) -> None:
    a, b = entry_of(chain, 7), entry_of(chain, 12)
    chain.exec_driver_sql(f"""
        ALTER TABLE audit.entries ALTER id DROP IDENTITY;
        UPDATE audit.entries SET id = -1 WHERE id = {a}; UPDATE audit.entries SET id = {a} WHERE id = {b};
        UPDATE audit.entries SET id = {b} WHERE id = -1""")
    assert named(verified(chain)) == [("changed", 7, a), ("changed", 12, b)]


def test_an_entry_put_in_by_hand_is_named(chain: Connection) -> None:
    entry = chain.exec_driver_sql(
        "INSERT INTO audit.entries (at, actor, action, outcome) VALUES (now() - interval '9 days', 'li', 'read', 'done') RETURNING id"
    ).scalar_one()
    assert named(verified(chain)) == [("inserted", None, entry)]


def test_an_entry_put_in_by_hand_to_be_sealed_with_an_old_date_is_counted_as_late(chain: Connection) -> None:
    entry = chain.exec_driver_sql(
        "INSERT INTO audit.entries (at, actor, action, outcome) VALUES (now() - interval '9 days', 'li', 'read', 'done') RETURNING id"
    ).scalar_one()
    chain.exec_driver_sql(f"INSERT INTO audit.unsealed VALUES ({entry})")
    assert verified(chain).late == 1


def test_a_link_put_in_between_is_found(chain: Connection) -> None:
    entry = chain.exec_driver_sql(
        "INSERT INTO audit.entries (action, outcome) VALUES ('read', 'done') RETURNING id"
    ).scalar_one()
    place = Place(8, chain.exec_driver_sql("SELECT encode(hash, 'hex') FROM audit.links WHERE seq = 8").scalar_one())
    chain.exec_driver_sql(
        "UPDATE audit.links SET seq = seq + 1000 WHERE seq > 8; UPDATE audit.links SET seq = seq - 999 WHERE seq > 8"
    )
    _store(chain, [linked(_document(chain, entry), place, "2026-11-22T00:00:00.000000Z", "sha256")])
    report = verified(chain)
    assert named(report)[0] == ("broken", 10, entry_of(chain, 10)) and not report.ok


def test_a_changed_link_is_found_at_it_or_at_the_next(chain: Connection) -> None:
    chain.exec_driver_sql("UPDATE audit.links SET sealed = sealed - interval '1 day' WHERE seq = 9")
    assert named(verified(chain)) == [("broken", 9, entry_of(chain, 9))]
    chain.exec_driver_sql(UNGUARDED)
    _rewrite(chain, 9, 9)
    report = verified(chain)
    assert [fault.seq for fault in report.faults] == [10]


@pytest.mark.parametrize("whole", [False, True])
def test_a_chain_rewritten_from_a_point_on_is_found_by_an_exported_head(chain: Connection, whole: bool) -> None:
    old, head = _place(chain, 6), current_head(chain)
    assert head is not None
    chain.exec_driver_sql(
        f"UPDATE audit.entries SET actor = 'somebody else' WHERE id = {entry_of(chain, 3 if whole else 9)}"
    )
    _rewrite(chain, 1 if whole else 9, head.place.seq)
    report = verified(chain)
    assert report.ok, "without a head a chain that was made anew is whole"
    report = verify(chain, [old, head.place])
    expected = [("head", 6, None), ("head", head.place.seq, None)] if whole else [("head", head.place.seq, None)]
    assert named(report) == expected


def test_a_cut_end_is_found_by_an_exported_head(chain: Connection) -> None:
    head = current_head(chain)
    assert head is not None
    chain.exec_driver_sql(f"""
        DELETE FROM audit.entries USING audit.links l WHERE entry = id AND seq > {head.place.seq - 3};
        DELETE FROM audit.links WHERE seq > {head.place.seq - 3}""")
    assert verified(chain).ok
    report = verify(chain, [head.place])
    assert named(report) == [("head", head.place.seq, None)] and "was removed" in report.faults[0].text


def test_a_head_that_still_holds_is_no_fault(chain: Connection) -> None:
    places = [_place(chain, 3), _place(chain, 9)]
    add_wells(chain, "later")
    assert verified(chain, tuple(places)).ok


def test_a_forged_algorithm_is_no_way_around(chain: Connection) -> None:
    chain.exec_driver_sql(
        "ALTER TABLE audit.links DROP CONSTRAINT links_algorithm_check; UPDATE audit.links SET algorithm = 'md5' WHERE seq = 9"
    )
    assert ("changed", 9) in [fault[:2] for fault in named(verified(chain))]


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        (UNGUARDED, "audit.entries"),
        ("ALTER TABLE audit.links ENABLE TRIGGER refuse_delete", "audit.links"),
        ("DROP TRIGGER refuse_update ON audit.entries", "audit.entries"),
        ("ALTER TABLE city.test_wells DISABLE TRIGGER audit_update", "city.test_wells"),
        ("DROP TRIGGER audit_insert ON city.test_wells", "city.test_wells"),
        ("ALTER TABLE access.memberships DISABLE TRIGGER audit_administration", "access.memberships"),
        ("DROP TRIGGER watch_layer ON citymap.layers", "citymap.layers"),
    ],
)
def test_a_trigger_that_is_away_is_named(wells: Connection, statement: str, place: str) -> None:
    assert verify(wells).ok
    wells.exec_driver_sql(statement)
    faults = verify(wells).faults
    assert faults and all(isinstance(fault, Fault) and fault.kind == "guard" for fault in faults)
    assert place in faults[0].text


def test_many_faults_are_counted_and_the_first_are_named(chain: Connection) -> None:
    add_wells(chain, *(str(i) for i in range(150)))
    while seal_waiting(chain, "sha256"):
        pass
    chain.exec_driver_sql("UPDATE audit.entries SET actor = 'x'")
    report = verified(chain)
    assert len(report.faults) == 100 and report.fault_count == report.links


def _document(conn: Connection, entry: int) -> dict:
    from geoserver.audit.entries import COLUMNS, document

    return document(conn.exec_driver_sql(f"SELECT {COLUMNS} FROM audit.entries e WHERE id = {entry}").one())


def _place(conn: Connection, seq: int) -> Place:
    return Place(
        seq, conn.exec_driver_sql("SELECT encode(hash, 'hex') FROM audit.links WHERE seq = %s", (seq,)).scalar_one()
    )


def _rewrite(conn: Connection, first: int, last: int) -> None:
    """Make links anew, as who has the program can."""
    place = Place(first - 1, _place(conn, first - 1).hash if first > 1 else GENESIS)
    found: list[tuple] = list(rows(conn, place, last))
    conn.exec_driver_sql(f"DELETE FROM audit.links WHERE seq BETWEEN {first} AND {last}")
    links = []
    for link, entry in found:
        new = linked(entry, place, link.sealed, "sha256")
        links.append(new)
        place = Place(new.seq, new.hash)
    _store(conn, links)
