"""How texts are spelled in pinyin, from the readings that the gazetteer keeps."""

from collections.abc import Sequence

from layers.database import Reader

_SPELLED = "SELECT text, pinyin, initials FROM citymap.spelled(%(texts)s::text[])"


def spell(reader: Reader, texts: Sequence[str]) -> dict[str, str]:
    """Text → its pinyin without tones or spaces, and its initials: 红线 ``hongxian hx``. Other letters stay."""
    return {text: f"{pinyin} {initials}" for text, pinyin, initials in reader.fetch(_SPELLED, {"texts": list(texts)})}
