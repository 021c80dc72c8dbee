"""Reads networks of EPANET (``.inp``; EPANET 2.2 user manual, appendix C): what hangs together, sizes and demands.

Links that are pumps or valves, and closed pipes, become a node in their middle that does what they do, between two
pipes: so a valve stops a trace. Only the sections of the network's shape are read; a library that reads all simulates
too, and brings a hundred megabytes along.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from layers.importing.errors import ImportRefused, UnreadableFile, UnsafeFile

#: Bytes of a file, which is read whole; a network of a million pipes has 100 MB.
MAX_BYTES = 200 * 2**20
#: Flow units: cubic metres a day of one, and whether lengths are feet and diameters inches.
_UNITS = {
    "CFS": (2446.575546, True), "GPM": (5.450992992, True), "MGD": (3785.411784, True), "IMGD": (4546.09, True),
    "AFD": (1233.481838, True), "LPS": (86.4, False), "LPM": (1.44, False), "MLD": (1000.0, False),
    "CMH": (24.0, False), "CMD": (1.0, False), "CMS": (86400.0, False),
}  # fmt: skip
_FOOT, _INCH = 0.3048, 25.4
#: Sections are known by their first letters.
_WANTED = ("JUNC", "RESE", "TANK", "PIPE", "PUMP", "VALV", "STAT", "DEMA", "OPTI", "COOR", "VERT")

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Node:
    """A node: ``level`` [m], ``demand`` [m³/d]; ``fitting`` as in ``pipe-nodes``."""

    id: str
    fitting: str
    place: Point
    level: float | None
    demand: float = 0.0
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Pipe:
    """A pipe between two nodes; ``flow`` 1 where it leads one way only; ``diameter`` [mm]."""

    id: str
    start: str
    end: str
    line: tuple[Point, ...]
    diameter: float | None
    flow: int = 0


@dataclass(slots=True)
class EpanetNetwork:
    """The network, in the file's coordinates; ``without_place`` names nodes that the file puts nowhere."""

    nodes: list[Node] = field(default_factory=list)
    pipes: list[Pipe] = field(default_factory=list)
    without_place: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def read_epanet(path: Path) -> EpanetNetwork:
    """The network of a file. Raises :class:`UnreadableFile` naming the line that cannot be read."""
    if path.stat().st_size > MAX_BYTES:
        raise UnsafeFile(f"文件超过 {MAX_BYTES} 字节", f"the file has more than {MAX_BYTES} bytes")
    try:
        return _Reader(_sections(path)).network()
    except (ValueError, IndexError) as error:
        if isinstance(error, ImportRefused):
            raise
        raise UnreadableFile(
            f"{path.name} 不是 EPANET 文件：{error}", f"{path.name} is no EPANET file: {error}"
        ) from None


def _sections(path: Path) -> dict[str, list[tuple[int, list[str]]]]:
    """The words of each line by section, with the line's number; notes after ``;`` left out."""
    found: dict[str, list[tuple[int, list[str]]]] = {name: [] for name in _WANTED}
    section = ""
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        words = line.partition(";")[0].split()
        if words and words[0].startswith("["):
            section = words[0][1:5].upper()
        elif words and section in found:
            found[section].append((number, words))
    if not found["COOR"] or not found["PIPE"]:
        raise UnreadableFile(
            f"{path.name} 没有 [COORDINATES] 或 [PIPES]", f"{path.name} has no [COORDINATES] or no [PIPES]"
        )
    return found


