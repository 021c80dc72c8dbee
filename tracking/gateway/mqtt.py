"""OwnTracks over MQTT: positions from a broker, which is told that it may forget one only once it is stored.

The broker keeps the session (``clean_session`` off) and sends again what was not acknowledged, so neither its restart
nor ours loses a position; and it has only so many on their way at once, which bounds our memory. Who may publish as
whom is the broker's to say, by its passwords and access lists: see docs/terminals.md.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tracking.gateway.committing import GroupCommit, Work
from tracking.gateway.roster import Known, Roster
from tracking.gateway.session import Listener
from tracking.inputs.phones import owntracks
from tracking.inputs.values import InputRefused
from tracking.judging import clock_checked, may_keep
from tracking.model import Device, Stored
from tracking.storing import Quarantined

LOGGER = logging.getLogger("citymap")
#: Seconds between signs of life, and between tries while the database or the broker is away.
_KEEPALIVE, _PAUSE, _LONGEST_PAUSE = 30, 1.0, 30
#: Longest message that is looked at [bytes].
_LONGEST = 65_536


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and as whom to speak to it. ``topic`` has ``+`` where the device's number stands, first."""

    host: str
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: str | None = None
    topic: str = "owntracks/+/+"
    client_id: str = "citymap-gateway"


class MqttInput:
    """One connection to a broker. ``commit`` is asked to store what comes."""

    def __init__(self, broker: Broker, roster: Roster, commit: GroupCommit, listener: Listener) -> None:
        self._broker = broker
        self._roster = roster
        self._commit = commit
        self._listener = listener
        self._level = broker.topic.split("/").index("+")
        self._tasks: set[asyncio.Task[None]] = set()
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Take messages until cancelled."""
        loop = asyncio.get_running_loop()
        client = self._client(loop)
        client.connect_async(self._broker.host, self._broker.port, _KEEPALIVE)
        client.loop_start()
        try:
            await asyncio.Event().wait()
        finally:
            client.disconnect()
            await asyncio.to_thread(client.loop_stop)
            for task in self._tasks:
                task.cancel()

    def _client(self, loop: asyncio.AbstractEventLoop) -> Client:
        """Its callbacks run in a thread of the library."""
        broker = self._broker
        client = Client(
            CallbackAPIVersion.VERSION2, broker.client_id, clean_session=False, protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )  # fmt: skip
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        if broker.tls:
            client.tls_set_context(ssl.create_default_context(cafile=broker.ca_file))
        client.reconnect_delay_set(1, _LONGEST_PAUSE)
        place = f"{broker.host}:{broker.port}"

        def connected(_c: Client, _data: Any, _f: ConnectFlags, reason: ReasonCode, _p: Properties | None) -> None:
            if reason.is_failure:
                LOGGER.warning("the MQTT broker %s refuses the gateway: %s", place, reason)
                return
            client.subscribe(broker.topic, qos=1)

        def subscribed(_c: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _p: Properties | None) -> None:
            if any(reason.is_failure for reason in reasons):
                LOGGER.warning("the MQTT broker %s does not let the gateway subscribe to %s", place, broker.topic)
                return
            loop.call_soon_threadsafe(self.connected.set)

        def lost(_c: Client, _d: Any, _f: DisconnectFlags, reason: ReasonCode, _p: Properties | None) -> None:
            if reason.is_failure:
                LOGGER.warning("the MQTT broker %s has gone, trying again: %s", place, reason)

        def came(_c: Client, _data: Any, message: MQTTMessage) -> None:
            delivery = Delivery(client.ack, message.mid, message.qos)
            loop.call_soon_threadsafe(self._came, message.topic, bytes(message.payload), delivery)

        client.on_connect, client.on_subscribe = connected, subscribed
        client.on_disconnect, client.on_message = lost, came
        return client

    def _came(self, topic: str, payload: bytes, delivery: "Delivery") -> None:
        if delivery.qos == 0 and self._commit.full:
            return  # as a datagram: nobody was promised anything
        task = asyncio.get_running_loop().create_task(self._take(topic, payload, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take(self, topic: str, payload: bytes, delivery: "Delivery") -> None:
        known = await self._known(topic.split("/")[self._level])
        if known is None:
            LOGGER.info("a message on %s is of no device in use", topic[:100])
            delivery.done()
            return
        now = time.time()
        self._listener.heard(known.device, now)
        work = self._work(known.device, topic, payload, delivery, now)
        if work is None:
            delivery.done()
        else:
            self._commit.add(work)

    async def _known(self, code: str) -> Known | None:
        """The device, however long the database is away: what is not looked at is not acknowledged."""
        while True:
            try:
                return await self._roster.look_for(code)
            except Exception as error:
                LOGGER.warning("a device cannot be looked up: %s", str(error).split("\n")[0])
                await asyncio.sleep(_PAUSE)

    def _work(self, device: Device, topic: str, payload: bytes, delivery: "Delivery", now: float) -> Work | None:
        """What is to be stored of a message; None where nothing is."""
        try:
            if len(payload) > _LONGEST:
                raise InputRefused(f"the message has more than {_LONGEST} bytes")
            fix = owntracks(orjson.loads(payload))
        except (InputRefused, orjson.JSONDecodeError) as error:
            found = Quarantined("mqtt", topic[:200], device.code, str(error), payload)
            return Work(delivery, 0, 0, payload[:_LONGEST], bad=(found,))
        if fix is None or not may_keep(device, fix.time):
            return None
        return Work(delivery, 0, 0, payload, rows=[Stored(device, clock_checked(fix, now))])


class Delivery:
    """One message of the broker's, which it sends again until it is acknowledged."""

    def __init__(self, acknowledge: Callable[[int, int], Any], message: int, qos: int) -> None:
        self._acknowledge = acknowledge
        self._message = message
        self.qos = qos

    def done(self) -> None:
        """It need not be sent again."""
        self._acknowledge(self._message, self.qos)

    def stored(self, work: Work, wrong: bool) -> None:
        """It is on the disk."""
        self.done()

    def flush(self) -> None:
        """Nothing gathers here."""
