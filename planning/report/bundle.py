"""The report and its data in one zip: PDF, page, boundary points as TXT and DXF, GeoPackage, the check as JSON."""

import zipfile
from pathlib import Path

import geopandas
import shapely
from pydantic import TypeAdapter

from layers.printing.sheet import Paper
from layers.processing import CityMaps
from planning.boundary.drawing import write_dxf
from planning.boundary.model import Header
from planning.boundary.writer import encoded, write_boundary_points
from planning.check.answers import Checked
from planning.report.model import Report
from planning.report.page import write_page
from planning.report.pages import write_pages

_CHECKED = TypeAdapter(Checked)


def write_bundle(report: Report, maps: CityMaps, paper: Paper, timezone: str, folder: Path) -> Path:
    """The zip, in ``folder``."""
    pdf, dxf, package = folder / "report.pdf", folder / "boundary.dxf", folder / "data.gpkg"
    write_pages(report, maps, paper, timezone, pdf)
    write_dxf(report.parcels, dxf)
    _write_geopackage(report, package)
    page = write_page(report, maps, folder)
    text = encoded(write_boundary_points(report.parcels, Header()), "gbk")
    path = folder / "redline-report.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for part in (pdf, page, dxf, package):
            bundle.write(part, part.name)
        bundle.writestr("boundary.txt", text)
        bundle.writestr("check.json", _CHECKED.dump_json(report.kept.result, indent=1))
    return path


def _write_geopackage(report: Report, path: Path) -> None:
    """Layers 用地红线, 界址点 and 冲突 in the survey's CRS, eastings without zone number."""
    crs = f"EPSG:{report.zone.srid}"
    parcels = [{"number": p.number, "name": p.name, "geometry": p.polygon} for p in report.parcels]
    geopandas.GeoDataFrame(parcels, crs=crs).to_file(path, layer="用地红线", driver="GPKG")
    points = [
        {"parcel": parcel.number, "ring": n, "name": p.name, "geometry": shapely.Point(p.east, p.north)}
        for parcel in report.parcels for n, ring in enumerate(parcel.rings, 1) for p in ring
    ]  # fmt: skip
    geopandas.GeoDataFrame(points, crs=crs).to_file(path, layer="界址点", driver="GPKG")
    pieces = [
        {
            "severity": c.severity, "kind": c.kind, "rule": c.rule, "clause": report.say(c.clause),
            "feature_layer": c.feature.layer, "feature_id": c.feature.id, "area": c.area, "share": c.share,
            "length": c.length,
            "geometry": piece,
        }
        for c, piece in report.pieces()
    ]  # fmt: skip
    if pieces:
        geopandas.GeoDataFrame(pieces, crs=crs).to_file(path, layer="冲突", driver="GPKG")
