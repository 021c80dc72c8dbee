"""The SQL of Open311: classes as services, cases as service requests."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from grid.open311.model import RequestQuery, Service
from grid.options import ReportOptions
from layers.catalogue import Layer

#: What is told of a case: name here → column; those that the principal may not see are left empty.
_COLUMNS = {
    "service_request_id": "code", "state": "state", "class_name": "class_name", "class": "class", "kind": "kind",
    "description": "description", "agency_responsible": "department", "requested": "reported_at", "closed": "closed_at",
    "expected": "deadline", "address": "place", "duplicate_of": "duplicate_of",
}  # fmt: skip


def services(conn: Connection, options: ReportOptions, only: tuple[str, str] | None = None) -> list[Service]:
    """The classes of the city's schemes with their conditions, or the one of that kind and code."""
    kind, code = only or (None, None)
    rows = conn.execute(
        text("""
            SELECT c.kind, c.code, c.name, c.major_name, array_agg(DISTINCT d.condition)
                FILTER (WHERE d.condition <> '')
            FROM grid.classes c
            LEFT JOIN grid.conditions d ON (d.scheme, d.kind, d.class) = (c.scheme, c.kind, c.code)
            WHERE (c.kind, c.scheme) IN (('event', :events), ('component', :components))
              AND (CAST(:kind AS text) IS NULL OR (c.kind, c.code) = (:kind, :code))
            GROUP BY c.kind, c.code, c.name, c.major_name
            ORDER BY c.kind DESC, c.code"""),
        {"events": options.event_scheme, "components": options.component_scheme, "kind": kind, "code": code},
    )
    return [Service(kind, code, name, group, tuple(found or ())) for kind, code, name, group, found in rows]


def service_requests(conn: Connection, layer: Layer, query: RequestQuery) -> list[Mapping[str, Any]]:
    """The cases that are asked for and may be seen, the newest first, with longitude, latitude [°] and a photo's id."""
    seen = {field.name for field in layer.fields}
    told = ", ".join(f"{column if column in seen else 'NULL'} AS {name}" for name, column in _COLUMNS.items())
    where, values = _where(query)
    rows = conn.execute(
        text(f"""
            SELECT {told}, valid_from AS updated, ST_X(geom) AS lon, ST_Y(geom) AS lat,
                   (SELECT p.id FROM grid.photos p WHERE p.case_id = c.id ORDER BY p.at, p.id LIMIT 1) AS photo
            FROM city.cases c WHERE {where}
            ORDER BY reported_at DESC, id DESC LIMIT :size OFFSET :skipped"""),
        {**values, "size": query.size, "skipped": (query.page - 1) * query.size},
    )
    return [dict(row) for row in rows.mappings()]


def _where(query: RequestQuery) -> tuple[str, dict[str, Any]]:
    if query.ids:
        return "code = ANY (:ids)", {"ids": list(query.ids)}
    terms, values = ["reported_at BETWEEN :begin AND :end"], {"begin": query.begin, "end": query.end}
    if query.services:
        terms.append("(kind, class) IN (SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:classes AS text[])))")
        values |= {"kinds": [k for k, _ in query.services], "classes": [c for _, c in query.services]}  # type: ignore[dict-item]
    if len(set(query.statuses)) == 1:
        terms.append("closed_at IS NULL" if query.statuses[0] == "open" else "closed_at IS NOT NULL")
    return " AND ".join(terms), values
