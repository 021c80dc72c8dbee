"""A site of the identity routes whose accounts are removed after each test."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from geoserver import accounts
from tests.conftest import drop_database, make_database
from tests.geoserver.identity.site import IdentitySite, identity_site


@pytest.fixture(scope="session")
def identity_url(postgres_url: str, template_name: str) -> Iterator[str]:
    name = f"citymap_identity_{os.getpid()}"
    yield make_database(postgres_url, name, template_name)
    drop_database(postgres_url, name)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a hash is no matter of these tests, but of their time."""
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    accounts._nobody.cache_clear()


@pytest.fixture
def door(identity_url: str, tmp_path: Path) -> Iterator[IdentitySite]:
    with identity_site(identity_url, tmp_path) as site:
        yield site
        site.sql("DELETE FROM access.accounts")
        site.sql("DELETE FROM access.device_secrets")
