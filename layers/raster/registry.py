"""Reads and writes coverages in the catalogue."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select

from layers.catalogue import Field, Layer, Text
from layers.raster.coverage import IMAGE_FIELDS, Coverage
from layers.raster.tables import COVERAGES
from layers.registry import LayerNotFound, create_layer, find_layer


def create_coverage(conn: Connection, coverage: Coverage) -> None:
    """Enter a coverage in the catalogue; its layer of footprints is made with it."""
    create_layer(conn, coverage.layer)
    bands = [_band_json(band) for band in coverage.bands]
    conn.execute(insert(COVERAGES).values(layer=coverage.layer.id, nature=coverage.nature, bands=bands))


def load_coverage(conn: Connection, layer_id: str) -> Coverage:
    """The coverage of that id. Raises :class:`LayerNotFound` where there is none."""
    layer = find_layer(conn, layer_id)
    if layer.kind != "coverage":
        raise LayerNotFound(f"no coverage {layer_id[:80]!r}")
    return coverage_of(conn, layer)


def coverage_of(conn: Connection, layer: Layer) -> Coverage:
    """The coverage whose footprints a layer holds. Raises :class:`LayerNotFound` for any other layer."""
    row = conn.execute(select(COVERAGES).where(COVERAGES.c.layer == layer.id)).mappings().one_or_none()
    if row is None:
        raise LayerNotFound(f"layer {layer.id!r} is no coverage")
    # Whoever may not see where the files are still reads their pixels.
    whole = layer.changed(fields=IMAGE_FIELDS)
    return Coverage(whole, row["nature"], tuple(band_of(band) for band in row["bands"]))


def _band_json(band: Field) -> dict[str, Any]:
    domain = {code: asdict(text) for code, text in band.domain.items()} if band.domain else None
    return {"name": band.name, "type": band.type, "title": asdict(band.title), "unit": band.unit, "domain": domain}


def band_of(value: Mapping[str, Any]) -> Field:
    """A band as ``citymap.coverages`` describes it."""
    domain = {code: Text(**text) for code, text in value["domain"].items()} if value["domain"] else None
    return Field(value["name"], value["type"], Text(**value["title"]), value["unit"], domain)
