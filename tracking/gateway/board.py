"""The board: the latest position and state of each device, in the layer ``positions``, once a second; and the alarms.

What it knows it can work out again from ``tracking.positions``: a gateway that starts takes the layer as it was left,
and what was received since then. Positions that came by other ways than this gateway are announced on the channel
``citymap_positions`` and read from the table.
"""

import asyncio
import io
import logging
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import psycopg2
from psycopg2.extensions import connection

from tracking.alarms.conditions import Limits
from tracking.alarms.roads import RoadLimits
from tracking.alarms.watch import Watch
from tracking.gateway.committing import Work
from tracking.gateway.connection import connect
from tracking.gateway.dispatch import Dispatch
from tracking.gateway.roster import Roster
from tracking.gateway.session import Session
from tracking.jt808.parameters import Values
from tracking.model import ACC, UNFIT, Device, Fix, Stored
from tracking.states import Patience, Seen

LOGGER = logging.getLogger("citymap")
#: The channel on which other inputs say that they have stored positions.
CHANNEL = "citymap_positions"
#: Seconds between writings, between looks at every state, and that the layer's "heard of" may lag behind.
EVERY, SWEEP, LAG = 1.0, 5.0, 30.0
#: Seconds by which transactions of others may be late with what they received before.
_OVERLAP = 60.0

