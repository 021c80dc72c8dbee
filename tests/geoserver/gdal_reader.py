"""Reads with GDAL in a process of its own: here GDAL would hold the interpreter while it waits for its own server."""

from typing import Any


def read(url: str, layer: str, options: dict[str, Any]) -> tuple[dict[str, str], list[int], list[bytes], list[list[Any]], str]:
    """Types by field, ids, WKB shapes, columns and CRS of a layer of an OGC API."""
    import pyogrio

    meta, ids, shapes, columns = pyogrio.raw.read(
        f"OAPIF:{url}", layer=layer, return_fids=True, datetime_as_string=True, **options
    )
    types = dict(zip(meta["fields"].tolist(), map(str, meta["dtypes"]), strict=True))
    return types, ids.tolist(), list(shapes), [column.tolist() for column in columns], meta["crs"]
