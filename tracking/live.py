"""What has changed among the live positions, as a viewer sees it: its rows, and its part of the map."""

from collections.abc import Mapping
from typing import Any

from layers.access import Principal
from layers.catalogue import Layer
from layers.database import Database, Reader

#: Vehicles in one frame; a viewer of more looks at tiles.
MOST = 20_000
type Box = tuple[float, float, float, float]

# The mark is the newest transaction's begin: rows of one that was still under way come with the next frame too.
_CHANGED = """
    SELECT id, device, name, kind, department, state, time, heard, speed, heading, ST_X(geom), ST_Y(geom),
           extract(epoch FROM valid_from)::float8
    FROM city.positions
    WHERE valid_from > to_timestamp(%(since)s)
      AND (%(west)s::float8 IS NULL OR geom && ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 4490)
           OR id = ANY (%(shown)s))
    ORDER BY valid_from LIMIT %(most)s"""
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
_FIELDS = ("device", "name", "kind", "department", "state", "time", "heard", "speed", "heading")
#: Seconds by which the beginning of a transaction that is not over may lie back.
_OVERLAP = 3.0


class Viewer:
    """One viewer's picture: what was sent, so that only what changed is sent again.

    ``layer`` is as the viewer sees it.
    """

    def __init__(self, database: Database, principal: Principal, layer: Layer, box: Box | None, since: float) -> None:
        self._database = database
        self._principal = principal
        self._fields = frozenset(field.name for field in layer.fields)
        self._box = box
        self._since = since
        self._sent: dict[int, float] = {}
        self._shown: set[int] = set()

    @property
    def mark(self) -> float:
        """Up to when this viewer has been told (Unix time [s]); the id of the frame."""
        return self._since

    def frame(self) -> dict[str, Any] | None:
        """What changed since the last one, or None: ``moved``, and ``gone`` out of the viewer's part of the map."""
        west, south, east, north = self._box or (None,) * 4
        values = {
            "since": self._since - _OVERLAP if self._since else 0.0, "west": west, "south": south, "east": east,
            "north": north, "shown": list(self._shown), "most": MOST,
        }  # fmt: skip
        with self._database.reading(self._principal) as reader:
            now = _now(reader)
            rows = reader.fetch(_CHANGED, values)
        moved, gone = [], []
        for row in rows:
            identity, changed = row[0], row[-1]
            if self._sent.get(identity, 0.0) >= changed:
                continue
            self._sent[identity] = changed
            if self._inside(row[10], row[11]):
                self._shown.add(identity)
                moved.append(self._feature(row))
            elif identity in self._shown:
                self._shown.discard(identity)
                gone.append(row[1])
        self._since = rows[-1][-1] if len(rows) == MOST else now
        return {"moved": moved, "gone": gone} if moved or gone else None

    def _inside(self, lon: float | None, lat: float | None) -> bool:
        if self._box is None:
            return True
        west, south, east, north = self._box
        return lon is not None and lat is not None and west <= lon <= east and south <= lat <= north

    def _feature(self, row: tuple[Any, ...]) -> Mapping[str, Any]:
        """The vehicle's place, and the fields that the viewer may see."""
        seen = {name: value for name, value in zip(_FIELDS, row[1:10], strict=True) if name in self._fields}
        return {**seen, "lon": row[10], "lat": row[11]}


def _now(reader: Reader) -> float:
    return float(reader.fetch(_NOW, {})[0][0])
