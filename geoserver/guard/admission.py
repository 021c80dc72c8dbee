"""The rate of an account, whatever addresses it asks from: asked once it is known who sends the request."""

from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def attempt(request: Request) -> Iterator[None]:
    """Within the block a password is proved; only attempts that fail count in the end.

    Raises :class:`TooManyRequests` before a password is hashed.
    """
    client = one_client(client_address(request.scope))
    _spend(request, "sign_in", client)
    yield
    if (rates := _rates(request)) is not None:
        rates.give_back("sign_in", client)


def _spend(request: Request, purpose: Purpose, client: str) -> None:
    if (rates := _rates(request)) is None:
        return
    spent = rates.spend(purpose, client)
    if spent.wait:
        refusal = too_many(spent)
        raise TooManyRequests(refusal.text.en, refusal.headers)


def _rates(request: Request) -> Rates | None:
    return getattr(request.app.state, "rates", None)
