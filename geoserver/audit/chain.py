"""The chain of hashes over the audit log: what is hashed, and what a broken chain says. Values in, values out.

Canonical bytes are JSON in UTF-8 with sorted keys and no space between them; all values are texts, whole numbers,
lists of whole numbers, or null (so they are those of RFC 8785). ``digest`` is the hash of an entry's canonical bytes;
``hash`` that of the link's: its seq, entry, time, algorithm, digest, and the hash of the link before it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import orjson

from geoserver.audit.entries import Document

Algorithm = Literal["sha256", "sm3"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
#: What the first link follows.
GENESIS = "0" * 64
#: Faults that a report names; it counts all.
MOST_FAULTS = 100
#: An entry that was sealed so much later than it was made is counted: a job's transaction is not so long.
LATE = timedelta(days=1)
#: Broken links among which moved ones are looked for: every pair of them is tried.
_MOST_MOVED = 30


class AlgorithmMissing(RuntimeError):
    """This machine's OpenSSL cannot compute the hash."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the chain; ``sealed`` is an RFC 3339 time in UTC, ``digest`` and ``hash`` are hexadecimal."""

    seq: int
    entry: int
    sealed: str
    algorithm: str
    digest: str
    hash: str


@dataclass(frozen=True, slots=True)
class Place:
    """A link's number and hash: the head of a chain, or where a part of one begins after."""

    seq: int = 0
    hash: str = GENESIS


