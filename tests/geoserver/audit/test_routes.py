"""``GET /audit``: pages and filters, and that reading is kept too."""

import json
from dataclasses import dataclass, field

import pytest
from starlette.requests import Request

from geoserver.audit.entries import Filters, append, page
from geoserver.audit.routes import audit_paths, get_audit
from geoserver.database_roles import role_url
from geoserver.errors import NotAllowed, ParameterError
from layers.access import Principal
from layers.database import Database


@dataclass
class Office:
    """As much of a city as the handler needs."""

    gate: Database
    url: str = "http://city"
    principal: Principal = field(
        default_factory=lambda: Principal(account="wang", via="session", address="10.0.0.7", request="r-9")
    )
    offices: frozenset[str] = frozenset({"audit:read"})

    def require_office(self, office: str) -> None:
        if office not in self.offices:
            raise NotAllowed(office)


@pytest.fixture
def office(log: Database, log_url: str):
    with log.transaction(actor="li") as conn:
        for n in range(12):
            append(conn, "read", "layer", f"layer-{n}", detail={"n": n})
    gate = Database(role_url(log_url, "citymap_access"), pool_size=1)
    yield Office(gate)
    gate.close()


def ask(office: Office, query: str = "") -> dict:
    request = Request(
        {"type": "http", "method": "GET", "path": "/audit", "query_string": query.encode(), "headers": []}
    )
    reply = get_audit(office, request, b"")  # type: ignore[arg-type]
    assert reply.headers["Cache-Control"] == "no-store"
    return json.loads(reply.body)  # type: ignore[arg-type]


def test_pages_follow_the_next_link_to_the_last(office: Office) -> None:
    found, query = [], "actor=li&limit=5"
    for _ in range(3):
        document = ask(office, query)
        found += [entry["detail"]["n"] for entry in document["entries"]]
        following = [link["href"] for link in document["links"] if link["rel"] == "next"]
        query = following[0].partition("?")[2] if following else ""
    assert found == list(range(11, -1, -1)) and not query


def test_filters_narrow(office: Office) -> None:
    (entry,) = ask(office, "object=layer-3&action=read&datetime=2020-01-01T00:00:00Z/..")["entries"]
    assert (entry["actor"], entry["detail"], entry["kind"]) == ("li", {"n": 3}, "layer")
    assert ask(office, "actor=nobody%00")["entries"] == []
    assert ask(office, "datetime=2020-01-01")["entries"] == []


def test_who_reads_the_log_stands_in_it(office: Office, log: Database) -> None:
    ask(office, "actor=li&limit=3")
    with log.engine.connect() as conn:
        (entry,) = page(conn, Filters(limit=1))[0]
    assert (entry["actor"], entry["action"], entry["kind"], entry["row_count"]) == ("wang", "read", "audit", 3)
    assert (entry["login"], entry["via"], entry["address"], entry["request"]) == (
        "citymap_access",
        "session",
        "10.0.0.7",
        "r-9",
    )
    assert json.loads(entry["detail"]) == {"actor": "li", "limit": "3"}


def test_without_the_office_nothing_is_read(office: Office) -> None:
    office.offices = frozenset({"accounts:manage"})
    with pytest.raises(NotAllowed):
        ask(office)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=x",
        "cursor=-1",
        "cursor=1e9",
        "colour=red",
        "datetime=soon",
        "actor=a&actor=b",
        f"cursor={10**19}",
    ],
)
def test_a_malformed_parameter_is_named(office: Office, query: str) -> None:
    with pytest.raises(ParameterError, match=query.split("=")[0]):
        ask(office, query)


def test_the_description_names_every_parameter() -> None:
    (described,) = audit_paths().values()
    names = {p.get("name", p.get("$ref", "").rsplit("/", 1)[-1]) for p in described["get"]["parameters"]}
    assert {"actor", "action", "object", "request", "datetime", "limit", "cursor"} <= names
