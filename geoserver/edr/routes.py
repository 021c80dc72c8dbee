"""The EDR queries of a coverage, and what its collection says of them."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyproj import CRS
from sqlalchemy import select
from starlette.requests import Request

from geoserver.coverages import find_coverage_layer
from geoserver.edr.around import UNITS
from geoserver.edr.parameters import COMMON, FORMATS, QUERIES, asked_of
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.parameters import query_values
from geoserver.reply import Reply
from layers.catalogue import Layer
from layers.crs import CRS84, Crs, epsg
from layers.raster.registry import band_of, coverage_of
from layers.raster.store import RasterStore
from layers.raster.tables import COVERAGES

if TYPE_CHECKING:
    from geoserver.city import City


def get_query(city: "City", request: Request, _body: bytes, collection: str, *, query: str) -> Reply:
    """``GET /collections/{collection}/{query}``, one of ``QUERIES``."""
    layer = find_coverage_layer(city, collection)
    asked = asked_of(query, query_values(request, (*COMMON, *QUERIES[query])), city.offered_for(layer))
    # GDAL is loaded by those workers that read rasters.
    from geoserver.edr.answers import written
    from geoserver.edr.sampling import Reading, at_points, on_grid

    store = RasterStore(Path(city.settings.rasters.directory))
    with city.transaction(layer) as conn:
        reading = Reading(conn, store, coverage_of(conn, layer))
        answer = (at_points if query in ("position", "trajectory") else on_grid)(reading, asked)
    bands = {band.name: band for band in reading.coverage.bands}
    headers = {"Content-Crs": f"<{asked.crs.uri}>", "Vary": "Accept-Encoding"}
    return Reply(written(answer, asked.crs, bands, asked.format), FORMATS[asked.format], headers=headers)


#: Path and handler of every route here.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = tuple(
    (f"/collections/{{collection}}/{query}", partial(get_query, query=query)) for query in QUERIES
)


def described(city: "City", documents: list[dict[str, Any]]) -> None:
    """Add to the documents of coverages what EDR asks of a collection (19-086r6 §8.2.6)."""
    found = {document["id"]: document for document in documents if _is_coverage(city, document["id"])}
    if not found:
        return
    with city.transaction() as conn:
        rows = conn.execute(select(COVERAGES.c.layer, COVERAGES.c.bands).where(COVERAGES.c.layer.in_(found))).all()
    for layer_id, bands in rows:
        fields = [band_of(band) for band in bands]
        found[layer_id]["parameter_names"] = {band.name: _parameter(band) for band in fields}
        found[layer_id]["output_formats"] = list(FORMATS)
        found[layer_id]["data_queries"] = {query: _data_query(city, layer_id, query) for query in QUERIES}


def _is_coverage(city: "City", layer_id: str) -> bool:
    layer = city.layers.get(layer_id)
    return layer is not None and layer.kind == "coverage"


def _parameter(band: Any) -> dict[str, Any]:
    from layers.raster.encoding import parameter_of

    told = parameter_of(band.name, band)
    told["observedProperty"]["label"] = band.title.en
    for category in told["observedProperty"].get("categories", ()):
        category["label"] = category["label"]["en"]
    return {"id": band.name, "data-type": "float", **told}


def _data_query(city: "City", layer_id: str, query: str) -> dict[str, Any]:
    variables: dict[str, Any] = {
        "title": query, "query_type": query, "output_formats": list(FORMATS), "default_output_format": "CoverageJSON",
        "crs_details": [{"crs": crs.uri, "wkt": CRS.from_epsg(crs.srid).to_wkt()} for crs in _systems(city)],
    }  # fmt: skip
    units = {"radius": ("within_units",), "corridor": ("width_units", "height_units")}
    variables |= {name: list(UNITS) for name in units.get(query, ())}
    asked = "&".join(f"{name}={{{name}}}" for name in QUERIES[query])
    href = f"{city.url}/collections/{layer_id}/{query}?{asked}"
    return {"link": {"href": href, "rel": "data", "title": query, "templated": True, "variables": variables}}


def _systems(city: "City") -> list[Crs]:
    return [CRS84, *(epsg(srid) for srid in city.settings.crs.offered)]


def edr_paths(layers: Mapping[str, Layer]) -> Json:
    """The queries of those layers that are coverages, in OpenAPI."""
    text: Json = {"type": "string"}
    length: Json = {"type": "number", "minimum": 0}
    unit: Json = {"type": "string", "enum": list(UNITS)}
    box: Json = {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}}
    own = {
        "coords": parameter("coords", "Where: WKT in crs", text, required=True),
        "bbox": parameter("bbox", "West, south, east and north in crs", box, required=True),
        "within": parameter("within", "Radius", length, required=True),
        "within-units": parameter("within-units", "Its unit", unit),
        "corridor-width": parameter("corridor-width", "Whole width", length, required=True),
        "width-units": parameter("width-units", "Its unit", unit, required=True),
        "corridor-height": parameter("corridor-height", "Any: a coverage has no vertical axis", length, required=True),
        "height-units": parameter("height-units", "Its unit", unit, required=True),
    }
    shared = [
        parameter("f", "Representation", {"type": "string", "enum": list(FORMATS)}),
        *(reference("parameters", name) for name in ("lang", "datetime", "as-of", "crs")),
        parameter("parameter-name", "Only these bands", {"type": "array", "items": text}),
        parameter("z", "Refused: a coverage has no vertical axis", text),
    ]
    answer = {"200": content("Values", *FORMATS.values(), schema={"type": "object"})}
    return {
        f"/collections/{layer.id}/{query}": {
            "get": operation(
                f"get-{layer.id}-{query}", f"Values of {layer.title.en}: {query}",
                [*(own[name] for name in names), *shared], answer, layer.id,
            )
        }
        for layer in layers.values()
        if layer.kind == "coverage"
        for query, names in QUERIES.items()
    }  # fmt: skip
