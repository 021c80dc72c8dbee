"""Tile matrix sets (OGC 17-083r4): which grids there are, and where a tile of one lies.

瓦片矩阵集 tile matrix set. WebMercatorQuad and WorldCRS84Quad are as the OGC defines them (shipped by morecantile);
CGCS2000Quad is their like in EPSG:4490, from 90° N 180° W in two tiles; a city adds others as JSON files.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import morecantile
import orjson
from pydantic import ValidationError

from layers.catalogue import CGCS2000
from layers.crs import epsg, transformer

#: Side of a rendering pixel [m] that defines scale denominators (OGC 17-083r4 §6.2).
PIXEL = 0.00028
#: Metres per degree along the equator of the ellipsoids of WGS 84 and CGCS2000 (a = 6 378 137 m).
METRES_PER_DEGREE = math.tau * 6_378_137 / 360
_LEVELS = 24
_MERCATOR_RADIUS = 6_378_137.0
_OFFICIAL = {"WebMercatorQuad": 3857, "WorldCRS84Quad": 4326}

type Box = tuple[float, float, float, float]


class NoSuchTile(LookupError):
    """The tile address lies outside the tile matrix set, or there is no such set."""


class MatrixSetError(ValueError):
    """A definition of a tile matrix set cannot be used; the message names the file and why."""


@dataclass(frozen=True, slots=True)
class Level:
    """One tile matrix: where its upper left corner is and how large its tiles are [units of the CRS]."""

    west: float
    north: float
    width: float
    height: float
    columns: int
    rows: int
    cell: float


@dataclass(frozen=True)
class MatrixSet:
    """A set of tile matrices of one CRS, coordinates in (east, north) order; levels are numbered from 0."""

    id: str
    srid: int
    levels: tuple[Level, ...]
    document: Mapping[str, Any]

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def title(self) -> str:
        """The definition's own title."""
        return str(self.document.get("title", self.id))

    @cached_property
    def geographic(self) -> bool:
        """Whether its units are degrees."""
        return epsg(self.srid).geographic

    def cell_metres(self, z: int) -> float:
        """Side of a cell of that level [m], at the equator for degrees."""
        return self.levels[z].cell * (METRES_PER_DEGREE if self.geographic else 1.0)

    def level(self, z: int, y: int, x: int) -> Level:
        """The level of a tile that exists. Raises :class:`NoSuchTile`."""
        if 0 <= z < len(self.levels) and 0 <= x < self.levels[z].columns and 0 <= y < self.levels[z].rows:
            return self.levels[z]
        raise NoSuchTile(f"there is no tile {z}/{y}/{x} (z/y/x) in {self.id} of levels 0 to {len(self.levels) - 1}")

    def box(self, z: int, y: int, x: int, margin: float = 0.0) -> Box:
        """West, south, east, north of a tile; ``margin`` is added around it, in tile sides, but not beyond the set.

        Beyond the antimeridian a margin would come back on the other side of the world.
        """
        level = self.level(z, y, x)
        right, low = level.columns, level.rows
        return (
            level.west + max(0.0, x - margin) * level.width,
            level.north - min(low, y + 1 + margin) * level.height,
            level.west + min(right, x + 1 + margin) * level.width,
            level.north - max(0.0, y - margin) * level.height,
        )

    def covering(self, box: Box, z: int, margin: float = 0.0) -> tuple[int, int, int, int] | None:
        """First column, first row, last column, last row of the tiles of a level that a box [units of the CRS] meets.

        ``margin`` [tile sides] is how far tiles reach over their edges; None where no tile is met.
        """
        level = self.levels[z]
        if math.isinf(box[0]):
            return 0, 0, level.columns - 1, level.rows - 1
        first_x = max(0, math.floor((box[0] - level.west) / level.width - margin))
        last_x = min(level.columns - 1, math.floor((box[2] - level.west) / level.width + margin))
        first_y = max(0, math.floor((level.north - box[3]) / level.height - margin))
        last_y = min(level.rows - 1, math.floor((level.north - box[1]) / level.height + margin))
        return (first_x, first_y, last_x, last_y) if first_x <= last_x and first_y <= last_y else None

    def from_degrees(self, box: Box) -> Box:
        """A box in CGCS2000 degrees in the units of the CRS; everything where it cannot be transformed."""
        if self.geographic:
            return box
        if self.srid == 3857:
            west, east = (math.radians(lon) * _MERCATOR_RADIUS for lon in (box[0], box[2]))
            south, north = (_northing(lat) for lat in (box[1], box[3]))
            return west, south, east, north
        west, south, east, north = transformer(CGCS2000, self.srid).transform_bounds(*box)
        if not all(map(math.isfinite, (west, south, east, north))) or west > east:
            return -math.inf, -math.inf, math.inf, math.inf
        slack = 0.01 * max(east - west, north - south)  # edges bend between the points that were transformed
        return west - slack, south - slack, east + slack, north + slack


