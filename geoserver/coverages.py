"""OGC API – Coverages (19-087, draft of Part 1) over the mosaics of :mod:`layers.raster`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection
from starlette.requests import Request

from geoserver import features
from geoserver.coverage_parameters import PARAMETERS, CoverageRequest, Scaling, coverage_request
from geoserver.errors import NotAcceptable, ParameterError
from geoserver.features import find_layer
from geoserver.formats import negotiate
from geoserver.parameters import query_values
from geoserver.reply import Reply
from geoserver.schemas import coverage_schema
from layers.catalogue import Layer, Text
from layers.raster.coverage import Coverage
from layers.raster.errors import NoSuchBand, RasterTooLarge
from layers.raster.images import Image
from layers.raster.store import RasterStore
from layers.registry import LayerNotFound

if TYPE_CHECKING:
    from geoserver.city import City
    from layers.raster.mosaic import Grid

_OGC = "http://www.opengis.net/def/rel/ogc/1.0"
#: Representations by the name that ``f`` has for them.
FORMATS = {
    "GeoTIFF": "image/tiff; application=geotiff",
    "CoverageJSON": "application/prs.coverage+json",
    "PNG": "image/png",
}
_ACCEPTED = {"image/tiff": "GeoTIFF", "application/prs.coverage+json": "CoverageJSON", "image/png": "PNG"}
_ACCEPTED |= {"application/vnd.cov+json": "CoverageJSON", "application/json": "CoverageJSON"}
#: Pixels of an answer that names no scale: it is coarsened to so many. And samples (pixels × bands) of any answer.
_UNSCALED = 4_000_000
_MOST = {"GeoTIFF": 32_000_000, "CoverageJSON": 1_000_000, "PNG": 16_000_000}


def get_coverage(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/coverage``."""
    layer = find_coverage_layer(city, collection)
    values = query_values(request, PARAMETERS)
    format_ = _format(request, values)
    asked = coverage_request(values, city.offered_for(layer), layer.extent)
    # GDAL is loaded by those workers that read rasters.
    from layers.raster.images import find_images
    from layers.raster.mosaic import degrees_of
    from layers.raster.registry import coverage_of

    store = RasterStore(Path(city.settings.rasters.directory))
    with city.transaction(layer) as conn:
        coverage = coverage_of(conn, layer)
        bounds = asked.bounds or _whole(layer, asked)
        box = degrees_of(_grid_of(bounds, asked.crs.srid))
        images = find_images(conn, source_of(conn, coverage), box, time=asked.time, as_of=asked.as_of)
        grid = _scaled(store, images, bounds, asked)
        body = _ANSWERS[format_](conn, store, coverage, grid, asked)
    west, south, east, north = grid.bounds
    corners = (south, west, north, east) if asked.crs.axis_swapped else grid.bounds
    headers = {
        "Content-Crs": f"<{asked.crs.uri}>",
        "Content-Bbox": ",".join(f"{value:.{asked.crs.decimals}f}" for value in corners),
        "Content-Disposition": f'inline; filename="{_ascii(layer.id)}.{_SUFFIXES[format_]}"',
        "Vary": "Accept, Accept-Encoding",
    }
    return Reply(body, FORMATS[format_], headers=headers)


