"""Queries that mean harm: each is a text to look for and nothing else, and none takes long."""

import time

import pytest
from sqlalchemy import text

from tests.layers.gazetteer.conftest import Find

HOSTILE = {
    "quotes": "'; DROP TABLE city.places; --",
    "identifier": '"name" OR 1=1',
    "tsquery": "武昌 & | ! <-> :* ( ) '武",
    "tsquery operators alone": "& | ! () <2>",
    "like": "%_%\\%",
    "regular expression": "(a+)+$[[:alpha:]]{9999}\\1",
    "backslashes": "\\" * 60,
    "nul": "武昌\0大道12号",
    "control characters": "".join(map(chr, range(1, 32))) + "武昌大道\x7f\x85",
    "lone surrogate": "武昌\ud800大道",
    "bidirectional": "\u202e武昌大道\u202c\u200b\ufeff",
    "emoji": "🚨🏥👨‍👩‍👧‍👦",
    "combining": "e" + "\u0301" * 150,
    "digits": "9" * 200,
    "number too large": "武昌大道99999999999999999999999号",
    "numerals": "百" * 100 + "号" * 100,
    "one character": "鄂" * 200,
    "pinyin without end": "a" * 200,
    "syllables": "xian" * 50,
    "areas": "鄂州市" * 66,
    "commas": "鄂州市," * 50,
    "long": "武昌大道江南小区中心医院第一中学梁子湖三山湖古城路文星路" * 7,
    "percent and colon": "100%(x)s :name %s {0}",
    "format": "{entries}{}%1$s",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_query_is_only_a_text(find: Find, kind: str) -> None:
    started = time.process_time()
    answers = find(HOSTILE[kind][:200], 5)
    assert len(answers) <= 5
    assert time.process_time() - started < 1


def test_the_tables_are_still_there(find: Find, gazetteer: object) -> None:
    find(HOSTILE["quotes"])
    assert gazetteer.execute(text("SELECT count(*) FROM city.places")).scalar() == 5  # type: ignore[attr-defined]


def test_harmless_remains_of_a_hostile_query_are_found(find: Find) -> None:
    assert find(HOSTILE["nul"])[0].name == "武昌大道12号"
    assert find("'武昌大道'12号' & !")[0].name == "武昌大道12号"
    assert find("梁子湖\u202c\u200b\ufeff")[0].name == "梁子湖"
