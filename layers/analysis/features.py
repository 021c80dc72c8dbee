"""Features that an analysis works on: of a layer by its id, or inline as GeoJSON; on the plane in which the city
measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import orjson
import shapely
from geoalchemy2 import Geometry
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from sqlalchemy import Connection, Subquery, cast, func, select

from layers.analysis.errors import AnalysisError, TooMuch
from layers.catalogue import Layer
from layers.cql2 import Cql2Error, parse
from layers.crs import CRS84, epsg, transformer
from layers.query import Box, FeatureQuery, Filter, rows
from layers.registry import find_layer

Objects = NDArray[np.object_]
#: Bounds of one input: features, and vertices of all of them.
MAX_FEATURES, MAX_VERTICES = 50_000, 3_000_000
#: Points of which only the places are read.
MAX_POINTS = 2_000_000
#: Features in one request; more than that are a layer.
_INLINE = 10_000


@dataclass(frozen=True, slots=True)
class LayerFeatures:
    """Features of a layer: those that fulfil a CQL2 text ``filter`` and meet a ``bbox`` (west, south, east, north)
    [°]."""

    layer: Annotated[str, Field(min_length=1, max_length=60)]
    filter: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    bbox: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class InlineFeature:
    """GeoJSON (RFC 7946 §3.2) in degrees; further members are ignored (§6.1)."""

    __pydantic_config__ = ConfigDict(extra="ignore")

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: dict[str, Any] | None = None
    id: str | int | None = None


@dataclass(frozen=True, slots=True)
class InlineFeatures:
    """GeoJSON (RFC 7946 §3.3) in degrees."""

    __pydantic_config__ = ConfigDict(extra="ignore")

    type: Literal["FeatureCollection"]
    features: Annotated[tuple[InlineFeature, ...], Field(min_length=1, max_length=_INLINE)]


FeatureSource = LayerFeatures | InlineFeatures


@dataclass(frozen=True, slots=True)
class Features:
    """F features: ``ids``, ``shapes`` in EPSG ``srid``, ``properties``; ``layer`` where they are a layer's."""

    ids: Sequence[str | int | None]
    shapes: Objects
    properties: Sequence[dict[str, Any]]
    srid: int
    layer: Layer | None = None

    def __len__(self) -> int:
        return len(self.shapes)

    def take(self, index: NDArray[Any]) -> "Features":
        """The features of these numbers."""
        numbers = index.tolist()
        return Features(
            [self.ids[i] for i in numbers], self.shapes[index], [self.properties[i] for i in numbers],
            self.srid, self.layer,
        )  # fmt: skip

    def of_dimension(self, *dimensions: int) -> bool:
        """Whether all shapes are of these dimensions: 0 points, 1 lines, 2 areas."""
        return bool(np.isin(shapely.get_dimensions(self.shapes), dimensions).all())


def load_features(
    conn: Connection, source: FeatureSource, name: str, srid: int, properties: tuple[str, ...] | None = None
) -> Features:
    """The features of an input called ``name``, in EPSG ``srid``.

    Raises :class:`AnalysisError` naming the feature that is wrong, :class:`TooMuch`, :class:`LayerNotFound`.
    """
    found = (
        _of_layer(conn, source, name, srid, properties)
        if isinstance(source, LayerFeatures)
        else _inline(source, name, srid)
    )
    vertices = int(shapely.get_num_coordinates(found.shapes).sum())
    if vertices > MAX_VERTICES:
        raise TooMuch(f"input {name!r} has {vertices} vertices, more than {MAX_VERTICES}; ask for fewer features")
    return _made_valid(found, name)


def load_points(conn: Connection, source: FeatureSource, name: str, srid: int) -> NDArray[np.float64]:
    """Where the features of an input called ``name`` are, (N, 2) in EPSG ``srid``: points, or points on others.

    Of a layer far more than :func:`load_features` takes. Raises as that.
    """
    if not isinstance(source, LayerFeatures):
        found = load_features(conn, source, name, srid, ())
        return shapely.get_coordinates(shapely.point_on_surface(found.shapes))
    places = _rows(conn, source, name, srid, ())[1]
    point = func.ST_PointOnSurface(cast(places.c.geom, Geometry))
    statement = select(func.ST_X(point), func.ST_Y(point)).where(places.c.geom.is_not(None)).limit(MAX_POINTS + 1)
    result = np.array(conn.execute(statement).all(), np.float64).reshape(-1, 2)
    if len(result) > MAX_POINTS:
        raise TooMuch(
            f"input {name!r}: more than {MAX_POINTS} features of {source.layer!r}; give a 'filter' or a 'bbox'"
        )
    return result[np.isfinite(result).all(axis=1)]


