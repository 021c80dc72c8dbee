"""A layer of the city: what it has, and its features one by one."""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from citymap.changes import Changes, pages
from citymap.query import Feature, Query

if TYPE_CHECKING:
    import geopandas as gpd

    from citymap.city import City

_GEOJSON = {"Content-Type": "application/geo+json"}


class Collection:
    """A layer. What is read of a feature carries its ``etag``, by which later edits notice those of others."""

    def __init__(self, city: "City", layer: str, description: dict[str, Any] | None = None) -> None:
        self.city = city
        self.id = layer
        self.path = f"collections/{quote(layer, safe='')}"
        self._description = description

    def __repr__(self) -> str:
        return f"Collection({self.id!r})"

    @property
    def description(self) -> dict[str, Any]:
        """Title, extent, coordinate systems and links."""
        if self._description is None:
            self._description = self.city.connection.get(self.path, f="json")
        return self._description

    @property
    def title(self) -> str:
        """Its name in the city's language."""
        return str(self.description["title"])

    @cached_property
    def fields(self) -> dict[str, dict[str, Any]]:
        """The fields by name, each with its title, type, unit (``x-ogc-unit``) and words (``x-citymap-domain``)."""
        found = self.city.connection.get(f"{self.path}/schema", f="schema")["properties"]
        return {name: field for name, field in found.items() if "x-ogc-role" not in field}

    @cached_property
    def domains(self) -> dict[str, dict[str, str]]:
        """The words of the fields that have a value domain: field → code → word."""
        return {n: field["x-citymap-domain"] for n, field in self.fields.items() if "x-citymap-domain" in field}

    def query(self, condition: str | None = None) -> Query:
        """Its features that fulfil a condition of CQL2; all of them without one."""
        return Query(self, (condition,) if condition else ())

    def count(self) -> int:
        """How many features it has."""
        return self.query().count()

    def to_gdf(self, crs: str | int = 4326) -> "gpd.GeoDataFrame":
        """All of its features."""
        return self.query().to_gdf(crs)

    def changes(self, since: str | None = None, limit: int = 1000, crs: str | None = None) -> Iterator[Changes]:
        """What changed since a position, page by page; without one the layer itself, ``"now"``: from now on.

        Each page brings its features as they are now, once. Raises :class:`~citymap.errors.PositionGone`.
        """
        return pages(self.city.connection, self.path, since, limit, crs)

    def keep_copy(self, file: "str | os.PathLike[str]") -> int:
        """Bring a copy of the layer in a GeoPackage up to date; see :mod:`citymap.copying`."""
        from citymap.copying import keep_copy

        return keep_copy(self, file)

    def get(self, item: int | str) -> Feature:
        """One feature, with its ``etag``."""
        answer = self.city.connection.send("GET", self._item(item), params={"f": "json"})
        found: Feature = answer.json()
        return found | {"etag": answer.headers.get("etag")}

    def add(self, geometry: Any, **properties: Any) -> Feature:
        """Make a feature from a shape (shapely, or GeoJSON in degrees) and its values; returns it as it was kept."""
        answer = self.city.connection.send(
            "POST", f"{self.path}/items", json=_feature(geometry, properties), headers=_GEOJSON
        )
        return self.get(answer.headers["location"].rsplit("/", 1)[1])

    def change(self, feature: Feature, geometry: Any = None, **properties: Any) -> Feature:
        """Change some values, or the shape, of a feature that was read.

        Raises :class:`~citymap.errors.EditConflict` if somebody changed it since.
        """
        changes: dict[str, Any] = {"properties": _plain(properties)} if properties else {}
        if geometry is not None:
            from citymap.frames import geometry_of

            changes["geometry"] = geometry_of(geometry)
        headers = {"Content-Type": "application/merge-patch+json", **_match(feature)}
        self.city.connection.send("PATCH", self._item(feature["id"]), json=changes, headers=headers)
        return self.get(feature["id"])

    def remove(self, feature: Feature) -> None:
        """Remove a feature that was read. Raises :class:`~citymap.errors.EditConflict` if it changed since."""
        self.city.connection.send("DELETE", self._item(feature["id"]), headers=_match(feature))

    def _item(self, item: int | str) -> str:
        return f"{self.path}/items/{quote(str(item), safe='')}"


def _match(feature: Mapping[str, Any]) -> dict[str, str]:
    etag = feature.get("etag")
    if not etag:
        raise ValueError("this feature came in a list, without its etag: read it by collection.get(id) before editing")
    return {"If-Match": str(etag)}


def _feature(geometry: Any, properties: Mapping[str, Any]) -> dict[str, Any]:
    from citymap.frames import geometry_of

    return {"type": "Feature", "geometry": geometry_of(geometry), "properties": _plain(properties)}


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    from citymap.frames import plain

    return {name: plain(value) for name, value in properties.items()}
