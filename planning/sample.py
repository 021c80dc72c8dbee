"""The plan of the sample city, made of its land use, roads and water: control lines, control zones, control plan.

The same city gives the same plan. Everything is computed in EPSG:4547 [m]; the years and decisions are invented.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from layers.catalogue import Layer
from planning.layers import CONTROL_LINES, CONTROL_PLAN, CONTROL_ZONES
from planning.sample_indices import indices_of

BUILT_IN = 4547
SOURCE = "示范城市"
_APPROVED = {"plan": "示范市中心城区控规", "version": "2024", "status": "approved", "approved_on": date(2024, 5, 20),
             "basis": "示政函〔2024〕18号"}  # fmt: skip
_BEFORE = {**_APPROVED, "version": "2019", "status": "superseded", "approved_on": date(2019, 3, 8),
           "superseded_on": date(2024, 5, 20), "basis": "示政函〔2019〕7号"}  # fmt: skip
#: Half the width between road red lines [m] by class.
_ROADS = {"motorway": 15.0, "trunk": 14.0, "primary": 15.0, "secondary": 13.0, "tertiary": 9.0}
#: Land codes of 2023 that are countryside, so outside the urban boundary.
_COUNTRY = ("01", "02", "03", "04", "05", "06", "0703", "17")

Frames = Iterator[tuple[Layer, gpd.GeoDataFrame]]


def sample_plan(conn: Connection) -> Frames:
    """The layers of planning for the sample city that the database holds, in EPSG:4547."""
    land, water, roads = _read(conn, "land_use", "code"), _read(conn, "water", "kind"), _read(conn, "roads", "class")
    if not len(land):
        return
    town = land[~land["of"].str.startswith(_COUNTRY)]
    boundary = shapely.simplify(shapely.union_all(shapely.buffer(town["geom"].to_numpy(), 60.0)).buffer(-35.0), 2.0)
    wide = [part for part in shapely.get_parts(boundary) if part.area > 200_000] or [_largest(boundary)]
    boundary = shapely.multipolygons(wide)
    yield CONTROL_LINES, _control_lines(land, water, roads)
    yield CONTROL_ZONES, _control_zones(land, water, boundary)
    shapely.prepare(boundary)
    plots = town[shapely.covers(boundary, shapely.point_on_surface(town["geom"].to_numpy()))]
    yield CONTROL_PLAN, _control_plan(plots)


def _read(conn: Connection, table: str, kind: str) -> Any:
    rows = conn.execute(
        text(
            f"SELECT source_id, {kind} AS of, name, ST_AsBinary(ST_Transform(geom, {BUILT_IN}))"
            f" FROM city.{table} WHERE source = :source ORDER BY source_id"
        ),
        {"source": SOURCE},
    ).all()
    shapes = shapely.set_precision(shapely.from_wkb([bytes(row[3]) for row in rows]), 0.001, mode="pointwise")
    columns = {"source_id": [r[0] for r in rows], "of": [r[1] or "" for r in rows], "name": [r[2] for r in rows]}
    return pd.DataFrame(columns).assign(geom=np.asarray(shapes, dtype=object))


def _control_lines(land: Any, water: Any, roads: Any) -> gpd.GeoDataFrame:
    parts: list[tuple[str, str, Any]] = []
    for name, of in roads[roads["of"].isin(list(_ROADS))].groupby(["name", "of"], sort=True)["geom"]:
        shape = shapely.union_all(shapely.buffer(of.to_numpy(), _ROADS[str(name[1])], cap_style="flat", quad_segs=4))
        parts.append(("road", f"{name[0]}道路红线", shape))
    green = land[land["of"].isin(["1401", "1402"]) & (shapely.area(land["geom"]) > 3000)]
    parts += [("green", f"绿线{row.source_id[2:]}", row.geom) for row in green.itertuples()]
    wide = water[shapely.area(water["geom"]) > 5000]
    parts += [("blue", f"{row.name or '水域'}蓝线", row.geom) for row in wide[["name", "geom"]].itertuples(index=False)]
    heritage = land[land["of"] == "1503"]
    parts += [("purple", f"紫线{row.source_id[2:]}", shapely.buffer(row.geom, 15.0)) for row in heritage.itertuples()]
    works = land[land["of"].str.startswith("13")]
    parts += [("yellow", f"黄线{row.source_id[2:]}", row.geom) for row in works.itertuples()]
    return _frame(CONTROL_LINES, parts, "KX", _APPROVED)


def _control_zones(land: Any, water: Any, boundary: Any) -> gpd.GeoDataFrame:
    parts: list[tuple[str, str, Any]] = [("urban-boundary", "中心城区城镇开发边界", boundary)]
    country = land[land["of"].isin(["0101", "0103"])]
    fields = country["geom"].to_numpy()
    parts += [("farmland", f"永久基本农田{n}", s) for n, s in enumerate(_far(fields, boundary, 150.0), 1)]
    forest = land[land["of"].str.startswith("03")]["geom"].to_numpy()
    parts += [("ecology", f"生态保护红线{n}", s) for n, s in enumerate(_far(forest, boundary, 40.0), 1)]
    river = water[water["of"] == "river"]["geom"].to_numpy()
    if len(river):
        bank = shapely.union_all(shapely.buffer(river, 120.0)).difference(shapely.union_all(river))
        parts.append(("flood-hazard", "沿江洪涝风险区", bank))
    frame = _frame(CONTROL_ZONES, parts, "KQ", _APPROVED)
    return pd.concat([frame, _height_limits(boundary)], ignore_index=True)


def _height_limits(boundary: Any) -> gpd.GeoDataFrame:
    """An airport's conical surface over the east, and a view corridor across the centre."""
    x, y = boundary.centroid.x, boundary.centroid.y
    east = boundary.bounds[2]
    surface = shapely.box(east - 1500, y - 1500, east + 1500, y + 1500)
    corridor = shapely.Polygon([(x, y), (x + 1200, y + 150), (x + 1200, y - 150)])
    parts = [("airport-surface", "净空锥形面", surface), ("view-corridor", "城心视廊", corridor)]
    frame = _frame(CONTROL_ZONES, parts, "KG", _APPROVED)
    origin = gpd.GeoSeries([shapely.Point(east + 1500, y), shapely.Point(x, y)], crs=BUILT_IN).to_crs(4490)
    limits = {"limit_height": [60.0, 45.0], "limit_slope": [0.05, 0.02]}
    return frame.assign(**limits, origin_lon=origin.x.round(7).to_numpy(), origin_lat=origin.y.round(7).to_numpy())


