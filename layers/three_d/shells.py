"""外壳 shells: walls and roofs of buildings as city models drew them, kept beside the footprints that they stand on.

A shell is found by the very shape and height of its footprint: a building that was moved, redrawn or raised since
stands as a block again, and one that is brought back has its roof back too.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg2.extras import execute_values
from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer
from layers.importing.source_crs import Transform
from layers.tables import quoted
from layers.three_d.model import Solid, Surface

#: The column of a frame of buildings that holds their shells; no field of a file is called so.
SHELL = "citymap:shell"
#: Faces of one building at most.
MOST_FACES = 5000
#: How far eaves may reach over the box of the footprint [units of the CRS].
EAVES = 2.5
#: A building that is less than this is drawn as a block anyway.
_LEAST_DETAIL = 2.0

#: One drawn: shape of the footprint as it is stored (EWKB), height [m], faces (EWKB, CGCS2000).
type Drawn = tuple[str, float, str]

_TOLD = text("""
    SELECT citymap.worked_out(l.id, :west, :south, :east, :north)
    FROM citymap.layers l WHERE l.inputs ->> 0 = :layer AND citymap.is_view(l.id)""")


def shell_of(solid: Solid, footprint: Any) -> Any:
    """Its walls and roofs as a MultiPolygon Z in its CRS, heights above its lowest point; None for a plain block.

    Faces run counter-clockwise seen from outside. None also for what no viewer should be given: too many faces, or
    eaves that lie nowhere near the footprint.
    """
    if _detail(solid.lod) < _LEAST_DETAIL or len(solid.surfaces) > MOST_FACES:
        return None
    low, _ = solid.reach
    inside_out = solid.volume < 0
    faces = [_face(s, low, inside_out) for s in solid.surfaces if not _is_floor(s, low)]
    if not faces:
        return None
    shell = shapely.MultiPolygon(faces)
    around = shapely.box(*footprint.bounds).buffer(EAVES, join_style="mitre")
    return shell if around.covers(shapely.box(*shell.bounds)) else None


def drawn(
    shapes: NDArray[Any], heights: Sequence[Any], shells: NDArray[Any], to_degrees: Transform | None
) -> list[Drawn]:
    """Those of the features that have a shell: footprints as hexadecimal EWKB, heights [m], shells in the file's CRS.

    ``to_degrees`` leads from there to CGCS2000; None where that is what they are in.
    """
    there = [n for n, shell in enumerate(shells) if shell is not None]
    faces = np.array([shells[n] for n in there], object)
    if to_degrees is not None and len(faces):
        faces = shapely.transform(
            faces, lambda p: np.column_stack([*to_degrees(p[:, 0], p[:, 1]), p[:, 2]]), include_z=True
        )
    written = shapely.to_wkb(shapely.set_srid(faces, CGCS2000), hex=True, include_srid=True)
    return [(str(shapes[n]), float(heights[n]), str(text)) for n, text in zip(there, written, strict=True)]


def keep_shells(conn: Connection, layer: Layer, found: Sequence[Drawn]) -> None:
    """Keep the shells of those features of the layer that stand there now, and that the principal may change."""
    if not found:
        return
    # FOR SHARE asks the policies for changing rows: nobody puts a roof on another's house
    statement = f"""
        WITH d (layer, shape, height, faces) AS (
            SELECT layer, ST_GeomFromEWKB(decode(shape, 'hex')), height, ST_GeomFromEWKB(decode(faces, 'hex'))
            FROM (VALUES %s) AS given (layer, shape, height, faces)),
        standing AS MATERIALIZED (
            SELECT d.layer, md5(b.geom::bytea)::uuid AS footprint, b.height, d.faces
            FROM d JOIN {quoted(DATA_SCHEMA, layer.table)} b
            ON b.geom && d.shape AND b.geom::bytea = d.shape::bytea AND b.height = d.height FOR SHARE OF b)
        INSERT INTO citymap.shells (layer, footprint, height, faces)
        SELECT DISTINCT ON (footprint, height) layer, footprint, height, faces FROM standing
        ON CONFLICT (layer, footprint, height) DO UPDATE SET faces = excluded.faces"""
    execute_values(conn.connection.cursor(), statement, [(layer.id, *one) for one in found], page_size=500)
    west, south, east, north = shapely.total_bounds(shapely.from_wkb([faces for _, _, faces in found])).tolist()
    box = {"west": west, "south": south, "east": east, "north": north}
    conn.execute(_TOLD, {"layer": layer.id, **box})


def _detail(lod: str) -> float:
    """``2.2`` → 2.2; 0 where the file does not tell."""
    try:
        return float(lod)
    except ValueError:
        return 0.0


def _face(surface: Surface, low: float, inside_out: bool) -> Any:
    up = surface.area_vector[2]
    turned = up < 0 if surface.kind == "roof" else inside_out
    rings = [np.column_stack([ring[:, :2], ring[:, 2] - low])[:: -1 if turned else 1] for ring in surface.rings]
    return shapely.Polygon(rings[0], [hole for hole in rings[1:] if len(hole) >= 3])


def _is_floor(surface: Surface, low: float) -> bool:
    """Ground surfaces, and where the file does not tell them, what lies level at the bottom."""
    if surface.kind:
        return surface.kind == "ground"
    return float(max(ring[:, 2].max() for ring in surface.rings)) - low < 0.01
