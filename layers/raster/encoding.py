"""A raster as a file: GeoTIFF, CoverageJSON, PNG."""

import math
from typing import Any

import numpy as np
import orjson
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.io import MemoryFile

from layers.catalogue import Field
from layers.crs import Crs
from layers.raster.mosaic import Raster

_XSD = {"i": "integer", "u": "integer", "f": "float"}


def geotiff(raster: Raster, units: dict[str, str | None]) -> bytes:
    """A GeoTIFF with the bands' names and units; pixels that no image is valid at are NaN, the images' common nodata
    value, or masked."""
    values = raster.values
    nodata = _nodata(raster)
    profile: dict[str, Any] = dict(
        driver="GTiff", count=len(raster.bands), width=raster.grid.width, height=raster.grid.height, dtype=values.dtype,
        crs=raster.grid.srid, transform=raster.grid.transform, nodata=nodata, compress="deflate", zlevel=1,
        predictor=3 if values.dtype.kind == "f" else 2, tiled=True, blockxsize=256, blockysize=256,
    )  # fmt: skip
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"), MemoryFile() as memory:
        with memory.open(**profile) as file:
            file.write(values.filled(nodata) if nodata is not None else values.data)
            if nodata is None and np.ma.is_masked(values):
                file.write_mask(~np.ma.getmaskarray(values).all(axis=0))
            file.descriptions = raster.bands
            file.units = tuple(units.get(band) or "" for band in raster.bands)
        return bytes(memory.read())


def _nodata(raster: Raster) -> float | None:
    kind = raster.values.dtype.kind
    if kind == "f":
        return math.nan
    found = {image.nodata for image in raster.images}
    common = found.pop() if len(found) == 1 else None
    if common is None or common != common or not np.ma.is_masked(raster.values):
        return None
    bounds = np.iinfo(raster.values.dtype)
    return common if bounds.min <= common <= bounds.max else None


def png(colours: NDArray[np.uint8]) -> bytes:
    """A PNG of red, green, blue and alpha (4, row, column)."""
    _, height, width = colours.shape
    # A picture lies nowhere; without any place rasterio would warn of that.
    profile: dict[str, Any] = dict(driver="PNG", count=4, width=width, height=height, dtype="uint8", zlevel=4)
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
        with memory.open(transform=Affine.scale(2), **profile) as file:
            file.write(colours)
        return bytes(memory.read())


def coverage_json(raster: Raster, crs: Crs, bands: dict[str, Field], time: str | None = None) -> bytes:
    """A CoverageJSON Grid coverage (OGC 21-069r2); coordinates are the centres of pixels, ``null`` is no value.

    ``bands`` describes those that are declared; ``time`` [RFC 3339] is added as an axis of one instant.
    """
    grid = raster.grid
    west, south, east, north = grid.bounds
    across, down = (east - west) / grid.width, (north - south) / grid.height
    axes: dict[str, Any] = {
        "x": {"start": west + across / 2, "stop": east - across / 2, "num": grid.width},
        "y": {"start": north - down / 2, "stop": south + down / 2, "num": grid.height},
    }
    kind = "GeographicCRS" if crs.geographic else "ProjectedCRS"
    order = ["y", "x"] if crs.axis_swapped else ["x", "y"]
    references = [{"coordinates": order, "system": {"type": kind, "id": crs.uri}}]
    if time:
        axes["t"] = {"values": [time]}
        references.append({"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": "Gregorian"}})
    return orjson.dumps(
        {
            "type": "Coverage",
            "domain": {"type": "Domain", "domainType": "Grid", "axes": axes, "referencing": references},
            "parameters": {name: parameter_of(name, bands.get(name)) for name in raster.bands},
            "ranges": {name: _range(raster.values[n], timed=bool(time)) for n, name in enumerate(raster.bands)},
        }
    )


def parameter_of(name: str, band: Field | None) -> dict[str, Any]:
    """A band as a CoverageJSON Parameter (OGC 21-069r2 §6.3)."""
    label = {"zh": band.title.zh, "en": band.title.en} if band else {"en": name}
    described: dict[str, Any] = {"type": "Parameter", "observedProperty": {"label": label}}
    if band and band.unit:
        described["unit"] = {"symbol": {"value": band.unit, "type": "http://www.opengis.net/def/uom/UCUM/"}}
    if band and band.domain:
        categories = [
            {"id": f"{name}/{code}", "label": {"zh": text.zh, "en": text.en}} for code, text in band.domain.items()
        ]
        described["observedProperty"]["categories"] = categories
        described["categoryEncoding"] = {f"{name}/{code}": int(code) for code in band.domain}
    return described


def _range(values: Any, *, timed: bool) -> dict[str, Any]:
    shape, names = [*values.shape], ["y", "x"]
    if timed:
        shape, names = [1, *shape], ["t", *names]
    flat = values.data.ravel().tolist()
    if np.ma.is_masked(values):
        hidden = np.ma.getmaskarray(values).ravel().tolist()
        flat = [None if off else value for value, off in zip(flat, hidden, strict=True)]
    kind = _XSD[values.dtype.kind]
    return {"type": "NdArray", "dataType": kind, "axisNames": names, "shape": shape, "values": flat}
