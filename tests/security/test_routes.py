"""Every route × every role: who is let in, who must sign in, who is refused, and to whom it does not exist.

:data:`RULES` names the rule of every route there is; a new route without one fails here. What each role may do is said in
plain words in :mod:`tests.security.rules` and below, not taken from the code under test.
"""

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from starlette.routing import Route

from geoserver.app import routes
from tests.security.rules import LAYERS, LEVELS, OWNERS, PEOPLE, READS, Person, Secrets, rights, seen_layers
from tests.security.secrets_site import JOBS, UPLOADS, SecretsSite

#: What each role may do to layers beside reading: actions and layer (``*`` all) up to a level. Within an area or a
#: department it may do it to some rows, which the tests of rows look after.
WRITES: dict[str, tuple[tuple[set[str], str, str], ...]] = {
    "administrator": (({"create", "update", "delete"}, "*", "internal"),),
    "planner": (({"create", "update", "delete"}, "*", "internal"),),
    "grid-worker": (({"create", "update"}, "cases", "internal"), ({"create", "update"}, "visits", "internal")),
    "intake-clerk": (({"create", "update"}, "cases", "internal"),),
    "shift-leader": (({"create", "update"}, "cases", "internal"),),
    "case-dispatcher": (({"update"}, "cases", "internal"),),
    "case-handler": (({"update"}, "cases", "internal"),),
    "case-verifier": (({"update"}, "cases", "internal"),),
    "leader": (({"update"}, "cases", "internal"),),
    "fleet-dispatcher": (({"create"}, "cases", "internal"),),  # and of layers that this site does not have
    "area-guard": (({"create", "update", "delete"}, "*", "core"),),
    "unit-guard": (({"create", "update", "delete"}, "*", "core"),),
}
OFFICES = {
    "administrator": {"accounts:manage", "departments:manage"},
    "security-administrator": {"roles:manage", "keys:manage", "sessions:manage"},
    "audit-administrator": {"audit:read"},
}
#: The server's own layer of devices.
DEVICES = Secrets("devices", "internal", department=True)
#: Whoever may import may also send files.
IMPORTERS = {"administrator", "planner"}

type Rule = Callable[[Person, dict[str, str]], set[str]]


def anybody(_person: Person, _path: dict[str, str]) -> set[str]:
    return {"in"}


def sees_vehicles(_person: Person, _path: dict[str, str]) -> set[str]:
    return {"not there"}  # the site's layer of positions is no layer of vehicles; tests/geoserver looks at that one


def reports(_person: Person, _path: dict[str, str]) -> set[str]:
    return {"sign in", "in"}  # what is sent without a position is told so first


def reads_cases(person: Person, _path: dict[str, str]) -> set[str]:
    return {"in"} if "cases" in seen_layers(person) else {"forbidden"}


def reports_by_open311(person: Person, _path: dict[str, str]) -> set[str]:
    return {"in"} if {"grid-worker", "intake-clerk", "shift-leader", "fleet-dispatcher"} & set(person.roles) else {"forbidden"}


def signed_in(person: Person, _path: dict[str, str]) -> set[str]:
    return {"in"} if person.account else {"sign in"}


def reads(person: Person, path: dict[str, str]) -> set[str]:
    return {"in"} if path["collection"] in seen_layers(person) else {"not there"}


def works_with(person: Person, path: dict[str, str]) -> set[str]:
    """Reads what is internal of the layer, or edits it."""
    layer = LAYERS[path["collection"]]
    if layer.id not in seen_layers(person):
        return {"not there"}
    edits = any(writes(action)(person, path) == {"in"} for action in ("create", "update", "delete"))
    level = max(LEVELS.index(layer.visibility), LEVELS.index("internal"))
    reading = any(LEVELS.index(right.level) >= level for right in rights(person, layer))
    return {"in"} if edits or reading else refused(person)


def sees_archive(person: Person, path: dict[str, str]) -> set[str]:
    """Those of officials are for who may read internal layers everywhere."""
    rights = [right for role in person.roles for right in READS[role]]
    official = any(r.layer == "*" and r.within == "everywhere" and r.level != "public" for r in rights)
    return {"in"} if official or path["archive"] == "open-map" else {"not there"}


def writes(action: str) -> Rule:
    def rule(person: Person, path: dict[str, str]) -> set[str]:
        layer = LAYERS[path["collection"]]
        if layer.id not in seen_layers(person):
            return {"not there"}
        rights = [right for role in person.roles for right in WRITES.get(role, ())]
        may = any(
            action in actions and named in ("*", layer.id) and LEVELS.index(level) >= LEVELS.index(layer.visibility)
            for actions, named, level in rights
        )
        return {"in"} if may else refused(person)

    return rule


