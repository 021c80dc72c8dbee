"""Bearer tokens (JWT, RFC 7519; best current practice RFC 8725): short, for one server, with one algorithm.

HS256: the server that makes a token is the one that reads it, so nobody needs a public key, and the key never leaves.
The algorithm is fixed here and never taken from the token. A token ends with what it was made from: the account's
epoch, its session or its key.
"""

import secrets
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OctKey
from joserfc.jwt import ClaimsOption

from geoserver.identity.model import Identity, Scope, scope_of
from geoserver.identity.server_key import ServerKey

ALGORITHM = "HS256"
#: RFC 9068 §2.1, so that no token made for something else passes.
_TYPE = "at+jwt"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says that is whole, ours and of now; whether its source still stands is to be looked up."""

    account: str
    epoch: int
    scope: Scope | None
    session: UUID | None
    key: str | None
    expires: float


def make_token(server_key: ServerKey, url: str, identity: Identity, scope: Scope | None, seconds: float) -> str:
    """A token for who is proved already; ``url`` is this server's address."""
    now = int(time.time())
    claims = {
        "iss": url, "aud": url, "sub": identity.account, "iat": now, "nbf": now, "exp": now + int(seconds),
        "jti": secrets.token_hex(12), "epoch": identity.epoch,
    }  # fmt: skip
    optional = {
        "scp": scope.document() if scope else None,
        "sid": identity.session.hex if identity.session else None,
        "key": identity.key,
    }
    claims |= {name: value for name, value in optional.items() if value is not None}
    key = _keys(server_key)[0]
    header = {"alg": ALGORITHM, "typ": _TYPE, "kid": key.kid}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def read_token(server_key: ServerKey, url: str, token: str) -> Claims | None:
    """What the token says; None unless this server made it, for itself, for now."""
    try:
        found = jwt.decode(token, KeySet(list(_keys(server_key))), algorithms=[ALGORITHM])
        if found.header.get("typ") != _TYPE:
            return None
        _rules(url).validate(found.claims)
        return _claims(found.claims)
    except (JoseError, ValueError, TypeError):
        return None


def _claims(claims: dict[str, Any]) -> Claims:
    sid = claims.get("sid")
    return Claims(
        str(claims["sub"]), int(claims["epoch"]), scope_of(claims.get("scp")), UUID(sid) if sid else None,
        claims.get("key"), float(claims["exp"]),
    )  # fmt: skip


def _rules(url: str) -> jwt.JWTClaimsRegistry:
    ours: ClaimsOption = {"essential": True, "value": url}
    needed: ClaimsOption = {"essential": True}
    return jwt.JWTClaimsRegistry(
        leeway=0, iss=ours, aud=ours, sub=needed, exp=needed, nbf=needed, iat=needed, epoch=needed
    )


def _keys(server_key: ServerKey) -> list[OctKey]:
    return [OctKey.import_key(k, {"alg": ALGORITHM, "use": "sig", "kid": _kid(k)}) for k in server_key.derived("token")]


def _kid(key: bytes) -> str:
    """The name of a key, which tells nothing of it."""
    return sha256(b"kid" + key).hexdigest()[:16]
