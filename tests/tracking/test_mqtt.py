"""OwnTracks over MQTT, with Mosquitto itself as the broker."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import text

from layers.database import Database
from tests.tracking.conftest import add_device
from tests.tracking.gateways import running
from tracking.gateway.committing import Work
from tracking.gateway.mqtt import Broker, MqttInput
from tracking.model import Device

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
USERS = ("gateway", "mqtt-1", "stranger")
CONFIG = """
listener {port} 127.0.0.1
allow_anonymous false
password_file {directory}/passwords
acl_file {directory}/acl
persistence false
"""
ACL = "user gateway\ntopic read owntracks/#\npattern write owntracks/%u/#\n"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if MOSQUITTO is None or shutil.which("mosquitto_passwd") is None:
        pytest.skip("Mosquitto is not installed (apt-get install mosquitto)")
    directory = tmp_path_factory.mktemp("mosquitto")
    directory.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (directory / "passwords").touch()
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", str(directory / "passwords"), user, f"{user}-secret"], check=True)
    (directory / "acl").write_text(ACL)
    (directory / "mosquitto.conf").write_text(CONFIG.format(port=port, directory=directory))
    (directory / "passwords").chmod(0o644)
    _readable(directory)
    with subprocess.Popen([MOSQUITTO, "-c", str(directory / "mosquitto.conf")], stderr=subprocess.DEVNULL) as process:
        _wait_for(port)
        yield Broker("127.0.0.1", port, "gateway", "gateway-secret")
        process.terminate()


def _readable(directory: Path) -> None:
    """Mosquitto gives up root's rights, and pytest's directories are its own."""
    for parent in directory.parents:
        if any(part.startswith("pytest-of-") for part in parent.parts):
            parent.chmod(0o755)


def _wait_for(port: int) -> None:
    until = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.05)


def publish(broker: Broker, user: str, *payloads: bytes, qos: int = 1, topic: str | None = None) -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(user, f"{user}-secret")
    client.connect(broker.host, broker.port)
    client.loop_start()
    for payload in payloads:
        client.publish(topic or f"owntracks/{user}/phone", payload, qos=qos).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def location(at: float, **more: Any) -> bytes:
    return json.dumps({"_type": "location", "lat": 30.4, "lon": 114.9, "tst": at, "vel": 20, **more}).encode()


class Took:
    """What stands in for storing: it keeps the works, and acknowledges them if it is to."""

    full = False

    def __init__(self, store: bool) -> None:
        self.store = store
        self.works: list[Work] = []

    def add(self, work: Work) -> None:
        self.works.append(work)
        if self.store:
            work.sender.stored(work, False)
            work.sender.flush()


async def take(broker: Broker, commit: Took, count: int, seconds: float = 10) -> list[float]:
    """The times of the fixes that come until there are so many, or time is up."""
    device = Device(1, "mqtt-1", "手机", None, "other")

    class Roster:
        async def look_for(self, code: str) -> object:
            return SimpleNamespace(device=device) if code == "mqtt-1" else None

    listener = SimpleNamespace(heard=lambda _device, _at: None)
    taking = MqttInput(broker, Roster(), commit, listener)  # type: ignore[arg-type]
    task = asyncio.ensure_future(taking.run())
    await asyncio.wait_for(taking.connected.wait(), 10)
    until = time.monotonic() + seconds
    while len(commit.works) < count and time.monotonic() < until:
        await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return sorted({row.fix.time for work in commit.works for row in work.rows})


def test_the_broker_sends_again_what_was_not_stored_and_nothing_else(broker: Broker) -> None:
    async def scenario() -> None:
        begin = time.time() // 1 - 500
        first, second, third = Took(store=False), Took(store=True), Took(store=True)
        await take(broker, first, 0)  # from here on the broker keeps what comes
        publishing = asyncio.to_thread(publish, broker, "mqtt-1", *(location(begin + n) for n in range(5)))
        _, times = await asyncio.gather(publishing, take(broker, first, 5))
        assert times == [begin + n for n in range(5)]  # they came, but were never stored
        assert await take(broker, second, 5) == times
        assert await take(broker, third, 1, seconds=1) == []

    asyncio.run(scenario())


def test_positions_are_stored_strangers_dropped_and_nonsense_kept_apart(
    broker: Broker, tracking_site: Database
) -> None:
    begin = time.time() // 1 - 100
    with tracking_site.transaction() as conn:
        device = add_device(conn, "mqtt-1")
    with running(tracking_site.url, broker=broker) as gateway:
        _wait_until(lambda: gateway.mqtt is not None and gateway.mqtt.connected.is_set())
        publish(broker, "mqtt-1", location(begin), b"{no json", b'{"_type": "lwt"}', location(begin + 1, lon="x"))
        publish(broker, "stranger", location(begin + 2))
        publish(broker, "stranger", location(begin + 3), topic="owntracks/mqtt-1/phone")  # the broker refuses it
        publish(broker, "mqtt-1", location(begin + 4), location(begin))

        def stored() -> list[float]:
            with tracking_site.transaction() as conn:
                query = text(
                    "SELECT extract(epoch FROM time)::float8 FROM tracking.positions WHERE device = :d ORDER BY 1"
                )
                return list(conn.execute(query, {"d": device.id}).scalars())

        _wait_until(lambda: stored() == [begin, begin + 4])
    assert stored() == [begin, begin + 4]
    with tracking_site.transaction() as conn:
        found = conn.execute(text("SELECT data FROM tracking.quarantine WHERE protocol = 'mqtt' ORDER BY id")).scalars()
        assert [bytes(data) for data in found] == [b"{no json", location(begin + 1, lon="x")]


def _wait_until(condition: Any) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)
