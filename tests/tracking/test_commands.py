"""What devices are told: bytes as the standard has them, a queue, and the terminal's answer in it."""

import struct
import time
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import Connection, text

from geoserver.errors import describe
from layers.access import Grant
from layers.database import Database
from layers.features import RowDenied
from tests.tracking.conftest import add_device, drive
from tests.tracking.gateways import running
from tests.tracking.terminal import Terminal
from tests.tracking.test_storing import act_as
from tracking.commands import MOST_WAITING, CommandRefused, TooManyCommands, enqueue, message_of, read_commands
from tracking.jt808 import terminal, uplink
from tracking.model import Device
from tracking.processes import command_device, device_commands, locate_device, send_text


def test_commands_are_the_bytes_of_the_standard() -> None:
    assert message_of("text", {"text": "到A", "emergency": True}, v2019=False) == (
        0x8300,
        b"\x0d" + "到A".encode("gbk"),
    )
    assert message_of("text", {"text": "A"}, v2019=True) == (0x8300, b"\x0c\x01A")
    assert message_of("locate", {}, v2019=True) == (0x8201, b"")
    assert message_of("follow", {"interval": 5, "seconds": 600}, v2019=True) == (0x8202, struct.pack(">HI", 5, 600))
    assert message_of("parameters", {"values": {"1": 60}}, v2019=True) == (
        0x8103,
        b"\x01" + struct.pack(">IBI", 1, 4, 60),
    )
    short = message_of("parameters", {"values": {"19": "鄂", "49": 300, "132": 2}}, v2019=True)  # a WORD and a BYTE
    assert short[1] == b"\x03" + struct.pack(">IB2sIBHIBB", 19, 2, "鄂".encode("gbk"), 49, 2, 300, 132, 1, 2)
    assert message_of("ask-parameters", {}, v2019=True) == (0x8104, b"")
    assert message_of("ask-parameters", {"ids": [1, 19]}, v2019=True) == (0x8106, struct.pack(">BII", 2, 1, 19))
    circle = message_of("circle", {"id": 7, "centre": [114.9, -30.4], "radius": 200, "speed": 40}, v2019=False)
    attributes = 0x02 | 0x08 | 0x20 | 0x40
    assert circle == (0x8600, struct.pack(">BBIHIIIHB", 1, 1, 7, attributes, 30_400_000, 114_900_000, 200, 40, 10))
    ring = [[114.0, 30.0], [114.1, 30.0], [114.1, 30.1]]
    number, body = message_of("polygon", {"id": 9, "ring": ring, "name": "区"}, v2019=True)
    assert (number, body[:8], len(body)) == (0x8604, struct.pack(">IHH", 9, 0x28, 3), 8 + 24 + 2 + 2)
    box = message_of("rectangle", {"id": 8, "box": [114.0, 30.0, 114.1, 30.2]}, v2019=False)
    assert box == (0x8602, struct.pack(">BBIHIIII", 1, 1, 8, 0x28, 30_200_000, 114_000_000, 30_000_000, 114_100_000))
    assert message_of("forget-areas", {"what": "rectangles"}, v2019=True) == (0x8603, b"\0")
    assert message_of("forget-areas", {"what": "routes", "ids": [1, 2]}, v2019=True) == (
        0x8607,
        struct.pack(">BII", 2, 1, 2),
    )
    for kind, words in (
        ("dance", {}),
        ("text", {}),
        ("parameters", {"values": 1}),
        ("parameters", {"values": {"132": 256}}),
        ("parameters", {"values": {"19": "长" * 128}}),
        ("ask-parameters", {"ids": [1] * 256}),
        ("circle", {"id": -1, "centre": [1, 2], "radius": 5}),
        ("text", {"text": "长" * 600}),
        ("polygon", {"id": 1, "ring": [[0, 0]]}),
    ):
        with pytest.raises(CommandRefused):
            message_of(kind, words, v2019=True)


def test_only_whoever_may_change_a_device_may_command_it(conn: Connection) -> None:
    device, other = add_device(conn), add_device(conn, "13900000002", department="water")
    act_as(conn, Grant("devices", frozenset({"read", "update"}), "internal", departments=("roads",)),
           Grant("devices", frozenset({"read"}), "internal"))  # fmt: skip
    assert send_text(conn, device.code, "你好").id
    assert [c.kind for c in device_commands(conn, device.code)] == ["text"]
    with pytest.raises(RowDenied) as refused:
        locate_device(conn, other.code)
    assert describe(refused.value)[0] == 403


