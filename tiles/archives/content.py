"""What the tiles of an archive show, and how one is rendered: the same bytes that the server gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from layers.catalogue import Layer
from layers.database import Reader
from layers.query import FeatureQuery
from tiles.archives.errors import ArchiveError
from tiles.matrix_sets import MatrixSet
from tiles.rendered import MVT, Rendered
from tiles.vector import MAX_LAYERS, TileQuery, render_tile

if TYPE_CHECKING:
    from layers.raster.store import RasterStore

#: Pixels along the side of a picture.
SIZE = 256
Picture = Literal["png", "jpeg", "webp", "avif"]
Heights = Literal["terrain-rgb", "terrarium"]
type Render = Callable[[Reader, MatrixSet, int, int, int], Rendered]


@dataclass(frozen=True, slots=True)
class Content:
    """Tiles of layers. ``read`` are all that they are read from, ``said`` is what else decides their bytes, as the
    cache of a server says it. ``blank``: whether a body shows nothing, so that an archive leaves it out."""

    shown: tuple[Layer, ...]
    read: tuple[Layer, ...]
    said: str
    media_type: str
    render: Render
    blank: Callable[[bytes], bool]
    #: MapLibre's name for how heights are packed, of a terrain.
    encoding: str | None = None


def vectors(layers: Sequence[Layer]) -> Content:
    """Several layers in each tile."""
    if not 1 <= len(layers) <= MAX_LAYERS:
        raise ArchiveError(f"一个瓦片包有 1 到 {MAX_LAYERS} 个图层", f"an archive has 1 to {MAX_LAYERS} layers")
    asked = TileQuery.whole(*layers)
    queries: tuple[FeatureQuery, ...] = asked.queries

    def render(reader: Reader, grid: MatrixSet, z: int, y: int, x: int) -> Rendered:
        return render_tile(reader, asked, grid, z, y, x)

    return Content(tuple(layers), tuple(layers), repr(queries), MVT, render, lambda body: not body)


def pictures(read: Sequence[Layer], store: "RasterStore", format_: Picture | None) -> Content:
    """A coverage as pictures; ``read`` is it and its input. Without a format JPEG or PNG, as a server chooses."""
    from tiles.raster.look import FORMATS, Look
    from tiles.raster.pictures import encode
    from tiles.raster.rendering import render_raster_tile

    look = Look(format=format_ or "auto")

    @cache
    def nothing() -> bytes:
        import numpy as np

        return encode(np.zeros((SIZE, SIZE, 4), np.uint8), look.format)[0]

    def render(reader: Reader, grid: MatrixSet, z: int, y: int, x: int) -> Rendered:
        return render_raster_tile(reader, store, read, look, (grid, z, y, x), SIZE)

    media_type = FORMATS[format_ or "png"]
    said = f"picture {SIZE} {look!r}"
    return Content(tuple(read[:1]), tuple(read), said, media_type, render, lambda body: body == nothing())


def heights(layer: Layer, store: "RasterStore", how: Heights, format_: Literal["png", "webp"] = "webp") -> Content:
    """A coverage of heights as a terrain of MapLibre, without loss."""
    from tiles.raster.look import FORMATS
    from tiles.terrain.rendering import render_height_tile
    from tiles.terrain.rgb import ENCODINGS

    encoding = ENCODINGS[how]

    def render(reader: Reader, grid: MatrixSet, z: int, y: int, x: int) -> Rendered:
        return render_height_tile(reader, store, (layer,), (grid, z, y, x), SIZE, encoding, format_)

    said = f"{how} {SIZE} {format_}"
    return Content((layer,), (layer,), said, FORMATS[format_], render, lambda body: False, encoding.maplibre)
