"""A small random plan about (586 400, 3 364 800) of zone 38, in the database and as GeoDataFrames."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy import Connection

from layers.importing.loader import load
from layers.registry import load_layers

X, Y = 586_400.0, 3_364_800.0
SIZE = 2000.0
_IN_FORCE = {"plan": "测试控规", "version": "2024", "status": "approved", "approved_on": date(2024, 5, 20)}


@dataclass(frozen=True)
class Plan:
    """The layers in EPSG:4547, as shapes went into the database (by degrees, corner by corner)."""

    lines: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    plots: gpd.GeoDataFrame
    land: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame


def blob(rng: np.random.Generator, x: float, y: float, radius: float) -> shapely.Polygon:
    """A star-shaped polygon of 5 to 14 corners, the sides never crossing."""
    count = int(rng.integers(5, 15))
    angles = np.sort(rng.uniform(0, 2 * np.pi, count))
    reach = radius * rng.uniform(0.5, 1.2, count)
    shape = shapely.Polygon(np.column_stack([x + reach * np.cos(angles), y + reach * np.sin(angles)]))
    return shape if shape.is_valid else shapely.make_valid(shape).convex_hull


def _scattered(rng: np.random.Generator, count: int, radius: float, **columns: Any) -> gpd.GeoDataFrame:
    places = rng.uniform(0, SIZE, (count, 2)) + (X, Y)
    shapes = [blob(rng, x, y, radius * rng.uniform(0.4, 1.6)) for x, y in places]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4547)


def make_plan(conn: Connection, seed: int = 1) -> Plan:
    """Fill the layers within the caller's transaction."""
    rng = np.random.default_rng(seed)
    kinds = ["road", "green", "blue", "purple", "yellow", "orange"]
    lines = _scattered(
        rng,
        120,
        60,
        kind=rng.choice(kinds, 120),
        name=[f"线{i}" for i in range(120)],
        code=[f"L{i}" for i in range(120)],
    )
    boundary = shapely.box(X + 100, Y + 100, X + SIZE - 150, Y + SIZE - 80).difference(
        shapely.Point(X + 900, Y + 900).buffer(120)
    )
    zones = _scattered(
        rng,
        40,
        90,
        kind=rng.choice(["farmland", "ecology", "flood-hazard", "strict-protection", "controlled-use"], 40),
        name=[f"区{i}" for i in range(40)],
        code=[f"Z{i}" for i in range(40)],
    )
    town = gpd.GeoDataFrame(
        {"kind": ["urban-boundary"], "name": ["开发边界"], "code": ["Z-UB"]}, geometry=[boundary], crs=4547
    )
    zones = gpd.GeoDataFrame(gpd.pd.concat([zones, town], ignore_index=True), crs=4547)
    side = SIZE / 12
    cells = [
        shapely.box(X + i * side + 5, Y + j * side + 5, X + (i + 1) * side - 5, Y + (j + 1) * side - 5)
        for i in range(12)
        for j in range(12)
    ]
    codes = rng.choice(["070102", "0901", "1401", "100101", "080403"], len(cells))
    plots = gpd.GeoDataFrame(
        {
            "plot": [f"P{i}" for i in range(len(cells))],
            "code": [f"P{i}@2024" for i in range(len(cells))],
            "scheme": "2023",
            "land_code": codes,
            "land_use": codes,
        },
        geometry=cells,
        crs=4547,
    )
    land = gpd.GeoDataFrame(
        {"code": rng.choice(["0701", "0101", "1401"], len(cells)), "source_id": [f"u{i}" for i in range(len(cells))]},
        geometry=cells,
        crs=4547,
    )
    houses = _scattered(
        rng,
        400,
        14,
        use=rng.choice(["residential", "office"], 400),
        floors=rng.integers(1, 30, 400),
        source_id=[f"b{i}" for i in range(400)],
    )
    layers = load_layers(conn)
    for layer, frame in (("control-lines", lines), ("control-zones", zones), ("control-plan", plots)):
        load(conn, layers[layer], [frame.assign(**_IN_FORCE)], "append")
    load(conn, layers["land-use"], [land], "append")
    load(conn, layers["buildings"], [houses], "append")
    return Plan(*(frame.to_crs(4490).to_crs(4547) for frame in (lines, zones, plots, land, houses)))


def make_open_lines(conn: Connection, seed: int = 3) -> gpd.GeoDataFrame:
    """Control lines drawn as lines, some with a second part, in EPSG:4547 as they went into the database."""
    rng = np.random.default_rng(seed)
    count = 60
    shapes = []
    for _ in range(count):
        starts = rng.uniform(0, SIZE, (int(rng.integers(1, 3)), 1, 2)) + (X, Y)
        walks = starts + rng.normal(0, 120, (len(starts), int(rng.integers(2, 7)), 2)).cumsum(axis=1)
        shapes.append(shapely.multilinestrings(shapely.linestrings(walks)))
    frame = gpd.GeoDataFrame(
        {
            "kind": rng.choice(["road", "blue", "yellow", "orange"], count),
            "code": [f"B{i}" for i in range(count)],
            **_IN_FORCE,
        },
        geometry=shapes,
        crs=4547,
    )
    load(conn, load_layers(conn)["open-control-lines"], [frame], "append")
    return frame.to_crs(4490).to_crs(4547)
