"""The id of a request: made here for each one, never taken from a client, who could forge another's trace by it."""

import os
from contextvars import ContextVar

#: Where the envelope keeps the id in ``scope["state"]``.
STATE_KEY = "request_id"

_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def begin_request() -> str:
    """A new id, 32 hexadecimal digits, which holds in this task and in the threads that work for it."""
    made = os.urandom(16).hex()
    _current.set(made)
    return made


def request_id() -> str | None:
    """The id of the request at work, None outside of one."""
    return _current.get()