FaultKind = Literal["changed", "removed", "reordered", "inserted", "broken", "head", "guard"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, with the link and entry that it names."""

    kind: FaultKind
    text: str
    seq: int | None = None
    entry: int | None = None


@dataclass(slots=True)
class Report:
    """What verifying a chain found."""

    links: int = 0
    first: int | None = None
    head: Place | None = None
    sealed_from: str | None = None
    sealed_to: str | None = None
    algorithms: dict[str, int] = field(default_factory=dict)
    late: int = 0
    waiting: int = 0
    pruned: Mapping[str, Any] | None = None
    remarks: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    fault_count: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.fault_count == 0

    def add(self, fault: Fault) -> None:
        """Note a fault; above :data:`MOST_FAULTS` it is only counted."""
        self.fault_count += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)


def canonical(value: Mapping[str, Any]) -> bytes:
    """The bytes that are hashed."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def entry_digest(entry: Document, algorithm: str) -> str:
    """The hash of an entry, hexadecimal."""
    return _hashed(canonical(entry), algorithm)


def link_hash(link: Link, previous: str) -> str:
    """The hash that a link must have after the one whose hash is ``previous``."""
    text = canonical({
        "seq": link.seq, "entry": link.entry, "sealed": link.sealed, "algorithm": link.algorithm,
        "digest": link.digest, "previous": previous,
    })  # fmt: skip
    return _hashed(text, link.algorithm)


def _hashed(text: bytes, algorithm: str) -> str:
    """The hash, hexadecimal; empty, which no link's is, for an algorithm that is none of ours."""
    if algorithm not in ALGORITHMS:
        return ""
    try:
        return hashlib.new(algorithm, text).hexdigest()
    except ValueError:
        raise AlgorithmMissing(f"this Python's OpenSSL has no {algorithm.upper()}") from None


def linked(entry: Document, after: Place, sealed: str, algorithm: Algorithm) -> Link:
    """The link that seals an entry after another link."""
    bare = Link(after.seq + 1, entry["id"], sealed, algorithm, entry_digest(entry, algorithm), "")
    return Link(bare.seq, bare.entry, sealed, algorithm, bare.digest, link_hash(bare, after.hash))


def check(rows: Iterable[tuple[Link, Document | None]], after: Place, heads: Iterable[Place] = ()) -> Report:
    """Follow the links in the order of their numbers, beginning after ``after``, and name all that does not fit.

    Each row is a link and its entry (None: there is none). ``heads`` are links that were exported when they were last.
    """
    report = Report()
    wanted = {place.seq: place.hash for place in heads}
    broken: list[tuple[Link, str]] = []
    place = after
    if wanted.get(after.seq, after.hash) != after.hash:
        text = f"link {after.seq}, the last that was pruned, is not the one that was exported"
        report.add(Fault("head", text, after.seq))
    for link, entry in rows:
        if link.seq != place.seq + 1:
            _name_gap(report, place.seq + 1, link.seq)
        elif link_hash(link, place.hash) != link.hash:
            broken.append((link, place.hash))
        _check_entry(report, link, entry)
        if wanted.get(link.seq, link.hash) != link.hash:
            text = f"link {link.seq} is not the one that was exported: the chain was rewritten at it or before it"
            report.add(Fault("head", text, link.seq))
        place = Place(link.seq, link.hash)
        _count(report, link, entry)
    _name_broken(report, broken)
    for seq in sorted(seq for seq in wanted if seq > place.seq):
        text = f"the chain ends at link {place.seq}, but link {seq} was exported: what came between was removed"
        report.add(Fault("head", text, seq))
    report.head = place if report.links else None
    return report


def _name_gap(report: Report, first: int, found: int) -> None:
    if found < first:
        report.add(Fault("inserted", f"link {found} stands after link {first - 1}", found))
    else:
        missing = f"link {first} is" if found == first + 1 else f"links {first} to {found - 1} are"
        report.add(Fault("removed", f"{missing} missing, with what they sealed", first))


def _check_entry(report: Report, link: Link, entry: Document | None) -> None:
    if entry is None:
        text = f"entry {link.entry} is missing; link {link.seq} sealed it at {link.sealed}"
        report.add(Fault("removed", text, link.seq, link.entry))
    elif entry_digest(entry, link.algorithm) != link.digest:
        text = f"entry {link.entry} is not as link {link.seq} sealed it at {link.sealed}"
        report.add(Fault("changed", text, link.seq, link.entry))


def _count(report: Report, link: Link, entry: Document | None) -> None:
    report.links += 1
    report.first = link.seq if report.first is None else report.first
    report.sealed_from = report.sealed_from or link.sealed
    report.sealed_to = link.sealed
    report.algorithms[link.algorithm] = report.algorithms.get(link.algorithm, 0) + 1
    if entry is not None and _is_late(entry.get("at"), link.sealed):
        report.late += 1


def _is_late(at: Any, sealed: str) -> bool:
    try:
        return datetime.fromisoformat(sealed) - datetime.fromisoformat(at) > LATE
    except (ValueError, TypeError):
        return True


def _name_broken(report: Report, broken: list[tuple[Link, str]]) -> None:
    """Links that do not follow from the link before: those that fit at another's place were moved there."""
    origins = _origins(broken[:_MOST_MOVED])
    for link, _ in broken:
        if origin := origins.get(link.seq):
            text = f"link {link.seq} (entry {link.entry}) was sealed as link {origin}: the order was changed"
            report.add(Fault("reordered", text, link.seq, link.entry))
        else:
            text = (
                f"link {link.seq} (entry {link.entry}) does not follow from link {link.seq - 1}: "
                "one of the two was changed or put in, or one between them was removed"
            )
            report.add(Fault("broken", text, link.seq, link.entry))


def _origins(broken: list[tuple[Link, str]]) -> dict[int, int]:
    """Where moved links stood when they were sealed, by where they stand now."""
    before = {hash_ for link, previous in broken for hash_ in (link.hash, previous)}
    places = [seq for link, _ in broken for seq in (link.seq, link.seq + 1)]
    found: dict[int, int] = {}
    for link, _ in broken:
        for seq in places:
            moved = Link(seq, link.entry, link.sealed, link.algorithm, link.digest, link.hash)
            if seq != link.seq and any(link_hash(moved, previous) == link.hash for previous in before):
                found[link.seq] = seq
                break
    return found
