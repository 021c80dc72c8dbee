"""Reads what a request offers as proof of who sends it.

One kind counts: what a program states (``Authorization`` or ``X-API-Key``) before the cookie that a browser adds on its
own. Two statements are refused, and a wrong one is refused rather than passed over for the cookie.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from starlette.requests import Request

from geoserver.accounts import MAX_PASSWORD
from geoserver.errors import SignInNeeded
from geoserver.identity.api_keys import PREFIX

Kind = Literal["password", "key", "token", "session"]
#: Longest account name, and longest secret of any kind [characters].
_MAX_NAME = 64
_MAX_SECRET = 8192


@dataclass(frozen=True, slots=True, repr=False)
class Credential:
    """What is offered; ``account`` is stated with passwords only."""

    kind: Kind
    secret: str
    account: str = ""

    @property
    def digest(self) -> bytes:
        """By which a proved credential is remembered."""
        return sha256(f"{self.kind}\n{self.account}\n{self.secret}".encode()).digest()


def credential_of(request: Request, session_secret: str | None) -> Credential | None:
    """The request's credential; None without any. Raises :class:`SignInNeeded` for what is none."""
    stated = request.headers.getlist("authorization")
    keys = request.headers.getlist("x-api-key")
    if len(stated) + len(keys) > 1:
        raise SignInNeeded("send one of Authorization and X-API-Key, once")
    if keys:
        return _bounded(Credential("key", keys[0].strip()))
    if stated:
        return _stated(stated[0])
    return _bounded(Credential("session", session_secret)) if session_secret else None


def _stated(header: str) -> Credential:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":
        return _basic(value)
    if scheme.lower() == "bearer":
        value = value.strip()
        return _bounded(Credential("key" if value.startswith(f"{PREFIX}_") else "token", value))
    raise SignInNeeded("Authorization is 'Basic …' or 'Bearer …' here")


def _basic(value: str) -> Credential:
    try:
        account, separator, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SignInNeeded("the Authorization header is not valid HTTP Basic") from None
    if not separator or not passable(account, password):
        raise SignInNeeded("the Authorization header is not valid HTTP Basic")
    return Credential("password", password, account)


def passable(account: str, password: str) -> bool:
    """Whether they can be an account's name and a password at all."""
    return "\0" not in account and len(account) <= _MAX_NAME and len(password) <= MAX_PASSWORD


def _bounded(credential: Credential) -> Credential:
    if len(credential.secret) > _MAX_SECRET or not credential.secret.isascii():
        raise SignInNeeded("the key, token or cookie is none of this server's")
    return credential
