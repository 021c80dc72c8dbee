"""The description of the identity routes, judged by an independent validator."""

from openapi_spec_validator import OpenAPIV30SpecValidator

from geoserver.identity.openapi import identity_paths
from geoserver.identity.routes import ROUTES


def test_every_route_is_described_and_the_description_is_valid() -> None:
    paths = identity_paths()
    assert {(m.upper(), p) for p, item in paths.items() for m in item} == {(m, p) for m, p, _ in ROUTES}
    refused = {name: {"description": name} for name in ("BadRequest", "SignIn", "Forbidden", "NotFound", "TooMany", "Conflict")}
    refused |= {name: {"description": name} for name in ("ServerError", "Unavailable")}
    schemes = {"account": {"type": "http", "scheme": "basic"}}
    document = {"openapi": "3.0.3", "info": {"title": "x", "version": "1"}, "paths": paths,
                "components": {"responses": refused, "securitySchemes": schemes}}  # fmt: skip
    assert [str(error) for error in OpenAPIV30SpecValidator(document).iter_errors()] == []
    ids = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(ids) == len(set(ids))
