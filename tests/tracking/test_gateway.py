"""The gateway as terminals meet it: who may speak, when it answers, and what is then in the tables."""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from geoserver.database_roles import role_url
from layers.access import APP_ROLE
from layers.database import Database
from tests.tracking.conftest import drive
from tests.tracking.gateways import add_devices, running
from tests.tracking.terminal import Terminal
from tracking.gateway.committing import GroupCommit, Work
from tracking.gateway.running import Gateway, within
from tracking.gateway.server import Bounds
from tracking.jt808 import terminal, uplink
from tracking.jt808.frames import Message, cut, write_frame
from tracking.model import Fix, Stored
from tracking.storing import Quarantined, cursor_of, store
from tracking.tracks import read_device


@pytest.fixture(scope="module")
def site(tracking_site: Database) -> Database:
    database = tracking_site
    add_devices(database, 30)
    with database.transaction() as conn:
        conn.execute(
            text("UPDATE city.devices SET plate = '鄂A12345', terminal = 'T000001' WHERE code = '13900000002'")
        )
        conn.execute(text("UPDATE city.devices SET person = true, duty = 'Mon 00:00-00:01' WHERE code = '13900000003'"))
        conn.execute(text("UPDATE city.devices SET enabled = false WHERE code = '13900000004'"))
    return database


@pytest.fixture(scope="module")
def gateway(site: Database) -> Iterator[Gateway]:
    with running(site.url) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def _hung_up() -> Iterator[None]:
    yield
    while Terminal.opened:
        Terminal.opened.pop().close()


def joined(gateway: Gateway, code: str, **more: object) -> Terminal:
    """A terminal that has registered and proved who it is."""
    made = Terminal(gateway.port, code, **more)  # type: ignore[arg-type]
    result, secret = made.register()
    assert result == 0
    assert made.authenticate(secret) == 0
    return made


def rows(site: Database, code: str) -> list[tuple[float, float]]:
    with site.transaction() as conn:
        found = conn.execute(
            text("SELECT extract(epoch FROM time)::float8, ST_X(geom) FROM tracking.positions"
                 " WHERE device = (SELECT id FROM city.devices WHERE code = :code) ORDER BY time, variant"), {"code": code},
        )  # fmt: skip
        return [tuple(row) for row in found]


