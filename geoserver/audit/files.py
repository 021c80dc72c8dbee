"""The chain as a file of JSON lines, which anybody can verify without the database.

First line: ``{"format": "citymap-audit", "version": 1, "after": {"seq": …, "hash": …}, "made": …}``; then a line per
link, ``{"link": {…}, "entry": {…}}``; last line ``{"head": {"seq": …, "hash": …}, "links": …}``.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from geoserver.audit.chain import Fault, Link, Place, Report, check
from geoserver.audit.entries import Document

FORMAT = "citymap-audit"
#: Bytes of a line at most: an entry has about 10 KB.
_LONGEST_LINE = 1_000_000


class FileRefused(ValueError):
    """The file is no audit export; the text names the line."""


@dataclass(frozen=True, slots=True)
class Written:
    """A finished export: links, the last of them, and the SHA-256 of the file."""

    links: int
    head: Place
    sha256: str


def write(path: Path, rows: Iterable[tuple[Link, Document | None]], after: Place) -> Written:
    """Write links and entries; the file appears, readable by its owner only, when it is complete.

    Raises :class:`FileExistsError`: no export is overwritten.
    """
    digest, head, count = hashlib.sha256(), after, 0
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.") as stream:

        def line(value: Any) -> None:
            text = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
            digest.update(text)
            stream.write(text)

        made = datetime.now(UTC).isoformat(timespec="seconds")
        line({"format": FORMAT, "version": 1, "after": asdict(after), "made": made})
        for link, entry in rows:
            line({"link": asdict(link), "entry": entry})
            head, count = Place(link.seq, link.hash), count + 1
        line({"head": asdict(head), "links": count})
        stream.flush()
        os.fsync(stream.fileno())
        os.link(stream.name, path)
    return Written(count, head, digest.hexdigest())


def verify_file(path: Path, heads: Iterable[Place] = ()) -> Report:
    """What verifying an export finds. Raises :class:`FileRefused` for what is none, :class:`OSError`."""
    with path.open("rb") as stream:
        lines = _lines(stream, path.name)
        _, header = next(lines, (0, {}))
        if not isinstance(header, dict) or header.get("format") != FORMAT or header.get("version") != 1:
            raise FileRefused(f"{path.name}:1 is not the first line of an audit export")
        after = _place(header.get("after"), f"{path.name}:1")
        end: list[Place] = []
        report = check(_rows(lines, path.name, end), after, heads)
    if not end:
        report.add(Fault("removed", "the file ends without its last line: it was cut"))
    elif end[0] != (report.head or after):
        report.add(Fault("removed", f"the file ends at another link than its last line says, {end[0].seq}", end[0].seq))
    if after.seq:
        report.remarks.append(f"the file begins after link {after.seq} with hash {after.hash}")
    return report


def _rows(lines: Iterator[tuple[int, Any]], name: str, end: list[Place]) -> Iterator[tuple[Link, Document | None]]:
    for number, value in lines:
        where = f"{name}:{number}"
        if end:
            raise FileRefused(f"{where} stands after the last line of the export")
        if not isinstance(value, dict):
            raise FileRefused(f"{where} is no JSON object")
        if "head" in value:
            end.append(_place(value["head"], where))
            continue
        entry = value.get("entry")
        if not (entry is None or isinstance(entry, dict)):
            raise FileRefused(f"{where} has an entry that is no object")
        yield _link(value.get("link"), where), entry


def _lines(stream: Any, name: str) -> Iterator[tuple[int, Any]]:
    number = 0
    while text := stream.readline(_LONGEST_LINE):
        number += 1
        try:
            yield number, orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise FileRefused(f"{name}:{number} is not JSON: {error.msg}") from None


def _link(value: Any, where: str) -> Link:
    types = {"seq": int, "entry": int, "sealed": str, "algorithm": str, "digest": str, "hash": str}
    if not isinstance(value, dict) or any(type(value.get(name)) is not kind for name, kind in types.items()):
        raise FileRefused(f"{where} has no link with {', '.join(types)}")
    return Link(**{name: value[name] for name in types})


def _place(value: Any, where: str) -> Place:
    if not isinstance(value, dict) or type(value.get("seq")) is not int or type(value.get("hash")) is not str:
        raise FileRefused(f"{where} does not name a link by seq and hash")
    return Place(value["seq"], value["hash"])
