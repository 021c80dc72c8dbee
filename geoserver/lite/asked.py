"""What a request to ``/lite`` asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.lite.view import View
from geoserver.map_contents import CITY

_PARAMETERS = ("layers", "list", "q", "at", "from", "lang")
#: Layers on one map: a tile's address names them all.
_MOST_LAYERS = 16
_LONGEST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """Layers over each other, the one to list, words to search for, where to look, and the first row of the list."""

    layers: tuple[str, ...] = (CITY,)
    listed: str | None = None
    words: str = ""
    view: View | None = None
    first: int = 0
    language: str | None = None

    def address(self, **changes: object) -> str:
        """The query of the same page with something changed."""
        found = replace(self, **changes)  # type: ignore[arg-type]
        pairs = [("layers", name) for name in found.layers]
        pairs += [("list", found.listed)] if found.listed else []
        pairs += [("q", found.words)] if found.words else []
        pairs += [("at", str(found.view))] if found.view else []
        pairs += [("from", str(found.first))] if found.first else []
        pairs += [("lang", found.language)] if found.language else []
        return f"?{urlencode(pairs)}"


def read(request: Request, known: Sequence[str]) -> Asked:
    """The parameters; ``known`` are the layers that the asker may see. Raises :class:`ParameterError`."""
    query = request.query_params
    for name in query:
        if name not in _PARAMETERS:
            raise ParameterError(name, f"is not known here; this page takes {', '.join(_PARAMETERS)}")
    # A form sends the name again for each box that is ticked, an address may have them with commas.
    given = [name for value in query.getlist("layers") for name in value.split(",")]
    layers = tuple(dict.fromkeys(given)) or (CITY,)
    if len(layers) > _MOST_LAYERS:
        raise ParameterError("layers", f"names more than {_MOST_LAYERS} layers")
    listed = query.get("list") or None
    for name, value in (*(("layers", layer) for layer in layers), ("list", listed)):
        if value is not None and value not in known and (name, value) != ("layers", CITY):
            raise ParameterError(name, f"there is no layer {value[:80]!r}")
    first = query.get("from") or "0"
    if not (first.isascii() and first.isdigit() and len(first) <= 5):
        raise ParameterError("from", f"must be a row's number, not {first[:40]!r}")
    words = query.get("q", "").strip()
    if len(words) > _LONGEST_WORDS:
        raise ParameterError("q", f"is longer than {_LONGEST_WORDS} letters")
    return Asked(layers, listed, words, _view(query.get("at")), int(first), query.get("lang"))


def _view(text: str | None) -> View | None:
    if not text:
        return None
    try:
        return View.read(text)
    except (ValueError, OverflowError):
        raise ParameterError("at", f"must be like 114.9,30.4,15, not {text[:60]!r}") from None
