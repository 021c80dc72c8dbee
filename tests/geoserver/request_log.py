"""What a client asked the server for."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote


@contextmanager
def request_log() -> Iterator[list[str]]:
    """The requests that the server of this process answers meanwhile, as ``GET /path?query 200``, unquoted."""
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(line(record))  # type: ignore[method-assign]
    logger = logging.getLogger("uvicorn.access")
    former, level = logger.handlers, logger.level
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    try:
        yield seen
    finally:
        logger.handlers = former
        logger.setLevel(level)


def line(record: logging.LogRecord) -> str:
    assert isinstance(record.args, tuple)
    _client, method, path, _version, status = record.args
    return f"{method} {unquote(str(path))} {status}"
