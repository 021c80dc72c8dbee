"""The conformance classes that the features API and the processes API meet.

Stands where ``pygeoapi.api.itemtypes`` and ``pygeoapi.api.processes`` stood. Classes of CQL2 are announced by what
:mod:`layers.cql2` compiles, and under the names that clients look for: QGIS filters only where ``filter``,
``features-filter``, ``cql2-text`` and ``basic-cql2`` are declared.
"""

from layers.cql2 import CONFORMANCE_CLASSES as CQL2

_FEATURES_1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
_FEATURES_2 = "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/"
_FEATURES_3 = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/"
_FEATURES_4 = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/"
_FEATURES_5 = "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/"

#: Names from before the standards were final, under which QGIS up to 3.34 looks for the same classes.
_FORMER_NAMES = [
    *("http://www.opengis.net/spec/ogcapi-features-3/0.0/conf/" + name for name in ("filter", "features-filter")),
    *(name.replace("/1.0/", "/0.0/") for name in CQL2),
    *(f"http://www.opengis.net/spec/cql2/{v}/conf/basic-spatial-operators" for v in ("0.0", "1.0")),
]

_COVERAGES_1 = "http://www.opengis.net/spec/ogcapi-coverages-1/1.0/conf/"
_COVERAGES = ("core", "subsetting", "scaling", "fieldselection", "crs", "geotiff", "coveragejson", "png", "oas30")

#: Of 1.1, and by the names of 1.0, for which clients and the OGC's suite look.
_EDR_1 = tuple(f"http://www.opengis.net/spec/ogcapi-edr-1/{version}/conf/" for version in ("1.1", "1.0"))
_EDR = ("core", "collections", "json", "covjson", "queries", "oas30")

_TILES_1 = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/"
_TILES = (
    *("core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets", "collections-selection"),
    *("mvt", "png", "jpeg", "oas30"),
)

_MAPS_1 = "http://www.opengis.net/spec/ogcapi-maps-1/1.0/conf/"
_MAPS = (
    *("core", "collection-map", "dataset-map", "background", "spatial-subsetting", "crs", "scaling", "datetime"),
    *("collections-selection", "tilesets", "png", "jpeg", "api-operations"),
)

#: Of features, coverages, tiles and maps: the base has them all.
CONFORMANCE_CLASSES_FEATURES = [
    *(_FEATURES_1 + name for name in ("core", "oas30", "html", "geojson")),
    _FEATURES_2 + "crs",
    *(_FEATURES_3 + name for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")),
    *(_FEATURES_4 + name for name in ("create-replace-delete", "update", "optimistic-locking-etags", "features")),
    *(_FEATURES_5 + name for name in ("schemas", "core-roles-features", "returnables-and-receivables")),
    *CQL2,
    *_FORMER_NAMES,
    *(_COVERAGES_1 + name for name in _COVERAGES),
    *(version + name for version in _EDR_1 for name in _EDR),
    *(_TILES_1 + name for name in _TILES),
    *(_MAPS_1 + name for name in _MAPS),
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
]
_PROCESSES_1 = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
_PROCESSES = ("core", "ogc-process-description", "json", "html", "oas30", "job-list", "dismiss")
#: Of processes; ``callback`` is not among them, since this server calls no addresses that a client names.
CONFORMANCE_CLASSES = [_PROCESSES_1 + name for name in _PROCESSES]

_RECORDS_1 = "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/"
_RECORDS = (
    *("record-core", "record-core-query-parameters", "record-collection", "records-api", "sorting"),
    *("searchable-catalog", "searchable-catalog/sorting", "json", "html", "oas30"),
)
#: Of the catalogue of records; its filters are the parameters of the core, not CQL2.
CONFORMANCE_CLASSES_RECORDS = [_RECORDS_1 + name for name in _RECORDS]
