"""From a scheme to its impact: what is proposed, whose windows are near, and both sites."""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from sqlalchemy import Connection, text

from layers.catalogue import Text
from layers.crs import transformer
from layers.raster.store import RasterStore
from layers.registry import find_layer
from layers.tables import quoted
from layers.terrain.geojson import area_in
from layers.terrain.site import Site, read_site, window_points
from layers.terrain.sources import FLOOR_HEIGHT, building_layer
from layers.terrain.sunlight import Receptors, true_north
from planning.errors import PlanningError
from planning.massing.impact import KINDS, Kind, Window, WindowSun, judged, windows_of
from planning.options import SunStandard, SunStandards

if TYPE_CHECKING:
    from planning.massing.processes import Impact

#: Most windows of one question, and how far away buildings may shade them [m].
MOST_WINDOWS, _REACH = 3000, 1000.0
_MOST_NEIGHBOURS = 1000


def impact_on(
    conn: Connection, store: RasterStore, srid: int, standards: SunStandards, planned: Any, given: Sequence[Any],
    layers: tuple[str, str | None], near: float, every: float, year: int, step: float,
) -> list[WindowSun]:  # fmt: skip
    """Every window with its hours before and after. Raises :class:`PlanningError` where nothing is proposed."""
    scheme, redline, proposed, left_out = planned
    solids = _proposed(conn, srid, scheme, redline)
    solids += [(area_in(p.footprint, srid, "proposed"), p.height) for p in proposed]
    if not solids:
        raise PlanningError(
            "没有拟建建筑：请给出 scheme、redline 或 proposed",
            "nothing is proposed: give 'scheme', 'redline' or 'proposed'",
        )
    whole = shapely.union_all([shape for shape, _ in solids])
    buildings, dem = layers
    windows = [Window(w.longitude, w.latitude, w.height, w.facing, w.kind) for w in given]
    windows = windows or _windows(conn, buildings, whole, srid, near, every, frozenset(left_out))
    if len(windows) > MOST_WINDOWS:
        raise PlanningError(
            f"有 {len(windows)} 个窗，超过 {MOST_WINDOWS}；请加大间距或缩小范围",
            f"{len(windows)} windows are more than {MOST_WINDOWS}: set them farther apart, or look less far",
        )
    if not windows:
        return []
    x, y = _plane(windows, srid)
    bounds = float(x.min()), float(y.min()), float(x.max()), float(y.max())
    sites = [
        read_site(conn, store, dem, buildings, bounds, srid, _REACH, without, added)
        for without, added in (((), ()), (tuple(left_out), solids))
    ]
    windows = list(windows) if given else _free(windows, sites, srid)
    lon, lat, height, facing = (
        np.array([getattr(w, name) for w in windows]) for name in ("longitude", "latitude", "height", "facing")
    )
    seen = [window_points(site, lon, lat, height, facing) for site in sites]
    by_kind: dict[Kind, SunStandard] = {
        "dwelling": standards.dwelling, "elderly": standards.elderly, "kindergarten": standards.kindergarten,
    }  # fmt: skip
    return judged(windows, seen, sites, (float(lon.mean()), float(lat.mean())), by_kind, year, step)


def _plane(windows: Sequence[Window], srid: int) -> Any:
    lon, lat = (np.array([getattr(w, name) for w in windows]) for name in ("longitude", "latitude"))
    return tuple(np.asarray(v) for v in transformer(4490, srid).transform(lon, lat))


def _free(windows: Sequence[Window], sites: Sequence[Site], srid: int) -> list[Window]:
    """Windows that no other building stands before: none are in a wall that two houses share."""
    x, y = _plane(windows, srid)
    away = np.radians([w.facing for w in windows])
    before = shapely.points(x + 0.05 * np.sin(away), y + 0.05 * np.cos(away))
    hidden = np.zeros(len(windows), bool)
    for site in sites:
        z = site.ground.at(x, y) + np.array([w.height for w in windows])
        point, house = shapely.STRtree(site.obstacles.footprints).query(before, predicate="within")
        hidden[point[z[point] < site.obstacles.tops[house]]] = True
        hidden |= np.isnan(z)
    return [window for window, gone in zip(windows, hidden, strict=True) if not gone]