def executes(person: Person, path: dict[str, str]) -> set[str]:
    if path["process"] != "import-layer" or set(person.roles) & IMPORTERS:
        return {"in"}
    return refused(person)


def adds_to_tracks(person: Person, path: dict[str, str]) -> set[str]:
    """Changes devices, whatever collection of the track is named."""
    if path["collection"] not in seen_layers(person) or not rights(person, DEVICES):
        return {"not there"}
    held = [right for role in person.roles for right in WRITES.get(role, ())]
    may = any("update" in actions and named == "*" for actions, named, _ in held) or "fleet-dispatcher" in person.roles
    return {"in"} if may else refused(person)


def sends_files(person: Person, _path: dict[str, str]) -> set[str]:
    return {"in"} if any(WRITES.get(role) or role == "fleet-dispatcher" for role in person.roles) else refused(person)


def owns(what: str) -> Rule:
    def rule(person: Person, path: dict[str, str]) -> set[str]:
        number = next(n for n, found in {"job": JOBS, "upload": UPLOADS}[what].items() if str(found) == path[what])
        return {"in"} if OWNERS[number] == person.account else {"not there"}

    return rule


def removes_upload(person: Person, path: dict[str, str]) -> set[str]:
    return sends_files(person, path) if sends_files(person, path) != {"in"} else owns("upload")(person, path)


def holds(*offices: str) -> Rule:
    def rule(person: Person, _path: dict[str, str]) -> set[str]:
        held = {office for role in person.roles for office in OFFICES.get(role, ())}
        return {"in"} if held & set(offices) else refused(person)

    return rule


def refused(person: Person) -> set[str]:
    return {"forbidden"} if person.account else {"sign in"}


