"""The rules of control lines and zones are data: what a city changes of them is what its next check goes by."""

import csv
from importlib.resources import files

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from planning.layers import LINE_KINDS, ZONE_KINDS
from tests.planning.redline_site import Office, square


def shipped() -> list[dict[str, str]]:
    content = files("planning").joinpath("data/rules.csv").read_text("utf-8")
    return list(csv.DictReader(content.splitlines()))


def test_the_database_goes_by_the_shipped_rules_and_every_kind_has_one(conn: Connection) -> None:
    rows = conn.execute(text("SELECT * FROM planning.rules")).mappings().all()
    stored = {(r["layer"], r["kind"], r["place"]): r for r in rows}
    assert len(stored) == len(shipped())
    for rule in shipped():
        row = stored[rule["layer"], rule["kind"], int(rule["place"])]
        assert (row["rule"], row["distance"], row["severity"]) == (
            rule["rule"], float(rule["distance"]), rule["severity"],
        )  # fmt: skip
        assert (row["allowed"], row["scheme"]) == (rule["allowed"].split(), rule["scheme"] or None)
        assert row["zh"] == rule["zh"] and row["en"] == rule["en"] and row["provenance"]
    assert {kind for layer, kind, _ in stored if layer == "control-lines"} == set(LINE_KINDS)
    assert {kind for layer, kind, _ in stored if layer == "control-zones"} == set(ZONE_KINDS)


def test_a_check_goes_by_the_rules_as_the_city_changed_them(office: Office) -> None:
    """The distance, the severity and the clause of a rule, and a rule of the city's own for another kind."""
    place = "ST_Multi(ST_Transform(ST_MakeEnvelope(586525, 3367300, 586540, 3367400, 4547), 4490))"
    office.sql(f"INSERT INTO city.control_lines (geom, kind, code, status) VALUES ({place}, 'blue', 'B9', 'approved')")
    number = office.apply(square(100, 2500, 20)).number  # 5 m west of the water

    def found() -> set[tuple[str, str, str, float]]:
        conflicts = office.check(number).result.conflicts
        return {(c.rule, c.severity, c.clause.zh, c.area) for c in conflicts if c.kind == "blue"}

    assert found() == {("keep-distance", "warning", "滨水建设退让", 100.0)}
    rules = "planning.rules WHERE layer = 'control-lines' AND kind = 'blue'"
    try:
        office.sql(
            "UPDATE planning.rules SET distance = 12, severity = 'blocking', zh = '本市蓝线管理规定第五条'"
            " WHERE layer = 'control-lines' AND kind = 'blue' AND place = 2"
        )
        assert found() == {("keep-distance", "blocking", "本市蓝线管理规定第五条", 140.0)}
        office.sql(f"DELETE FROM {rules} AND place = 2")
        assert found() == set()
    finally:
        office.sql(f"DELETE FROM {rules} AND place = 2")
        office.sql(
            "INSERT INTO planning.rules (kind, place, layer, rule, distance, severity, zh, en)"
            " VALUES ('blue', 2, 'control-lines', 'keep-distance', 10, 'warning', '滨水建设退让', 'Building keeps back')"
        )
        office.sql("DELETE FROM city.control_lines WHERE code = 'B9'")


@pytest.mark.parametrize(
    "values",
    [
        "'green', 9, 'control-lines', 'keep-distance', 0, NULL",  # a distance of nothing
        "'green', 9, 'control-lines', 'must-not-overlap', 5, NULL",  # a distance that nobody asks for
        "'green', 9, 'control-lines', 'allowed-uses', 0, NULL",  # codes of no scheme
        "'green', 9, 'roads', 'inform', 0, NULL",  # a layer that is no plan
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(conn: Connection, values: str) -> None:
    with pytest.raises(IntegrityError):
        conn.exec_driver_sql(
            "INSERT INTO planning.rules (kind, place, layer, rule, distance, scheme, severity, zh, en)"
            f" VALUES ({values}, 'info', 'x', 'x')"
        )
