"""The planning office: a database of its own, since its tests commit."""

import os
from collections.abc import Iterator

import pytest

from tests.conftest import drop_database, make_database
from tests.geoserver.conftest import browser  # noqa: F401
from tests.planning.redline_site import Office, open_office


@pytest.fixture(scope="module")
def office(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Officers of every role in a city with an urban boundary and one plot of business land."""
    name = f"citymap_planning_{os.getpid()}"
    found = open_office(make_database(postgres_url, name, template_name), tmp_path_factory.mktemp("rasters"))
    yield found
    found.database.close()
    found.owner.close()
    drop_database(postgres_url, name)
