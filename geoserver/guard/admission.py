"""The rate of an account, whatever addresses it asks from: asked once it is known who sends the request."""

from starlette.requests import Request

from geoserver.errors import TooManyRequests
from geoserver.guard.address import client_address, one_client
from geoserver.guard.gate import too_many
from geoserver.guard.purposes import purpose_of
from geoserver.guard.rates import Purpose, Rates
from layers.access import Principal


def admit(request: Request, principal: Principal) -> None:
    """Count a request of an account, in the narrower quota too if there is one for what it wants.

    The public is bounded by its addresses already. Raises :class:`TooManyRequests`.
    """
    if principal.account is None:
        return
    _spend(request, "account", principal.account)
    purpose = purpose_of(request.scope)
    if purpose is not None:
        _spend(request, purpose, f"account {principal.account}")


def admit_credentials(request: Request) -> None:
    """Count an attempt to sign in, by whatever road. Raises :class:`TooManyRequests` before a password is hashed."""
    _spend(request, "sign_in", one_client(client_address(request.scope)))


def _spend(request: Request, purpose: Purpose, client: str) -> None:
    rates: Rates | None = request.app.state.rates
    if rates is None:
        return
    spent = rates.spend(purpose, client)
    if spent.wait:
        refusal = too_many(spent)
        raise TooManyRequests(refusal.text.en, refusal.headers)
