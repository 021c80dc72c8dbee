"""From what people write to features: readings of the query are looked up by surer and then by vaguer ways.

The vaguer ways are gone only where the surer ones found too little, so that a plain question costs little.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import Connection

from layers.catalogue import Layer
from layers.gazetteer import lookups, queries, tokens
from layers.gazetteer.lookups import Ask, Scope
from layers.gazetteer.model import LAYERS, Answer, Candidate, Point, Reading
from layers.gazetteer.ranking import NOT_WORTH, Ranked, rank
from layers.gazetteer.reading import is_chinese, is_latin, pieces_of, readings

#: A best answer of at least this score needs no guessing at mistakes.
_SURE = 0.7
#: Longer texts are not taken for the initials of a name.
_LONGEST_INITIALS = 16
#: Answers below this part of the best score are not shown.
_NEXT_TO_BEST = 0.5


def geocode(
    conn: Connection,
    layers: Mapping[str, Layer],
    query: str,
    limit: int = 10,
    searched: Sequence[str] = LAYERS,
    near: Point | None = None,
) -> list[Answer]:
    """The features that a query may mean, the likeliest first.

    ``layers`` are those that the caller may see, by id; rows that it may not see are hidden by the connection's
    policies. Of equally good answers the one next to ``near`` comes first.
    """
    scope = Scope(layers, tuple(name for name in LAYERS if name in searched and name in layers), near, limit)
    wanted = _readings(conn, layers, query)
    if not wanted or not scope.searched:
        return []
    search = _Search(conn, scope, wanted)
    search.surely()
    if not search.complete(limit):
        search.in_part()
    if search.best < _SURE:
        search.with_mistakes()
    search.by_nearest_number()
    return _answers(conn, scope, search.ranked()[:limit])


def _readings(conn: Connection, layers: Mapping[str, Layer], query: str) -> list[Reading]:
    # PostgreSQL's text holds no NUL; a lone surrogate is no character
    plain = query.replace("\0", " ").encode("utf-8", "ignore").decode()
    return readings(*queries.understand(conn, layers, plain, pieces_of(plain)))


class _Search:
    """What was found so far, by feature."""

    def __init__(self, conn: Connection, scope: Scope, wanted: Sequence[Reading]) -> None:
        self._conn, self._scope, self._wanted = conn, scope, wanted
        self._pinyin: dict[str, str] = {}
        # guesses take an address apart where it can be: as one name, it would find the road and forget the number
        numbered = [reading for reading in wanted if reading.number]
        self._guessed = numbered or list(wanted)
        self.found: dict[tuple[str, int], Ranked] = {}

    @property
    def best(self) -> float:
        """The best score so far."""
        return max((ranked.score for ranked in self.found.values()), default=0.0)

    def complete(self, limit: int) -> bool:
        """Whether more would not be better: enough was found, or the house that was asked for."""
        return self.best == 1 and (len(self.found) >= limit or any(r.number == "same" for r in self.found.values()))

    def ranked(self) -> list[Ranked]:
        """What is worth showing, the best first."""
        least = max(NOT_WORTH, self.best * _NEXT_TO_BEST)
        worth = [ranked for ranked in self.found.values() if ranked.score >= least]
        return sorted(worth, key=_order)

    def surely(self) -> None:
        """Names, pinyin and initials that are or begin with what is asked."""
        asks = [Ask(lookups.BEGINNING, reading) for reading in self._wanted]
        latin = [reading for reading in self._wanted if is_latin(reading.stem)]
        asks += [Ask(lookups.PINYIN, reading) for reading in latin]
        asks += [Ask(lookups.INITIALS, reading) for reading in latin if len(reading.stem) <= _LONGEST_INITIALS]
        self._look_up(asks)

    def in_part(self) -> None:
        """Names that have what is asked within, or are within what is asked."""
        asks = _token_asks(self._wanted, tokens.all_of)
        if self.best < 1:  # else nobody wants less than what is asked
            asks += [Ask(lookups.CONTAINED, r, parts=tokens.parts_of(r.stem)) for r in self._guessed if len(r.stem) > 2]
        latin = [reading for reading in self._wanted if is_latin(reading.stem)]
        asks += _token_asks([r for r in latin if len(r.stem) <= _LONGEST_INITIALS], tokens.initials)
        asks += _token_asks(latin, lambda stem: tokens.sounds(tokens.syllables(stem)))
        self._look_up(asks)

    def with_mistakes(self) -> None:
        """Names that sound alike or differ by a mistake, then by two."""
        chinese = [reading for reading in self._guessed if is_chinese(reading.stem)]
        heard = queries.sounds(self._conn, [reading.stem for reading in chinese]) if chinese else {}
        self._pinyin = {stem: pinyin for stem, (pinyin, _) in heard.items()}
        asks = _token_asks(chinese, lambda stem: tokens.both(heard[stem][1]))
        asks += [Ask(lookups.CONTAINED, r, parts=tokens.mistaken(r.stem)) for r in self._guessed if len(r.stem) > 1]
        asks += [Ask(lookups.PATTERNS, r, parts=tokens.patterns(r.stem)) for r in self._guessed]
        spelled = ((r, tokens.initials_of(r.stem)) for r in self._guessed if is_latin(r.stem))
        asks += [Ask(lookups.SAME_INITIALS, r, parts=(letters,)) for r, letters in spelled if len(letters) > 1]
        asks += _token_asks(self._guessed, tokens.one_missing) + _token_asks(self._guessed, tokens.one_changed)
        self._look_up(asks)
        if self.best < _SURE:
            self._look_up(_token_asks(self._guessed, tokens.two_mistakes))

    def by_nearest_number(self) -> None:
        """Other numbers of the road, where the number asked for was not found."""
        numbered = [reading for reading in self._wanted if reading.number]
        if numbered and not any(found.number == "same" and found.score >= _SURE for found in self.found.values()):
            self._enter(lookups.nearest_numbers(self._conn, self._scope, numbered[:3], most=3))

    def _look_up(self, asks: Sequence[Ask]) -> None:
        # a lookup without tokens or parts would find nothing
        asks = [ask for ask in asks if ask.parts or ask.tokens or ask.lookup not in lookups.BY_PARTS]
        self._enter(lookups.look_up(self._conn, self._scope, asks))

    def _enter(self, candidates: Iterable[Candidate]) -> None:
        for candidate in candidates:
            ranked = rank(candidate, self._pinyin)
            key = (candidate.layer, candidate.feature)
            if key not in self.found or ranked.score > self.found[key].score:
                self.found[key] = ranked


def _token_asks(readings: Iterable[Reading], query_of: Callable[[str], str | None]) -> list[Ask]:
    asked = ((reading, query_of(reading.stem)) for reading in readings)
    return [Ask(lookups.TOKENS, reading, query) for reading, query in asked if query]


def _order(ranked: Ranked) -> tuple[float, float, int, int, int]:
    """Best first; then the nearest, the preferred layer, the shortest name, the oldest feature."""
    candidate = ranked.candidate
    layer = LAYERS.index(candidate.layer)
    if candidate.reading.number:
        layer = (layer - LAYERS.index("addresses")) % len(LAYERS)
    return -round(ranked.score, 3), candidate.distance or 0.0, layer, len(candidate.text), candidate.feature


def _answers(conn: Connection, scope: Scope, ranked: Sequence[Ranked]) -> list[Answer]:
    ids = [(found.candidate.layer, found.candidate.feature) for found in ranked]
    shown = queries.read_features(conn, scope.layers, ids)
    kept = [(found, *shown[key]) for found, key in zip(ranked, ids, strict=True) if key in shown]
    lies = queries.surroundings(conn, scope.layers, [point for _, _, point in kept])
    return [
        Answer(found.candidate.layer, found.candidate.feature, name, found.score, found.match, point, areas, grid)
        for (found, name, point), (areas, grid) in zip(kept, lies, strict=True)
    ]