def _of_layer(
    conn: Connection, source: LayerFeatures, name: str, srid: int, properties: tuple[str, ...] | None
) -> Features:
    layer, found = _rows(conn, source, name, srid, properties)
    names = [str(column.name) for column in found.c if column.name not in ("id", "geom")]
    shape = func.ST_AsBinary(func.ST_Force2D(cast(found.c.geom, Geometry)))
    statement = select(found.c.id, shape, *(found.c[n] for n in names)).limit(MAX_FEATURES + 1)
    result = [row for row in conn.execute(statement).all() if row[1] is not None]
    if len(result) > MAX_FEATURES:
        raise TooMuch(
            f"input {name!r}: more than {MAX_FEATURES} features of {source.layer!r}; give a 'filter' or a 'bbox'"
        )
    shapes = _array(shapely.from_wkb([bytes(row[1]) for row in result]))
    told = [dict(zip(names, row[2:], strict=True)) for row in result]
    return Features([row[0] for row in result], shapes, told, srid, layer)


def _rows(
    conn: Connection, source: LayerFeatures, name: str, srid: int, properties: tuple[str, ...] | None
) -> tuple[Layer, Subquery]:
    layer = find_layer(conn, source.layer)
    wanted = None if properties is None else tuple(n for n in properties if layer.field(n))
    query = FeatureQuery(
        box=Box(*source.bbox) if source.bbox else None,
        filter=_filter(source.filter, srid, name) if source.filter else None,
        properties=wanted,
        crs=epsg(srid),
    )
    return layer, rows(layer, query).subquery()


def _inline(source: InlineFeatures, name: str, srid: int) -> Features:
    shapes = np.empty(len(source.features), dtype=object)
    for i, feature in enumerate(source.features):
        shape = shapely.from_geojson(orjson.dumps(feature.geometry), on_invalid="ignore")
        if shape is None or shape.is_empty:
            raise AnalysisError(f"input {name!r}: the geometry of feature {i + 1} is no GeoJSON geometry, or empty")
        shapes[i] = shapely.force_2d(shape)
    degrees = shapely.get_coordinates(shapes)
    if not (np.abs(degrees) <= (180, 90)).all():
        raise AnalysisError(f"input {name!r}: coordinates are longitude and latitude [°], within ±180 and ±90")
    moved = shapely.transform(shapes, transformer(4490, srid).transform, interleaved=False)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise AnalysisError(f"input {name!r} lies where EPSG:{srid}, in which this city measures, does not reach")
    return Features([f.id for f in source.features], moved, [dict(f.properties or {}) for f in source.features], srid)


def _made_valid(found: Features, name: str) -> Features:
    """Areas that cross themselves are parted; what has no area left is left out, of a request it is an error."""
    wrong = ~shapely.is_valid(found.shapes)
    if wrong.any():
        found.shapes[wrong] = shapely.make_valid(found.shapes[wrong], method="structure", keep_collapsed=False)
    empty = shapely.is_empty(found.shapes)
    if not empty.any():
        return found
    if found.layer is None:
        number = int(np.flatnonzero(empty)[0]) + 1
        raise AnalysisError(f"input {name!r}: the geometry of feature {number} is no GeoJSON geometry, or empty")
    return found.take(np.flatnonzero(~empty))


def _filter(text: str, srid: int, name: str) -> Filter:
    try:
        expression = parse(text, "cql2-text")
    except Cql2Error as error:
        raise Cql2Error(f"input '{name}.filter': {error}") from None
    return Filter(orjson.dumps(expression).decode(), CRS84, srid)


def _array(shapes: Any) -> Objects:
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array
