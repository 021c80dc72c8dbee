"""Metadata: who may change them, and what they may be."""

from typing import Any

import pytest
from sqlalchemy import Connection, text

from layers.catalogue import CatalogueError
from layers.exchange.records.model import metadata_from
from layers.exchange.records.queries import describe, metadata_of


def test_who_may_not_manage_a_layer_may_not_describe_it(conn: Connection) -> None:
    conn.execute(text("SET LOCAL ROLE citymap_app"))
    with pytest.raises(CatalogueError, match="may not describe"):
        describe(conn, "roads", {"source": "elsewhere"})
    granted = '[{"collection": "*", "besides": [], "actions": ["manage"], "visibility": "internal", "area": "", "departments": null}]'
    conn.execute(text("SELECT set_config('citymap.grants', :g, true)"), {"g": granted})
    describe(conn, "roads", {"metadata": metadata_from({"scale": 500}), "licence": "ODbL"})
    assert metadata_of(conn, "roads").scale == 500


@pytest.mark.parametrize(
    ("said", "named"),
    [({"topics": ["weather"]}, "topics"), ({"scale": 0}, "scale"), ({"begin": "2021-01-01", "end": "2020-01-01"}, "begin"),
     ({"contacts": [{"name": "x"}]}, "organization"), ({"weather": 1}, "weather"), ({"classification": ["A1"]}, "classification")],
    ids=str,
)  # fmt: skip
def test_what_is_wrong_in_metadata_is_named(said: Any, named: str) -> None:
    with pytest.raises(CatalogueError, match=named):
        metadata_from(said)
