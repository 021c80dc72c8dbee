"""From a request to its principal: who sends it (:mod:`geoserver.identity`), and what that account may do."""

from dataclasses import replace

import orjson
from starlette.requests import Request

from geoserver.guard.address import client_address
from geoserver.guard.request_id import request_id
from geoserver.identity import Identities
from geoserver.identity.model import scope_of
from geoserver.identity.narrowing import narrowed
from geoserver.principals import Principals
from geoserver.process_adapter import EDITING
from geoserver.settings import Settings
from layers.access import Principal
from layers.database import Database


class Access:
    """Finds the principals of requests and of jobs."""

    def __init__(self, settings: Settings, gate: Database) -> None:
        self.identities = Identities(settings, gate)
        self._principals = Principals(
            gate, anonymous_edit=settings.access.anonymous_edit, providers=settings.access.oidc
        )

    def principal(self, request: Request) -> Principal:
        """Who sent the request. Raises :class:`SignInNeeded` for wrong credentials."""
        identity = self.identities.identify(request)
        found = self._principals.of(identity.account if identity else None)
        if identity:
            found = replace(narrowed(found, identity.scope, EDITING), via=identity.via)
            if identity.scope:
                found = replace(found, scope=orjson.dumps(identity.scope.document()).decode())
        return replace(found, address=client_address(request.scope), request=request_id())

    def forget(self) -> None:
        """Accounts or rights have changed."""
        self._principals.forget()
        self.identities.forget()


def job_principal(principals: Principals, account: str | None, scope: str | None) -> Principal:
    """Who a job runs for: the account with the rights that it has now, within the scope of the key that began it."""
    found = principals.of(account)
    return narrowed(found, scope_of(orjson.loads(scope)), EDITING) if scope else found
