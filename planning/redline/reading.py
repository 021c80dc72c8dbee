"""Red lines as the database keeps them: the row of the layer, and the points as they were surveyed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import shapely
from sqlalchemy import Connection, text

from layers.catalogue import Layer
from layers.features import EditConflict
from layers.registry import find_layer
from planning.errors import PlanningError
from planning.survey.parcel import BoundaryPoint, Parcel
from planning.survey.zones import Zone


@dataclass(frozen=True, slots=True)
class RedLine:
    """One red line; ``parcels`` are its parts, each with its points as surveyed."""

    id: int
    revision: int
    number: str
    name: str
    status: str
    scheme: str | None
    land_code: str | None
    parents: tuple[str, ...]
    parcels: tuple[Parcel, ...]
    facts: dict[str, Any]

    @property
    def zone(self) -> Zone:
        """The zone of its survey."""
        return self.parcels[0].zone

    @property
    def shape(self) -> Any:
        """All parts in the plane of the zone, as shapely."""
        shapes = [parcel.polygon for parcel in self.parcels]
        return shapes[0] if len(shapes) == 1 else shapely.multipolygons(shapes)


def redlines_layer(conn: Connection) -> Layer:
    """The layer, if the principal may see it. Raises :class:`layers.registry.LayerNotFound`."""
    return find_layer(conn, "redlines")


def find_redline(conn: Connection, number: str, *, lock: bool = False, revision: int | None = None) -> RedLine:
    """The red line of that number; ``lock`` keeps others from moving it until the transaction ends.

    Raises :class:`PlanningError` where there is none, or it is not the principal's to see, and
    :class:`layers.features.EditConflict` where it is no longer at the ``revision`` that the asker has seen.
    """
    redlines_layer(conn)
    statement = "SELECT * FROM city.redlines WHERE number = :number" + (" FOR UPDATE" if lock else "")
    row = conn.execute(text(statement), {"number": number}).mappings().one_or_none()
    if row is None:
        raise PlanningError(f"没有用地红线 {number[:60]!r}", f"there is no red line {number[:60]!r}")
    if revision is not None and row["revision"] != revision:
        raise EditConflict(f"red line {number} is at revision {row['revision']}, not {revision}: read it again")
    facts = {k: v for k, v in row.items() if k not in ("geom", "valid_from", "actor")}
    return RedLine(
        row["id"], row["revision"], row["number"], row["name"] or "", row["status"], row["scheme"], row["land_code"],
        tuple(row["parents"] or ()), tuple(_parcels(conn, row)), facts,
    )  # fmt: skip


def _parcels(conn: Connection, row: Any) -> Iterator[Parcel]:
    points = conn.execute(
        text("""SELECT part, ring, name, x::float8 AS x, y::float8 AS y, zone, zone_width
                FROM planning.boundary_points WHERE redline = :id ORDER BY part, ring, place"""),
        {"id": row["id"]},
    ).all()
    for part, of_part in groupby(points, key=lambda p: p.part):
        kept = list(of_part)
        rings = tuple(
            tuple(BoundaryPoint(p.name, p.x, p.y) for p in ring) for _, ring in groupby(kept, key=lambda p: p.ring)
        )
        zone = Zone(kept[0].zone, kept[0].zone_width)
        number = row["number"] if part == 1 else f"{row['number']}-{part}"
        yield Parcel(rings, zone, number, row["name"] or "", land_code=row["land_code"] or "")
