"""A terminal for tests: a socket that registers, authenticates, reports, and hears what it is answered."""

import socket
import struct
import time
from typing import ClassVar

from tracking.jt808 import terminal, uplink
from tracking.jt808.frames import Message, Splitter, cut, read_frame, write_frame
from tracking.model import Fix


class Terminal:
    #: Those of the test that runs.
    opened: "ClassVar[list[Terminal]]" = []

    def __init__(self, port: int, code: str, *, layout: int = 2013, udp: bool = False) -> None:
        self.code, self.layout = code, layout
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.serial = 0
        self._splitter = Splitter()
        self.inbox: list[Message] = []
        self.opened.append(self)

    def frame(self, message: int, body: bytes = b"") -> bytes:
        """The bytes of a message, perhaps of several parts; ``serial`` is that of its first."""
        parts = cut(Message(message, self.code, (self.serial + 1) & 0xFFFF, body, self.layout))
        self.serial = parts[-1].serial
        return b"".join(map(write_frame, parts))

    def send(self, message: int, body: bytes = b"") -> int:
        self.socket.sendall(self.frame(message, body))
        return self.serial

    def read(self, seconds: float = 10) -> list[Message]:
        """What came since, at least one message unless time is up."""
        self.socket.settimeout(seconds)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            return []
        return [read_frame(frame) for frame in self._splitter.feed(data)]

    def wait_for(self, *ids: int, seconds: float = 10) -> Message:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for n, message in enumerate(self.inbox):
                if message.id in ids:
                    return self.inbox.pop(n)
            self.inbox += self.read(max(0.05, until - time.monotonic()))
        raise TimeoutError(f"none of {[hex(i) for i in ids]} came")

    def answer(self, seconds: float = 10) -> tuple[int, int, int]:
        """Serial, id and result of the next general reply."""
        return struct.unpack(">HHB", self.wait_for(0x8001, seconds=seconds).body)

    def register(self, plate: str = "", number: str = "T000001") -> tuple[int, str]:
        """The result, and the code."""
        serial = self.send(uplink.REGISTER, terminal.registration(plate, number, v2019=self.layout == 2019))
        body = self.wait_for(0x8100).body
        assert int.from_bytes(body[:2]) == serial
        return body[2], body[3:].decode()

    def authenticate(self, code: str) -> int:
        self.send(uplink.AUTHENTICATE, terminal.authentication(code, v2019=self.layout == 2019))
        return self.answer()[2]

    def report(self, *fixes: Fix) -> int:
        """Serial of the last report."""
        self.socket.sendall(b"".join(self.frame(uplink.LOCATION, terminal.location(fix)) for fix in fixes))
        return self.serial

    def close(self) -> None:
        self.socket.close()