def get_schema(city: "City", request: Request, body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/schema``: of a coverage its bands (OGC 23-058r1), else the features' fields.

    ``f=geojson`` describes the features of any collection, which of a coverage are its images' footprints.
    """
    layer = find_layer(city, collection)
    if layer.kind != "coverage" or request.query_params.get("f") == "geojson":
        return features.get_schema(city, request, body, collection)
    format_ = negotiate(request, query_values(request, ("f", "lang")), features.SCHEMA_FORMATS)
    from layers.raster.images import find_images
    from layers.raster.registry import coverage_of

    with city.transaction(layer) as conn:
        coverage = coverage_of(conn, layer)
        images = [] if coverage.bands else find_images(conn, coverage)
    language = city.language(request)
    headers = {"Content-Language": language}
    document = coverage_schema(coverage, {band for image in images for band in image.bands}, city.url, language)
    if format_ == "html":
        return city.pages.schema(request, layer, document, "schema", headers)
    return Reply(orjson.dumps(document), "application/schema+json", headers=headers)


def coverage_links(here: str, *, empty: bool) -> list[dict[str, Any]]:
    """The links of a collection to its coverage (19-087 §8) unless it is empty, and to the schema of its bands."""
    title = asdict(Text("栅格覆盖", "Coverage"))
    links: list[dict[str, Any]] = [
        {"rel": f"{_OGC}/coverage", "type": media_type, "title": title, "href": f"{here}/coverage?f={name}"}
        for name, media_type in FORMATS.items()
        if not empty
    ]
    about = {"title": asdict(Text("波段的模式", "Schema of the bands")), "href": f"{here}/schema?f=json"}
    return [*links, {"rel": f"{_OGC}/schema", "type": "application/schema+json", **about}]


def find_coverage_layer(city: "City", collection: str) -> Layer:
    """The layer behind a coverage. Raises :class:`LayerNotFound`."""
    layer = find_layer(city, collection)
    if layer.kind != "coverage":
        raise LayerNotFound(f"collection {collection[:80]!r} is no coverage; its features are at /items")
    return layer


def _format(request: Request, values: dict[str, str]) -> str:
    wanted = values.get("f")
    if wanted is None:
        for part in request.headers.get("accept", "").split(",")[:50]:
            if found := _ACCEPTED.get(part.split(";")[0].strip().lower()):
                return found
        return "GeoTIFF"
    for name in FORMATS:
        if wanted.lower() == name.lower():
            return name
    raise NotAcceptable(f"parameter 'f': {wanted[:80]!r} is not offered here; choose one of {', '.join(FORMATS)}")


def _whole(layer: Layer, asked: CoverageRequest) -> tuple[float, float, float, float]:
    """The bounds of the whole coverage in the request's CRS."""
    from layers.crs import coincident, meets, transformer

    if layer.extent is None:
        raise LayerNotFound(f"coverage {layer.id!r} has no image yet")
    if coincident(asked.crs.srid, 4490):
        return layer.extent
    if not meets(4490, layer.extent, asked.crs.srid):
        raise ParameterError("crs", f"does not reach all of {layer.id!r}: name a part by bbox")
    bounds: tuple[float, float, float, float] = transformer(4490, asked.crs.srid).transform_bounds(*layer.extent)
    return bounds


def _grid_of(bounds: tuple[float, float, float, float], srid: int) -> "Grid":
    from layers.raster.mosaic import Grid

    return Grid(bounds, srid, 1, 1)


def _scaled(
    store: RasterStore, images: list[Image], bounds: tuple[float, float, float, float], asked: CoverageRequest
) -> "Grid":
    """The pixels of the answer: those of the finest image there, or as many as the request says."""
    from layers.raster.mosaic import Grid
    from layers.raster.native import native_grid

    scaling = asked.scaling
    if scaling is None:
        return native_grid(store, images, bounds, asked.crs.srid, most=_UNSCALED)
    west, south, east, north = bounds
    if scaling.size:
        width, height = _size(scaling, (east - west) / (north - south))
        return Grid(bounds, asked.crs.srid, width, height)
    assert scaling.factors
    full = native_grid(store, images, bounds, asked.crs.srid)
    across, down = scaling.factors
    return Grid(full.bounds, full.srid, max(1, round(full.width / across)), max(1, round(full.height / down)))


def _size(scaling: Scaling, shape: float) -> tuple[int, int]:
    """Columns and rows; what is not told follows from the shape (width by height) of the bounds."""
    assert scaling.size
    width, height = scaling.size
    if width is None:
        width = max(1, round((height or 1) * shape))
    return width, height or max(1, round(width / shape))


def _refuse_large(grid: "Grid", bands: int, format_: str) -> None:
    if grid.width * grid.height * bands > _MOST[format_]:
        raise RasterTooLarge(
            f"{grid.width} × {grid.height} pixels of {bands} bands; {_MOST[format_]} samples are the bound of "
            f"{format_}: ask for a smaller bbox, or scale (scale-factor, width, height)"
        )


def read_raster(
    conn: Connection, store: RasterStore, coverage: Coverage, grid: "Grid", asked: CoverageRequest, format_: str
) -> Any:
    """The pixels of an answer. Raises :class:`RasterTooLarge` above what its format may hold."""
    from layers.raster.mosaic import read

    _refuse_large(grid, len(asked.bands or coverage.bands) or 1, format_)
    if coverage.nature == "relief":
        return _derived(conn, store, coverage, grid, asked)
    raster = read(conn, store, coverage, grid, bands=asked.bands, time=asked.time, as_of=asked.as_of)
    _refuse_large(grid, len(raster.bands), format_)
    if not raster.bands:
        raise LayerNotFound(f"coverage {coverage.layer.id!r} has no image there; its footprints are at /items")
    return raster


def source_of(conn: Connection, coverage: Coverage) -> Coverage:
    """The coverage whose images it is made of: itself, or its input."""
    from layers.raster.registry import load_coverage

    inputs = coverage.layer.inputs
    return load_coverage(conn, inputs[0]) if inputs else coverage


def _derived(conn: Connection, store: RasterStore, coverage: Coverage, grid: "Grid", asked: CoverageRequest) -> Any:
    """Hillshade, slope or aspect of the heights as they are."""
    from layers.raster.mosaic import Raster, read
    from layers.terrain.derived import derived

    band = coverage.bands[0].name
    if asked.bands not in (None, (band,)):
        raise NoSuchBand(f"{coverage.layer.id!r} has one band, {band!r}")
    source = source_of(conn, coverage)

    def heights(wider: "Grid") -> Any:
        return read(conn, store, source, wider, time=asked.time, as_of=asked.as_of).values[0]

    return Raster(derived(band, grid, heights)[None], grid, (band,), ())


def _geotiff(conn: Connection, store: RasterStore, coverage: Coverage, grid: "Grid", asked: CoverageRequest) -> bytes:
    from layers.raster.encoding import geotiff

    raster = read_raster(conn, store, coverage, grid, asked, "GeoTIFF")
    return geotiff(raster, {band.name: band.unit for band in coverage.bands})


def _coverage_json(
    conn: Connection, store: RasterStore, coverage: Coverage, grid: "Grid", asked: CoverageRequest
) -> bytes:
    from layers.raster.encoding import coverage_json

    raster = read_raster(conn, store, coverage, grid, asked, "CoverageJSON")
    return coverage_json(raster, asked.crs, {band.name: band for band in coverage.bands})


def _png(conn: Connection, store: RasterStore, coverage: Coverage, grid: "Grid", asked: CoverageRequest) -> bytes:
    from layers.raster.display import picture
    from layers.raster.encoding import png

    _refuse_large(grid, 4, "PNG")
    if coverage.nature == "relief":
        return _relief_png(_derived(conn, store, coverage, grid, asked))
    bands = asked.bands
    if bands is not None and len(bands) not in (1, 3):
        raise ParameterError("properties", "a picture shows one band, or three as red, green and blue")
    return png(picture(conn, store, coverage, grid, bands=bands, time=asked.time, as_of=asked.as_of))


def _relief_png(raster: Any) -> bytes:
    from tiles.raster.drawing import relief_picture
    from tiles.raster.look import Look
    from tiles.raster.pictures import encode

    return encode(relief_picture(raster.bands[0], raster.values[0], Look()), "png")[0]


_ANSWERS = {"GeoTIFF": _geotiff, "CoverageJSON": _coverage_json, "PNG": _png}
_SUFFIXES = {"GeoTIFF": "tif", "CoverageJSON": "covjson", "PNG": "png"}


def _ascii(name: str) -> str:
    return name if name.isascii() else "coverage"