_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS stage_board (
        device text, name text, kind text, department text, state text, time timestamptz, heard timestamptz,
        lon double precision, lat double precision, speed double precision, heading bigint, altitude bigint,
        acc boolean, alarms bigint, status bigint, mileage double precision
    ) ON COMMIT DELETE ROWS"""
_MERGE = """
    INSERT INTO city.positions AS p (geom, device, name, kind, department, state, time, heard, speed, heading, altitude,
                                     acc, alarms, status, mileage)
    SELECT ST_SetSRID(ST_MakePoint(lon, lat), 4490), device, name, kind, department, state, time, heard, speed, heading,
           altitude, acc, alarms, status, mileage
    FROM pg_temp.stage_board
    ON CONFLICT (device) DO UPDATE SET
        geom = excluded.geom, name = excluded.name, kind = excluded.kind, department = excluded.department,
        state = excluded.state, time = excluded.time, heard = excluded.heard, speed = excluded.speed,
        heading = excluded.heading, altitude = excluded.altitude, acc = excluded.acc, alarms = excluded.alarms,
        status = excluded.status, mileage = excluded.mileage"""
_RECALL = """
    SELECT device, extract(epoch FROM time)::float8, extract(epoch FROM heard)::float8, ST_X(geom), ST_Y(geom), speed,
           heading, altitude, coalesce(alarms, 0), status, mileage, state
    FROM city.positions WHERE time IS NOT NULL AND geom IS NOT NULL"""
_SINCE = """
    SELECT device, extract(epoch FROM time)::float8, coalesce(ST_X(geom), 999), coalesce(ST_Y(geom), 999), speed,
           heading, altitude, alarms, status, mileage, doubt, extract(epoch FROM received)::float8
    FROM tracking.positions WHERE received >= %s ORDER BY device, time, variant"""
_MARK = """
    INSERT INTO tracking.marks VALUES ('board', to_timestamp(%s))
    ON CONFLICT (name) DO UPDATE SET upto = excluded.upto"""


class Board:
    """Gathers in the event loop, works in a thread once a second."""

    def __init__(self, url: str, patience: Patience, limits: Limits) -> None:
        self._url = url
        self._patience = patience
        self._connection: connection | None = None
        self._seen: dict[int, Seen] = {}
        self._shown: dict[int, tuple[str, float]] = {}
        self._working = threading.Lock()
        self._roads = RoadLimits(url, limits.road_limits) if limits.road_limits else None
        self._watch = Watch(limits, self._roads)
        self._to_look: list[Stored] = []
        self._changed: set[int] = set()
        self._fresh: list[Stored] = []
        self._heard: dict[int, float] = {}
        self._next_sweep = 0.0
        self._others_since = time.time()
        self.sessions: dict[int, Session] = {}
        self.codes: dict[int, str] = {}
        self.dispatch = Dispatch(url, self.sessions, self.codes)

    def stored(self, works: Sequence[Work]) -> None:
        """Positions that are on the disk now."""
        for work in works:
            self._fresh.extend(work.rows)

    def heard(self, device: Device, at: float) -> None:
        """A device said something."""
        self._heard[device.id] = at

    def answered(self, device: Device, serial: int, result: int, told: Values | None = None) -> None:
        """A device answered a message of ours."""
        self.dispatch.answered(device.id, serial, result, told)

    def joined(self, device: Device, session: Session) -> None:
        """A device has proved who it is; a newer connection takes the older one's place."""
        self.sessions[device.id] = session
        self.codes[device.id] = device.code

    def left(self, device: Device, session: Session) -> None:
        """It has gone, unless it came by another connection meanwhile."""
        if self.sessions.get(device.id) is session:
            del self.sessions[device.id]
            self.codes.pop(device.id, None)

    async def run(self, roster: Roster) -> None:
        """Write once a second until cancelled."""
        while True:
            begun = time.monotonic()
            fresh, self._fresh = self._fresh, []
            heard, self._heard = self._heard, {}
            try:
                await asyncio.to_thread(self._work, fresh, heard, roster.devices)
            except psycopg2.Error as error:
                LOGGER.warning("the layer positions waits for the database: %s", str(error).strip().split("\n")[0])
                self._disconnect()
            except Exception:  # terminals go on being taken in, whatever it is
                LOGGER.exception("%d positions are looked at for no alarm", len(self._to_look))
                self._to_look = []
                self._disconnect()
            await asyncio.sleep(max(0.0, EVERY - (time.monotonic() - begun)))

    def recall(self, roster: Roster) -> None:
        """Take up where the last gateway left off. Raises :class:`psycopg2.Error`."""
        by_code = {device.code: device for device in roster.devices}
        by_id = {device.id: device for device in roster.devices}
        conn = self._connected()
        with conn.cursor() as cursor:
            cursor.execute(_RECALL)
            for (
                code,
                at,
                heard,
                lon,
                lat,
                speed,
                heading,
                altitude,
                alarms,
                status,
                mileage,
                state,
            ) in cursor.fetchall():
                if (device := by_code.get(code)) is not None:
                    fix = Fix(at, lon, lat, speed, heading, altitude, alarms, status, mileage)
                    self._seen[device.id] = Seen(device, fix, heard or at)
                    self._shown[device.id] = (state, heard or at)
            self._watch.recall(cursor, by_code)
            cursor.execute("SELECT extract(epoch FROM upto)::float8 FROM tracking.marks WHERE name = 'board'")
            mark = cursor.fetchone()
            if mark is not None:
                self._read_since(conn, mark[0] - _OVERLAP, by_id)
        conn.commit()

    def close(self) -> None:
        """Write what is left, and close the connection."""
        try:
            self._work(self._fresh, self._heard, [])
            with self._working:
                conn = self._connected()
                with conn.cursor() as cursor:
                    self._watch.remember(cursor)
                conn.commit()
        except psycopg2.Error as error:
            LOGGER.warning("the layer positions is behind: %s", str(error).strip().split("\n")[0])
        self._disconnect()
        if self._roads is not None:
            self._roads.close()

    def _work(self, fresh: Sequence[Stored], heard: dict[int, float], devices: Sequence[Device]) -> None:
        """One second's writing, in a thread. What cannot be written now stays marked as changed.

        The thread outlives the task that waits for it, so that the last writing may meet it.
        """
        with self._working:
            self._write_all(fresh, heard, devices)

    def _write_all(self, fresh: Sequence[Stored], heard: dict[int, float], devices: Sequence[Device]) -> None:
        now = time.time()
        for device, fix in sorted(fresh, key=lambda row: (row.device.id, row.fix.time)):
            self._take(device, fix, now)
        for device_id, at in heard.items():
            if (seen := self._seen.get(device_id)) is not None:
                seen.heard = max(seen.heard, at)
        conn = self._connected()
        by_id = {device.id: device for device in devices}
        conn.poll()
        if conn.notifies:
            conn.notifies.clear()
            since, self._others_since = self._others_since - _OVERLAP, now
            self._read_since(conn, since, by_id)
        for device_id, device in by_id.items():
            if (seen := self._seen.get(device_id)) is not None and seen.device != device:
                seen.device = device
                self._changed.add(device_id)
        swept = now >= self._next_sweep
        if swept:
            self._next_sweep = now + SWEEP
            self._sweep(now)
            if by_id:
                self._forget(conn, self._seen.keys() - by_id.keys())
        self._watch.look(conn, self._to_look, self._seen.values() if swept else (), now)
        self._write(conn, now)
        self._to_look = []

    def _forget(self, conn: connection, gone: Iterable[int]) -> None:
        """Devices that are in the layer ``devices`` no more have no live position; their track stays."""
        for device_id in list(gone):
            with conn.cursor() as cursor:
                cursor.execute("DELETE FROM city.positions WHERE device = %s", (self._seen[device_id].device.code,))
            del self._seen[device_id]
            self._shown.pop(device_id, None)
            self._changed.discard(device_id)

    def _take(self, device: Device, fix: Fix, received: float) -> None:
        seen = self._seen.get(device.id)
        if seen is None:
            seen = self._seen[device.id] = Seen(device)
        late = seen.fix is not None and fix.time <= seen.fix.time
        moved = seen.take(fix, received)
        if moved:
            self._changed.add(device.id)
        if moved or late or fix.doubt & UNFIT:  # all but jumps
            self._to_look.append(Stored(device, fix))

    def _read_since(self, conn: connection, since: float, by_id: dict[int, Device]) -> None:
        with conn.cursor() as cursor:
            cursor.execute(_SINCE, (datetime.fromtimestamp(since, UTC),))
            for row in cursor:
                if (device := by_id.get(row[0])) is not None:
                    self._take(device, Fix(*row[1:11]), row[11])

    def _sweep(self, now: float) -> None:
        """Find devices whose state changes because nothing comes, and those heard of since it was last shown."""
        for device_id, seen in self._seen.items():
            state, heard = self._shown.get(device_id, ("", 0.0))
            if state != seen.state(now, self._patience) or seen.heard - heard > LAG:
                self._changed.add(device_id)

    def _write(self, conn: connection, now: float) -> None:
        changed = sorted(self._changed)
        shown = {}
        lines = io.StringIO()
        for device_id in changed:
            seen = self._seen[device_id]
            state = seen.state(now, self._patience)
            shown[device_id] = (state, seen.heard)
            if seen.fix is not None:
                lines.write(_line(seen, seen.fix, state))
        with conn.cursor() as cursor:
            if lines.tell():
                lines.seek(0)
                cursor.execute(_STAGE)
                cursor.copy_expert("COPY pg_temp.stage_board FROM STDIN", lines)
                cursor.execute(_MERGE)
            cursor.execute(_MARK, (now,))
        conn.commit()
        self._shown |= shown
        self._changed.difference_update(changed)

    def _connected(self) -> connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url)
            with self._connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._connection.commit()
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _line(seen: Seen, fix: Fix, state: str) -> str:
    """A line of COPY's text format."""
    acc = None if fix.status is None else bool(fix.status & ACC)
    device = seen.device
    values = (
        device.code, device.name, device.kind, device.department, state, _time(fix.time), _time(seen.heard), fix.lon,
        fix.lat, fix.speed, fix.heading, fix.altitude, acc, fix.alarms, fix.status, fix.mileage,
    )  # fmt: skip
    return "\t".join(map(_copied, values)) + "\n"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _copied(value: object) -> str:
    if value is None:
        return "\\N"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
