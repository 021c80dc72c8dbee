"""What PostGIS says of buildings: which are in a tile, and which tiles there are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.catalogue import CGCS2000, DATA_SCHEMA, Field, Layer
from layers.crs import coincident
from layers.database import Reader
from layers.tables import quoted
from tiles.matrix_sets import NoSuchTile
from tiles.three_d.levels import LEAF, ROOT, SIZES, Address, stands

#: Buildings of one tile at most.
MOST = 20_000
#: The shell of a footprint of that very shape and height: see layers/three_d/shells.py.
_SHELL = """(SELECT ST_AsBinary(s.faces) FROM citymap.shells s
             WHERE s.layer = %(footprints)s AND s.footprint = md5(t.geom::bytea)::uuid AND s.height = t.height)"""
_NOW = "SELECT pg_current_snapshot()::text"


class NotThreeDimensional(NoSuchTile):
    """The layer has no 3D tiles, or none that may be seen."""


@dataclass(frozen=True, slots=True)
class Buildings:
    """The buildings of a tile: their shapes [degrees], heights of bottom and top [m above the ground], the mean and
    the least height of the ground [m] (NaN: not worked out yet), and their attributes; ``shells`` are walls and roofs
    as a city model drew them (MultiPolygon Z: degrees, metres above the lowest point), None where none did."""

    shapes: NDArray[Any]
    shells: NDArray[Any]
    bottoms: NDArray[np.float64]
    heights: NDArray[np.float64]
    ground: NDArray[np.float64]
    lowest: NDArray[np.float64]
    rows: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Extent:
    """What is in a tile: west, south, east, north [degrees], lowest and highest point [m], and how many buildings."""

    west: float
    south: float
    east: float
    north: float
    low: float
    high: float
    count: int = 1

    def with_(self, other: "Extent") -> "Extent":
        """What is in both."""
        return Extent(
            min(self.west, other.west), min(self.south, other.south), max(self.east, other.east),
            max(self.north, other.north), min(self.low, other.low), max(self.high, other.high),
            self.count + other.count,
        )  # fmt: skip


def shown_fields(layer: Layer) -> tuple[Field, ...]:
    """The fields that a building's attributes are. Raises :class:`NotThreeDimensional` for a layer without heights."""
    if not stands(layer):
        raise NotThreeDimensional(f"layer {layer.id!r} has no 3D tiles: it has no heights that you may see")
    return tuple(f for f in layer.fields if f.type != "string-array" and f.role != "key")


def snapshot(reader: Reader) -> str:
    """The snapshot of the database now; what is read after it has seen all that it saw."""
    [(now,)] = reader.fetch(_NOW, {})
    return str(now)


def buildings_in(reader: Reader, layer: Layer, tile: Address) -> Buildings:
    """The buildings of a tile, the largest first where there are too many."""
    fields = shown_fields(layer)
    names = ", ".join(quoted(f.name) for f in fields)
    statement = f"""
        SELECT id, ST_AsBinary(ST_Force2D(shape)), {_SHELL}, {names}
        FROM ({_measured(layer)}) AS t
        WHERE level = %(level)s AND "column" >> %(up)s = %(column)s AND "row" >> %(up)s = %(row)s
        ORDER BY size DESC LIMIT {MOST}"""
    place = {"level": tile.z, "up": LEAF - tile.z, "column": tile.column, "row": tile.row}
    drawn_of = layer.inputs[0] if layer.inputs else layer.id
    found = reader.fetch(statement, {**_box(tile), **place, "footprints": drawn_of})
    keys = ("id", "shape", "shell", *(f.name for f in fields))
    rows = [dict(zip(keys, row, strict=True)) for row in found]
    shapes = shapely.from_wkb([bytes(row.pop("shape")) for row in rows])
    shells = shapely.from_wkb([shell and bytes(shell) for shell in (row.pop("shell") for row in rows)])
    bottoms = _column(rows, "min_height", 0.0)
    heights = _column(rows, "height", 0.0)
    usable = (bottoms > 0) & (bottoms < heights)
    ground, lowest = (_column(rows, name, np.nan) for name in ("ground", "ground_low"))
    whole = np.where(
        usable, np.array(None, object), np.asarray(shells, object)
    )  # a part that begins higher up is a block
    return Buildings(np.asarray(shapes, object), whole, np.where(usable, bottoms, 0.0), heights, ground, lowest, rows)


