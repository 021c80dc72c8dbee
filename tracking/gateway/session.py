"""What one connection of JT/T 808 terminals means: who may speak, what is stored, what is answered.

No socket here: :meth:`Session.receive` takes bytes, and ``send`` of the :class:`Line` gives some back.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Protocol

from tracking.gateway.committing import GroupCommit, Work
from tracking.gateway.roster import Roster, Secrets
from tracking.jt808 import uplink
from tracking.jt808.downlink import (
    PLATFORM_REPLY,
    REGISTER_REPLY,
    RESEND,
    Registered,
    Result,
    general_reply,
    register_reply,
    resend,
)
from tracking.jt808.errors import BodyRefused, FrameRefused
from tracking.jt808.frames import Message, Splitter, cut, read_frame, write_frame
from tracking.jt808.parameters import Values
from tracking.jt808.subpackages import Merger
from tracking.judging import clock_checked, may_keep
from tracking.model import Device, Stored
from tracking.storing import Note, Quarantined

LOGGER = logging.getLogger("citymap")
#: Frames that are kept for people to look at, of one connection; failed authentications after which it is closed.
_MOST_BAD, _MOST_BAD_OF_STRANGERS, _MOST_FAILURES = 20, 2, 5
#: Terminals that may speak over one connection (a forwarder), and messages that wait while a code is looked up.
_MOST_DEVICES, _MOST_WAITING = 256, 500


class Line(Protocol):
    """The way back to the terminal."""

    address: str

    def send(self, data: bytes) -> None:
        """Send, if there is still somebody."""

    def hang_up(self) -> None:
        """End the connection."""


class Listener(Protocol):
    """Who hears what is not stored as a position: that a device lives, and that it answered a command."""

    def heard(self, device: Device, at: float) -> None:
        """A device said something."""

    def answered(self, device: Device, serial: int, result: int, told: Values | None = None) -> None:
        """A device answered the message of ours that had this serial, perhaps with values."""

    def joined(self, device: Device, session: "Session") -> None:
        """A device has proved who it is over this connection."""

    def left(self, device: Device, session: "Session") -> None:
        """It has gone."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every session of a gateway works with; ``now`` gives Unix time [s]."""

    roster: Roster
    secrets: Secrets
    commit: GroupCommit
    listener: Listener
    now: Callable[[], float] = time.time