def eventually(condition: Callable[[], object], seconds: float = 8) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.parametrize(("layout", "udp"), [(2013, False), (2019, False), (2013, True)])
def test_what_is_answered_is_stored(gateway: Gateway, site: Database, layout: int, udp: bool) -> None:
    code = f"139000000{10 + layout - 2013 + udp}"
    device = joined(gateway, code, layout=layout, udp=udp)
    fixes = drive(time.time() // 1 - 300, 20)
    device.report(*fixes)
    answers = [device.answer() for _ in fixes]
    assert [a[1:] for a in answers] == [(0x0200, 0)] * 20
    assert len({a[0] for a in answers}) == 20
    assert rows(site, code) == [(fix.time, fix.lon) for fix in fixes]


def test_what_is_sent_twice_is_answered_twice_and_stored_once(gateway: Gateway, site: Database) -> None:
    device = joined(gateway, "13900000013")
    fixes = drive(time.time() // 1 - 300, 5)
    for _ in range(2):
        device.report(*fixes)
        assert [device.answer()[2] for _ in fixes] == [0] * 5
    device.send(uplink.BATCH, terminal.batch(fixes[::-1]))
    assert device.answer()[1:] == (0x0704, 0)
    assert len(rows(site, device.code)) == 5


def test_strangers_and_wrong_codes_are_answered_with_failure_and_nothing_is_stored(
    gateway: Gateway, site: Database
) -> None:
    stranger = Terminal(gateway.port, "13911111111")
    assert stranger.register() == (4, "")
    assert stranger.authenticate("0" * 32) == 1
    stranger.report(*drive(time.time() - 100, 1))
    assert stranger.answer()[2] == 1
    known = Terminal(gateway.port, "13900000014")
    known.report(*drive(time.time() - 100, 1))
    assert known.answer()[2] == 1
    for _ in range(4):
        assert known.authenticate("f" * 32) == 1
    known.send(uplink.AUTHENTICATE, b"g" * 32)
    eventually(lambda: known.socket.recv(4096) == b"")  # hung up after so many
    assert rows(site, "13900000014") == []


def test_a_terminal_may_not_speak_for_another(gateway: Gateway, site: Database) -> None:
    device = joined(gateway, "13900000015")
    device.code = "13900000005"
    device.report(*drive(time.time() - 100, 1))
    assert device.answer()[2] == 1
    assert rows(site, "13900000005") == []


def test_a_device_that_was_entered_a_moment_ago_is_let_in(gateway: Gateway, site: Database) -> None:
    with site.transaction() as conn:
        conn.execute(text("INSERT INTO city.devices (code, name) VALUES ('13955555555', 'x')"))
    time.sleep(1.1)
    joined(gateway, "13955555555")


def test_registration_looks_at_plate_and_terminal_and_whether_the_device_is_enabled(gateway: Gateway) -> None:
    assert Terminal(gateway.port, "13900000002").register("鄂A12345")[0] == 0
    assert Terminal(gateway.port, "13900000002").register("鄂B99999") == (2, "")
    assert Terminal(gateway.port, "13900000002").register("鄂A12345", "T000009") == (4, "")
    assert Terminal(gateway.port, "13900000004").register() == (4, "")


def test_registering_again_gives_a_new_code_and_ends_the_old_one(gateway: Gateway) -> None:
    device = Terminal(gateway.port, "13900000017")
    codes = [device.register()[1] for _ in range(4)]
    assert device.authenticate(codes[0]) == 1
    assert device.authenticate(codes[3]) == 0


def test_messages_behind_the_authentication_in_one_packet_wait_for_it(gateway: Gateway, site: Database) -> None:
    device = Terminal(gateway.port, "13900000018")
    _, code = device.register()
    fixes = drive(time.time() // 1 - 300, 3)
    packet = device.frame(uplink.AUTHENTICATE, terminal.authentication(code))
    packet += b"".join(device.frame(uplink.LOCATION, terminal.location(fix)) for fix in fixes)
    device.socket.sendall(packet)
    assert [device.answer()[1:] for _ in range(4)] == [(0x0102, 0)] + [(0x0200, 0)] * 3
    assert len(rows(site, device.code)) == 3


def test_a_batch_in_parts_is_answered_part_by_part_once_all_is_stored(gateway: Gateway, site: Database) -> None:
    device = joined(gateway, "13900000019")
    fixes = drive(time.time() // 1 - 3000, 120)
    parts = cut(Message(uplink.BATCH, device.code, 100, terminal.batch(fixes)))
    assert len(parts) == 4
    for part in (parts[0], parts[1], parts[3]):
        device.socket.sendall(write_frame(part))
    asked = device.wait_for(0x8003)
    assert struct.unpack(">HBH", asked.body) == (100, 1, 3)  # part 3 of the message that began with 100
    assert rows(site, device.code) == []
    device.socket.sendall(write_frame(parts[2]))
    assert sorted(device.answer() for _ in parts) == [(n, 0x0704, 0) for n in (100, 101, 102, 103)]
    assert len(rows(site, device.code)) == 120


def test_an_unreadable_body_is_kept_with_its_bytes_and_answered_as_wrong(gateway: Gateway, site: Database) -> None:
    device = joined(gateway, "13900000020")
    frame = device.frame(uplink.LOCATION, b"\x01\x02\x03")
    device.socket.sendall(frame)
    assert device.answer() == (device.serial, 0x0200, 2)
    damaged = bytearray(device.frame(uplink.LOCATION, terminal.location(drive(time.time(), 1)[0])))
    damaged[20] ^= 1
    device.socket.sendall(bytes(damaged))
    device.send(uplink.HEARTBEAT)
    assert device.answer()[1:] == (0x0002, 0)  # the damaged one is answered by nobody
    eventually(lambda: len(_quarantine(site)) >= 2)
    kept = _quarantine(site)
    assert (frame[1:-1], "13900000020") in [(bytes(data), code) for _, data, code in kept]
    assert any("checksum" in reason and bytes(data) == bytes(damaged[1:-1]) for reason, data, _ in kept)


def _quarantine(site: Database) -> list[tuple[str, bytes, str]]:
    with site.transaction() as conn:
        return [
            tuple(r) for r in conn.execute(text("SELECT reason, data, device FROM tracking.quarantine ORDER BY id"))
        ]


def test_a_fix_that_the_table_refuses_does_not_keep_the_others_from_it(gateway: Gateway, site: Database) -> None:
    with site.transaction() as conn:
        conn.execute(
            text("ALTER TABLE tracking.positions ADD CONSTRAINT poison CHECK (speed IS NULL OR speed < 900) NOT VALID")
        )
    try:
        device = joined(gateway, "13900000021")
        fixes = drive(time.time() // 1 - 300, 30)
        fixes[7] = fixes[7]._replace(speed=999.0)
        device.report(*fixes)
        results = sorted(device.answer()[2] for _ in fixes)
        assert results == [0] * 29 + [2]
        assert [t for t, _ in rows(site, device.code)] == [f.time for n, f in enumerate(fixes) if n != 7]
    finally:
        with site.transaction() as conn:
            conn.execute(text("ALTER TABLE tracking.positions DROP CONSTRAINT poison"))


class Told:
    """What a sender hears of its works."""

    def __init__(self) -> None:
        self.wrong: list[bool] = []

    def stored(self, work: Work, wrong: bool) -> None:
        self.wrong.append(wrong)

    def flush(self) -> None:
        """Nothing gathers."""


def test_a_value_that_cannot_be_written_at_all_ends_no_gateway(site: Database) -> None:
    """Whatever a reader lets through by mistake: it goes into quarantine, and the others into the table."""
    fixes = drive(time.time() // 1 - 30_000, 5)
    fixes[1] = fixes[1]._replace(more={"x": 2**70})
    fixes[3] = fixes[3]._replace(altitude=10**9)
    bad = Quarantined("jt808", None, "a\0b", "a reason with \0", b"bytes")
    with site.transaction() as conn:
        device = read_device(conn, "13900000029")
    told = Told()

    async def commits() -> None:
        commit = GroupCommit(role_url(site.url, APP_ROLE), lambda works: None)
        for n, fix in enumerate(fixes):
            commit.add(Work(told, 0x0200, n, b"frame %d" % n, rows=[Stored(device, fix)]))
        commit.add(Work(told, 0x0200, 9, b"frame 9", bad=[bad]))
        running = asyncio.create_task(commit.run())
        await commit.drain(20)
        running.cancel()
        commit.close()

    asyncio.run(commits())
    assert told.wrong == [False, True, False, True, False, False]
    assert [at for at, _ in rows(site, device.code)] == [fixes[n].time for n in (0, 2, 4)]
    kept = [(bytes(data), code) for _, data, code in _quarantine(site)]
    assert {(b"frame 1", device.code), (b"frame 3", device.code), (b"bytes", "a\N{REPLACEMENT CHARACTER}b")} <= {*kept}


def test_a_person_off_duty_is_answered_and_not_kept(gateway: Gateway, site: Database) -> None:
    device = joined(gateway, "13900000003")
    device.report(*drive(time.time() // 1 - 300, 3))
    assert [device.answer()[2] for _ in range(3)] == [0] * 3
    assert rows(site, device.code) == []


def test_doubtful_fixes_are_kept_and_move_nothing(gateway: Gateway, site: Database) -> None:
    device = joined(gateway, "13900000022")
    now = time.time() // 1
    good = Fix(now - 60, 114.9, 30.4, 30.0, 90, 10, 0, 3)
    odd = [
        good._replace(time=now - 50, lon=0.0, lat=0.0),
        good._replace(time=now - 40, status=1, lon=114.5),
        good._replace(time=now + 4000, lon=114.6),
        good._replace(time=now - 30, lon=120.0),
    ]
    device.report(good, *odd)
    assert [device.answer()[2] for _ in range(5)] == [0] * 5
    assert len(rows(site, device.code)) == 5
    eventually(lambda: _position(site, device.code) is not None)
    time.sleep(1.2)
    assert _position(site, device.code) == (114.9, "moving")
    newer = good._replace(time=now - 20, lon=114.901, speed=0.0)
    device.report(newer)
    eventually(lambda: _position(site, device.code) == (114.901, "idle"))


def _position(site: Database, code: str) -> tuple[float, str] | None:
    with site.transaction() as conn:
        found = conn.execute(
            text("SELECT ST_X(geom), state FROM city.positions WHERE device = :c"), {"c": code}
        ).first()
        return tuple(found) if found else None


def test_late_reports_move_no_vehicle_back(gateway: Gateway, site: Database) -> None:
    device = joined(gateway, "13900000023")
    fixes = drive(time.time() // 1 - 400, 40)
    device.report(fixes[-1])
    eventually(lambda: _position(site, device.code) == (fixes[-1].lon, "moving"))
    device.send(uplink.BATCH, terminal.batch(fixes[:-1]))
    assert device.answer()[2] == 0
    time.sleep(1.5)
    assert _position(site, device.code) == (fixes[-1].lon, "moving")
    assert len(rows(site, device.code)) == 40


def test_a_gateway_that_starts_again_shows_what_was_stored_before_it_ended(site: Database) -> None:
    with site.transaction() as conn:
        conn.execute(text("DELETE FROM city.positions WHERE device = '13900000024'"))
    fixes = drive(time.time() // 1 - 100, 3)
    with site.transaction() as conn, cursor_of(conn) as cursor:
        store(cursor, [Stored(read_device(conn, "13900000024"), fix) for fix in fixes], time.time())
    with running(site.url):
        eventually(lambda: _position(site, "13900000024") == (fixes[-1].lon, "moving"))


def test_logging_out_ends_the_right_to_speak(gateway: Gateway) -> None:
    device = joined(gateway, "13900000025")
    device.send(uplink.LOGOUT)
    assert device.answer()[1:] == (0x0003, 0)
    device.send(uplink.HEARTBEAT)
    assert device.answer()[2] == 1


def test_silent_and_unknown_connections_are_closed_and_too_many_refused(site: Database) -> None:
    bounds = Bounds(connections=5, stranger=1.0, silent=2.0)
    with running(site.url, bounds) as gateway:
        device = joined(gateway, "13900000026")
        strangers = [Terminal(gateway.port, "1") for _ in range(6)]
        assert strangers[-1].socket.recv(100) == b""
        begun = time.monotonic()
        assert strangers[0].socket.recv(100) == b""
        assert 0.5 < time.monotonic() - begun < 6
        assert device.socket.recv(100) == b""  # half open: it says nothing any more
        eventually(lambda: not gateway.lines.tcp)


def test_connections_are_as_many_as_the_machine_has_files_for_and_it_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert within(Bounds(connections=9_000), 20_000).connections == 9_000 and not caplog.records
    assert within(Bounds(connections=30_000, silent=7.0), 20_000) == Bounds(connections=19_500, silent=7.0)
    assert "19500 connections at once, not 30000" in caplog.text


def test_a_terminal_that_takes_no_answers_is_read_no_more_and_dropped(site: Database) -> None:
    with running(site.url, Bounds(stalled=1.0)) as gateway:
        slow, quick = joined(gateway, "13900000027"), joined(gateway, "13900000028")
        slow.socket.settimeout(1)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        packet = b"".join(slow.frame(uplink.HEARTBEAT) for _ in range(2000))
        with pytest.raises(OSError):
            for _ in range(2000):  # the kernel's buffers fill: nobody reads the answers
                slow.socket.sendall(packet)
        quick.report(*drive(time.time() // 1 - 100, 1))
        assert quick.answer()[2] == 0
        eventually(lambda: len(gateway.lines.tcp) == 1, 15)


def test_without_registration_only_given_codes_let_in(site: Database) -> None:
    with running(site.url, registration=False) as gateway:
        assert Terminal(gateway.port, "13900000029").register() == (4, "")


def test_while_positions_cannot_be_stored_nothing_is_answered_and_reading_stops(site: Database) -> None:
    """Somebody holds a lock on the table: the same as a database that is away, seen from here."""
    with running(site.url) as gateway:
        gateway.commit._high = 300
        device = joined(gateway, "13900000030")
        raw = site.engine.raw_connection()
        try:
            raw.cursor().execute("LOCK TABLE tracking.positions IN ACCESS EXCLUSIVE MODE")
            fixes = drive(time.time() // 1 - 60_000, 4000, step=10.0)
            sender = threading.Thread(target=device.report, args=fixes, daemon=True)
            sender.start()
            eventually(lambda: gateway.lines.paused, 60)
            assert device.read(0.5) == []
            assert len(gateway.commit._waiting) < 300 + 65_536 // 40
        finally:
            raw.rollback()
            raw.close()
        for _ in fixes:
            assert device.answer(20)[2] == 0
        assert len(rows(site, device.code)) == 4000
        assert not gateway.lines.paused


def _alarms(site: Database, code: str) -> list[tuple[object, ...]]:
    with site.transaction() as conn:
        return [tuple(row) for row in conn.execute(
            text("SELECT kind, extract(epoch FROM began)::float8, extract(epoch FROM ended)::float8, late, state"
                 " FROM city.alarms WHERE device = :c ORDER BY began, kind"), {"c": code})]  # fmt: skip


def test_alarms_come_into_their_layer_once_even_after_a_restart_and_late_ones_are_marked(site: Database) -> None:
    code = "13900000006"
    begin = time.time() // 1 - 400
    fixes = drive(begin, 40, lon=114.0)
    edges = f"ST_MakeEnvelope({fixes[9].lon + 1e-5}, 30.3, {fixes[20].lon + 1e-5}, 30.5, 4490)"
    with site.transaction() as conn:
        conn.execute(text("INSERT INTO city.geofences (geom, name, watch, devices)"
                          f" VALUES ({edges}, '院子', '{{enter,leave}}', '{{{code}}}')"))  # fmt: skip
        # what somebody drew or entered by mistake must not end the gateway
        conn.execute(text("INSERT INTO city.geofences (geom, name, watch, hysteresis)"
                          " VALUES ('SRID=4490;POLYGON EMPTY', '空', '{enter}', 30)"))  # fmt: skip
        conn.execute(text("UPDATE city.devices SET maintenance = 'NaN' WHERE code = :c"), {"c": code})
    expected = [
        ("enter", begin + 100, begin + 100),
        ("leave", begin + 210, begin + 210),
        ("sos", begin + 300, begin + 310),
    ]
    fixes[30] = fixes[30]._replace(alarms=1)
    with running(site.url) as gateway:
        device = joined(gateway, code)
        device.report(*fixes[:15])
        eventually(lambda: [a[0] for a in _alarms(site, code)] == ["enter"])
    with running(site.url) as gateway:
        device = joined(gateway, code)
        device.report(*fixes[:35])  # much of it again
        eventually(lambda: len(_alarms(site, code)) == 3)
        assert _alarms(site, code) == [(*alarm, False, "new") for alarm in expected]
    with site.transaction() as conn:
        conn.execute(text("UPDATE city.geofences SET devices = '{13900000007}' WHERE name = '院子'"))
    with running(site.url) as gateway:
        device = joined(gateway, "13900000007")
        device.report(*fixes[:5], *fixes[25:29])
        eventually(lambda: _position(site, "13900000007") is not None)
        device.send(uplink.BATCH, terminal.batch(fixes[5:25]))
        assert device.answer()[2] == 0
        eventually(lambda: len(_alarms(site, "13900000007")) == 2)
        assert _alarms(site, "13900000007") == [(*alarm, True, "new") for alarm in expected[:2]]
