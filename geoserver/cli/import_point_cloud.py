"""``citymap import`` of a point cloud: the surface and the ground into their coverages."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import typer

from geoserver.cli.console import CommandError, Exit, note, print_json, progress
from geoserver.cli.import_image import interval, steps
from geoserver.cli.session import load_settings, open_connection

#: What point clouds end in.
SUFFIXES = (".las", ".laz")


def import_point_cloud(
    file: Path, acquired: str | None, resolution: float, asked: dict[str, Any], config: Path | None, as_json: bool
) -> None:
    """Import a LAS or LAZ file into ``dsm`` and ``dem``, and report; ``asked`` as :class:`ImageOptions` has it."""
    from layers.importing.errors import ImportRefused
    from layers.raster.ingest import ImageOptions
    from layers.raster.store import RasterStore
    from layers.three_d.survey import import_survey

    crs = asked.pop("crs")
    begin, end = interval(acquired)
    options = ImageOptions(acquired=begin, acquired_until=end, **asked)
    settings = load_settings(config)
    store = RasterStore(Path(settings.rasters.directory))
    try:
        with (
            TemporaryDirectory(prefix="citymap-cloud-") as folder,
            open_connection(settings) as conn,
            progress(file.name) as advance,
        ):
            into = ("dsm", "dem")
            found = import_survey(conn, store, Path(folder), file, resolution, crs, into, options, steps(advance))
    except ImportRefused as refusal:
        cure = "点云没有入库 nothing was imported"
        raise CommandError(f"{refusal.text.zh} | {refusal.text.en}", cure, Exit.REFUSED) from refusal
    if as_json:
        print_json(asdict(found))
        return
    if options.dry_run:
        note("试运行，没有改动 dry run, nothing was changed")
    typer.echo(f"{found.file}  {found.points} 点 points  {found.ground_points} 地面 ground  {found.crs}")
    for layer, image in (("dsm", found.surface), ("dem", found.ground)):
        if image is not None:
            number = "" if image.id is None else f" #{image.id}"
            typer.echo(f"  {layer}{number}  {image.width} × {image.height}  {image.resolution:.3g} m")
    for warning in found.warnings:
        typer.echo(f"  注意 {warning.zh} | {warning.en}")
