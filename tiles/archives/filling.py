"""Renders the tiles of an archive that are not done, or that edits have touched since.

Each tile shows the snapshot that the run began with, or a later one. Before the first and after the last, the log of
dirty boxes tells what was changed meanwhile, and those tiles are rendered anew: so the archive is as of its end, unless
edits come faster than tiles.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from queue import SimpleQueue

from isal import igzip

from layers.database import Reader
from tiles.archives.content import Content
from tiles.archives.plan import DEEPEST, Address, Plan
from tiles.archives.work import Work
from tiles.cache.dirty import GROUND, REACH
from tiles.live import missed_since
from tiles.rendered import MVT

#: Readings of the log: what came while tiles were rendered takes less time than they.
_ROUNDS = 4
#: Seconds after which the log may not tell all: it holds seven days.
_OLDEST = 6 * 86_400.0
_AT_ONCE = 64
#: Level of ISA-L's deflate: archives are written once and read often.
_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Filled:
    """Tiles that were rendered in this run, those taken over, and how many were touched by edits."""

    rendered: int
    kept: int
    touched: int


def fill(
    work: Work, plan: Plan, content: Content, readers: Sequence[Reader], progress: Callable[[float], None]
) -> Filled:
    """Bring the working file up to now; ``progress`` [%] may raise to break off, and nothing is lost.

    Each reader is used by one thread at a time; there are as many threads.
    """
    wanted = kept = work.want(plan.addresses())
    done = touched = 0
    for turn in range(_ROUNDS):
        touched += _catch_up(work, plan, content, readers[0])
        if turn == 0:
            work.drop_passing()
        missing = work.missing()
        if turn == 0:
            kept -= len(missing)
        if not missing:
            break
        for some in _rendered(missing, plan, content, readers):
            work.put(some)
            done += len(some)
            progress(min(99.0, 100 * (kept + done) / (wanted + 1)))
    work.tidy()
    return Filled(done, kept, touched)


def _catch_up(work: Work, plan: Plan, content: Content, reader: Reader) -> int:
    """Forget tiles that were touched since the snapshot of the file; answers with the number of boxes."""
    now, found = missed_since(reader, work.snapshot or "")
    if found is None or work.age > _OLDEST:
        work.forget()
        work.note(now)
        return 0
    names = {layer.id for layer in content.read}
    scoped = any(layer.visibility != "public" for layer in content.read)
    mine = [dirty for dirty in found if dirty.layer in names or (scoped and dirty.layer == GROUND)]
    if any(dirty.layer == GROUND for dirty in mine) and scoped:
        work.forget()
    for box in {dirty.box for dirty in mine}:
        _drop(work, plan, box)
    work.note(now)
    return len(mine)


def _drop(work: Work, plan: Plan, box: tuple[float, float, float, float]) -> None:
    units = plan.grid.from_degrees(box)
    for z in range(min(DEEPEST + 1, len(plan.grid.levels))):  # archives of other levels use the file too
        met = plan.grid.covering(units, z, REACH)
        if met is not None:
            work.drop(z, met)


type _Done = tuple[Address, bytes | None, bool]


def _rendered(
    missing: Sequence[Address], plan: Plan, content: Content, readers: Sequence[Reader]
) -> Iterator[list[_Done]]:
    free: SimpleQueue[Reader] = SimpleQueue()
    for reader in readers:
        free.put(reader)

    def one(address: Address) -> _Done:
        reader = free.get()
        try:
            found = content.render(reader, plan.grid, *address)
        finally:
            free.put(reader)
        if content.blank(found.body):
            return address, None, found.passing
        body = igzip.compress(found.body, _LEVEL, mtime=0) if content.media_type == MVT else found.body
        return address, body, found.passing

    if len(readers) == 1:
        for some in batched(missing, _AT_ONCE):
            yield [one(address) for address in some]
        return
    with ThreadPoolExecutor(len(readers)) as pool:
        for some in batched(missing, _AT_ONCE * len(readers)):
            yield list(pool.map(one, some))