class Session:
    """One connection."""

    def __init__(self, line: Line, around: Surroundings) -> None:
        self._line = line
        self._around = around
        self._splitter = Splitter()
        self._merger = Merger()
        self._devices: dict[str, Device] = {}
        self._layouts: dict[str, int] = {}
        self._asking: asyncio.Task[None] | None = None
        self._waiting: list[tuple[Message, bytes, int]] = []
        self._out: list[bytes] = []
        self._serial = 0
        self._bad = self._failures = 0
        self.last = around.now()

    @property
    def proved(self) -> bool:
        """Whether any device has proved who it is."""
        return bool(self._devices)

    def receive(self, data: bytes) -> None:
        """Bytes that came."""
        self.last = self._around.now()
        for frame in self._splitter.feed(data):
            self._frame(frame)
        self.flush()

    def datagram(self, data: bytes) -> None:
        """A datagram that came."""
        self.receive(data)

    def stored(self, work: Work, wrong: bool) -> None:
        """Answer a message that is on the disk now."""
        if work.message in (uplink.LOCATION_REPLY, uplink.VEHICLE_REPLY, uplink.PARAMETERS, uplink.PROPERTIES, 0):
            return  # they are answers themselves
        code = work.rows[0].device.code if work.rows else _code_of(work)
        if code is not None:
            for n in range(work.parts):
                serial = (work.serial + n) & 0xFFFF
                self._reply(code, serial, work.message, Result.WRONG if wrong or work.wrong else Result.DONE)

    def flush(self) -> None:
        """Send what has gathered."""
        if self._out:
            self._line.send(b"".join(self._out))
            self._out.clear()

    def tell(self, code: str, message: int, body: bytes) -> list[int]:
        """Send a message of ours to a device, in parts if it is long: the serials, one of which it will answer."""
        parts = cut(Message(message, code, (self._serial + 1) & 0xFFFF, body, self._layouts.get(code, 2013)))
        self._out += map(write_frame, parts)
        self._serial = parts[-1].serial
        self.flush()
        return [part.serial for part in parts]

    def layout(self, code: str) -> int:
        """2013 or 2019, as the device speaks."""
        return self._layouts.get(code, 2013)

    def close(self) -> None:
        """The connection has ended."""
        if self._asking is not None:
            self._asking.cancel()
        self._waiting.clear()
        for device in self._devices.values():
            self._around.listener.left(device, self)
        self._devices.clear()

    def _frame(self, frame: bytes) -> None:
        try:
            message = read_frame(frame)
        except FrameRefused as error:
            self._quarantine(None, str(error), frame)
            return
        whole = self._merger.merge(message, self.last)
        if whole is None:
            self._ask_again(message)
        elif self._asking is None:
            self._take(whole, frame, message.parts)
        elif len(self._waiting) < _MOST_WAITING:
            self._waiting.append((whole, frame, message.parts))

    def _ask_again(self, message: Message) -> None:
        """After the last part of a message, ask for those that did not come. No part is answered before all are
        stored: a terminal would not send it again."""
        if message.part == message.parts and message.device in self._devices:
            first = (message.serial - message.part + 1) & 0xFFFF
            if missing := self._merger.missing(message):
                body = resend(first, missing)
                again = Message(RESEND, message.device, self._next_serial(), body, message.layout)
                self._out.append(write_frame(again))

    def _take(self, message: Message, frame: bytes, parts: int = 1) -> None:
        if len(self._layouts) < _MOST_DEVICES or message.device in self._layouts:
            self._layouts[message.device] = message.layout
        try:
            said = uplink.read_message(message)
        except BodyRefused as error:
            self._refuse(message, str(error), frame)
            return
        match said:
            case uplink.Registration():
                self._ask(self._register(message, said))
            case uplink.Authentication():
                self._ask(self._authenticate(message, said.code))
            case uplink.Unknown():
                self._reply(message.device, message.serial, message.id, Result.NOT_SUPPORTED)
            case _:
                device = self._devices.get(message.device)
                if device is None:
                    self._reply(message.device, message.serial, message.id, Result.FAILED)
                    return
                self._around.listener.heard(device, self.last)
                self._said(device, message, said, Work(self, message.id, message.serial, frame, parts))

    def _said(self, device: Device, message: Message, said: uplink.Said, work: Work) -> None:
        match said:
            case uplink.Locations(fixes, answers, refused):
                kept = (fix for fix in fixes if may_keep(device, fix.time))
                work.rows = [Stored(device, clock_checked(fix, self.last)) for fix in kept]
                work.bad = [self._bad_item(device.code, item) for item in refused]
                if answers is not None:
                    self._around.listener.answered(device, answers, Result.DONE)
                if work.rows or work.bad:
                    self._around.commit.add(work)
                elif answers is None:  # off duty: nothing is kept, and nothing need be sent again
                    self._reply(device.code, message.serial, message.id, Result.DONE)
            case uplink.Note(kind, data, answers, told):
                if answers is not None:
                    self._around.listener.answered(device, answers, Result.DONE, told)
                work.notes = (Note(device, self.last, kind, data),)
                self._around.commit.add(work)
            case uplink.Reply(serial, _, result):
                self._around.listener.answered(device, serial, result)
            case uplink.Plain("logout"):
                self._reply(device.code, message.serial, message.id, Result.DONE)
                del self._devices[device.code]
                self._around.listener.left(device, self)
            case _:
                self._reply(device.code, message.serial, message.id, Result.DONE)

    async def _register(self, message: Message, said: uplink.Registration) -> None:
        known = await self._around.roster.look_for(message.device)
        issue = self._around.secrets.issue
        if issue is None or known is None or (known.terminal and said.terminal and known.terminal != said.terminal):
            self._answer_registration(message, Registered.NO_TERMINAL)
        elif known.plate and said.plate and known.plate != said.plate:
            self._answer_registration(message, Registered.NO_VEHICLE)
        else:
            code = await asyncio.to_thread(issue, message.device)
            self._answer_registration(message, Registered.DONE, code)

    async def _authenticate(self, message: Message, code: str) -> None:
        known = await self._around.roster.look_for(message.device)
        good = known is not None and await asyncio.to_thread(self._around.secrets.verify, message.device, code)
        if known is not None and good and len(self._devices) < _MOST_DEVICES:
            self._devices[message.device] = known.device
            self._around.listener.joined(known.device, self)
            self._reply(message.device, message.serial, message.id, Result.DONE)
            return
        self._failures += 1
        self._reply(message.device, message.serial, message.id, Result.FAILED)
        if self._failures >= _MOST_FAILURES:
            self.flush()
            self._line.hang_up()

    def _ask(self, question: Coroutine[None, None, None]) -> None:
        """Answer this before any later message of the connection is looked at."""

        async def ask() -> None:
            try:
                await question
            except Exception as error:
                LOGGER.warning("a device's code cannot be looked up: %s", str(error).split("\n")[0])
                self._line.hang_up()  # it comes again
                return
            self._asking = None
            waiting, self._waiting = self._waiting, []
            for n, each in enumerate(waiting):
                self._take(*each)
                if self._asking is not None:
                    self._waiting = waiting[n + 1 :] + self._waiting
                    break
            self.flush()

        self._asking = asyncio.get_running_loop().create_task(ask())

    def _refuse(self, message: Message, reason: str, frame: bytes) -> None:
        """A body that is none is kept, and answered as wrong when it is, so that it is not sent for ever."""
        if message.device not in self._devices:
            self._reply(message.device, message.serial, message.id, Result.FAILED)
            return
        found = Quarantined("jt808", self._line.address, message.device, reason, frame)
        self._around.commit.add(Work(self, message.id, message.serial, frame, bad=(found,), wrong=True))

    def _quarantine(self, code: str | None, reason: str, frame: bytes) -> None:
        """A frame that is none is kept, some of each connection; nobody is answered, for nobody knows whom."""
        self._bad += 1
        if self._bad <= (_MOST_BAD if self._devices else _MOST_BAD_OF_STRANGERS):
            found = Quarantined("jt808", self._line.address, code, reason, frame)
            self._around.commit.add(Work(self, 0, 0, frame, bad=(found,)))

    def _bad_item(self, code: str, item: bytes) -> Quarantined:
        return Quarantined("jt808", self._line.address, code, "an item of a batch is no position report", item)

    def _answer_registration(self, message: Message, result: Registered, code: str = "") -> None:
        body = register_reply(message.serial, result, code)
        self._out.append(
            write_frame(Message(REGISTER_REPLY, message.device, self._next_serial(), body, message.layout))
        )

    def _reply(self, code: str, serial: int, message: int, result: Result) -> None:
        body = general_reply(serial, message, result)
        self._out.append(
            write_frame(Message(PLATFORM_REPLY, code, self._next_serial(), body, self._layouts.get(code, 2013)))
        )

    def _next_serial(self) -> int:
        self._serial = (self._serial + 1) & 0xFFFF
        return self._serial


def _code_of(work: Work) -> str | None:
    if work.notes:
        return work.notes[0].device.code
    return work.bad[0].device if work.bad else None
