"""``/report/cases``: reports of the public without an account, and what became of them.

Bounded by ``server.limits.rate.reports`` for each address and by ``grid.public_reports``. Who reports gets a receipt,
with which alone the state of that report is told; of people nothing is. All are verified in the field first.
"""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from pydantic import Field, TypeAdapter
from sqlalchemy import Connection, text
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from geoserver.errors import BodyError, SignInNeeded
from geoserver.idempotency import idempotent, take_claim
from geoserver.identity.bodies import Body, read_body
from geoserver.identity.server_key import ServerKey
from geoserver.openapi import OPTIONAL_ACCOUNT, Json, content, operation
from geoserver.process_schema import schema_of
from geoserver.reply import Reply, endpoint
from grid.domains import CASE_STATES
from grid.errors import GridError, PhotoRefused
from grid.reporting.processes import report_case
from layers.access import Grant, Principal
from layers.processing import UploadedFile

if TYPE_CHECKING:
    from geoserver.city import City

#: Largest body [bytes]: three photos of 1.5 MB in Base64, and words.
_MOST_BODY = 8_000_000
#: Who writes such a report: nobody in particular, who may do nothing else.
REPORTER = Principal(
    None, grants=(Grant("cases", frozenset({"read", "create", "update"}), "internal"),), via="public-report"
)
_NO_STORE = {"Cache-Control": "no-store"}

Word = Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")]


class ReportBody(Body):
    """``POST /report/cases``; positions are CGCS2000 or WGS 84 [°], photos JPEG, PNG or WebP in Base64."""

    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    kind: Literal["event", "component"] = "event"
    class_code: Annotated[Word, Field(min_length=1)]
    description: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] = ""
    accuracy: Annotated[float, Field(ge=0, le=100_000)] | None = None
    name: Word = ""
    phone: Word = ""
    separate: bool = False
    photos: Annotated[list[str], Field(max_length=30)] = []


class Kept(Body):
    """A report that somebody made, with its receipt."""

    case: Annotated[Word, Field(min_length=1)]
    receipt: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class KeptBody(Body):
    """``POST /report/cases/states``."""

    reports: Annotated[list[Kept], Field(max_length=100)]


def routes() -> list[BaseRoute]:
    """The routes."""
    return [
        Route("/report/cases", endpoint(post_report, _MOST_BODY), methods=["POST"]),
        Route("/report/cases/states", endpoint(post_states, 40_000), methods=["POST"]),
    ]


def receipt_of(key: ServerKey, case: str) -> str:
    """The receipt of a report."""
    return key.sign("receipt", case.encode()).hex()


def _report(city: "City", request: Request, body: bytes) -> Reply:
    """Enter a report of the public's as a case."""
    rules, options = city.settings.grid.public_reports, city.settings.grid.for_processes()
    if not rules.open:
        raise SignInNeeded("reports without an account are not taken here: sign in")
    asked = read_body(ReportBody, request, body)
    if len(asked.photos) > rules.photos:
        raise GridError(f"最多 {rules.photos} 张照片", f"at most {rules.photos} photos are taken")
    with _files(asked.photos, rules.photo_mb) as photos, _writing(city, request) as conn:
        take_claim(conn)
        became = report_case(
            conn, options, city.settings.crs.for_processes(), (asked.lon, asked.lat), asked.class_code,
            asked.description or None, asked.kind, accuracy=asked.accuracy, channel="public",
            reporter_name=asked.name or None, reporter_phone=asked.phone or None, separate=asked.separate,
            photos=photos,
        )  # fmt: skip
        if became.area_code is None and _has_areas(conn):
            raise GridError("位置不在本市范围内，请在地图上核对", "the position lies outside the city: check the map")
    told = {
        "case": became.case, "receipt": receipt_of(city.identities.key, became.case), "state": became.state,
        "title": became.title, "place": became.place, "attached_to": became.attached_to,
    }  # fmt: skip
    return Reply(orjson.dumps(told), status=HTTPStatus.CREATED, headers=_NO_STORE)