def told(found: Sequence[WindowSun], detail: Literal["lost", "all"], dem: str | None) -> "Impact":
    """The answer: by building, and the windows that lose sun, or all."""
    from planning.massing.processes import BuildingImpact, Impact

    of: dict[int | None, list[WindowSun]] = defaultdict(list)
    for one in found:
        of[one.window.building].append(one)

    def count(rows: list[WindowSun], verdict: str) -> int:
        return sum(one.verdict == verdict for one in rows)

    neighbours = tuple(
        BuildingImpact(
            building, len(rows), count(rows, "pass"), count(rows, "fail"), count(rows, "worse"), count(rows, "below"),
            round(max(one.before - one.after for one in rows), 4),
        )
        for building, rows in of.items()
    )  # fmt: skip
    shown = tuple(one for one in found if detail == "all" or one.after < one.before - 1e-9)
    warnings = [] if dem else [Text("按平地计算", "The ground is taken to be level")]
    if not found:
        warnings.append(Text("附近没有须判定的窗", "There are no windows nearby that a standard is for"))
    passed = not any(one.verdict in ("fail", "worse") for one in found)
    return Impact(passed, len(of), neighbours, shown, tuple(warnings))


def _proposed(conn: Connection, srid: int, scheme: str, redline: str) -> list[tuple[Any, float]]:
    """Footprints (EPSG ``srid``) and heights [m] of a scheme."""
    if not scheme and not redline:
        return []
    find_layer(conn, "scheme-buildings")
    rows = conn.execute(
        text("""SELECT ST_AsBinary(ST_Transform(geom, CAST(:srid AS int))) AS shape,
                    coalesce(height, floors * CAST(:storey AS float8)) AS height
                FROM city.scheme_buildings WHERE (:scheme = '' OR scheme = :scheme)
                  AND (:redline = '' OR redline = :redline) AND coalesce(height, floors) > 0 ORDER BY id LIMIT 501"""),
        {"srid": srid, "scheme": scheme, "redline": redline, "storey": FLOOR_HEIGHT},
    ).all()
    if len(rows) > 500:
        raise PlanningError("拟建建筑超过 500 栋", "more than 500 buildings are proposed")
    return [(shapely.from_wkb(bytes(row.shape)), float(row.height)) for row in rows]


def _windows(
    conn: Connection, layer_id: str, whole: Any, srid: int, near: float, every: float, gone: frozenset[int]
) -> list[Window]:
    """Windows of the buildings near the scheme that a standard is for."""
    layer = building_layer(conn, layer_id)
    if not layer.field("use"):
        raise PlanningError(f"{layer_id} 没有用途（use），请给出 windows", f"{layer_id!r} has no 'use': give 'windows'")
    west, south, east, north = whole.buffer(near).bounds
    columns = [name if layer.field(name) else f"NULL AS {name}" for name in ("height", "floors")]
    rows = conn.execute(
        text(f"""SELECT id, use, {", ".join(columns)}, ST_AsBinary(g) AS shape
                 FROM {quoted("city", layer.table)}, LATERAL (SELECT ST_Transform(geom, CAST(:srid AS int)) AS g) t
                 WHERE geom && ST_Transform(ST_MakeEnvelope(:west, :south, :east, :north, :srid), {layer.srid})
                   AND use = ANY (:uses) ORDER BY id LIMIT :most"""),
        {"srid": srid, "west": west, "south": south, "east": east, "north": north,
         "uses": list(KINDS), "most": _MOST_NEIGHBOURS},
    ).all()  # fmt: skip
    middle = whole.centroid
    turned = float(true_north(srid, Receptors(*(np.array([v]) for v in (middle.x, middle.y, 0.0, np.nan))))[0])
    to_degrees = transformer(srid, 4490).transform
    found: list[Window] = []
    for row in rows:
        shape = shapely.from_wkb(bytes(row.shape))
        if row.id in gone or shapely.distance(shape, whole) > near:
            continue
        storeys = int(row.floors or max(1, round((row.height or FLOOR_HEIGHT) / FLOOR_HEIGHT)))
        found += windows_of(shape, min(storeys, 100), KINDS[row.use], row.id, every, turned, to_degrees)
        if len(found) > MOST_WINDOWS:
            break
    return found