#: Who is let in by each route.
RULES: dict[tuple[str, str], Rule] = {
    ("GET", "/"): anybody,
    ("GET", "/conformance"): anybody,
    ("GET", "/openapi"): anybody,
    ("GET", "/functions"): anybody,
    ("GET", "/lite"): anybody,
    ("GET", "/board"): anybody,
    ("GET", "/dispatch"): anybody,
    ("GET", "/planning"): anybody,
    ("GET", "/collections"): anybody,
    **{("GET", f"/collections/records{path}"): anybody for path in ("", "/items", "/queryables", "/schema", "/sortables")},
    ("GET", "/collections/records/items/{record}"): lambda person, path: reads(person, {"collection": path["record"]}),
    ("GET", "/collections/{collection}"): reads,
    ("GET", "/collections/{collection}/queryables"): reads,
    ("GET", "/collections/{collection}/schema"): reads,
    ("GET", "/collections/{collection}/coverage"): reads,
    **{("GET", f"/collections/{{collection}}/{query}"): reads for query in ("position", "area", "cube", "trajectory", "radius", "corridor")},
    ("GET", "/collections/{collection}/difference"): reads,
    ("GET", "/collections/{collection}/versions"): reads,
    ("GET", "/collections/{collection}/imports"): works_with,
    ("GET", "/collections/{collection}/items/{item}/history"): reads,
    ("GET", "/collections/{collection}/items"): reads,
    ("POST", "/collections/{collection}/items"): writes("create"),
    ("OPTIONS", "/collections/{collection}/items"): reads,
    ("GET", "/collections/{collection}/items/{item}"): reads,
    ("PUT", "/collections/{collection}/items/{item}"): writes("update"),
    ("PATCH", "/collections/{collection}/items/{item}"): writes("update"),
    ("DELETE", "/collections/{collection}/items/{item}"): writes("delete"),
    ("OPTIONS", "/collections/{collection}/items/{item}"): reads,
    ("GET", "/collections/{collection}/tiles/{tms}/{z}/{y}/{x}"): reads,
    ("GET", "/tiles/{tms}/{z}/{y}/{x}"): anybody,
    ("GET", "/collections/{collection}/3dtiles/tileset.json"): reads,
    ("GET", "/3dtiles/tileset.json"): anybody,
    ("GET", "/collections/{collection}/3dtiles/{row}/{column}/tileset.json"): reads,
    ("GET", "/collections/{collection}/3dtiles/{row}/{column}/{level}/{x}/{y}.subtree"): reads,
    ("GET", "/collections/{collection}/3dtiles/{row}/{column}/{level}/{x}/{y}.glb"): reads,
    ("GET", "/tileMatrixSets"): anybody,
    ("GET", "/tileMatrixSets/{tms}"): anybody,
    ("GET", "/collections/{collection}/tiles"): reads,
    ("GET", "/collections/{collection}/tiles/{tms}"): reads,
    ("GET", "/collections/{collection}/map/tiles"): reads,
    ("GET", "/collections/{collection}/map/tiles/{tms}"): reads,
    ("GET", "/collections/{collection}/map/tiles/{tms}/{z}/{y}/{x}"): reads,
    ("GET", "/collections/{collection}/terrain/layer.json"): reads,
    ("GET", "/collections/{collection}/terrain/{z}/{x}/{y}.terrain"): reads,
    ("GET", "/collections/{collection}/terrain/{encoding}"): reads,
    ("GET", "/collections/{collection}/terrain/{encoding}/{tms}/{z}/{y}/{x}"): reads,
    ("GET", "/collections/{collection}/map"): reads,
    ("GET", "/collections/{collection}/legend"): reads,
    ("GET", "/collections/{collection}/layer.qlr"): reads,
    ("GET", "/styles/city/project.qgs"): anybody,
    ("GET", "/styles/city/map"): anybody,
    ("GET", "/styles/city/map/tiles/{tms}/{z}/{y}/{x}"): anybody,
    ("GET", "/wmts"): anybody,
    ("GET", "/wmts/tianditu"): anybody,
    ("GET", "/wmts/1.0.0/WMTSCapabilities.xml"): anybody,
    ("GET", "/wmts/{collection}/{style}/{tms}/{z}/{y}/{x}"): reads,
    ("GET", "/wmts/{collection}/{style}/{tms}/{z}/{y}/{x}/{j}/{i}"): reads,
    ("GET", "/wms"): anybody,
    ("GET", "/tiles"): anybody,
    ("GET", "/tiles/{tms}"): anybody,
    ("GET", "/archives"): anybody,
    **{("GET", f"/archives/{{archive}}/tiles{rest}"): sees_archive for rest in ("", "/{tms}", "/{tms}/{z}/{y}/{x}")},
    ("GET", "/processes"): anybody,
    ("GET", "/processes/{process}"): anybody,
    ("POST", "/processes/{process}/execution"): executes,
    ("GET", "/jobs"): anybody,
    ("GET", "/jobs/{job}"): owns("job"),
    ("DELETE", "/jobs/{job}"): owns("job"),
    ("GET", "/jobs/{job}/results"): owns("job"),
    ("POST", "/uploads"): sends_files,
    ("GET", "/uploads/{upload}"): owns("upload"),
    ("DELETE", "/uploads/{upload}"): removes_upload,
    **{
        ("GET", f"/open311/v2/{path}.{{format}}"): anybody
        for path in ("discovery", "services", "services/{service}")
    },
    **{("GET", f"/open311/v2/{path}.{{format}}"): reads_cases for path in ("requests", "requests/{item}", "tokens/{token}")},
    ("POST", "/open311/v2/requests.{format}"): reports_by_open311,
    ("GET", "/report"): anybody,
    ("GET", "/report/worker.js"): anybody,
    ("GET", "/report/manifest.webmanifest"): anybody,
    ("GET", "/cases"): anybody,  # its scripts ask for what the reader may see
    ("POST", "/report/cases"): anybody,
    ("POST", "/report/cases/states"): anybody,
    ("GET", "/notices"): anybody,
    ("GET", "/notices/{notice}"): anybody,
    ("GET", "/notices/{notice}/drawings/{drawing}"): anybody,
    ("POST", "/notices/{notice}/comments"): anybody,
    ("GET", "/photos/{photo}"): anybody,  # who may see which, tests/grid looks after
    ("GET", "/audit"): holds("audit:read"),
    ("GET", "/audit/verification"): holds("audit:read"),
    ("GET", "/admin/state"): holds("accounts:manage"),
    **{("GET", f"/admin/{part}"): anybody for part in ("layers", "rules", "terminals", "jobs", "health", "log")},
    ("GET", "/sign-in"): anybody,
    ("POST", "/sign-in"): anybody,
    ("GET", "/sign-in/{provider}"): anybody,
    ("GET", "/sign-in/{provider}/callback"): anybody,
    ("POST", "/account/links/{provider}"): signed_in,
    ("POST", "/token"): signed_in,  # or by what the body says
    **{(method, path): signed_in for method, path in (
        ("POST", "/sign-out"), ("GET", "/account"), ("GET", "/departments"), ("POST", "/account/password"), ("POST", "/account/totp"),
        ("POST", "/account/totp/confirm"), ("POST", "/account/totp/remove"), ("GET", "/account/sessions"),
        ("DELETE", "/account/sessions"), ("DELETE", "/account/sessions/{session}"), ("GET", "/account/keys"),
        ("POST", "/account/keys"), ("DELETE", "/account/keys/{key}"),
        ("GET", "/account/links"), ("DELETE", "/account/links"),
    )},
    ("GET", "/admin"): holds(*{office for held in OFFICES.values() for office in held}),
    ("GET", "/admin/accounts"): holds("accounts:manage", "roles:manage"),
    ("POST", "/admin/accounts"): holds("accounts:manage"),
    ("POST", "/admin/accounts/{account}/disable"): holds("accounts:manage"),
    ("POST", "/admin/accounts/{account}/enable"): holds("accounts:manage"),
    ("POST", "/admin/accounts/{account}/unlock"): holds("accounts:manage"),
    ("POST", "/admin/accounts/{account}/reset"): holds("accounts:manage"),
    ("POST", "/admin/accounts/{account}/sign-out"): holds("sessions:manage"),
    ("GET", "/admin/roles"): holds("accounts:manage", "roles:manage"),
    ("POST", "/admin/departments"): holds("departments:manage"),
    ("DELETE", "/admin/departments/{department}"): holds("departments:manage"),
    ("GET", "/admin/memberships"): holds("accounts:manage", "roles:manage"),
    ("POST", "/admin/memberships"): holds("roles:manage"),
    ("DELETE", "/admin/memberships"): holds("roles:manage"),
    ("POST", "/admin/roles"): holds("roles:manage"),
    ("DELETE", "/admin/roles/{role}"): holds("roles:manage"),
    ("POST", "/admin/permissions"): holds("roles:manage"),
    ("DELETE", "/admin/permissions"): holds("roles:manage"),
    ("GET", "/admin/links"): holds("keys:manage"),
    ("DELETE", "/admin/links/{link}"): holds("keys:manage"),
    ("GET", "/admin/keys"): holds("keys:manage"),
    ("DELETE", "/admin/keys/{key}"): holds("keys:manage"),
    ("GET", "/admin/devices"): holds("keys:manage"),
    ("POST", "/admin/devices"): holds("keys:manage"),
    ("DELETE", "/admin/devices/{secret}"): holds("keys:manage"),
    ("GET", "/live"): anybody,
    ("GET", "/collections/{collection}/changes"): reads,
    # The site's layers are none of moving features, which those who see them are told.
    ("GET", "/collections/{collection}/items/{item}/tgsequence"): reads,
    ("POST", "/collections/{collection}/items/{item}/tgsequence"): adds_to_tracks,
    ("GET", "/collections/{collection}/items/{item}/tgsequence/{geometry}"): reads,
    ("GET", "/collections/{collection}/items/{item}/tgsequence/{geometry}/{query}"): reads,
    ("GET", "/collections/{collection}/items/{item}/tproperties"): reads,
    ("GET", "/collections/{collection}/items/{item}/tproperties/{property}"): reads,
    # Devices, by their own secrets; these people have none.
    ("GET", "/tracking/osmand"): reports,
    ("POST", "/tracking/osmand"): reports,
    ("GET", "/tracking/live"): sees_vehicles,
    ("GET", "/tracking/shares"): signed_in,
    ("POST", "/tracking/shares"): signed_in,
    ("DELETE", "/tracking/shares/{share}"): signed_in,
    ("GET", "/tracking/shared/{token}"): anybody,
    ("POST", "/tracking/owntracks"): reports,
    ("POST", "/tracking/positions"): reports,
    ("GET", "/health"): anybody,
    ("GET", "/ready"): anybody,
    ("GET", "/map"): anybody,
    ("GET", "/styles/city"): anybody,
    ("GET", "/styles/sprites/{name}"): anybody,
    ("GET", "/static/{path:path}"): anybody,
    ("GET", "/favicon.svg"): anybody,
}  # fmt: skip
#: What is sent where permission depends on it.
BODIES = {("POST", "/admin/memberships"): {"account": "no-such-account", "role": "leader"}}
#: What is asked for beside the path, so that answers are small: nobody's permission depends on it.
_SMALL = {"width": "16", "height": "16"}
ASKED = {
    "/tiles": {"collections": "open"}, "/tiles/{tms}": {"collections": "open"}, "/processes": {"limit": "1"},
    "/tiles/{tms}/{z}/{y}/{x}": {"collections": "open"}, "/collections/{collection}/map": _SMALL, "/styles/city/map": _SMALL,
}  # fmt: skip
#: One of those who have the same roles: no route asks for more.
ONE_OF_EACH = {person.roles: person for person in reversed(PEOPLE.values())}
#: What no client of the API calls.
UNDOCUMENTED = {"/static/{path:path}", "/favicon.svg"}
#: What stands for a path parameter; one request per value.
VALUES: dict[str, tuple[str, ...]] = {
    "collection": tuple(LAYERS), "record": tuple(LAYERS), "item": ("999999999",), "tms": ("WebMercatorQuad",), "z": ("0",), "y": ("0",),
    "x": ("0",), "row": ("0",), "column": ("0",), "level": ("0",), "process": ("import-layer", "export-layer"), "job": (str(JOBS[2]),), "upload": (str(UPLOADS[1]),),
    "session": ("00000000-0000-4000-8000-000000000000",), "key": ("aaaaaaaaaaaa",), "account": ("no-such-account",),
    "notice": ("999999",), "drawing": ("1",), "photo": ("00000000-0000-4000-8000-000000000000",), "secret": ("aaaaaaaaaaaa",), "share": ("00000000-0000-4000-8000-000000000000",), "department": ("no-such-department",), "provider": ("x",), "role": ("no-such-role",), "link": ("x",),
    "path:path": ("favicon.svg",), "name": ("x.json",), "encoding": ("terrarium",), "style": ("default",), "i": ("0",), "j": ("0",), "archive": ("open-map", "inner-map"), "format": ("xml",), "service": ("event-0102",), "token": ("999",), "geometry": ("20261120T02Z",), "query": ("velocity",), "property": ("speed",),
}  # fmt: skip