def _control_plan(plots: Any) -> gpd.GeoDataFrame:
    """Two versions: of the one before, a part of the plots had another use or less floor area."""
    codes = [f"A-{n:04d}" for n in range(1, len(plots) + 1)]
    now = _plan_frame(plots, codes, _APPROVED, 0)
    before = _plan_frame(plots, codes, _BEFORE, 1)
    return pd.concat([now, before], ignore_index=True)


def _plan_frame(plots: Any, codes: list[str], version: dict[str, Any], age: int) -> gpd.GeoDataFrame:
    rows = [indices_of(n, str(code), age) for n, code in enumerate(plots["of"])]
    facts = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    columns = {**{name: [value] * len(plots) for name, value in version.items()}, **facts}
    keys = [f"{code}@{version['version']}" for code in codes]
    data = {"plot": codes, "code": keys, "source": SOURCE, **columns}
    made = gpd.GeoDataFrame(data, geometry=plots["geom"].to_numpy(), crs=BUILT_IN)
    return made.rename_geometry("geom")


def _far(shapes: Any, boundary: Any, away: float) -> list[Any]:
    """Shapes that keep a distance [m] from the boundary."""
    kept = shapes[shapely.distance(shapes, boundary) > away]
    return [s for s in kept if s.area > 5000]


def _frame(layer: Layer, parts: list[tuple[str, str, Any]], prefix: str, version: dict[str, Any]) -> gpd.GeoDataFrame:
    shapes = [shapely.make_valid(shapely.set_precision(shape, 0.001)) for _, _, shape in parts]
    columns: dict[str, Any] = {
        "name": [name for _, name, _ in parts],
        "kind": [kind for kind, _, _ in parts],
        "code": [f"{prefix}-{n:05d}" for n in range(1, len(parts) + 1)],
        "source": SOURCE,
        **version,
    }
    known = {name: value for name, value in columns.items() if layer.field(name)}
    return gpd.GeoDataFrame(known, geometry=shapes, crs=BUILT_IN).rename_geometry("geom")


def _largest(shape: Any) -> Any:
    return max(shapely.get_parts(shape), key=lambda part: float(part.area))
