"""MBTiles 1.3: SQLite with tiles by level, column and row from the south; equal ones once.

https://github.com/mapbox/mbtiles-spec/blob/master/1.3/spec.md
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tiles.archives.facts import FORMATS, Facts
from tiles.archives.work import Work

#: "MPBX", by which file(1) knows MBTiles.
_APPLICATION = 0x4D504258
_TABLES = """
    CREATE TABLE metadata (name text PRIMARY KEY, value text);
    CREATE TABLE map (
        zoom_level int, tile_column int, tile_row int, tile_id text, PRIMARY KEY (zoom_level, tile_column, tile_row)
    ) WITHOUT ROWID;
    CREATE TABLE images (tile_id text PRIMARY KEY, tile_data blob);
    CREATE VIEW tiles AS
        SELECT zoom_level, tile_column, tile_row, tile_data FROM map JOIN images USING (tile_id);
"""
_COPY = """
    INSERT INTO map SELECT z, x, (1 << z) - 1 - y, lower(hex(digest))
        FROM work.wanted JOIN work.tiles USING (z, x, y) WHERE digest NOTNULL;
    INSERT INTO images SELECT lower(hex(digest)), body
        FROM work.bodies WHERE lower(hex(digest)) IN (SELECT tile_id FROM map);
"""


def write_mbtiles(work: Work, facts: Facts, path: Path) -> None:
    """Write the tiles of a working file as MBTiles."""
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA application_id = {_APPLICATION}")
        file.executescript(_TABLES)
        file.execute("ATTACH DATABASE ? AS work", (str(work.path),))
        file.executescript(f"BEGIN; {_COPY} COMMIT;")
        file.execute("DETACH DATABASE work")
        with file:
            file.executemany("INSERT INTO metadata VALUES (?, ?)", metadata(facts).items())


def metadata(facts: Facts) -> dict[str, str]:
    """The rows of the table ``metadata`` (§4)."""
    west, south, east, north = facts.bounds
    said = {
        "name": facts.name, "format": FORMATS[facts.media_type], "bounds": f"{west},{south},{east},{north}",
        "center": f"{(west + east) / 2},{(south + north) / 2},{(facts.lowest + facts.deepest) // 2}",
        "minzoom": str(facts.lowest), "maxzoom": str(facts.deepest), "attribution": facts.attribution,
        "description": facts.description, "type": "overlay", "version": "1",
    }  # fmt: skip
    if "vector_layers" in facts.more:
        said["json"] = json.dumps({"vector_layers": facts.more["vector_layers"]}, ensure_ascii=False)
    return said | {name: str(value) for name, value in facts.more.items() if name != "vector_layers"}
