"""``Idempotency-Key``: a write that is sent again, because its answer was lost, is done once and answered as before.

The key is claimed in the transaction of the write itself, so there is no moment in which one stands without the other;
whoever sends the same key meanwhile waits. The answer is kept afterwards: should the server die in between, the write
is done, and a repetition is told so. Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, text
from starlette.requests import Request

from geoserver.errors import BodyError, Conflict, KeyReused
from geoserver.reply import Reply

if TYPE_CHECKING:
    from geoserver.city import City

#: Answers above this size [bytes] are not kept.
_LARGEST = 1_000_000
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Claim:
    """A key of a client's for one write; ``digest`` is of what was sent with it."""

    actor: str
    key: str
    digest: str

    def take(self, conn: Connection) -> None:
        """Claim the key in the transaction of the write. Raises :class:`Repeated` if it is taken."""
        made = conn.execute(
            text("INSERT INTO citymap.idempotency (actor, key, digest) VALUES (:actor, :key, :digest)"
                 " ON CONFLICT DO NOTHING"),
            {"actor": self.actor, "key": self.key, "digest": self.digest},
        )  # fmt: skip
        if made.rowcount == 0:
            raise Repeated

    def release(self, conn: Connection) -> None:
        """Give the key back: nothing was done with it."""
        conn.execute(
            text("DELETE FROM citymap.idempotency WHERE actor = :actor AND key = :key AND status IS NULL"),
            {"actor": self.actor, "key": self.key},
        )


class Repeated(Exception):
    """The key of this write is taken by an earlier one."""


#: The claim of the request that this thread answers.
CLAIM: ContextVar[Claim | None] = ContextVar("CLAIM", default=None)


def take_claim(conn: Connection) -> None:
    """Claim the request's key, if it has one, in the transaction of its write."""
    if claim := CLAIM.get():
        claim.take(conn)


def _sender(city: "City") -> str:
    return city.account or f"anonymous {city.principal.address}"


def idempotent(handler: Callable[..., Reply], sender: Callable[["City"], str] = _sender) -> Callable[..., Reply]:
    """The handler, which claims the key of its request by :func:`take_claim`; ``sender`` is whose key it is."""

    @wraps(handler)
    def run(city: "City", request: Request, body: bytes, **path: Any) -> Reply:
        claim = _claim(sender(city), request, body)
        if claim is None:
            return handler(city, request, body, **path)
        if answer := _kept(city, claim):
            return answer
        token = CLAIM.set(claim)
        try:
            reply = handler(city, request, body, **path)
        except Repeated:
            if answer := _kept(city, claim):
                return answer
            raise Conflict("the write with this Idempotency-Key is done; its answer is not kept (yet)") from None
        finally:
            CLAIM.reset(token)
        _keep(city, claim, reply)
        return reply

    return run


def _claim(actor: str, request: Request, body: bytes) -> Claim | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise BodyError("header Idempotency-Key: 1 to 255 printable ASCII characters, such as a UUID")
    sent = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body)
    return Claim(actor, key, sent.hexdigest())


def _kept(city: "City", claim: Claim) -> Reply | None:
    """The answer to the write that took the key. Raises :class:`KeyReused` if that was another write."""
    with city.transaction() as conn:
        row = conn.execute(
            text("SELECT digest, status, headers, body FROM citymap.idempotency WHERE actor = :actor AND key = :key"),
            {"actor": claim.actor, "key": claim.key},
        ).first()
    if row is None:
        return None
    if row[0] != claim.digest:
        raise KeyReused("this Idempotency-Key was sent with another request: make a new key for each write")
    if row[1] is None:
        raise Conflict("the write with this Idempotency-Key is done; its answer is not kept (yet)")
    headers = dict(row[2])
    media_type = headers.pop("media-type", None)
    return Reply(bytes(row[3]), media_type, row[1], {**headers, "Idempotent-Replayed": "true"})


def _keep(city: "City", claim: Claim, reply: Reply) -> None:
    if not isinstance(reply.body, bytes) or len(reply.body) > _LARGEST:
        return
    headers = {**reply.headers, **({"media-type": reply.media_type} if reply.media_type else {})}
    with city.transaction() as conn:
        conn.execute(
            text("UPDATE citymap.idempotency SET status = :status, headers = CAST(:headers AS jsonb), body = :body"
                 " WHERE actor = :actor AND key = :key"),
            {"actor": claim.actor, "key": claim.key, "status": int(reply.status),
             "headers": orjson.dumps(headers).decode(), "body": reply.body},
        )  # fmt: skip
