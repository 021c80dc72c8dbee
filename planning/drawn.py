"""Areas as clients draw them, in degrees, and the zone of a survey that they belong to."""

from typing import Any

import orjson
import shapely

from layers.crs import transformer
from layers.terrain.geojson import Area
from planning.errors import PlanningError
from planning.survey.reasons import why_no_area
from planning.survey.zones import Zone, zone_at


def drawn(area: Area, name: str = "geometry") -> tuple[Zone, Any]:
    """The 3° zone of the area's middle, and the area there as shapely (east, north) [m], corner by corner.

    Raises :class:`PlanningError` for what is no area, or lies outside China's zones.
    """
    shape = shapely.from_geojson(orjson.dumps({"type": area.type, "coordinates": area.coordinates}))
    if not shape.is_valid or not shape.area:
        why = why_no_area(shape)
        raise PlanningError(f"{name} 不是有效的面：{why.zh}", f"input {name!r} is no valid area: {why.en}")
    zone = zone_of(shape, name)
    return zone, shapely.transform(shape, transformer(4490, zone.srid).transform, interleaved=False)


def zone_of(degrees: Any, name: str = "geometry") -> Zone:
    """The 3° zone of the middle of a shape in degrees. Raises :class:`PlanningError` outside China's zones."""
    try:
        return zone_at(float(degrees.centroid.x))
    except ValueError:
        where = f"{degrees.centroid.x:.4f}°E"
        raise PlanningError(
            f"{name} 位于 {where}，不在中国的 3° 带（25–45）内",
            f"input {name!r} lies at {where}, outside China's 3° zones",
        ) from None
