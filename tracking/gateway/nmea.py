"""What one connection of an NMEA 0183 receiver means: who speaks, and what is stored of it.

The receiver begins with ``$PCTM,<device>,<secret>``. Other than the standard has it, it is told what is stored:
``$PCTM,ACK,<number of fixes since the connection began>*hh`` after each commit, ``$PCTM,NAK*hh`` where it is not let
in.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable

from tracking.gateway.committing import Work
from tracking.gateway.session import Line, Surroundings
from tracking.inputs.nmea import LONGEST, Epochs, Gga, Hello, Rmc, read_sentence, write_sentence
from tracking.inputs.values import InputRefused
from tracking.judging import clock_checked, may_keep
from tracking.model import Device, Fix, Stored
from tracking.storing import Quarantined

LOGGER = logging.getLogger("citymap")
#: Lines that are kept for people to look at, of one connection; lines of a stranger after which it is closed; lines
#: that wait while a secret is looked up.
_MOST_BAD, _MOST_STRANGE, _MOST_WAITING = 20, 200, 5000


class NmeaSession:
    """One connection."""

    def __init__(self, line: Line, around: Surroundings) -> None:
        self._line = line
        self._around = around
        self._rest = b""
        self._epochs = Epochs()
        self._device: Device | None = None
        self._proof = b""
        self._asking: asyncio.Task[None] | None = None
        self._waiting: list[bytes] = []
        self._bad = self._strange = self._kept = 0
        self.last = around.now()

    @property
    def proved(self) -> bool:
        """Whether it is known who speaks."""
        return self._device is not None

    def receive(self, data: bytes) -> None:
        """Bytes that came."""
        self.last = self._around.now()
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._lines(lines)
        if len(self._rest) > LONGEST:
            self._quarantine("the line is too long", self._rest)
            self._rest = b""

    def datagram(self, data: bytes) -> None:
        """A datagram: its last line may lack an end."""
        self.receive(data if data.endswith(b"\n") else data + b"\n")

    def stored(self, work: Work, wrong: bool) -> None:
        """A fix is on the disk now."""
        self._kept += len(work.rows)

    def flush(self) -> None:
        """All of one transaction are."""
        if self._device is not None:
            self._line.send(write_sentence("PCTM", "ACK", str(self._kept)))

    def close(self) -> None:
        """The connection has ended."""
        if self._asking is not None:
            self._asking.cancel()
        if self._device is not None:
            self._lines([self._rest])
        self._waiting.clear()
        self._device = None

    def _lines(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            if self._asking is not None:
                if len(self._waiting) >= _MOST_WAITING:
                    self._line.hang_up()  # it comes again
                    return
                self._waiting.append(line)
            elif line.strip():
                self._take(line)
        if self._device is not None and self._asking is None:
            self._around.listener.heard(self._device, self.last)
            self._keep(self._epochs.flush(self.last), b"")

    def _take(self, line: bytes) -> None:
        try:
            said = read_sentence(line)
            if isinstance(said, Hello):
                self._greeted(said)
            elif self._device is None:
                self._refuse_stranger()
            elif isinstance(said, Rmc | Gga):
                self._keep(self._epochs.take(said, self.last), line)
        except InputRefused as error:
            self._quarantine(str(error), line)

    def _keep(self, fixes: Iterable[Fix], line: bytes) -> None:
        device = self._device
        assert device is not None
        for fix in fixes:
            if may_keep(device, fix.time):
                rows = [Stored(device, clock_checked(fix, self.last))]
                self._around.commit.add(Work(self, 0, 0, line[:LONGEST], rows=rows))

    def _refuse_stranger(self) -> None:
        self._strange += 1
        if self._strange in (1, _MOST_STRANGE):
            self._line.send(write_sentence("PCTM", "NAK"))
        if self._strange >= _MOST_STRANGE:
            self._line.hang_up()

    def _greeted(self, said: Hello) -> None:
        """Let it prove who it is before any later line is looked at; saying so again changes nothing."""
        proof = hashlib.sha256(f"{said.device}\n{said.secret}".encode()).digest()
        if proof != self._proof or self._device is None:
            self._asking = asyncio.get_running_loop().create_task(self._ask(said, proof))

    async def _ask(self, said: Hello, proof: bytes) -> None:
        try:
            known = await self._around.roster.look_for(said.device)
            good = known is not None and await asyncio.to_thread(self._around.secrets.verify, said.device, said.secret)
        except Exception as error:
            LOGGER.warning("a device's secret cannot be looked up: %s", str(error).split("\n")[0])
            self._line.hang_up()
            return
        if known is not None and good:
            self._device, self._proof = known.device, proof
        else:
            self._device = None
            self._strange += 20
            self._line.send(write_sentence("PCTM", "NAK"))
            if self._strange >= _MOST_STRANGE:
                self._line.hang_up()
        self._asking = None
        waiting, self._waiting = self._waiting, []
        self._lines(waiting)

    def _quarantine(self, reason: str, line: bytes) -> None:
        """A line that cannot be read is kept, some of each connection of a device that is known."""
        self._bad += 1
        if self._device is None:
            self._refuse_stranger()
        elif self._bad <= _MOST_BAD:
            found = Quarantined("nmea", self._line.address, self._device.code, reason, line)
            self._around.commit.add(Work(self, 0, 0, line[:LONGEST], bad=(found,)))
