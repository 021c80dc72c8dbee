"""What a client is told when something goes wrong: one table from error type to status and OGC exception code."""

import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from psycopg2 import DatabaseError, DataError, InternalError, OperationalError
from psycopg2.errors import ProgramLimitExceeded, QueryCanceled, UndefinedTable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from geoserver.guard.request_id import request_id
from geoserver.messages import in_chinese
from geoserver.outbound import OutboundFailed, OutboundRefused
from grid.errors import ActNotAllowed, CaseNotFound, GridError
from layers.analysis.errors import AnalysisError
from layers.catalogue import DATA_SCHEMA, CatalogueError, Text
from layers.cql2 import Cql2Error
from layers.crs import CrsError
from layers.editing import EditError
from layers.exchange.changes.errors import ChangesGone, NotFollowed, PositionError
from layers.exchange.proxies.errors import NotOffered, ProxyError, UpstreamFailed
from layers.exporting.errors import ExportRefused
from layers.features import DuplicateKey, EditConflict, FeatureNotFound, RowDenied
from layers.importing.errors import ImportRefused
from layers.network.errors import NetworkError
from layers.pipes.errors import PipeError
from layers.query import CursorError
from layers.raster.errors import ImageGone, NoSuchBand, OutOfReach, RasterTooLarge, TooManyImages
from layers.registry import LayerNotFound
from layers.terrain.errors import TerrainError
from layers.versions.errors import NoSuchVersion, UndoRefused, VersionError
from planning.errors import PlanningConflict, PlanningError, StepNotAllowed
from tiles.archives.errors import ArchiveBusy, ArchiveError, NoSuchArchive
from tiles.matrix_sets import NoSuchTile
from tracking.alarms.handling import AlarmHandled, AlarmNotFound
from tracking.analysis.reading import AnalysisRefused
from tracking.commands import CommandRefused
from tracking.dispatching.model import DispatchRefused, TaskNotFound, WrongInputs
from tracking.inputs.values import InputRefused
from tracking.sharing import ShareRefused
from tracking.tracks import DeviceNotFound

LOGGER = logging.getLogger("citymap")


class ParameterError(ValueError):
    """A query parameter is unknown or malformed."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"parameter {name!r}: {problem}")


class BodyError(ValueError):
    """A request body is missing, too large, or not what its media type says."""


class TooLarge(ValueError):
    """A request body exceeds the configured bound."""


class Busy(RuntimeError):
    """Too much of something is under way; later is better."""


class TooManyRequests(RuntimeError):
    """The client asks more often than it may; ``headers`` tell it when to come back."""

    def __init__(self, text: str, headers: Mapping[str, str]) -> None:
        super().__init__(text)
        self.headers = headers


class NotAcceptable(ValueError):
    """No representation of the kind that was asked for exists."""


class UnsupportedMedia(ValueError):
    """The request body has a media type that this resource does not take."""


class NotAllowed(PermissionError):
    """The layer cannot be edited, or not by this client."""


class SignInNeeded(PermissionError):
    """The request needs an account; none, or a wrong one, was given. ``headers`` say how to sign in."""

    headers: Mapping[str, str] = {"WWW-Authenticate": 'Basic realm="CityMap", charset="UTF-8"'}


class InputError(ValueError):
    """An input of a process is missing, unknown or malformed; the message names it."""


class NoSuchProcess(LookupError):
    """There is no process of that id."""

    uri = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-process"


class NoSuchJob(LookupError):
    """There is no job of that id, or it is another account's."""

    uri = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-job"


class ResultNotReady(LookupError):
    """The job has not ended yet."""

    uri = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/result-not-ready"


class NoSuchUpload(LookupError):
    """There is no uploaded file of that id, or it is another account's."""


class NotThere(LookupError):
    """An account, session, key, role or department that is named does not exist."""


class Conflict(ValueError):
    """What is asked for contradicts what there is."""


class KeyReused(ValueError):
    """An Idempotency-Key came with another request before."""