class _Reader:
    def __init__(self, sections: dict[str, list[tuple[int, list[str]]]]) -> None:
        self._sections = sections
        options = {words[0].upper(): words for _, words in sections["OPTI"]}
        units = options.get("UNITS", ["", "GPM"])[1].upper()
        if units not in _UNITS:
            raise UnreadableFile(f"流量单位 {units} 未知", f"the flow units {units[:20]} are unknown")
        self._demand, feet = _UNITS[units]
        self._level, self._inch = (_FOOT, _INCH) if feet else (1.0, 1.0)
        if options.get("DEMAND", ["", ""])[1].upper().startswith("MULT"):
            self._demand *= float(options["DEMAND"][2])
        self._place = {words[0]: (_number(n, words, 1), _number(n, words, 2)) for n, words in sections["COOR"]}
        self._bends: dict[str, list[Point]] = {}
        for n, words in sections["VERT"]:
            self._bends.setdefault(words[0], []).append((_number(n, words, 1), _number(n, words, 2)))
        self._found = EpanetNetwork()

    def network(self) -> EpanetNetwork:
        for node in self._nodes():
            if node.id in self._place:
                self._found.nodes.append(node)
            else:
                self._found.without_place.append(node.id)
        status = {words[0]: words[1].upper() for _, words in self._sections["STAT"] if len(words) > 1}
        for n, words in self._sections["PIPE"]:
            state = status.get(
                words[0], words[7].upper() if len(words) > 7 else words[6].upper() if len(words) > 6 else ""
            )
            self._pipe(n, words, state)
        for section, fitting in (("PUMP", "pump"), ("VALV", "valve")):
            for n, words in self._sections[section]:
                diameter = _number(n, words, 3) * self._inch if section == "VALV" else None
                closed = status.get(words[0]) == "CLOSED" and section == "VALV"
                self._device(words, fitting, diameter, 1, closed=closed)
        return self._found

    def _nodes(self) -> Iterator[Node]:
        more: dict[str, float] = {}
        for n, words in self._sections["DEMA"]:
            more[words[0]] = more.get(words[0], 0.0) + _number(n, words, 1)
        nowhere = (0.0, 0.0)
        for n, words in self._sections["JUNC"]:
            demand = more.get(words[0], _number(n, words, 2) if len(words) > 2 else 0.0) * self._demand
            level = _number(n, words, 1) * self._level
            yield Node(words[0], "joint", self._place.get(words[0], nowhere), level, demand)
        for section, fitting in (("RESE", "source"), ("TANK", "tank")):
            for n, words in self._sections[section]:
                level = _number(n, words, 1) * self._level
                yield Node(words[0], fitting, self._place.get(words[0], nowhere), level)

    def _pipe(self, number: int, words: list[str], state: str) -> None:
        diameter = _number(number, words, 4) * self._inch
        if state == "CLOSED":
            self._device(words, "valve", diameter, 0, closed=True)
        elif (line := self._line(words)) is not None:
            self._found.pipes.append(Pipe(words[0], words[1], words[2], line, diameter, 1 if state == "CV" else 0))

    def _device(self, words: list[str], fitting: str, diameter: float | None, flow: int, *, closed: bool) -> None:
        """A link as a node in its middle between two pipes."""
        line = self._line(words)
        if line is None:
            return
        (x, y), (u, v) = line[len(line) // 2 - 1], line[len(line) // 2]
        middle = ((x + u) / 2, (y + v) / 2)
        self._found.nodes.append(Node(f"{fitting}-{words[0]}", fitting, middle, None, closed=closed))
        halves = ((*line[: len(line) // 2], middle), (middle, *line[len(line) // 2 :]))
        for half, ends, mark in zip(halves, ((words[1], ""), ("", words[2])), "ab", strict=True):
            start, end = (end or f"{fitting}-{words[0]}" for end in ends)
            self._found.pipes.append(Pipe(f"{words[0]}.{mark}", start, end, half, diameter, flow))

    def _line(self, words: list[str]) -> tuple[Point, ...] | None:
        ends = [self._place.get(node) for node in words[1:3]]
        if len(ends) < 2 or ends[0] is None or ends[1] is None:
            self._found.dropped.append(words[0])
            return None
        line = (ends[0], *self._bends.get(words[0], ()), ends[1])
        if len(set(line)) == 1:  # drawn at one place: a millimetre, so that it is a line
            line = (line[0], (line[0][0] + 0.001, line[0][1]))
        return line


def _number(line: int, words: list[str], index: int) -> float:
    try:
        return float(words[index])
    except (ValueError, IndexError):
        shown = " ".join(words)[:60]
        raise ValueError(f"line {line}, word {index + 1} is no number: {shown!r}") from None
