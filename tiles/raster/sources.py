"""Finds what a picture is drawn from: one statement gives the snapshot, the coverage and its images."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import String, Text, bindparam, cast, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY

from layers.catalogue import Layer
from layers.crs import epsg
from layers.database import Reader
from layers.query import Box, FeatureQuery, Statement, compiled, selection
from layers.raster.coverage import IMAGE_FIELDS, Coverage
from layers.raster.errors import OutOfReach, TooManyImages
from layers.raster.images import Image, Interval, image_of, ranked
from layers.raster.limits import MAX_IMAGES
from layers.raster.mosaic import Grid, degrees_of
from layers.raster.registry import band_of
from layers.raster.tables import COVERAGES
from layers.registry import LayerNotFound

#: A box beyond the earth, which nothing meets.
_NOWHERE = (999.0, 999.0, 999.0, 999.0)
_NAMES = ("id", *(field.name for field in IMAGE_FIELDS))


@dataclass(frozen=True, slots=True)
class Found:
    """The coverage that was asked for, the one whose images it is made of (itself, or its input), those of them that
    meet the box, the uppermost first, and the snapshot they were read in."""

    snapshot: str
    shown: Coverage
    source: Coverage
    images: list[Image]

    @property
    def relief(self) -> str | None:
        """What is worked out from heights: ``hillshade``, ``slope`` or ``aspect``."""
        return self.shown.bands[0].name if self.shown.nature == "relief" else None


def find(reader: Reader, layers: Sequence[Layer], grid: Grid, time: Interval | None, as_of: datetime | None) -> Found:
    """What is there of a coverage: ``layers`` are its own, and its input's where it is derived.

    Raises :class:`TooManyImages`, and :class:`LayerNotFound` for a layer that is no coverage.
    """
    try:
        box = degrees_of(grid)
    except OutOfReach:
        box = _NOWHERE
    source = layers[-1]
    query = FeatureQuery(box=Box(*box, srid=4490), as_of=as_of, geometry=False, crs=epsg(4490))
    statement = _statement(source.changed(fields=IMAGE_FIELDS, style=(), extent=None, updated=None), query.shape())
    values = {**query.values(), "coverages": [layer.id for layer in layers]}
    answer = reader.fetch(statement.sql, statement.bind(values))
    if len(answer) > MAX_IMAGES:
        raise TooManyImages(f"more than {MAX_IMAGES} images of {source.id!r} lie there; ask for a smaller area")
    snapshot, described = answer[0][:2]
    coverages = [_coverage(layer, (described or {}).get(layer.id)) for layer in layers]
    images = [image_of(dict(zip(_NAMES, row[2:], strict=True))) for row in answer if row[2] is not None]
    if time is not None:
        images = [image for image in images if image.acquired_within(time)]
    return Found(snapshot, coverages[0], coverages[-1], ranked(images, coverages[-1].nature))


@lru_cache(maxsize=256)
def _statement(layer: Layer, shape: FeatureQuery) -> Statement:
    """Rows of the snapshot, what the coverages are, and an image or nulls."""
    snapshot = select(cast(func.pg_current_snapshot(), Text).label("now")).subquery("s")
    pair = func.jsonb_build_array(COVERAGES.c.nature, COVERAGES.c.bands)
    wanted = COVERAGES.c.layer == func.any(cast(bindparam("coverages"), ARRAY(String)))
    described = select(func.jsonb_object_agg(COVERAGES.c.layer, pair)).where(wanted).scalar_subquery()
    t, condition = selection(layer, shape)
    columns = [t.c[name] for name in _NAMES]
    found = select(*columns).where(condition).limit(literal_column(str(MAX_IMAGES + 1))).subquery("f")
    joined = snapshot.outerjoin(found, true())
    return compiled(select(snapshot.c.now, described, *(found.c[name] for name in _NAMES)).select_from(joined))


def _coverage(layer: Layer, described: Any) -> Coverage:
    if described is None:
        raise LayerNotFound(f"layer {layer.id!r} is no coverage")
    nature, bands = described
    return Coverage(layer.changed(fields=IMAGE_FIELDS), nature, tuple(map(band_of, bands)))
