"""What leaves the city by feeds and catalogue holds just what the rules allow."""

import pytest

from tests.security.rules import LAYERS, PEOPLE, forbidden, markers, seen_layers, seen_markers, seen_rows
from tests.security.secrets_site import SecretsSite

WHO = ("anonymous", "a-leader", "a-case-verifier", "b-handler", "b-fleet", "a-area-guard", "mixed")


@pytest.mark.parametrize("who", WHO)
def test_feeds_and_records_hold_what_the_rules_allow(secrets_city: SecretsSite, who: str) -> None:
    person = PEOPLE[who]
    records = secrets_city.get(person, "/collections/records/items", limit=1000)
    assert {r["id"] for r in records.json()["features"]} & LAYERS.keys() == seen_layers(person)
    assert not forbidden(person, records.text)
    for layer in LAYERS:
        feed = secrets_city.get(person, f"/collections/{layer}/changes")
        seen = layer in seen_layers(person)
        assert feed.status_code == (200 if seen else 404)
        for form in ("json", "html", "iso19139"):
            record = secrets_city.get(person, f"/collections/records/items/{layer}", f=form)
            assert record.status_code == (200 if seen else 404) and not forbidden(person, record.text)
        if seen:
            assert {f["id"] for f in feed.json()["features"]} == seen_rows(person, layer)
            assert markers(feed.text) == seen_markers(person, layer)


def test_a_row_that_leaves_ones_sight_is_deleted_and_others_are_not_told_of(secrets_city: SecretsSite) -> None:
    """Row 1 lies in the area of a-case-verifier, row 3 in that of b-verifier."""
    feed = "/collections/cases/changes"

    def told(who: str) -> list[tuple[int, str]]:
        found = secrets_city.get(PEOPLE[who], feed, since=since[who]).json()
        return [(f["id"], f["op"]) for f in found["features"]]

    since = {
        who: secrets_city.get(PEOPLE[who], feed, since="now").json()["position"]
        for who in ("a-case-verifier", "b-verifier")
    }
    area = next(
        f["name"]
        for f in secrets_city.sql("SELECT fields FROM citymap.layers WHERE id = 'cases'")[0][0]
        if f["role"] == "area"
    )
    [(former,)] = secrets_city.sql(f"SELECT {area} FROM city.cases WHERE id = 1")
    try:
        secrets_city.sql(f"UPDATE city.cases SET {area} = '420703009' WHERE id = 1")
        secrets_city.sql("UPDATE city.cases SET name = name WHERE id = 3")
        assert told("a-case-verifier") == [(1, "delete")]
        assert told("b-verifier") == [(1, "update"), (3, "update")]
    finally:
        secrets_city.sql(f"UPDATE city.cases SET {area} = :former WHERE id = 1", former=former)
    assert told("a-case-verifier") == [(1, "update")]
    # A position is of its reader's rights.
    stolen = secrets_city.get(PEOPLE["b-verifier"], feed, since=since["a-case-verifier"])
    assert stolen.status_code == 410
    # Whose sight follows areas must copy anew when these are redrawn; who sees all need not.
    now = {
        who: secrets_city.get(PEOPLE[who], feed, since="now").json()["position"]
        for who in ("a-case-verifier", "a-leader")
    }
    secrets_city.sql("UPDATE city.admin_areas SET name = name")
    answers = {who: secrets_city.get(PEOPLE[who], feed, since=position).status_code for who, position in now.items()}
    assert answers == {"a-case-verifier": 410, "a-leader": 200}
