"""Lets the engine look at what was stored, and writes what it finds into the layer ``alarms``."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import shapely
from psycopg2.extensions import connection, cursor
from psycopg2.extras import execute_values

from tracking.alarms.conditions import Alarm, Begun, Limits, Memory
from tracking.alarms.engine import Engine, RoadLimitsOf, replayed
from tracking.alarms.fences import Fence, FenceIndex
from tracking.alarms.gathering import Gatherings
from tracking.model import UNFIT, Device, Fix, Stored
from tracking.states import Seen

#: Fences of one city; seconds between readings of them, and between writings of what is remembered.
_MOST_FENCES, _READ, _REMEMBER = 100_000, 10.0, 10.0
#: Seconds before a late fix from which its track is looked at again, and devices of one round.
_BEFORE, _DEVICES = 3600.0, 20

#: What a fence is made of.
FENCE_COLUMNS = (
    "id, coalesce(name, ''), ST_AsBinary(ST_CurveToLine(geom)), watch, kinds, devices, department, calendar, width,"
    " hysteresis, dwell, stay, speed_limit, most"
)
_FENCES = f"""
    SELECT {FENCE_COLUMNS} FROM city.geofences WHERE enabled IS DISTINCT FROM false AND geom IS NOT NULL
           AND cardinality(watch) > 0 ORDER BY id LIMIT %s"""
_INTERVALS = "SELECT id, maintenance FROM city.devices WHERE maintenance > 0 AND maintenance < 'Infinity'"
_ADD = """
    INSERT INTO city.alarms AS a (geom, key, kind, device, name, department, began, ended, fence, value, most, detail,
                                  late, state)
    SELECT ST_SetSRID(ST_MakePoint(lon, lat), 4490), key, kind, device, name, department, to_timestamp(began),
           to_timestamp(ended), fence, value, most, detail, late, 'new'
    FROM (VALUES %s) AS n
        (lon, lat, key, kind, device, name, department, began, ended, fence, value, most, detail, late)
    WHERE NOT late OR NOT EXISTS (
        SELECT FROM city.alarms o WHERE o.device = n.device AND o.kind = n.kind AND o.fence IS NOT DISTINCT FROM n.fence
            AND o.detail IS NOT DISTINCT FROM n.detail AND o.began <= to_timestamp(n.ended)
            AND coalesce(o.ended, 'infinity') >= to_timestamp(n.began))
    ON CONFLICT (key) DO UPDATE SET ended = excluded.ended, value = excluded.value
    WHERE a.ended IS NULL AND excluded.ended IS NOT NULL"""
_TYPES = (
    "(%s::float8, %s::float8, %s, %s, %s, %s, %s::text, %s::float8, %s::float8, %s::bigint, %s::float8, %s::float8,"
    " %s::text, %s::boolean)"
)
_RECALL = "SELECT device, state FROM tracking.memory"
_KEEP = """
    INSERT INTO tracking.memory (device, upto, state) VALUES %s
    ON CONFLICT (device) DO UPDATE SET upto = excluded.upto, state = excluded.state"""
_OPEN = """
    SELECT device, kind, key, extract(epoch FROM began)::float8, ST_X(geom), ST_Y(geom), fence, value, most, detail
    FROM city.alarms WHERE kind IN ('offline', 'gathering') AND ended IS NULL"""
_TRACK = """
    SELECT extract(epoch FROM time)::float8, ST_X(geom), ST_Y(geom), speed, heading, altitude, alarms, status, mileage,
           doubt
    FROM tracking.positions WHERE device = %s AND time >= to_timestamp(%s) AND time <= to_timestamp(%s)
        AND geom IS NOT NULL ORDER BY time, variant LIMIT 100000"""


class Watch:
    """The alarms of one gateway."""

    def __init__(self, limits: Limits, road_limits: RoadLimitsOf | None = None) -> None:
        self._limits = limits
        self._road_limits = road_limits
        self._gatherings = Gatherings()
        self._intervals: Mapping[int, float] = {}
        self._engine = Engine(FenceIndex(()), limits, road_limits=road_limits)
        self._fences = FenceIndex(())
        self._read: tuple[Fence, ...] = ()
        self._late: dict[Device, tuple[float, float]] = {}
        self._offline: dict[str, Alarm] = {}
        self._changed: set[int] = set()
        self._next_reading = self._next_remembering = 0.0

    def recall(self, to: cursor, by_code: Mapping[str, Device]) -> None:
        """Take up where the last gateway left off."""
        to.execute(_RECALL)
        for device, state in to.fetchall():
            self._engine.memories[device] = _memory(state)
        to.execute(_OPEN)
        for code, kind, key, began, lon, lat, *more in to.fetchall():
            if (found := by_code.get(code)) is not None:
                alarm = Alarm(key, kind, found, began, None, lon or 0.0, lat or 0.0, *more)
                if kind == "offline":
                    self._offline[code] = alarm
                else:
                    self._gatherings.recall(alarm)

    def look(self, conn: connection, rows: Sequence[Stored], seen: Iterable[Seen], now: float) -> None:
        """Look at fixes that are stored, sorted by device and time, and at who is silent; write the alarms."""
        with conn.cursor() as to:
            if now >= self._next_reading:
                self._next_reading = now + _READ
                self._read_fences(to)
            alarms, late = self._engine.run(rows)
            self._changed.update(row.device.id for row in rows)
            self._note_late(late)
            seen = tuple(seen)
            alarms += self._silent(seen, now)
            if seen:
                memories = self._engine.memories
                alarms += self._gatherings.look(self._fences.fences, seen, memories, now, self._limits.offline)
            alarms += self._replays(to)
            add_alarms(to, alarms)
            if now >= self._next_remembering:
                self._next_remembering = now + _REMEMBER
                self.remember(to)

    def remember(self, to: cursor) -> None:
        """Write down what is remembered of the devices that were heard since."""
        memories = ((device, self._engine.memories.get(device)) for device in sorted(self._changed))
        rows = [
            (device, datetime.fromtimestamp(memory.last.time, UTC), _state(memory))
            for device, memory in memories
            if memory is not None and memory.last is not None
        ]
        if rows:
            execute_values(to, _KEEP, rows)
        self._changed.clear()

    def _read_fences(self, to: cursor) -> None:
        to.execute(_INTERVALS)
        intervals = dict(to.fetchall())
        to.execute(_FENCES, (_MOST_FENCES,))
        fences = tuple(fence_of(row) for row in to.fetchall())
        if fences != self._read:
            self._fences, self._read = FenceIndex(fences), fences
        elif intervals == self._intervals:
            return
        self._intervals = intervals
        self._engine.use(self._fences, intervals)

    def _note_late(self, late: Sequence[Stored]) -> None:
        for device, fix in late:
            since, until = self._late.get(device, (fix.time, fix.time))
            self._late[device] = min(since, fix.time), max(until, fix.time)

    def _replays(self, to: cursor) -> list[Alarm]:
        """What the tracks that late fixes belong to give as a whole."""
        alarms: list[Alarm] = []
        for device in list(self._late)[:_DEVICES]:
            since, until = self._late.pop(device)
            memory = self._engine.memories.get(device.id)
            end = memory.last.time if memory is not None and memory.last is not None else until
            to.execute(_TRACK, (device.id, since - _BEFORE, end))
            track = [Stored(device, Fix(*row)) for row in to.fetchall()]
            alarms += replayed(self._fences, self._limits, without_jumps(track), since, until, self._road_limits)
        return alarms

    def _silent(self, seen: Iterable[Seen], now: float) -> list[Alarm]:
        """Devices that say nothing any more, and those that speak again."""
        found: list[Alarm] = []
        for each in seen:
            code = each.device.code
            known = self._offline.get(code)
            silent = now - each.heard > self._limits.offline
            if silent and known is None and each.fix is not None and each.device.enabled:
                key = f"{code} offline {each.heard:.0f}"
                known = Alarm(key, "offline", each.device, each.heard, None, each.fix.lon, each.fix.lat)
                self._offline[code] = known
                found.append(known)
            elif not silent and known is not None:
                del self._offline[code]
                found.append(Alarm(known.key, "offline", known.device, known.began, each.heard, known.lon, known.lat))
        return found


def add_alarms(to: cursor, alarms: Sequence[Alarm]) -> None:
    """Write alarms; one that is there is only ended. Of the same key in one go the last counts."""
    latest = {alarm.key: alarm for alarm in alarms}
    rows = [
        (a.lon, a.lat, a.key, a.kind, a.device.code, a.device.name, a.device.department, a.began, a.ended, a.fence,
         a.value, a.most, a.detail, a.late)
        for a in latest.values()
    ]  # fmt: skip
    if rows:
        execute_values(to, _ADD, rows, _TYPES, page_size=500)


def without_jumps(track: Sequence[Stored]) -> list[Stored]:
    """The fixes of a sorted track that live positions would have been moved by."""
    seen: Seen | None = None
    kept = []
    for row in track:
        seen = seen or Seen(row.device)
        if row.fix.doubt & UNFIT or seen.take(row.fix, row.fix.time):
            kept.append(row)
    return kept


def fence_of(row: Sequence[Any]) -> Fence:
    """A row of :data:`FENCE_COLUMNS` as a fence."""
    texts = (frozenset(value or ()) for value in row[3:6])
    watch, kinds, devices = texts
    return Fence(
        row[0], row[1], shapely.from_wkb(bytes(row[2])), watch, kinds, devices, row[6], row[7], row[8],
        max(0.0, row[9] or 0.0), max(0.0, row[10] or 0.0), row[11], row[12], row[13],
    )  # fmt: skip


def _state(memory: Memory) -> str:
    begun = {rule: [b.since, b.lon, b.lat, b.given, b.value] for rule, b in memory.begun.items()}
    inside = None if memory.inside is None else sorted(memory.inside)
    last = None if memory.last is None else list(memory.last[:10])
    return orjson.dumps({"last": last, "inside": inside, "begun": begun, "driven": memory.driven}).decode()


def _memory(state: Mapping[str, Any]) -> Memory:
    inside = None if state["inside"] is None else frozenset(state["inside"])
    last = None if state["last"] is None else Fix(*state["last"])
    begun = {rule: Begun(*values) for rule, values in state["begun"].items()}
    return Memory(last, inside, begun, state.get("driven", 0.0))
