"""The city of secrets: one that the tests read, and one that the fuzzer may spoil."""

import os
from collections.abc import Iterator

import pytest

from tests.security.secrets_site import SecretsSite, secrets_site


@pytest.fixture(scope="session")
def secrets_city(
    postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecretsSite]:
    """Read by the tests, which put back what they change."""
    directory = tmp_path_factory.mktemp("secrets")
    with secrets_site(postgres_url, template_name, f"citymap_secrets_{os.getpid()}", directory) as found:
        yield found


@pytest.fixture(scope="session")
def fuzzed_city(
    postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecretsSite]:
    """With the layers of secrets and their areas only."""
    directory = tmp_path_factory.mktemp("fuzzed")
    with secrets_site(postgres_url, template_name, f"citymap_fuzzed_{os.getpid()}", directory, small=True) as found:
        yield found
