"""Logging of every process of ours: one handler on the root, whose formatter lets no secret through.

uvicorn, SQLAlchemy and procrastinate log by the same handler, because nobody else is allowed to install one.
"""

import logging
import sys
import time
from typing import Any

import orjson

from geoserver.guard.redaction import redacted
from geoserver.guard.request_id import request_id
from geoserver.settings.server import Logging

#: An access line's values, as an attribute of its record.
FIELDS = "fields"
#: Libraries that tell of every start of their own, and loggers that libraries give handlers of their own.
_TALKATIVE = ("procrastinate", "alembic")
_OTHERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "procrastinate", "sqlalchemy", "alembic")


def configure_logging(settings: Logging) -> None:
    """Log to standard error as configured, from here on and by nobody else. Repeating it changes nothing."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.form == "json" else PlainLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level)
    for name in _OTHERS:
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = name != "uvicorn.access"  # which writes no line unless somebody would hear it
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(settings.level if settings.level == "DEBUG" else logging.WARNING)
    logging.captureWarnings(True)


class PlainLines(logging.Formatter):
    """``INFO:     citymap the text [request id]``, and a traceback below it."""

    def __init__(self) -> None:
        super().__init__("%(levelname)-9s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The text without secrets; a line break in the message begins no new record."""
        asked = request_id()
        text = redacted(super().format(record))
        head, newline, rest = text.partition("\n")
        return f"{head} [{asked}]{newline}{rest}" if asked and not hasattr(record, FIELDS) else text

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The first line."""
        record.message = record.message.replace("\r", "\\r").replace("\n", "\\n")
        return super().formatMessage(record)


class JsonLines(logging.Formatter):
    """One JSON object per line: time (UTC, RFC 3339), level, logger, message, request, an error's traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The object; texts are without secrets."""
        document: dict[str, Any] = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        if asked := request_id():
            document["request"] = asked
        if fields := getattr(record, FIELDS, None):
            document.update({name: redacted(v) if isinstance(v, str) else v for name, v in fields.items()})
        if record.exc_info:
            document["error"] = redacted(self.formatException(record.exc_info))
        return orjson.dumps(document).decode()
