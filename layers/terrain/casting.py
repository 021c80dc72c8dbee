"""Buildings of layers with the shadows that they throw at an instant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely
from astral import Observer, sun
from geoalchemy2 import Geometry
from sqlalchemy import Connection, cast, func, select

from layers.catalogue import Text
from layers.crs import epsg, transformer
from layers.query import Box, FeatureQuery, rows
from layers.raster.store import RasterStore
from layers.registry import LayerNotFound
from layers.terrain.cast import LOWEST, Shadow, Sun, Throw, on_ground, shadow_of
from layers.terrain.elevation import Elevation
from layers.terrain.errors import AnalysisTooLarge, OutsideElevation
from layers.terrain.geojson import as_geojson
from layers.terrain.obstacles import ground_of
from layers.terrain.shadow_processes import MOST_BUILDINGS, Shadows
from layers.terrain.solar import clock_time
from layers.terrain.sources import FLOOR_HEIGHT, Bounds, building_layer, read_elevation
from layers.terrain.sunlight import Receptors, true_north

#: Most cells of the ground that shadows fall on.
_CELLS = 1_000_000


@dataclass(frozen=True, slots=True)
class Standing:
    """A building: its footprint [m], base and top above its ground [m]; ``layer`` is empty for a proposed one."""

    layer: str
    id: int
    footprint: Any
    base: float
    top: float


def cast_all(
    conn: Connection, store: RasterStore, ground: Any, time: datetime, layers: Sequence[str],
    planned: Sequence[tuple[Any, float]], reach: float, srid: int, dem: str | None,
) -> Shadows:  # fmt: skip
    """The shadows of the buildings within ``reach`` of ``ground``, where they meet it (shapely, EPSG ``srid``), on the
    terrain of ``dem``; on level ground without."""
    place = ground.representative_point()
    lon, lat = (float(v) for v in transformer(srid, 4490).transform(place.x, place.y))
    zenith, azimuth = sun.zenith_and_azimuth(Observer(lat, lon), time.astimezone(UTC), with_refraction=False)
    altitude = 90 - zenith
    told: dict[str, Any] = {
        "azimuth": round(azimuth, 3), "altitude": round(altitude, 3), "solar_time": round(_solar_time(time, lon), 4),
    }  # fmt: skip
    if altitude < LOWEST:
        night = Text(
            "太阳在地平线以下或接近地平线，没有阴影可给", "the sun is down, or about to rise or set: no shadows"
        )
        nothing = {"type": "FeatureCollection", "features": []}
        return Shadows(**told, buildings=0, shaded=0.0, shadows=nothing, warnings=(night,))
    turned = float(true_north(srid, Receptors(*(np.array([v]) for v in (place.x, place.y, 0.0, np.nan))))[0])
    light = Sun(azimuth + turned, altitude)
    found = [*_standing(conn, layers, ground, reach, srid)]
    found += [Standing("", -n, shape, 0.0, height) for n, (shape, height) in enumerate(planned, 1)]
    terrain, warnings = _terrain(conn, store, dem, ground.buffer(reach).bounds, srid)
    features, cast_shapes = [], []
    shapes = np.array([one.footprint for one in found], dtype=object)
    grounds = ground_of(terrain, shapes) if terrain is not None and found else np.full(len(found), np.nan)
    for one, stands in zip(found, grounds.tolist(), strict=True):
        shadow = shadow_of(one.footprint, one.base, one.top, light, _throw(light, terrain, stands))
        if shapely.intersects(shadow.shape, ground):
            cast_shapes.append(shadow.shape)
            features.append(_feature(one, shadow, stands, srid))
    shaded = shapely.intersection(shapely.union_all(cast_shapes), ground) if cast_shapes else shapely.Polygon()
    open_ground = shapely.difference(shaded, shapely.union_all([one.footprint for one in found])) if found else shaded
    return Shadows(
        **told, buildings=len(found), shaded=round(float(open_ground.area), 2),
        shadows={"type": "FeatureCollection", "features": features}, warnings=warnings,
    )  # fmt: skip


def _standing(conn: Connection, layers: Sequence[str], ground: Any, reach: float, srid: int) -> Iterator[Standing]:
    west, south, east, north = ground.bounds
    box = Box(west - reach, south - reach, east + reach, north + reach, srid=srid)
    left = MOST_BUILDINGS
    for name in layers:
        layer = building_layer(conn, name)
        fields = tuple(f for f in ("height", "floors", "min_height") if layer.field(f))
        source = rows(layer, FeatureQuery(box=box, properties=fields, crs=epsg(srid))).subquery()
        shape = func.ST_AsBinary(func.ST_Force2D(cast(source.c.geom, Geometry))).label("shape")
        statement = select(source.c.id, shape, *(source.c[f] for f in fields)).limit(left + 1)
        for row in conn.execute(statement).mappings():
            left -= 1
            if left < 0:
                raise AnalysisTooLarge(f"more than {MOST_BUILDINGS} buildings stand there; ask for a smaller area")
            top = float(row.get("height") or (row.get("floors") or 0) * FLOOR_HEIGHT)
            base = min(float(row.get("min_height") or 0), top)
            if row["shape"] is not None and top > 0:
                yield Standing(layer.id, row["id"], shapely.from_wkb(bytes(row["shape"])), base, top)


def _terrain(
    conn: Connection, store: RasterStore, dem: str | None, bounds: Bounds, srid: int
) -> tuple[Elevation | None, tuple[Text, ...]]:
    """The ground of a box, or that shadows are on level ground, and why."""
    why = ("", "")
    if dem is not None:
        try:
            return read_elevation(conn, store, dem, bounds, srid, max_cells=_CELLS), ()
        except (OutsideElevation, LayerNotFound):
            why = f"：{dem} 在此没有高程", f": {dem} has no elevation here"
    flat = Text(f"阴影按各栋建筑所在的平地计算{why[0]}", f"Each shadow is on level ground, as at its building{why[1]}")
    return None, (flat,)


def _throw(light: Sun, terrain: Elevation | None, stands: float) -> Throw | None:
    return None if terrain is None or np.isnan(stands) else on_ground(light, terrain, stands)


def _feature(one: Standing, shadow: Shadow, stands: float, srid: int) -> dict[str, Any]:
    properties = {
        "layer": one.layer or None, "id": one.id, "height": round(one.top, 2), "length": round(shadow.length, 2),
        "ground": None if np.isnan(stands) else round(stands, 2),
    }  # fmt: skip
    return {"type": "Feature", "geometry": as_geojson(shadow.shape, srid), "properties": properties}


def _solar_time(time: datetime, longitude: float) -> float:
    """True solar time [h] of an instant: what :func:`clock_time` turns into an instant."""
    noon = clock_time(time.astimezone(UTC).date(), 12.0, longitude)
    return (12 + (time - noon).total_seconds() / 3600) % 24
