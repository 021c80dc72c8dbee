"""What lies beyond each side of a site: road, green, water or another plot; and the plan's limits there."""

from typing import Any

import shapely
from sqlalchemy import Connection, text

from layers.registry import load_layers, note_reads
from planning.check.queries import IN_FORCE, near
from planning.check.subject import Subject
from planning.indices.model import Limits, Neighbour, Side

#: How far beyond a side a neighbour is looked for [m]: red lines of roads begin at the side or a pavement away.
_BEYOND = 10.0
#: Least share of a side that a neighbour must lie along.
_SHARE = 0.3
#: A control line drawn as a line counts as ground so wide on both sides [m]: it may run just along a side.
_LINE = 0.1
_KINDS: dict[str, Neighbour] = {"road": "road", "green": "green", "blue": "water"}
_ORDER: tuple[Neighbour, ...] = ("road", "water", "green")


def sides_of(conn: Connection, subject: Subject) -> list[Side]:
    """The sides of a site's outlines with their neighbours; corners that turn by less than 15° are one side.

    A side has the neighbour that lies along the most of it within 10 m outside, if along 30 % at least; else a plot.
    """
    ground = _grounds(conn, subject)
    found: list[Side] = []
    for part in shapely.get_parts(subject.shape):
        for line in _straightened(part.exterior):
            strip = shapely.difference(shapely.buffer(line, _BEYOND, cap_style="flat"), subject.shape)
            shares = {kind: _along(line, shape, strip) for kind, shape in ground.items()}
            best = max(_ORDER, key=lambda kind: shares.get(kind, 0.0))
            neighbour = best if shares.get(best, 0.0) >= _SHARE else "plot"
            found.append(Side(len(found) + 1, line, neighbour))
    return found


def limits_of(conn: Connection, subject: Subject) -> tuple[Limits, str | None]:
    """The limits of the plot of the control plan that covers the most of a site, and the plot; none where none does."""
    layer = load_layers(conn).get("control-plan")
    if layer is None:
        return Limits(), None
    names = ("plot", "status", "approved_on", "superseded_on", *Limits.__dataclass_fields__)
    statement = f"SELECT n.*, ST_Area(ST_Intersection(n.g, p)) AS part FROM ({{near}}) AS n, parcel WHERE {IN_FORCE}"
    rows = _ask(conn, statement, subject, near(layer, names, subject.as_of is not None))
    best = max(rows, key=lambda row: float(row.part), default=None)
    if best is None or not best.part:
        return Limits(), None
    return Limits(**{name: getattr(best, name) for name in Limits.__dataclass_fields__}), best.plot


def _grounds(conn: Connection, subject: Subject) -> dict[Neighbour, Any]:
    """Roads, green and water near the site, each as one shape in the plane of its zone."""
    layers = load_layers(conn)
    found: dict[Neighbour, list[Any]] = {}
    for lines in filter(None, map(layers.get, ("control-lines", "open-control-lines"))):
        note_reads(conn, lines)
        names = ("kind", "status", "approved_on", "superseded_on")
        statement = f"SELECT n.kind, ST_AsBinary(n.g) AS shape FROM ({{near}}) AS n, parcel WHERE {IN_FORCE}"
        for row in _ask(conn, statement, subject, near(lines, names, False)):
            if row.kind in _KINDS:
                shape = shapely.from_wkb(bytes(row.shape))
                shape = shape if shape.area else shapely.buffer(shape, _LINE, cap_style="flat")
                found.setdefault(_KINDS[row.kind], []).append(shape)
    if (water := layers.get("water")) is not None:
        for row in _ask(
            conn, "SELECT ST_AsBinary(n.g) AS shape FROM ({near}) AS n, parcel", subject, near(water, (), False)
        ):
            found.setdefault("water", []).append(shapely.from_wkb(bytes(row.shape)))
    return {kind: shapely.union_all(shapes) for kind, shapes in found.items()}


def _ask(conn: Connection, statement: str, subject: Subject, rows: str) -> list[Any]:
    whole = "WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p) " + statement.format(near=rows)
    west, south, east, north = subject.box(_BEYOND)
    values = {"parcel": subject.ewkb, "srid": subject.zone.srid, "on": subject.on, "as_of": subject.as_of,
              "west": west, "south": south, "east": east, "north": north}  # fmt: skip
    return list(conn.execute(text(whole), {k: v for k, v in values.items() if f":{k}" in whole}))


def _along(line: Any, shape: Any, strip: Any) -> float:
    """The share of a side that the parts of a shape within the strip outside it lie along."""
    beside = shapely.intersection(shape, strip)
    length = 0.0
    for part in shapely.get_parts(beside):
        at = shapely.line_locate_point(line, shapely.points(shapely.get_coordinates(part)))
        length += float(at.max() - at.min()) if len(at) else 0.0
    return min(1.0, length / line.length) if line.length else 0.0


def _straightened(ring: Any) -> list[Any]:
    """The sides of a ring: runs of edges that turn by less than 15° each."""
    import numpy as np

    places = shapely.get_coordinates(ring)[:-1]
    ahead = np.roll(places, -1, axis=0) - places
    angle = np.degrees(np.arctan2(ahead[:, 1], ahead[:, 0]))
    turn = np.abs((angle - np.roll(angle, 1) + 180) % 360 - 180)
    corners = np.flatnonzero(turn >= 15.0)
    if len(corners) < 2:
        return [shapely.LineString(np.vstack([places, places[:1]]))]
    ends = np.append(corners[1:], corners[0] + len(places))
    around = np.vstack([places, places])
    return [shapely.LineString(around[a : b + 1]) for a, b in zip(corners.tolist(), ends.tolist(), strict=True)]