def every_route() -> list[tuple[str, str]]:
    found = [route for route in routes(1000, 1000) if isinstance(route, Route)]
    return [(method, route.path) for route in found for method in route.methods or {"GET"} if method != "HEAD"]


def test_every_route_has_a_rule_and_every_rule_a_route() -> None:
    assert set(every_route()) == set(RULES)


def test_every_role_is_asked_as() -> None:
    assert {role for person in PEOPLE.values() for role in person.roles} == set(READS)


def test_every_route_is_described(secrets_city: SecretsSite) -> None:
    document = secrets_city.get("a-planner", "/openapi", f="json").json()
    described = {re.sub(r"\{\w+\}", "{}", path) for path in document["paths"]}
    layer = re.compile(r"^/collections/[a-z-]+")
    described |= {layer.sub("/collections/{}", path) for path in described}
    described |= {re.sub(r"^/processes/[a-z-]+", "/processes/{}", path) for path in described}
    missing = {path for _, path in RULES if re.sub(r"\{[\w:]+\}", "{}", path) not in described}
    assert missing <= UNDOCUMENTED


def paths(template: str) -> list[tuple[str, dict[str, str]]]:
    """The template with each value of its parameters."""
    found: list[dict[str, str]] = [{}]
    for name in re.findall(r"\{([\w:]+)\}", template):
        found = [{**values, name: value} for values in found for value in VALUES[name]]
    return [(re.sub(r"\{([\w:]+)\}", lambda match, v=values: v[match[1]], template), values) for values in found]


