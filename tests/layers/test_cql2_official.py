"""The official CQL2 examples and predicates (OGC 21-065r2, Annex A), on the official data set in PostGIS."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cql2
import pytest
from geoalchemy2 import Geometry
from sqlalchemy import Column, Connection, Table, func, select
from sqlalchemy import MetaData as Metadata

from layers.catalogue import FieldType
from layers.cql2 import Columns, Cql2Error, compile_filter, parse
from layers.database import Database
from layers.tables import COLUMN_TYPES

OFFICIAL = Path(__file__).parents[2].parent / "shared" / "data" / "09_test_vectors" / "ogc_cql2"
EXAMPLES = OFFICIAL / "schema" / "examples"
needs_data = pytest.mark.skipif(not OFFICIAL.exists(), reason=f"the official CQL2 data is not at {OFFICIAL}")

# Expectations that the shipped data contradicts: the count it gives, and why.
CONTRADICTED = {
    "ats009": (1, "of the 243 places only Chișinău begins with 'chis' when case and accents are ignored"),
}
# Official examples that fit no layer of ours, and the reason the error must give.
REFUSED = {
    "clause6_01": "there is no function",
    "clause6_02b": "there is no function",
    "clause7_18": "there is no function",
    "example03": "cannot be compared",  # the path is a number in examples 4 and 6, here texts
    "example40": "cannot be compared",  # `value` is a number in all other examples, here texts
    "example40-alt01": "cannot be compared",
    "example68": "there is no function",
    "example69": "there is no function",
    "example81": "arrays of one type",
    "example82": "arrays of one type",
}


def predicates() -> list[dict[str, str]]:
    path = OFFICIAL / "predicates_expected_half.csv"
    return list(csv.DictReader(path.read_text("utf-8").splitlines())) if path.exists() else []


@pytest.fixture(scope="module")
def official(database: Database) -> Iterator[tuple[Connection, dict[str, tuple[Table, Columns]]]]:
    """The official tables in a transaction that is rolled back, and what a filter may name in each."""
    import geopandas

    with database.engine.connect() as conn:
        transaction = conn.begin()
        for name in sorted({p["collection"] for p in predicates()}):
            frame = geopandas.read_file(OFFICIAL / "data" / "ne110m4cql2.gpkg", layer=name).rename_geometry("geom")
            if "boolean" in frame:
                frame["date"] = frame["date"].dt.date
                frame["boolean"] = frame["boolean"].astype("boolean")
                frame[["start", "end"]] = frame[["start", "end"]].apply(lambda times: times.dt.tz_localize("UTC"))
            frame.to_postgis(name, conn)
        tables = {p["collection"]: Table(p["collection"], Metadata(), autoload_with=conn) for p in predicates()}
        yield conn, {name: (table, columns_of(table)) for name, table in tables.items()}
        transaction.rollback()


def columns_of(table: Table) -> Columns:
    kinds: dict[str, FieldType] = {
        "TEXT": "string", "BIGINT": "integer", "DOUBLE PRECISION": "number", "BOOLEAN": "boolean", "DATE": "date",
    }
    properties = {c.name: (c, kinds.get(str(c.type), "date-time")) for c in table.columns if c.name != "geom"}
    return Columns(properties, {"geom": (table.c.geom, 4326)})


def count(official: tuple[Connection, dict[str, tuple[Table, Columns]]], collection: str, expression: Any) -> int:
    conn, collections = official
    table, columns = collections[collection]
    condition = compile_filter(expression, columns, 4326, False)
    return int(conn.execute(select(func.count()).select_from(table).where(condition)).scalar_one())


@needs_data
@pytest.mark.parametrize("predicate", predicates(), ids=lambda p: p["id"])
def test_official_predicate_gives_its_count_as_text_and_as_json(official: Any, predicate: dict[str, str]) -> None:
    expected = CONTRADICTED.get(predicate["id"], (int(predicate["expected_items"]), ""))[0]
    as_json = json.dumps(cql2.parse_text(predicate["cql2_text"]).to_json())
    assert count(official, predicate["collection"], parse(predicate["cql2_text"], "cql2-text")) == expected
    assert count(official, predicate["collection"], parse(as_json, "cql2-json")) == expected


@needs_data
def test_contradicted_expectations_are_contradicted_by_the_data_alone() -> None:
    import unicodedata

    import geopandas

    places = geopandas.read_file(OFFICIAL / "data" / "ne110m4cql2.gpkg", layer="ne_110m_populated_places_simple")
    plain = places["name"].map(lambda name: unicodedata.normalize("NFD", name.casefold()))
    plain = plain.map(lambda name: "".join(c for c in name if not unicodedata.combining(c)))
    assert int(plain.str.startswith("chis").sum()) == CONTRADICTED["ats009"][0]


# Every property the official examples name, by the type they take it for.
NAMED: dict[FieldType, str] = {
    "string": "city name cityName road_class etat_vol landsat:scene_id eo:instrument beamMode swathDirection "
    "polarization owner material geophys:SURVEY_NAME id",
    "number": "windSpeed balance depth eo:cloud_cover taxes vehicle_height bridge_clearance value foo bar x",
    "integer": "category landsat:wrs_row landsat:wrs_path floors",
    "boolean": "swimming_pool",
    "date": "built",
    "date-time": "updated event_time touchdown liftOff starts_at ends_at updated_at",
    "string-array": "layer:ids values",
}
GEOMETRIES = ("geom", "road", "footprint", "location")


@pytest.fixture(scope="module")
def everything(database: Database) -> Iterator[tuple[Connection, Table, Columns]]:
    """An empty table with every property and geometry that the official examples name."""
    kinds = {name: kind for kind, names in NAMED.items() for name in names.split()}
    columns = [Column(name, COLUMN_TYPES[kind]) for name, kind in kinds.items()]
    shapes = [Column(name, Geometry("GEOMETRY", 4326, spatial_index=False)) for name in GEOMETRIES]
    table = Table("everything", Metadata(), *columns, *shapes, prefixes=["TEMPORARY"])
    properties = {name: (table.c[name], kind) for name, kind in kinds.items()}
    with database.engine.connect() as conn:
        transaction = conn.begin()
        table.create(conn)
        yield conn, table, Columns(properties, {name: (table.c[name], 4326) for name in GEOMETRIES})
        transaction.rollback()


def examples(kind: str) -> list[Path]:
    return sorted((EXAMPLES / kind).glob("*.*"))


@needs_data
@pytest.mark.parametrize("path", [*examples("text"), *examples("json")], ids=lambda p: p.name)
def test_official_example_runs_or_says_why_not(
    everything: tuple[Connection, Table, Columns], path: Path
) -> None:
    conn, table, columns = everything
    expression = parse(path.read_bytes(), "cql2-text" if path.suffix == ".txt" else "cql2-json")
    official = EXAMPLES / "json" / f"{path.stem}.json"
    if official.exists():
        assert expression == json.loads(official.read_text("utf-8"))
    if path.stem in REFUSED:
        pytest.raises(Cql2Error, compile_filter, expression, columns, 4326, False).match(REFUSED[path.stem])
    else:
        conn.execute(select(table.c.id).where(compile_filter(expression, columns, 4326, False))).all()
