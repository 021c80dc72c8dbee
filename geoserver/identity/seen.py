"""What these handlers need of :class:`geoserver.city.City`."""

from typing import Protocol

from geoserver.identity.identities import Identities
from geoserver.settings import Settings
from layers.access import Principal
from layers.database import Database


class SeenCity(Protocol):
    """The city as the request's principal sees it."""

    @property
    def settings(self) -> Settings:
        """The configuration."""

    @property
    def gate(self) -> Database:
        """The database as the role that reads accounts and no feature."""

    @property
    def identities(self) -> Identities:
        """The worker's door."""

    @property
    def principal(self) -> Principal:
        """Who asks, and what it may do."""

    def require_office(self, office: str) -> None:
        """Raise unless the principal holds an administrative office."""
