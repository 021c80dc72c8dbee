"""The routes of the catalogue of records in OpenAPI."""

from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.record_search import CATALOG, DEFAULT, EQUAL, HERE, MOST
from layers.exchange.records.iso import MEDIA_TYPE
from layers.exchange.records.search import SORTABLES


def record_paths() -> Json:
    """These routes in OpenAPI."""
    text, whole_number = {"type": "string"}, {"type": "integer", "minimum": 0}
    lang = reference("parameters", "lang")
    listed = {"type": "array", "items": text}
    kind = parameter("f", "Representation", {"type": "string", "enum": ["json", "html", "jsonld"]})
    search = [
        parameter("q", "Words in titles, descriptions, keywords and themes; commas between alternatives", listed),
        parameter("type", "Types of resources, such as dataset", listed),
        parameter("ids", "Ids of records", listed),
        parameter("externalIds", "What others call the layer: value, scheme:value or scheme:", listed),
        parameter("externalId", "The same, by its former name", listed),
        reference("parameters", "bbox"),
        parameter("datetime", "The time that the layer tells of", text),
        parameter("updated", "When the record was changed last, such as 2026-11-01/..", text),
        parameter("created", "When the record was made", text),
        *(parameter(name, f"Only records with this in their {name}", text) for name in EQUAL),
        parameter("sortby", f"One or more of {', '.join(SORTABLES)}; '-' before it: descending", listed),
        parameter("limit", f"Records of a page, {MOST} at most", {"type": "integer", "default": DEFAULT}),
        parameter("offset", "Records to skip", whole_number),
        kind,
        lang,
    ]
    one = [
        {"name": "recordId", "in": "path", "required": True, "schema": text},
        parameter("f", "Representation", {"type": "string", "enum": ["json", "html", "jsonld", "iso19139"]}),
        lang,
    ]
    described = content("JSON Schema", "application/schema+json", "text/html")
    collection = {"200": content("The catalogue", "application/json", CATALOG, "text/html", "application/ld+json")}
    records = {"200": content("Records", "application/geo+json", "text/html", "application/ld+json")}
    record = {"200": content("A record", "application/geo+json", "text/html", "application/ld+json", MEDIA_TYPE)}
    schema_form = parameter("f", "Representation", {"type": "string", "enum": ["json", "html"]})
    operations = {
        "": operation("getCatalogue", "The catalogue of data", [kind, lang], collection, "records"),
        "/items": operation("getRecords", "Search the catalogue", search, records, "records"),
        "/items/{recordId}": operation("getRecord", "The metadata of a layer", one, record, "records"),
        **{
            f"/{name}": operation(
                f"getRecord{name.title()}", f"The {name} of records", [schema_form, lang], {"200": described}, "records"
            )
            for name in ("queryables", "schema", "sortables")
        },
    }
    return {f"{HERE}{path}": {"get": one_operation} for path, one_operation in operations.items()}
