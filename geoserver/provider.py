"""pygeoapi's feature provider over our queries: for those parts of pygeoapi that load a provider by themselves.

The features routes do not come through here (see :mod:`geoserver.features`); a test holds both answers equal.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from pygeoapi.provider.base import BaseProvider, ProviderItemNotFoundError, ProviderQueryError

from geoserver.parameters import Limits, feature_query
from geoserver.schemas import JSON_TYPES
from layers.catalogue import Layer
from layers.crs import Crs, parse_crs
from layers.database import Database
from layers.features import FeatureNotFound, count, read_feature, read_page


@dataclass(frozen=True)
class Source:
    """The layer and the database behind a provider definition; pygeoapi copies definitions, but these stay one."""

    layer: Layer
    database: Database
    projected: int

    def __deepcopy__(self, _memo: object) -> "Source":
        return self


class PostGISProvider(BaseProvider):  # type: ignore[misc]
    """Reads a catalogue layer; cheap to construct, since pygeoapi makes one per request."""

    def __init__(self, provider_def: dict[str, Any]) -> None:
        super().__init__(provider_def)
        self._source: Source = provider_def["data"]
        self._offered = [int(uri.rsplit("/", 1)[1]) for uri in provider_def["crs"] if "EPSG" in uri]
        self._storage = parse_crs(provider_def["storage_crs"], self._offered)
        self.get_fields()

    def get_fields(self) -> dict[str, dict[str, Any]]:
        """The layer's fields by JSON Schema type."""
        self._fields = {field.name: dict(JSON_TYPES[field.type]) for field in self._source.layer.fields}
        return self._fields

    def query(
        self,
        offset: int = 0,
        limit: int = 10,
        resulttype: str = "results",
        bbox: list[float] | None = None,
        datetime_: str | None = None,
        properties: list[tuple[str, str]] | None = None,
        sortby: list[dict[str, str]] | None = None,
        select_properties: list[str] | None = None,
        skip_geometry: bool = False,
        crs_transform_spec: Any = None,
        **_unused: Any,
    ) -> dict[str, Any]:
        """A FeatureCollection. ``bbox`` is in the storage CRS, as pygeoapi hands it over."""
        values = {"limit": str(limit), "offset": str(offset), "crs": self._crs(crs_transform_spec).uri}
        values |= {"bbox": ",".join(map(repr, bbox)), "bbox-crs": self._storage.uri} if bbox else {}
        values |= {"datetime": datetime_} if datetime_ else {}
        values |= {"sortby": ",".join(s["order"] + s["property"] for s in sortby)} if sortby else {}
        values |= {"properties": ",".join(select_properties)} if select_properties else {}
        values |= {"skipGeometry": str(skip_geometry).lower(), **dict(properties or [])}
        source = self._source
        try:
            query = feature_query(source.layer, values, self._offered, Limits(limit, limit), source.projected)
        except ValueError as error:
            raise ProviderQueryError(user_msg=str(error)) from error
        with source.database.reading() as reader:
            page = None if resulttype == "hits" else read_page(reader, source.layer, query)
            matched = count(reader, source.layer, query)
        features = [orjson.loads(feature) for feature in page.features] if page else []
        return {
            "type": "FeatureCollection",
            "features": features,
            "numberMatched": matched,
            "numberReturned": len(features),
        }

    def get(self, identifier: str, crs_transform_spec: Any = None, **_unused: Any) -> dict[str, Any]:
        """One Feature. Raises pygeoapi's ProviderItemNotFoundError."""
        try:
            with self._source.database.reading() as reader:
                text, _ = read_feature(reader, self._source.layer, int(identifier), self._crs(crs_transform_spec))
        except (FeatureNotFound, ValueError) as error:
            raise ProviderItemNotFoundError(str(error)) from error
        feature: dict[str, Any] = orjson.loads(text)
        return feature

    def _crs(self, spec: Any) -> Crs:
        """pygeoapi gives no specification when the storage CRS itself is asked for."""
        return self._storage if spec is None else parse_crs(spec.target_crs_uri, self._offered)


