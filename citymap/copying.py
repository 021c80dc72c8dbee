"""A copy of a layer in a GeoPackage (OGC 12-128r19), kept true by its change feed.

Features of a page and the position behind it are written in one transaction, so a copy that was cut off at any moment
goes on where it stopped. Also a command: ``python -m citymap.copying URL LAYER FILE``.
"""

import argparse
import json
import os
import sqlite3
import struct
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citymap.changes import Changes, pages
from citymap.errors import PositionGone

if TYPE_CHECKING:
    from citymap.collection import Collection

_TYPES = {"integer": "INTEGER", "number": "REAL", "boolean": "BOOLEAN", "string": "TEXT", "array": "TEXT"}
_PAGE = 2000
#: What GeoPackage says of WGS 84, which every file has.
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]]'
)
_TABLES = """
    CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
        organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
    CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
        description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
        min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER REFERENCES gpkg_spatial_ref_sys);
    CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL UNIQUE REFERENCES gpkg_contents,
        column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
        srs_id INTEGER NOT NULL REFERENCES gpkg_spatial_ref_sys, z TINYINT NOT NULL,
        m TINYINT NOT NULL, PRIMARY KEY (table_name, column_name));
    CREATE TABLE citymap_position (layer TEXT PRIMARY KEY, url TEXT NOT NULL, position TEXT NOT NULL);
"""


def keep_copy(layer: "Collection", file: str | os.PathLike[str], page: int = _PAGE) -> int:
    """Bring the copy up to date, making it where it is missing; returns how many changes were written.

    Where the server can no longer tell what changed (:class:`~citymap.errors.PositionGone`) the copy is made anew, in
    one transaction: readers see the old one until then.
    """
    with closing(sqlite3.connect(Path(file), isolation_level=None)) as gpkg:
        since = _position(gpkg, layer)
        try:
            return _follow(gpkg, layer, since, page)
        except PositionGone:
            if since is None:
                raise
            return _anew(gpkg, layer, page)


def _follow(gpkg: sqlite3.Connection, layer: "Collection", since: str | None, page: int) -> int:
    written = 0
    for changes in pages(layer.city.connection, layer.path, since, page, None):
        gpkg.execute("BEGIN IMMEDIATE")
        try:
            _write(gpkg, layer, changes)
            gpkg.execute("COMMIT")
        except BaseException:
            gpkg.execute("ROLLBACK")
            raise
        written += len(changes.features)
    return written


def _anew(gpkg: sqlite3.Connection, layer: "Collection", page: int) -> int:
    gpkg.execute("BEGIN IMMEDIATE")
    try:
        gpkg.execute(f"DELETE FROM {_name(layer.id)}")
        written = 0
        for changes in pages(layer.city.connection, layer.path, None, page, None):
            _write(gpkg, layer, changes)
            written += len(changes.features)
        gpkg.execute("COMMIT")
    except BaseException:
        gpkg.execute("ROLLBACK")
        raise
    return written


def _position(gpkg: sqlite3.Connection, layer: "Collection") -> str | None:
    """Where the copy stands; None for a new one, whose tables are made."""
    if gpkg.execute("SELECT 1 FROM sqlite_master WHERE name = 'citymap_position'").fetchone() is None:
        if gpkg.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
            raise ValueError("the file holds something else than copies of layers: name a new one")
        gpkg.executescript(f"PRAGMA application_id = 0x47504B47; PRAGMA user_version = 10300; BEGIN; {_TABLES} COMMIT;")
        systems = [("WGS 84", 4326, "EPSG", 4326, _WGS84), ("undefined", -1, "NONE", -1, "undefined"),
                   ("undefined", 0, "NONE", 0, "undefined")]  # fmt: skip
        gpkg.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, ?, ?, ?, NULL)", systems)
    found = gpkg.execute("SELECT url, position FROM citymap_position WHERE layer = ?", (layer.id,)).fetchone()
    if found is None:
        return None
    if found[0] != layer.city.url:
        raise ValueError(f"the file holds a copy of this layer of {found[0]}: name another file")
    return str(found[1])


def _write(gpkg: sqlite3.Connection, layer: "Collection", changes: Changes) -> None:
    """A page of changes and the position behind it."""
    _make_table(gpkg, layer)
    _add_columns(gpkg, layer)
    names = list(layer.fields)
    gone = [(feature["id"],) for feature in changes.features if feature["op"] == "delete"]
    gpkg.executemany(f"DELETE FROM {_name(layer.id)} WHERE id = ?", gone)
    columns = ", ".join(map(_name, ("id", "geom", *names)))
    places = ", ".join("?" * (len(names) + 2))
    rows = (_row(feature, names) for feature in changes.features if feature["op"] != "delete")
    gpkg.executemany(f"INSERT OR REPLACE INTO {_name(layer.id)} ({columns}) VALUES ({places})", rows)
    gpkg.execute(
        "INSERT OR REPLACE INTO citymap_position VALUES (?, ?, ?)", (layer.id, layer.city.url, changes.position)
    )
    gpkg.execute(
        "UPDATE gpkg_contents SET last_change = strftime('%Y-%m-%dT%H:%M:%fZ','now') WHERE table_name = ?", (layer.id,)
    )


def _make_table(gpkg: sqlite3.Connection, layer: "Collection") -> None:
    if gpkg.execute("SELECT 1 FROM gpkg_contents WHERE table_name = ?", (layer.id,)).fetchone():
        return
    gpkg.execute(f"CREATE TABLE {_name(layer.id)} (id INTEGER PRIMARY KEY, geom GEOMETRY)")
    about = (layer.id, layer.title, 4326)
    gpkg.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, 'features', ?, ?)", about
    )
    gpkg.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', 4326, 2, 0)", (layer.id,))


def _add_columns(gpkg: sqlite3.Connection, layer: "Collection") -> None:
    there = {row[1] for row in gpkg.execute(f"PRAGMA table_info({_name(layer.id)})")}
    for name, field in layer.fields.items():
        if name not in there:
            kind = _TYPES.get(str(field.get("type")), "TEXT")
            gpkg.execute(f"ALTER TABLE {_name(layer.id)} ADD COLUMN {_name(name)} {kind}")


def _row(feature: Mapping[str, Any], names: Iterable[str]) -> tuple[Any, ...]:
    values = feature["properties"]
    return (feature["id"], _geometry(feature["geometry"]), *(_value(values.get(name)) for name in names))


def _value(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _geometry(geometry: Mapping[str, Any] | None) -> bytes | None:
    """GeoPackage's header, without an envelope, and WKB (12-128r19 §2.1.3)."""
    if geometry is None:
        return None
    from shapely.geometry import shape

    found = shape(dict(geometry))
    flags = 0b0001 | (0b10000 if found.is_empty else 0)
    return b"GP" + struct.pack("<BBi", 0, flags, 4326) + bytes(found.wkb)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def main(arguments: list[str]) -> None:
    """The command. The API key, if one is needed, stands in ``CITYMAP_KEY``, where no list of processes shows it."""
    from citymap.city import City

    parser = argparse.ArgumentParser(prog="python -m citymap.copying", description="Keep a copy of a layer up to date.")
    parser.add_argument("url")
    parser.add_argument("layer")
    parser.add_argument("file", help="a GeoPackage; made where it is missing")
    given = parser.parse_args(arguments)
    with City(given.url, key=os.environ.get("CITYMAP_KEY")) as city:
        written = keep_copy(city.collection(given.layer), given.file)
    print(f"{given.file}: {written} 处变更 changes")


if __name__ == "__main__":
    main(sys.argv[1:])
