"""立体图 a view of proposed buildings as a drawing (SVG): parallel, from the south-east above, shaded; no script."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely

from layers.crs import transformer
from planning.drawn import zone_of

#: How the plane [m] is shown: turned [°], and flattened as seen from above.
_TURNED, _FLAT = np.radians(25.0), 0.55
_ROOF, _LIT, _SHADED, _EDGE, _GROUND, _LINE = "#8fbcf7", "#5b95e6", "#3a6fb8", "#1d4275", "#e9e4d8", "#c00000"
#: Units across the picture.
_WIDE = 960.0


def massing_svg(buildings: Sequence[tuple[Any, float, float]], ground: Any, title: str) -> str:
    """SVG of buildings (shapely [°], base and top [m] above ground) on ``ground`` (shapely [°]).

    Buildings are drawn from behind to the front, as they hide each other: right for footprints that do not overlap.
    """
    zone = zone_of(ground)
    way = transformer(4490, zone.srid).transform
    plane = shapely.transform(ground, way, interleaved=False)
    middle = plane.centroid
    solids = []
    for shape, base, top in buildings:
        for part in shapely.get_parts(shapely.transform(shape, way, interleaved=False)):
            ring = shapely.get_coordinates(shapely.orient_polygons(part).exterior)[:-1] - (middle.x, middle.y)
            solids.append((_turned(ring), base, top))
    solids.sort(key=lambda solid: -float(solid[0][:, 1].mean()))
    parts = [
        _face(_shown(_turned(shapely.get_coordinates(part.exterior) - (middle.x, middle.y)), 0.0), _GROUND, _LINE)
        for part in shapely.get_parts(plane)
    ]
    parts += [face for solid in solids for face in _faces(*solid)]
    points = np.concatenate([points for points, _, _ in parts])
    low, high = points.min(0), points.max(0)
    size = max(float(high[0] - low[0]), 1.0)
    scale, edge = _WIDE / size, 12.0
    tall = float(high[1] - low[1]) * scale
    drawn = "".join(_path((points - low) * scale + edge, fill, stroke) for points, fill, stroke in parts)
    box = f"0 0 {_WIDE + 2 * edge:.0f} {tall + 2 * edge:.0f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" aria-label="{_plain(title)}">{drawn}</svg>'
    )


def _faces(ring: Any, base: float, top: float) -> Iterator[tuple[Any, str, str]]:
    """The walls that are seen, the ones behind first, then the roof."""
    following = np.roll(ring, -1, axis=0)
    order = np.argsort(-(ring[:, 1] + following[:, 1]))
    for n in order:
        (x, y), (u, v) = ring[n], following[n]
        if u <= x:  # counter-clockwise: such a wall looks away
            continue
        lit = _LIT if v >= y else _SHADED
        corners = np.array([[x, y], [u, v]])
        yield np.vstack([_shown(corners, base), _shown(corners[::-1], top)]), lit, _EDGE
    yield _shown(ring, top), _ROOF, _EDGE


def _turned(points: Any) -> Any:
    cos, sin = np.cos(_TURNED), np.sin(_TURNED)
    return points @ np.array([[cos, sin], [-sin, cos]])


def _shown(points: Any, height: float) -> Any:
    """Across and down on the paper."""
    return np.column_stack([points[:, 0], -points[:, 1] * _FLAT - height])


def _face(points: Any, fill: str, stroke: str) -> tuple[Any, str, str]:
    return points, fill, stroke


def _path(points: Any, fill: str, stroke: str) -> str:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polygon points="{line}" fill="{fill}" stroke="{stroke}" stroke-width="1" stroke-linejoin="round"/>'


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