def outcome(answer: Any) -> str:
    """What an answer means to whoever asked."""
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return "sign in"
    if answer.status_code == HTTPStatus.FORBIDDEN:
        return "forbidden"
    if answer.status_code == HTTPStatus.NOT_FOUND and re.search(
        "there is no (collection|job|uploaded file|archive)", answer.text
    ):
        return "not there"
    return "in"


@pytest.mark.parametrize("person", ONE_OF_EACH.values(), ids=lambda person: person.account or "anonymous")
def test_every_route_keeps_its_rule(secrets_city: SecretsSite, person: Person) -> None:
    wrong = []
    for (method, template), rule in RULES.items():
        for path, values in paths(template):
            if (method, template) in {("DELETE", "/jobs/{job}"), ("DELETE", "/uploads/{upload}")} and rule(
                person, values
            ) == {"in"}:
                continue  # it would be gone for the others
            more: dict[str, Any] = {"params": ASKED.get(template)}
            more["stream"] = template in ("/live", "/tracking/live")  # it does not end
            answer = secrets_city.call(person, method, path, json=BODIES.get((method, template)), **more)
            assert answer.status_code < 500, (method, path, answer.text)
            if outcome(answer) not in rule(person, values):
                wrong.append(
                    f"{method} {path}: {answer.status_code}, expected {rule(person, values)}: {answer.text[:150]}"
                )
            answer.close()
    assert not wrong, "\n".join(wrong)