def test_the_queue_of_a_device_is_bounded(conn: Connection) -> None:
    device = add_device(conn)
    for _ in range(MOST_WAITING):
        enqueue(conn, device, "locate", {})
    with pytest.raises(TooManyCommands):
        enqueue(conn, device, "locate", {})


def test_a_command_reaches_its_terminal_and_the_answer_the_queue(tracking_site: Database) -> None:
    code = "13700000001"
    with tracking_site.transaction() as conn:
        device = add_device(conn, code)
        first = send_text(conn, code, "请到人民路").id
    with running(tracking_site.url) as gateway:
        unit = Terminal(gateway.port, code)
        assert unit.authenticate(unit.register()[1]) == 0
        told = unit.wait_for(0x8300)  # it had waited for the terminal
        assert told.body[1:].decode("gbk") == "请到人民路"
        unit.send(uplink.GENERAL_REPLY, struct.pack(">HHB", told.serial, 0x8300, 0))
        with tracking_site.transaction() as conn:
            command_device(conn, code, "locate", {})
        asked = unit.wait_for(0x8201)
        fix = drive(time.time() // 1, 1)[0]
        unit.send(uplink.LOCATION_REPLY, struct.pack(">H", asked.serial) + terminal.location(fix))
        _until_answered(tracking_site, device, {"locate": 0, "text": 0})
        with tracking_site.transaction() as conn:
            assert read_commands(conn, device)[-1].id == first
            query = "SELECT count(*) FROM tracking.positions WHERE device = :d"
            assert conn.execute(text(query), {"d": device.id}).scalar() == 1
        # parameters, a rectangle, a route and a polygon of four parts: the terminal says no to one of them
        ring = [[114 + n / 1000, 30 + n % 2 / 1000] for n in range(500)]
        orders: dict[str, tuple[dict[str, Any], int]] = {
            "parameters": ({"values": {"1": 60, "19": "10.0.0.1"}}, 0x8103),
            "rectangle": ({"id": 8, "box": [114.0, 30.0, 114.1, 30.2]}, 0x8602),
            "route": ({"id": 9, "line": [[114.0, 30.0], [114.1, 30.2]], "width": 30}, 0x8606),
            "polygon": ({"id": 10, "ring": ring}, 0x8604),
        }
        with tracking_site.transaction() as conn:
            for kind, (words, _) in orders.items():
                command_device(conn, code, kind, words)
        for kind, (words, message) in orders.items():
            parts = [unit.wait_for(message)]
            parts += [unit.wait_for(message) for _ in range(parts[0].parts - 1)]
            assert [part.serial - parts[0].serial for part in parts] == [*range(len(parts))]
            assert b"".join(part.body for part in parts) == message_of(kind, words, v2019=False)[1]
            result = 1 if kind == "route" else 0
            unit.send(uplink.GENERAL_REPLY, struct.pack(">HHB", parts[-1].serial, message, result))
        assert len(parts) == 4
        results = {**dict.fromkeys(orders, 0), "route": 1, "locate": 0, "text": 0}
        _until_answered(tracking_site, device, results)
        with tracking_site.transaction() as conn:
            command_device(conn, code, "ask-parameters", {"ids": [1, 19]})
        asked = unit.wait_for(0x8106)
        listed = message_of("parameters", {"values": {"1": 60, "19": "10.0.0.1"}}, v2019=False)[1]
        unit.send(uplink.PARAMETERS, struct.pack(">H", asked.serial) + listed)
        _until_answered(tracking_site, device, {**results, "ask-parameters": 0})
        with tracking_site.transaction() as conn:
            assert device_commands(conn, code)[0].answer == {"1": 60, "19": "10.0.0.1"}
            kept = conn.execute(text("SELECT data FROM tracking.notes WHERE device = :d"), {"d": device.id}).scalar()
            assert bytes(kept or b"")[2:] == listed
        unit.close()


def _until_answered(site: Database, device: Device, results: Mapping[str, int]) -> None:
    until = time.monotonic() + 15
    while True:
        with site.transaction() as conn:
            found = {c.kind: c.result for c in read_commands(conn, device)}
        if found == results:
            return
        assert time.monotonic() < until, found
        time.sleep(0.1)
