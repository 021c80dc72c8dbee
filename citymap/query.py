"""A question to a layer: said step by step, answered page by page."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from citymap.words import in_codes

if TYPE_CHECKING:
    import geopandas as gpd

    from citymap.collection import Collection

type Feature = dict[str, Any]

#: Features of one page; the server may give fewer.
_PAGE = 1000
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@dataclass(frozen=True, slots=True)
class Query:
    """Features of a layer. Each method gives a narrower query and leaves this one as it is; nothing is asked before
    the features are wanted."""

    collection: "Collection"
    conditions: tuple[str, ...] = ()
    params: dict[str, str] = field(default_factory=dict)
    most: int | None = None

    def query(self, condition: str) -> "Query":
        """Only features that fulfil a condition in CQL2 text (OGC 21-065r2), such as ``height > 60``.

        Of a field with a value domain its words may be written in place of its codes: ``state = '处置中'``.
        """
        return replace(self, conditions=(*self.conditions, condition))

    where = query

    def bbox(self, west: float, south: float, east: float, north: float) -> "Query":
        """Only features that meet a box [degrees]."""
        return self._with("bbox", f"{west},{south},{east},{north}")

    def during(self, begin: datetime | str | None, end: datetime | str | None) -> "Query":
        """Only features of an interval of the layer's own time; None leaves that side open."""
        return self._with("datetime", f"{_instant(begin)}/{_instant(end)}")

    def as_of(self, at: datetime | str) -> "Query":
        """The layer as it was at an instant."""
        return self._with("as-of", _instant(at))

    def select(self, *names: str, geometry: bool = True) -> "Query":
        """Only these fields; without ``geometry`` the shapes stay away."""
        found = self._with("properties", ",".join(names)) if names else self
        return found if geometry else found._with("skipGeometry", "true")

    def sort(self, *names: str) -> "Query":
        """In this order; ``-height`` from the highest."""
        return self._with("sortby", ",".join(names))

    def limit(self, most: int) -> "Query":
        """At most so many features; without it, all."""
        return replace(self, most=most)

    def count(self) -> int:
        """How many features there are, by the server's own exact count."""
        found = int(self._get({"resulttype": "hits"})["numberMatched"])
        return found if self.most is None else min(found, self.most)

    def pages(self, size: int = _PAGE) -> Iterator[list[Feature]]:
        """The features, ``size`` at a time, by the links ``next``: edits meanwhile repeat and hide none."""
        left = self.most
        if left == 0:
            return
        page = self._get({"limit": str(min(size, left or size))})
        while True:
            features = page["features"] if left is None else page["features"][:left]
            if features:
                yield features
            left = None if left is None else left - len(features)
            following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
            if following is None or left == 0:
                return
            page = self.collection.city.connection.get(following)

    def features(self) -> Iterator[Feature]:
        """The features one by one, as GeoJSON; one page at a time is in memory."""
        for page in self.pages():
            yield from page

    __iter__ = features

    def to_gdf(self, crs: str | int = 4326) -> "gpd.GeoDataFrame":
        """All features as a GeoDataFrame indexed by id, moved to ``crs`` by the client; instants are UTC.

        Every field of the layer is a column, also when nothing was found.
        """
        from citymap.frames import frame_of

        return frame_of(self, crs)

    def save(self, path: str | Path) -> Path:
        """Write them to a file of the server's making, by its ending: gpkg, csv, zip (shp), fgb, parquet, kml, dxf."""
        target = Path(path)
        format_ = "shp" if target.suffix == ".zip" else target.suffix.lstrip(".").lower()
        params = {**self._asked(), "f": format_} | ({"limit": str(self.most)} if self.most else {})
        with self.collection.city.connection.streamed(self._path, params) as answer, target.open("wb") as file:
            for piece in answer.iter_bytes():
                file.write(piece)
        return target

    @property
    def _path(self) -> str:
        return f"{self.collection.path}/items"

    def _with(self, name: str, value: str) -> "Query":
        return replace(self, params={**self.params, name: value})

    def _asked(self) -> dict[str, str]:
        if not self.conditions:
            return dict(self.params)
        said = [in_codes(one, self.collection.domains) for one in self.conditions]
        together = said[0] if len(said) == 1 else " AND ".join(f"({one})" for one in said)
        return {**self.params, "filter": together, "filter-lang": "cql2-text"}

    def _get(self, more: dict[str, str]) -> Any:
        return self.collection.city.connection.get(self._path, **self._asked(), **more)


def _instant(at: datetime | str | None) -> str:
    if at is None:
        return ".."
    if isinstance(at, str):
        return at
    if at.tzinfo is None:
        raise ValueError(f"{at} lacks its time zone: say datetime(…, tzinfo=…)")
    return at.isoformat().replace("+00:00", "Z")
