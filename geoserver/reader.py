"""Who reads the page that is being made: what its header says of them."""

from contextvars import ContextVar

_reader: ContextVar[str | None] = ContextVar("reader", default=None)


def read_by(account: str | None) -> None:
    """From here on this request's page is for that account; None is the public."""
    _reader.set(account)


def reader() -> str | None:
    """The account that the page at work is made for."""
    return _reader.get()
