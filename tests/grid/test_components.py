"""Components: codes given and checked, inspections kept, rules of the grid read from files."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from grid.components.processes import check_components, component_inspections, inspect_component, number_components
from grid.errors import GridError
from grid.options import GridOptions
from grid.processes import import_grid_rules
from grid.rules_files import COLUMNS, read_rules
from layers.access import Grant, Principal
from layers.features import RowDenied
from layers.processing import UploadedFile
from tests.grid.conftest import COMMUNITY, OTHER
from tests.grid.people import act_as, act_as_owner, principal_of

SCHEME = "GB/T 30428.2-2013"
PLANNER = Principal("planner", grants=(Grant("*", frozenset({"read", "create", "update"}), "internal"),))
WORKER = principal_of("worker", "grid-worker", area=COMMUNITY)
AWAY = principal_of("away", "grid-worker", area=OTHER)


def add(conn: Connection, lon: float = 114.905, lat: float = 30.405, **values: Any) -> int:
    fields = {"scheme": SCHEME, "class": "0102", "state": "sound", **values}
    names, bound = ", ".join(fields), ", ".join(f":{name}" for name in fields)
    statement = f"INSERT INTO city.components (geom, {names}) VALUES (ST_SetSRID(ST_MakePoint(:x, :y), 4490), {bound}) RETURNING id"
    return int(conn.execute(text(statement), {"x": lon, "y": lat, **fields}).scalar_one())


def codes(conn: Connection) -> list[str]:
    return list(conn.execute(text("SELECT code FROM city.components ORDER BY id")).scalars())


def test_components_get_the_next_codes_of_their_division_and_class(ground: Connection, options: GridOptions) -> None:
    add(ground, code="4297010102000007")
    for lat in (30.401, 30.409, 30.405):
        add(ground, lat=lat)
    add(ground, **{"class": "0118"})
    act_as(ground, PLANNER)
    given = number_components(ground, options, SCHEME)
    assert (given.given, given.ranges) == (
        4,
        (("4297010102000008", "4297010102000010"), ("4297010118000001", "4297010118000001")),
    )
    assert codes(ground) == [
        "4297010102000007",
        "4297010102000010",
        "4297010102000008",
        "4297010102000009",
        "4297010118000001",
    ]
    assert number_components(ground, options, SCHEME).given == 0


def test_the_code_of_a_component_that_is_gone_is_not_given_again(ground: Connection, options: GridOptions) -> None:
    gone = add(ground, code="4297010102000009")
    ground.execute(text("DELETE FROM city.components WHERE id = :i"), {"i": gone})
    add(ground)
    act_as(ground, PLANNER)
    number_components(ground, options, SCHEME)
    assert codes(ground) == ["4297010102000010"]


def test_the_scheme_of_2026_has_wider_codes(ground: Connection, options: GridOptions) -> None:
    add(ground, scheme="GB/T 47678.5-2026", **{"class": "01001"})
    act_as(ground, PLANNER)
    number_components(ground, options, "GB/T 47678.5-2026")
    assert codes(ground) == ["42970101001000001"]
    with pytest.raises(GridError, match="no code widths"):
        number_components(ground, options, "another")
    assert (
        number_components(ground, replace(options, component_widths=(("another", (6, 2, 2, 4)),)), "another").given == 0
    )


def test_a_check_names_every_fault(ground: Connection, options: GridOptions) -> None:
    ground.execute(
        text(
            "INSERT INTO city.grid_cells (geom, code, kind, parent) SELECT geom, code || '001', 'unit', code FROM city.admin_areas WHERE code = :c"
        ),
        {"c": COMMUNITY},
    )
    good = add(ground, code="4297010102000001")
    wrong = {
        add(ground): "no code", add(ground, code="12"): "16 digits", add(ground, code="4297010118000001"): "says class 0118",
        add(ground, code="4298010102000001"): "says division 429801", add(ground, code="4297010999000001", **{"class": "0999"}): "not in scheme",
        add(ground, lon=114.93, code="4297010102000002"): "no unit grid cell",
    }  # fmt: skip
    act_as(ground, PLANNER)
    found = check_components(ground, options, "429701")
    assert (found.checked, found.wrong) == (7, 6)
    assert good not in {fault.id for fault in found.faults}
    assert all(words in next(f.text.en for f in found.faults if f.id == one) for one, words in wrong.items())


def test_an_inspection_is_kept_with_the_state_before(ground: Connection) -> None:
    add(ground, code="4297010102000001")
    act_as(ground, WORKER)
    first = inspect_component(ground, "4297010102000001", "damaged", "缺角", (114.9051, 30.405))
    inspect_component(ground, "4297010102000001", "sound", "已更换")
    assert (first.state_before, first.metres) == ("sound", pytest.approx(9.6, abs=0.1))
    kept = component_inspections(ground, "4297010102000001")
    assert [(i.state_before, i.state, i.actor, i.note) for i in kept] == [
        ("damaged", "sound", "worker", "已更换"),
        ("sound", "damaged", "worker", "缺角"),
    ]
    assert ground.execute(text("SELECT state FROM city.components")).scalar() == "sound"
    act_as_owner(ground)
    with pytest.raises(DBAPIError, match="only ever appended"), ground.begin_nested():
        ground.execute(text("DELETE FROM grid.inspections"))


def test_a_worker_inspects_in_the_own_area(ground: Connection) -> None:
    add(ground, code="4297010102000001")
    act_as(ground, AWAY)
    with pytest.raises(RowDenied):
        inspect_component(ground, "4297010102000001", "damaged")
    with pytest.raises(GridError, match="no component"):
        inspect_component(ground, "4297010102999999", "damaged")


def uploaded(path: Path, words: str) -> UploadedFile:
    path.write_text(words, "utf-8-sig")
    return UploadedFile(path, path.name)


def test_limits_come_from_a_file_and_replace_those_of_their_scheme(ground: Connection, tmp_path: Path) -> None:
    sent = uploaded(
        tmp_path / "c.csv",
        "scheme,kind,class,condition,amount,unit,closing\nX,event,0101,停工,4,work-hours,已停工\nX,event,0101,拆除,20,work-days,\n",
    )
    act_as(ground, PLANNER)
    assert import_grid_rules(ground, "conditions", sent, replace=True).written == 2
    again = uploaded(tmp_path / "d.csv", "scheme,kind,class,condition,amount,unit\nX,event,0101,拆除,15,work-days\n")
    done = import_grid_rules(ground, "conditions", again, replace=True)
    assert (done.written, done.removed) == (1, 2)
    rows = ground.execute(text("SELECT condition, amount FROM grid.conditions WHERE scheme = 'X'")).all()
    assert [tuple(row) for row in rows] == [("拆除", 15.0)]
    assert ground.execute(text("SELECT count(*) FROM grid.conditions WHERE scheme = 'CJ/T 214-2007'")).scalar() == 3


def test_rules_of_dispatch_and_classes_come_from_files(ground: Connection, tmp_path: Path) -> None:
    act_as(ground, PLANNER)
    import_grid_rules(
        ground,
        "dispatch-rules",
        uploaded(tmp_path / "r.csv", "class,area,department\n0102,429701,sanitation\n,,city\n"),
    )
    assert (
        ground.execute(text("SELECT count(*) FROM grid.dispatch_rules WHERE scheme = '' AND rank = 100")).scalar() == 2
    )
    import_grid_rules(
        ground, "classes", uploaded(tmp_path / "k.csv", "scheme,kind,code,major,name\nX,event,0101,01,私搭乱建\n")
    )
    assert ground.execute(text("SELECT name FROM grid.classes WHERE scheme = 'X'")).scalar() == "私搭乱建"


@pytest.mark.parametrize(
    ("content", "said"),
    [("a,b\n1,2\n", "unknown a, b"), ("scheme,kind\nX,event\n", "missing condition, amount, unit"),
     ("scheme,kind,condition,amount,unit\nX,event,c,-1,work-days\n", "line 2, amount '-1' is no length"),
     ("scheme,kind,condition,amount,unit\nX,event,c,nan,work-days\n", "line 2, amount"),
     ("scheme,kind,condition,amount,unit\nX,animal,c,1,years\n", "kind 'animal' is none of event, component; line 2, unit 'years'"),
     ("scheme,kind,condition,amount,unit\nX,event,,1,work-days\n", "condition '' is empty"),
     ("scheme,kind,condition,amount,unit\nX,event,c,1,work-days,more\n", "too many values"), ("", "missing")],
)  # fmt: skip
def test_a_file_that_is_wrong_says_where(content: str, said: str) -> None:
    with pytest.raises(GridError, match=said):
        read_rules("conditions", content.encode())


def test_a_file_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(GridError, match="not UTF-8"):
        read_rules("conditions", "条件".encode("gbk"))


def test_the_columns_of_files_are_those_of_the_tables(ground: Connection) -> None:
    for table, columns in COLUMNS.items():
        rows = ground.execute(text("SELECT column_name FROM information_schema.columns WHERE table_schema = 'grid' AND table_name = :t"),
                              {"t": table.replace("-", "_")})  # fmt: skip
        assert {column.name for column in columns} == set(rows.scalars()) - {"id"}
