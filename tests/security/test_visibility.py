"""Every role sees exactly what the rules say, in every representation."""

import pytest

from tests.security.rules import (
    FIELDS,
    LAYERS,
    PEOPLE,
    ROWS,
    forbidden,
    markers,
    may_see,
    seen_layers,
    seen_markers,
    seen_rows,
)
from tests.security.secrets_site import SecretsSite


@pytest.mark.parametrize("name", PEOPLE)
def test_each_role_reads_exactly_the_rows_and_fields_that_are_its_own(secrets_city: SecretsSite, name: str) -> None:
    person = PEOPLE[name]
    listed = {c["id"] for c in secrets_city.get(person, "/collections").json()["collections"]} & LAYERS.keys()
    assert listed == seen_layers(person)
    for layer in LAYERS:
        answer = secrets_city.get(person, f"/collections/{layer}/items", limit=100)
        if layer not in listed:
            assert answer.status_code == 404, (layer, answer.text)
            continue
        assert answer.status_code == 200, (layer, answer.text)
        assert {f["id"] for f in answer.json()["features"]} == seen_rows(person, layer), layer
        assert markers(answer.text) == seen_markers(person, layer), layer


def test_the_rules_hide_something_from_everyone_and_show_something_to_someone() -> None:
    all_of_them = {(layer, row, field) for layer in LAYERS for row in ROWS for field in FIELDS}
    for person in PEOPLE.values():
        hidden = forbidden(person, " ".join(f"SECRET-{a}-{b}-{c}" for a, b, c in all_of_them))
        assert hidden and hidden != all_of_them
    assert any(may_see(person, "kernel", 1, "note_core") for person in PEOPLE.values())
