"""PMTiles v3, written by Protomaps' library: tiles in the order of a Hilbert curve, equal ones once.

https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md
"""

from pathlib import Path
from typing import Any

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from tiles.archives.facts import Facts
from tiles.archives.work import Work
from tiles.rendered import MVT

TYPES = {
    MVT: TileType.MVT, "image/png": TileType.PNG, "image/jpeg": TileType.JPEG, "image/webp": TileType.WEBP,
    "image/avif": TileType.AVIF,
}  # fmt: skip


def write_pmtiles(work: Work, facts: Facts, path: Path) -> None:
    """Write the tiles of a working file as PMTiles."""
    with path.open("wb") as file:
        writer: Any = Writer(file)  # type: ignore[no-untyped-call] # the library says no types
        for number, digest in sorted((zxy_to_tileid(z, x, y), digest) for (z, y, x), digest in work.tiles()):
            writer.write_tile(number, work.body(digest))
        writer.finalize(_header(facts), _metadata(facts))


def _header(facts: Facts) -> dict[str, Any]:
    west, south, east, north = (round(side * 1e7) for side in facts.bounds)
    return {
        "tile_type": TYPES[facts.media_type],
        "tile_compression": Compression.GZIP if facts.media_type == MVT else Compression.NONE,
        "min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north,
        "center_zoom": (facts.lowest + facts.deepest) // 2,
        "center_lon_e7": (west + east) // 2, "center_lat_e7": (south + north) // 2,
    }  # fmt: skip


def _metadata(facts: Facts) -> dict[str, Any]:
    named = {"name": facts.name, "description": facts.description, "attribution": facts.attribution}
    return {**named, "type": "overlay", "version": "1", **facts.more}
