"""From the words of a layer's fields to the codes that it stores, in a condition."""

import json
from collections.abc import Mapping
from typing import Any

import cql2

#: Field → code → the word for it.
type Domains = Mapping[str, Mapping[str, str]]

_COMPARED = frozenset({"=", "<>", "in"})


def in_codes(condition: str, domains: Domains) -> str:
    """The condition in CQL2 text, where fields with a value domain are compared with codes.

    A word counts if it is one of the domain, or begins just one of them: ``state = '处置'`` means 处置中, ``handling``.
    What is no CQL2 stays as it is: the server says what is wrong with it.
    """
    if not domains:
        return condition
    try:
        said = cql2.parse_text(condition).to_json()
    except (ValueError, RuntimeError, cql2.ParseError):
        return condition
    meant = _meant(said, domains)
    return condition if meant == said else str(cql2.parse_json(json.dumps(meant)).to_text())


def _meant(part: Any, domains: Domains) -> Any:
    if not isinstance(part, dict) or "op" not in part:
        return part
    arguments = part["args"]
    if part["op"] in _COMPARED:
        names = [one["property"] for one in arguments if isinstance(one, dict) and "property" in one]
        words = domains.get(names[0]) if len(names) == 1 else None
        if words:
            return {**part, "args": [_coded(one, words) for one in arguments]}
    return {**part, "args": [_meant(one, domains) for one in arguments]}


def _coded(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_coded(one, words) for one in value]
    if not isinstance(value, str) or value in words or not value:
        return value
    exact = [code for code, word in words.items() if word == value]
    begun = [code for code, word in words.items() if word.startswith(value)]
    return exact[0] if exact else begun[0] if len(begun) == 1 else value