def _northing(latitude: float) -> float:
    """Web Mercator [m] of a latitude [degrees]; of one beyond the square a little beyond its edge."""
    bounded = math.radians(max(-85.06, min(85.06, latitude)))
    return _MERCATOR_RADIUS * math.asinh(math.tan(bounded))


@lru_cache(maxsize=1)
def standard_sets() -> Mapping[str, MatrixSet]:
    """The sets that every city has, by id."""
    official = [_from_definition(morecantile.tms.get(name), srid) for name, srid in _OFFICIAL.items()]
    made = [
        official[0],
        _from_definition(morecantile.TileMatrixSet.model_validate(_cgcs2000_quad()), 4490),
        official[1],
    ]
    return {found.id: found for found in made}


def load_sets(files: Iterable[str]) -> Mapping[str, MatrixSet]:
    """The standard sets and those of JSON files (the encoding of OGC 17-083r4). Raises :class:`MatrixSetError`."""
    sets = dict(standard_sets())
    for file in files:
        found = _from_file(Path(file))
        if found.id in sets:
            raise MatrixSetError(f"{file}: there is a tile matrix set {found.id!r} already")
        sets[found.id] = found
    return sets


def _from_file(file: Path) -> MatrixSet:
    try:
        definition = morecantile.TileMatrixSet.model_validate_json(file.read_bytes())
        code = definition.crs.to_epsg()
    except (OSError, ValidationError, ValueError) as error:
        raise MatrixSetError(f"{file}: is no tile matrix set in JSON: {str(error)[:300]}") from error
    if code is None:
        raise MatrixSetError(f"{file}: its crs is no EPSG system")
    if definition.id is None or not definition.id.isidentifier():
        raise MatrixSetError(f"{file}: its id is no plain name such as CGCS2000Quad")
    return _from_definition(definition, int(code))


def _from_definition(definition: morecantile.TileMatrixSet, srid: int) -> MatrixSet:
    levels = []
    for number, matrix in enumerate(definition.tileMatrices):
        if matrix.id != str(number):
            raise MatrixSetError(f"{definition.id}: tile matrices are called 0, 1, 2 … here, not {matrix.id!r}")
        if matrix.variableMatrixWidths or matrix.cornerOfOrigin == "bottomLeft":
            raise MatrixSetError(f"{definition.id}: rows of different widths or from below are not served")
        first, second = matrix.pointOfOrigin
        west, north = (second, first) if _swapped(definition) else (first, second)
        width, height = matrix.cellSize * matrix.tileWidth, matrix.cellSize * matrix.tileHeight
        levels.append(Level(west, north, width, height, matrix.matrixWidth, matrix.matrixHeight, matrix.cellSize))
    document = orjson.loads(definition.model_dump_json(exclude_none=True))
    return MatrixSet(str(definition.id), srid, tuple(levels), document)


def _swapped(definition: morecantile.TileMatrixSet) -> bool:
    """Whether the definition gives coordinates north before east."""
    if definition.orderedAxes:
        return definition.orderedAxes[0].upper() in ("Y", "LAT", "N", "NORTHING")
    return bool(definition._invert_axis)


def _cgcs2000_quad() -> dict[str, Any]:
    """CGCS2000Quad: the national grid of degrees, levels as those of WorldCRS84Quad, axes as EPSG:4490 has them."""
    matrices = []
    for z in range(_LEVELS):
        cell = 180 / 256 / 2**z
        matrices.append(
            {
                "id": str(z),
                "scaleDenominator": cell * METRES_PER_DEGREE / PIXEL,
                "cellSize": cell,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [90, -180],
                "tileWidth": 256,
                "tileHeight": 256,
                "matrixWidth": 2 ** (z + 1),
                "matrixHeight": 2**z,
            }
        )
    return {
        "id": "CGCS2000Quad",
        "title": "CGCS2000 (EPSG:4490) for the World",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/4490",
        "orderedAxes": ["Lat", "Lon"],
        "tileMatrices": matrices,
    }
