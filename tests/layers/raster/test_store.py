"""The base coverages are in the catalogue."""

from sqlalchemy import Connection
from layers.base_coverages import BASE_COVERAGES
from layers.raster.registry import load_coverage


def test_base_coverages_stand_in_the_catalogue(conn: Connection) -> None:
    for declared in BASE_COVERAGES:
        found = load_coverage(conn, declared.layer.id)
        assert (found.nature, found.bands, found.layer.fields) == (
            declared.nature,
            declared.bands,
            declared.layer.fields,
        )
