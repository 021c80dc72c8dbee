"""Messages that come in parts (分包), put together again: bounded in number, size and time."""

from dataclasses import dataclass, field

from tracking.jt808.frames import Message

#: Seconds after its first part in which the rest of a message must come.
PATIENCE = 60.0
#: Messages of one connection that may be incomplete at once, bytes of all of them, and parts of one.
MOST, MOST_BYTES, MOST_PARTS = 8, 1_048_576, 2000


@dataclass(slots=True)
class _Begun:
    parts: int
    until: float
    bodies: dict[int, bytes] = field(default_factory=dict)
    size: int = 0


class Merger:
    """The unfinished messages of one connection. ``lost`` counts those given up."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, int, int], _Begun] = {}
        self._size = 0
        self.lost = 0

    def merge(self, message: Message, now: float) -> Message | None:
        """The whole message when this part completes it, with the serial of its first part; else None.

        ``now`` is any clock's time [s]. Parts may come in any order and twice; serials of one message's parts follow
        each other, which tells two messages of one kind apart.
        """
        if message.parts == 1:
            return message
        self.tidy(now)
        if message.parts > MOST_PARTS:
            self.lost += 1
            return None
        first = (message.serial - message.part + 1) & 0xFFFF
        key = (message.device, message.id, first)
        begun = self._begun.get(key)
        if begun is None or begun.parts != message.parts:
            if begun is not None:
                self._give_up(key)
            begun = self._begun[key] = _Begun(message.parts, now + PATIENCE)
        if message.part not in begun.bodies:
            begun.bodies[message.part] = message.body
            begun.size += len(message.body)
            self._size += len(message.body)
        if len(begun.bodies) == begun.parts:
            del self._begun[key]
            self._size -= begun.size
            body = b"".join(begun.bodies[n] for n in range(1, begun.parts + 1))
            return message._replace(body=body, serial=first, parts=1, part=1)
        while len(self._begun) > MOST or self._size > MOST_BYTES:
            self._give_up(next(iter(self._begun)))  # the oldest
        return None

    def missing(self, message: Message) -> tuple[int, ...]:
        """The numbers of the parts that the message of this part still lacks."""
        begun = self._begun.get((message.device, message.id, (message.serial - message.part + 1) & 0xFFFF))
        return tuple(n for n in range(1, begun.parts + 1) if n not in begun.bodies) if begun else ()

    def tidy(self, now: float) -> None:
        """Give up what has waited too long."""
        for key in [key for key, begun in self._begun.items() if begun.until <= now]:
            self._give_up(key)

    def _give_up(self, key: tuple[str, int, int]) -> None:
        self._size -= self._begun.pop(key).size
        self.lost += 1