#: Errors that rules in the database raise for the client: MESSAGE in English, DETAIL in Chinese (grid/cases/).
RULES: Mapping[str, tuple[HTTPStatus, str]] = {
    "CM400": (HTTPStatus.BAD_REQUEST, "InvalidBody"),
    "CM409": (HTTPStatus.CONFLICT, "Conflict"),
}
#: The first type that an error is an instance of decides.
STATUS: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (FeatureNotFound, HTTPStatus.NOT_FOUND, "NotFound"),
    (LayerNotFound, HTTPStatus.NOT_FOUND, "NotFound"),
    (ImageGone, HTTPStatus.NOT_FOUND, "NotFound"),
    (NoSuchTile, HTTPStatus.NOT_FOUND, "NotFound"),
    (NoSuchVersion, HTTPStatus.NOT_FOUND, "NotFound"),
    (UndoRefused, HTTPStatus.CONFLICT, "Conflict"),
    (VersionError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (NoSuchArchive, HTTPStatus.NOT_FOUND, "NotFound"),
    (ArchiveError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (ChangesGone, HTTPStatus.GONE, "Gone"),
    (NotFollowed, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (UpstreamFailed, HTTPStatus.BAD_GATEWAY, "OutboundFailed"),
    (NotOffered, HTTPStatus.NOT_IMPLEMENTED, "NotImplemented"),
    (ProxyError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (PositionError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (NoSuchProcess, HTTPStatus.NOT_FOUND, "NoSuchProcess"),
    (NoSuchJob, HTTPStatus.NOT_FOUND, "NoSuchJob"),
    (ResultNotReady, HTTPStatus.NOT_FOUND, "ResultNotReady"),
    (NoSuchUpload, HTTPStatus.NOT_FOUND, "NotFound"),
    (NotThere, HTTPStatus.NOT_FOUND, "NotFound"),
    (SignInNeeded, HTTPStatus.UNAUTHORIZED, "Unauthorized"),
    (NotAllowed, HTTPStatus.FORBIDDEN, "Forbidden"),
    (RowDenied, HTTPStatus.FORBIDDEN, "Forbidden"),
    (TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests"),
    (CaseNotFound, HTTPStatus.NOT_FOUND, "NotFound"),
    (ActNotAllowed, HTTPStatus.CONFLICT, "Conflict"),
    (GridError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (EditConflict, HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed"),
    (DuplicateKey, HTTPStatus.CONFLICT, "Conflict"),
    (Conflict, HTTPStatus.CONFLICT, "Conflict"),
    (KeyReused, HTTPStatus.UNPROCESSABLE_ENTITY, "KeyReused"),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "TooLarge"),
    (NotAcceptable, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (UnsupportedMedia, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType"),
    (OutboundRefused, HTTPStatus.BAD_REQUEST, "OutboundRefused"),
    (OutboundFailed, HTTPStatus.BAD_GATEWAY, "OutboundFailed"),
    (ParameterError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (CursorError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (InputError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (ImportRefused, HTTPStatus.BAD_REQUEST, "ImportRefused"),
    (StepNotAllowed, HTTPStatus.FORBIDDEN, "Forbidden"),
    (PlanningConflict, HTTPStatus.CONFLICT, "Conflict"),
    (PlanningError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (AnalysisRefused, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (CommandRefused, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (InputRefused, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (DispatchRefused, HTTPStatus.CONFLICT, "Conflict"),
    (AlarmNotFound, HTTPStatus.NOT_FOUND, "NotFound"),
    (AlarmHandled, HTTPStatus.CONFLICT, "Conflict"),
    (ShareRefused, HTTPStatus.CONFLICT, "Conflict"),
    (WrongInputs, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (TaskNotFound, HTTPStatus.NOT_FOUND, "NotFound"),
    (DeviceNotFound, HTTPStatus.NOT_FOUND, "NotFound"),
    (Cql2Error, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (NetworkError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (TerrainError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (PipeError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (AnalysisError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (CrsError, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (RasterTooLarge, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (TooManyImages, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (NoSuchBand, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (OutOfReach, HTTPStatus.BAD_REQUEST, "InvalidParameterValue"),
    (EditError, HTTPStatus.BAD_REQUEST, "InvalidBody"),
    (BodyError, HTTPStatus.BAD_REQUEST, "InvalidBody"),
    (CatalogueError, HTTPStatus.BAD_REQUEST, "InvalidBody"),
)


def describe(error: Exception) -> tuple[HTTPStatus, Mapping[str, str]]:
    """The status and the exception document for an error; what is unexpected is logged and masked."""
    for kind, status, code in STATUS:
        if isinstance(error, kind):
            return status, exception_document(code, str(error), getattr(error, "uri", code), _chinese(error))
    if isinstance(error, Busy | ArchiveBusy):
        return _busy(str(error))
    if isinstance(error, ExportRefused):
        return HTTPStatus.BAD_REQUEST, exception_document("InvalidParameterValue", str(error), "TooMuch", error.text.zh)
    if isinstance(error, PoolTimeout):
        return _busy("every database connection is busy; try again in a moment")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, DatabaseError) and cause.pgcode is not None and cause.pgcode in RULES:
        status, code = RULES[cause.pgcode]
        said = cause.diag.message_primary or code
        return status, {**exception_document(code, said), "zh": cause.diag.message_detail or said}
    if isinstance(cause, QueryCanceled):
        return _busy("the request took longer than this server allows; ask for less (bbox, filter, limit)")
    if isinstance(cause, InternalError) and str(cause).startswith("transform"):  # as PostGIS reports PROJ's refusal
        text = "coordinates lie outside the domain of a coordinate system used here; choose another crs or less"
        return HTTPStatus.BAD_REQUEST, exception_document("InvalidParameterValue", text)
    if isinstance(cause, UndefinedTable) and f'"{DATA_SCHEMA}.' in str(cause):  # not yet known to this worker
        return HTTPStatus.NOT_FOUND, exception_document("NotFound", "the collection has been removed a moment ago")
    if isinstance(cause, DataError | ProgramLimitExceeded):
        text = "a value in the request is outside what its field can hold"
        return HTTPStatus.BAD_REQUEST, exception_document("InvalidParameterValue", text)
    if isinstance(cause, OperationalError):
        LOGGER.error("database failed: %s", cause)
        # Without an SQLSTATE, or with one of class 08 or 57, it is the connection that failed.
        gone = cause.pgcode is None or cause.pgcode.startswith(("08", "57"))
        return _busy(f"the database {'cannot be reached' if gone else 'could not do that'} at the moment; try again")
    return _unexpected(error)


def _busy(description: str) -> tuple[HTTPStatus, Mapping[str, str]]:
    return HTTPStatus.SERVICE_UNAVAILABLE, exception_document("ServiceUnavailable", description)


def _unexpected(error: Exception) -> tuple[HTTPStatus, Mapping[str, str]]:
    asked = request_id() or uuid.uuid4().hex  # a job has none
    LOGGER.error("request %s failed", asked, exc_info=error)
    text = f"the server failed; tell its operator this request id: {asked}"
    return HTTPStatus.INTERNAL_SERVER_ERROR, {**exception_document("InternalError", text), "requestId": asked}


def _chinese(error: Exception) -> str | None:
    """What the error itself says in Chinese: a sentence of its class, or of its own."""
    text = getattr(error, "text", None)
    own: str | None = getattr(error, "zh", None)
    return text.zh if isinstance(text, Text) else own


def exception_document(code: str, description: str, kind: str | None = None, zh: str | None = None) -> dict[str, str]:
    """The members of an OGC exception; ``kind`` is its URI or a narrower code, where it has one.

    ``zh`` says it in Chinese; without, the catalogue of messages does.
    """
    return {
        "code": code, "type": kind or code, "description": description, "zh": zh or in_chinese(code, description)
    }  # fmt: skip


def in_language(document: Mapping[str, str], language: str) -> dict[str, str]:
    """The document with its description in that language; ``code`` and ``type`` are the same in all."""
    told = document.get("zh", document["description"]) if language[:2] == "zh" else document["description"]
    return {**document, "description": told}


def error_body(document: Mapping[str, str]) -> bytes:
    """The exception document as JSON."""
    return orjson.dumps(document)
