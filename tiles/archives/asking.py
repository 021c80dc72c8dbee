"""What is asked for as an archive: of which layers, where, and in which working file it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import shapely
from sqlalchemy import Connection, func, select

from layers.access import Principal, grants_text, watched
from layers.catalogue import Layer
from layers.raster.store import RasterStore
from layers.registry import find_layer, load_layers
from layers.tables import feature_table
from tiles.archives.content import Content, Heights, Picture, heights, pictures, vectors
from tiles.archives.errors import ArchiveError
from tiles.archives.plan import Plan
from tiles.archives.site import TileSite
from tiles.archives.work import Work, opened
from tiles.cache.opening import identity
from tiles.cache.tile import fingerprint
from tiles.matrix_sets import Box
from tiles.tilesets import extent

#: Tiles of one archive, and of one seeding, at most.
MOST_TILES = 1_000_000
_MOST_COORDINATES = 200_000
#: Public base layers, as far as there are any: what a phone needs to find its way.
_BASE = (
    "admin-areas", "land-use", "water", "waterways", "roads", "buildings", "places", "pois", "addresses",
)  # fmt: skip


def chosen(conn: Connection, names: tuple[str, ...]) -> list[Layer]:
    """The layers that are named, or the base layers that everybody sees; their reading is audited."""
    if names:
        return [find_layer(conn, name) for name in dict.fromkeys(names)]
    here = load_layers(conn)
    return [here[name] for name in _BASE if name in here and here[name].visibility == "public"]


def content_of(
    conn: Connection, layers: list[Layer], rasters: RasterStore, picture: Picture | None, terrain: Heights | None
) -> Content:
    """Vector layers together, or one coverage. Raises :class:`ArchiveError`."""
    coverages = [layer for layer in layers if layer.kind == "coverage"]
    if coverages and len(layers) > 1:
        raise ArchiveError("影像与其他图层须分开导出", "a coverage needs an archive of its own")
    if not layers or (terrain and (not coverages or layers[0].inputs)):
        raise ArchiveError("只有高程图层可作为地形导出", "only a coverage of heights can be packed as a terrain")
    if not coverages:
        return vectors(layers)
    if terrain:
        return heights(layers[0], rasters, terrain)
    return pictures([layers[0], *(find_layer(conn, name) for name in layers[0].inputs)], rasters, picture)


@contextmanager
def working(site: TileSite, workspace: Path, plan: Plan, content: Content, principal: Principal) -> Iterator[Work]:
    """The working file of archives of these layers; apart for each set of rights, and gone with the job where they are
    sensitive."""
    scoped = any(layer.visibility != "public" for layer in content.read)
    rights = grants_text(principal.grants) if scoped else ""
    seen = " ".join(f"{layer.id} {fingerprint(layer)}" for layer in content.read)
    said = "\n".join((identity(site.database), rights, seen, content.said, plan.grid.id))
    if any(map(watched, content.read)):
        with opened(workspace / "tiles.work", said) as work:
            yield work
    else:
        with site.working_file(said, workspace) as work:
            yield work


def ground(
    conn: Connection, content: Content, bbox: Box | None, area: str | None, polygon: dict[str, Any] | None
) -> tuple[Box, Any]:
    """The box of an archive and its area, in CGCS2000 degrees. Raises :class:`ArchiveError`."""
    if sum(given is not None for given in (bbox, area, polygon)) > 1:
        raise ArchiveError("bbox、area、polygon 只能给一个", "give one of bbox, area and polygon")
    if area is not None:
        shape = _division(conn, area)
        return shape.bounds, shape
    if polygon is not None:
        shape = _polygon(polygon)
        return shape.bounds, shape
    box = bbox or extent(content.shown)
    if box is None:
        raise ArchiveError("图层没有要素，请给出范围", "the layers are empty; give a bbox")
    west, south, east, north = box
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ArchiveError("bbox 须为西、南、东、北 [°]", "a bbox is west, south, east, north [°]")
    return box, None


def _division(conn: Connection, code: str) -> Any:
    """The ground of a division code and those below it."""
    t = feature_table(find_layer(conn, "admin-areas"))
    rows = conn.execute(select(func.ST_AsBinary(func.ST_Force2D(t.c.geom))).where(t.c.code == code)).all()
    if not rows:
        raise ArchiveError(f"没有行政区划 {code}", f"there is no division {code} in the layer admin-areas")
    return shapely.union_all(shapely.make_valid(shapely.from_wkb([bytes(row[0]) for row in rows])))


def _polygon(given: dict[str, Any]) -> Any:
    shape = shapely.from_geojson(orjson.dumps(given), on_invalid="ignore")
    if shape is None or shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon") or not shape.is_valid:
        raise ArchiveError("polygon 不是有效的多边形", "polygon is no valid GeoJSON Polygon or MultiPolygon")
    west, south, east, north = shape.bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ArchiveError("polygon 须为经纬度", "the coordinates of polygon are longitude and latitude [°]")
    if shapely.get_num_coordinates(shape) > _MOST_COORDINATES:
        raise ArchiveError("polygon 的点太多", f"polygon has more than {_MOST_COORDINATES} points; simplify it")
    return shape


def bounded(plan: Plan) -> Plan:
    """The plan. Raises :class:`ArchiveError` where it has too many tiles."""
    if plan.most() > MOST_TILES:
        raise ArchiveError(
            f"范围内瓦片超过 {MOST_TILES} 个，请缩小范围或级别",
            f"there are more than {MOST_TILES} tiles; choose a smaller area or fewer levels",
        )
    return plan
