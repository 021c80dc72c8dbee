"""The coverage routes in OpenAPI."""

from collections.abc import Mapping

from geoserver.coverages import FORMATS
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.settings import Settings
from layers.catalogue import Layer
from layers.crs import CRS84, epsg


def coverage_paths(settings: Settings, layers: Mapping[str, Layer]) -> Json:
    """The paths of those layers that are coverages."""
    parameters = _parameters(settings)
    answer = {"200": content("The coverage", *FORMATS.values(), schema={"type": "string", "format": "binary"})}
    return {
        f"/collections/{layer.id}/coverage": {
            "get": operation(
                f"get-{layer.id}-coverage", f"Pixels of {layer.title.en} as one mosaic", parameters, answer, layer.id
            )
        }
        for layer in layers.values()
        if layer.kind == "coverage"
    }


def _parameters(settings: Settings) -> list[Json]:
    text: Json = {"type": "string"}
    crs: Json = {"type": "string", "enum": [CRS84.uri, *(epsg(srid).uri for srid in settings.crs.offered)]}
    pixels: Json = {"type": "integer", "minimum": 1}
    axes: Json = {"type": "array", "items": text}
    return [
        parameter("f", "Representation", {"type": "string", "enum": list(FORMATS)}),
        *(reference("parameters", name) for name in ("lang", "bbox", "bbox-crs", "datetime", "as-of", "crs")),
        parameter("subset", 'Ranges along axes, such as Lat(30:31),Lon(114:115),time("2024-01-01")', axes),
        parameter("subset-crs", "CRS of subset", crs),
        parameter("properties", "Only these bands, in this order", axes),
        parameter("scale-factor", "Coarser by so much along both axes", {"type": "number", "minimum": 0.001}),
        parameter("scale-axes", "Coarser by so much, such as Lon(2),Lat(4)", axes),
        parameter("scale-size", "Pixels, such as Lon(400),Lat(300)", axes),
        parameter("width", "Columns", pixels),
        parameter("height", "Rows", pixels),
    ]