#: A phone changes its address between two attempts; its key, drawn by chance, does not.
post_report = idempotent(_report, sender=lambda _city: "the public")


def post_states(city: "City", request: Request, body: bytes) -> Reply:
    """``POST /report/cases/states``: how these reports stand; those with a wrong receipt are left out."""
    asked = read_body(KeptBody, request, body).reports
    key = city.identities.key
    known = [one.case for one in asked if key.signed("receipt", one.case.encode(), bytes.fromhex(one.receipt))]
    with _writing(city, request) as conn:
        found = [_state(row) for row in conn.execute(_STATES, {"codes": known}).mappings()] if known else []
    return Reply(orjson.dumps({"reports": found}), headers=_NO_STORE)


_STATES = text("""
    SELECT c.code, c.title, c.reported_at, c.duplicate_of, coalesce(o.state, c.state) AS state,
           coalesce(o.closed_at, CASE WHEN c.duplicate_of IS NULL THEN c.closed_at END) AS closed_at
    FROM city.cases c LEFT JOIN city.cases o ON o.code = c.duplicate_of
    WHERE c.code = ANY (:codes) AND c.reporter = 'anonymous'""")


def _state(row: Any) -> Json:
    """How a report stands: as the case does that it was added to."""
    return {
        "case": row["code"], "title": row["title"], "reported_at": row["reported_at"], "state": row["state"],
        "state_name": {"zh": CASE_STATES[row["state"]].zh, "en": CASE_STATES[row["state"]].en},
        "attached_to": row["duplicate_of"], "closed_at": row["closed_at"],
    }  # fmt: skip


@contextmanager
def _writing(city: "City", request: Request) -> Iterator[Connection]:
    """A transaction as the public's reporter, whose request the audit log names."""
    reporter = replace(REPORTER, address=city.principal.address, request=city.principal.request)
    with request.app.state.city.database.transaction(principal=reporter) as conn:
        yield conn


def _has_areas(conn: Connection) -> bool:
    """Whether the city has entered its areas, so that one can say what lies outside."""
    if conn.exec_driver_sql("SELECT to_regclass('city.admin_areas')").scalar() is None:
        return False
    return bool(conn.exec_driver_sql("SELECT EXISTS (SELECT FROM city.admin_areas WHERE code IS NOT NULL)").scalar())


@contextmanager
def _files(photos: list[str], most_mb: float) -> Iterator[tuple[UploadedFile, ...]]:
    """The photos as files for as long as they are read. Raises :class:`BodyError`, :class:`PhotoRefused`."""
    with TemporaryDirectory(prefix="citymap-report-") as directory:
        files = []
        for n, given in enumerate(photos, 1):
            if len(given) * 3 / 4 > most_mb * 1_000_000:
                raise PhotoRefused(f"第 {n} 张照片超过 {most_mb:g} MB", f"photo {n} is larger than {most_mb:g} MB")
            path = Path(directory) / f"{n}"
            try:
                path.write_bytes(base64.b64decode(given, validate=True))
            except (binascii.Error, ValueError):
                raise BodyError(f"photos[{n - 1}] is no Base64") from None
            files.append(UploadedFile(path, f"{n}"))
        yield tuple(files)


def public_report_paths() -> Json:
    """The routes as OpenAPI has them."""

    def posted(name: str, summary: str, model: type[Body], done: Json) -> Json:
        body = {"required": True, "content": {"application/json": {"schema": schema_of(TypeAdapter(model))}}}
        return {"post": operation(name, summary, (), done, "grid", requestBody=body, security=OPTIONAL_ACCOUNT)}

    made = {"201": content("The report's number and receipt", "application/json")}
    told = {"200": content("The reports", "application/json")}
    return {
        "/report/cases": posted("postPublicReport", "Report a case without an account", ReportBody, made),
        "/report/cases/states": posted("postReportStates", "How reports stand, by their receipts", KeptBody, told),
    }
