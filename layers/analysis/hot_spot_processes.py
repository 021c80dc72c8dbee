"""The process that finds hot spots."""

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from layers.analysis.answers import FeatureAnswer, answered
from layers.analysis.errors import AnalysisError
from layers.analysis.features import FeatureSource, load_features, load_points
from layers.processing import CityCrs, FileResult, Workspace, process

_LITTER = {"layer": "cases", "filter": "reported_at >= TIMESTAMP('2026-10-01T00:00:00Z')"}


@process(
    keywords=("热点分析 hot spots", "Getis-Ord Gi*", "密度 density"),
    example={"features": _LITTER, "zones": {"layer": "grid-cells", "filter": "kind = 'unit'"}},
)
def hot_spots(
    conn: Connection,
    city: CityCrs,
    workspace: Workspace,
    features: FeatureSource,
    zones: FeatureSource | None = None,
    resolution: Annotated[int, Field(ge=5, le=12)] = 9,
    corrected: bool = True,
    file: bool = False,
) -> FeatureAnswer | FileResult:
    """热点分析 | Hot spots

    各单元内要素的数量与密度，及 Getis-Ord Gi* 的 z 与 p：何处聚集得超过偶然。单元为给定的面（如网格、社区）或 H3
    六边形。 | How many features each cell holds, per square kilometre too, and z and p of Getis-Ord Gi*: where they
    gather more than by chance. Cells are given areas, such as grids or communities, or H3's hexagons.

    features: 要素；面与线取其上一点 | Features; of areas and lines a point on them
    zones: 单元；面，空则用六边形 | Zones; areas, or null for hexagons
    resolution: 六边形级别；9 级边长约 200 m | Resolution; of the hexagons, 9 has sides of about 200 m
    corrected: 多重检验校正；Benjamini–Hochberg | Corrected; for the many tests, by Benjamini and Hochberg
    file: 写成文件；以异步任务执行 | File; write one, run as a job
    returns: 单元；GeoJSON，class 为显著性 | The cells; GeoJSON, `class` says what is significant
    """
    from layers.analysis import hot_spots as spots

    points = load_points(conn, features, "features", city.projected)
    if not len(points):
        raise AnalysisError("input 'features' has no feature with a place")
    if zones is None:
        cells, counts = spots.hexagons(points, city.projected, resolution)
    else:
        given = load_features(conn, zones, "zones", city.projected, ("code", "name"))
        if not given.of_dimension(2):
            raise AnalysisError("input 'zones' must be areas")
        titles = [str(about.get("name") or about.get("code") or id_) for about, id_ in _told(given)]
        cells, counts = spots.zones(titles, given.shapes, points)
    found = spots.heat(cells, counts, corrected=corrected)
    properties = [
        {
            "cell": name, "count": count, "density": round(count / (shape.area / 1e6), 3), "z": round(z, 4),
            "p": float(f"{p:.4g}"), "class": class_,
        }
        for name, shape, count, z, p, class_ in zip(
            cells.names, cells.shapes, counts.tolist(), found.z.tolist(), found.p.tolist(), found.classes, strict=True
        )
    ]  # fmt: skip
    return answered(cells.shapes, properties, city.projected, workspace if file else None, "hot-spots")


def _told(given: Any) -> Any:
    return zip(given.properties, given.ids, strict=True)