def tiles_in(reader: Reader, layer: Layer, root: Address) -> dict[Address, Extent]:
    """The tiles below a root (itself among them) in which there are buildings, with what is in each alone."""
    shown_fields(layer)
    return _extents(reader, layer, _box(root), "level", root)


def roots_of(reader: Reader, layer: Layer) -> dict[Address, Extent]:
    """The roots below which there are buildings, with all that is there. Reads the whole layer."""
    shown_fields(layer)
    everywhere = {"west": -180.0, "south": -90.0, "east": 180.0, "north": 90.0}
    return _extents(reader, layer, everywhere, str(ROOT), None)


def _extents(
    reader: Reader, layer: Layer, box: dict[str, float], level: str, root: Address | None
) -> dict[Address, Extent]:
    base = "coalesce(ground_low, ground, usual, 0)"
    statement = f"""
        SELECT {level}, "row" >> ({LEAF} - {level}), "column" >> ({LEAF} - {level}),
               min(west), min(south), max(east), max(north),
               min({base}), max(coalesce(ground, usual, 0) + height), count(*)
        FROM (SELECT *, avg(ground) OVER () AS usual FROM ({_measured(layer, whole=root is None)}) AS m) AS t
        GROUP BY 1, 2, 3"""
    found = reader.fetch(statement, box)
    tiles = {Address(row[0], row[1], row[2]): Extent(*row[3:10]) for row in found}
    return {tile: extent for tile, extent in tiles.items() if root is None or tile.above(ROOT) == root}


def _measured(layer: Layer, *, whole: bool = False) -> str:
    """The buildings that have a height, as a subquery: their box, size, level, and the leaf that their middle is in."""
    own = coincident(layer.srid, CGCS2000)
    shape = "geom" if own else f"ST_Transform(geom, {CGCS2000})"
    searched = f"ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, {CGCS2000})"
    searched = f"ST_SetSRID({searched}, {layer.srid:d})" if own else f"ST_Transform({searched}, {layer.srid:d})"
    levels = " ".join(f"WHEN size >= {size} THEN {z}" for z, size in SIZES.items() if size)
    side = f"(180.0::float8 / {2**LEAF})"
    # OFFSET 0: what is worked out once here is not worked out again in every place that names it
    return f"""
        SELECT *, CASE {levels} ELSE {LEAF} END AS level,
               floor(((west + east) / 2 + 180) / {side})::int AS "column",
               floor((90 - (south + north) / 2) / {side})::int AS "row"
        FROM (
            SELECT *, sqrt(((east - west) * cos(radians(south)) * 111320) ^ 2 + ((north - south) * 110574) ^ 2
                           + height ^ 2) AS size
            FROM (
                SELECT b.*, {shape} AS shape, ST_XMin({shape}) AS west, ST_YMin({shape}) AS south,
                       ST_XMax({shape}) AS east, ST_YMax({shape}) AS north
                FROM {quoted(DATA_SCHEMA, layer.table)} AS b
                WHERE {"true" if whole else f"geom && {searched}"} AND height > 0 AND NOT ST_IsEmpty(geom)
                OFFSET 0
            ) AS boxed
        ) AS sized"""


def _box(tile: Address) -> dict[str, float]:
    return dict(zip(("west", "south", "east", "north"), tile.box, strict=True))


def _column(rows: list[dict[str, Any]], name: str, missing: float) -> NDArray[np.float64]:
    return np.array([missing if row.get(name) is None else row[name] for row in rows], float)
