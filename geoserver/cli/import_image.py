"""``citymap import`` of a raster file: an image into a coverage."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from geoserver.cli.console import CommandError, Exit, note, print_json, progress
from geoserver.cli.session import load_settings, open_connection

if TYPE_CHECKING:
    from layers.raster.imported import ImportedImage

#: Coverages that a file goes to by its suffix where none is named.
_COVERAGE_OF = {".hgt": "dem", ".asc": "dem"}


def import_image(
    file: Path, into: str | None, acquired: str | None, asked: dict[str, Any], config: Path | None, as_json: bool
) -> None:
    """Import one raster file, or the rasters of a zip, and report; ``asked`` holds what
    :class:`layers.raster.ingest.ImageOptions` calls the same."""
    from layers.importing.errors import ImportRefused
    from layers.raster.ingest import ImageOptions, import_images
    from layers.raster.registry import load_coverage
    from layers.raster.store import RasterStore
    from layers.registry import LayerNotFound, fit_extent

    layer = into or _COVERAGE_OF.get(file.suffix.lower())
    if layer is None:
        raise typer.BadParameter("name the coverage: imagery, dem, land-cover, drg …", param_hint="--layer")
    begin, end = interval(acquired)
    options = ImageOptions(acquired=begin, acquired_until=end, **asked)
    settings = load_settings(config)
    try:
        with open_connection(settings) as conn, progress(file.name) as advance:
            coverage = load_coverage(conn, layer)
            store = RasterStore(Path(settings.rasters.directory))
            images = import_images(conn, store, coverage, file, options, steps(advance))
            if options.replaces is not None and not options.dry_run:
                fit_extent(conn, coverage.layer)
    except ImportRefused as refusal:
        cure = "影像没有入库 nothing was imported"
        raise CommandError(f"{refusal.text.zh} | {refusal.text.en}", cure, Exit.REFUSED) from refusal
    except LayerNotFound as error:
        raise CommandError(str(error), "citymap layers 列出图层 lists the layers", Exit.REFUSED) from error
    if as_json:
        print_json({"file": str(file), "layer": layer, "images": [asdict(image) for image in images]})
        return
    if options.dry_run:
        note("试运行，没有改动 dry run, nothing was changed")
    for image in images:
        _print(layer, image)


def interval(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Begin and end of ``2024-05-01``, ``2024-05-01T10:00+08:00`` or two of them with a slash; without offset UTC."""
    if not text:
        return None, None
    try:
        moments = [datetime.fromisoformat(part.strip()) for part in text.split("/")]
    except ValueError as error:
        raise typer.BadParameter(
            "write it like 2024-05-01 or 2024-05-01/2024-05-03", param_hint="--acquired"
        ) from error
    aware = [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments]
    if len(aware) > 2:
        raise typer.BadParameter("one instant, or begin/end", param_hint="--acquired")
    return aware[0], aware[1] if len(aware) == 2 else None


def steps(advance: Any) -> Any:
    """The bar takes steps; the import tells shares."""
    shown = 0

    def tell(share: float, _text: Any) -> None:
        nonlocal shown
        percent = int(100 * share)
        if percent > shown:
            advance(percent - shown)
            shown = percent

    return tell


def _print(layer: str, image: "ImportedImage") -> None:
    number = "" if image.id is None else f" #{image.id}"
    typer.echo(f"{layer}{number} {image.name}  {image.crs}  {image.width} × {image.height}  {image.resolution:.3g} m")
    typer.echo(f"  {', '.join(image.bands)}  {image.dtype}  {image.stored_bytes / 1e6:.1f} MB")
    for warning in image.warnings:
        typer.echo(f"  注意 {warning.zh} | {warning.en}")
