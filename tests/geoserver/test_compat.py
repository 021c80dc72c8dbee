"""What is changed in pygeoapi changes no answer."""

import pytest
from babel import localedata

from geoserver import compat


@pytest.mark.parametrize(
    "name", ["zh_CN", "zh_Hans_CN", " EN_us ", "en", "title", "", "../root", "zh_CN\x00", "é" * 300]
)
def test_names_of_languages_are_looked_up_once_and_answered_as_babel_answers(name: str) -> None:
    compat.install()
    for looked_up in (localedata.exists, localedata.normalize_locale):
        cached = looked_up.cache_info  # type: ignore[attr-defined]
        plain = looked_up.__wrapped__  # type: ignore[attr-defined]
        try:
            expected = plain(name)
        except ValueError as error:  # a path with a NUL
            with pytest.raises(ValueError, match=str(error)):
                looked_up(name)
            continue
        assert looked_up(name) == looked_up(name) == expected
        assert cached().hits > 0 and cached().maxsize is not None
