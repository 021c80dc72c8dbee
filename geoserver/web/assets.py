"""Static files of the client, read once: our own modules, and the listed files of npm packages.

Nothing outside the two lists is reachable, whatever a request's path says.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from layers.processing import Leaflet

WEB = Path(__file__).parent
STATIC = WEB / "static"
NODE_MODULES = WEB / "node_modules"

#: Name under ``/static/vendor/`` → file in node_modules. MapLibre starts its worker from beside its own module.
VENDOR: Mapping[str, str] = {
    "maplibre-gl.mjs": "maplibre-gl/dist/maplibre-gl.mjs",
    "maplibre-gl-shared.mjs": "maplibre-gl/dist/maplibre-gl-shared.mjs",
    "maplibre-gl-worker.mjs": "maplibre-gl/dist/maplibre-gl-worker.mjs",
    "maplibre-gl.css": "maplibre-gl/dist/maplibre-gl.css",
    "preact.mjs": "preact/dist/preact.mjs",
    "preact-hooks.mjs": "preact/hooks/dist/hooks.mjs",
    "htm.mjs": "htm/dist/htm.mjs",
    "terra-draw.mjs": "terra-draw/dist/terra-draw.modern.js",
    "terra-draw-maplibre.mjs": "terra-draw-maplibre-gl-adapter/dist/terra-draw-maplibre-gl-adapter.modern.js",
    "uplot.mjs": "uplot/dist/uPlot.esm.js",
    "uplot.css": "uplot/dist/uPlot.min.css",
    "leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet.css": "leaflet/dist/leaflet.css",
}

#: Folder under ``/static/vendor/`` → folder in node_modules, and its files that a page may ask for. CesiumJS comes only
#: when the full 3D view is opened: its library, the workers that decode terrain, the tables that place the sun.
VENDOR_FOLDERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cesium": ("cesium/Build/Cesium", ("index.js", "Workers/*.js", "Assets/*.json", "Assets/IAU2006_XYS/*.json")),
}

#: Bare module names that our modules import → vendor files.
IMPORTS: Mapping[str, str] = {
    "maplibre-gl": "maplibre-gl.mjs",
    "preact": "preact.mjs",
    "preact/hooks": "preact-hooks.mjs",
    "htm": "htm.mjs",
    "terra-draw": "terra-draw.mjs",
    "terra-draw-maplibre-gl-adapter": "terra-draw-maplibre.mjs",
    "uplot": "uplot.mjs",
    "cesium": "cesium/index.js",
}

MEDIA_TYPES = {
    ".mjs": "text/javascript; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


@dataclass(frozen=True)
class Asset:
    """One file ready for the socket: its bytes, its media type and its strong ETag."""

    body: bytes
    media_type: str
    etag: str

    @cached_property
    def packed(self) -> bytes:
        """The bytes gzipped, once somebody has asked for them."""
        return gzip.compress(self.body, compresslevel=6, mtime=0)


def read_assets() -> dict[str, Asset]:
    """Every file below ``/static/`` by its path; package files only as far as they are installed."""
    own = (path for path in sorted(STATIC.rglob("*")) if path.suffix in MEDIA_TYPES)
    files = {path.relative_to(STATIC).as_posix(): path for path in own}
    packages = {f"vendor/{name}": NODE_MODULES / source for name, source in VENDOR.items()} | _folders()
    files |= {name: path for name, path in packages.items() if path.is_file()}
    return {name: _read(path) for name, path in files.items()}


def _folders() -> dict[str, Path]:
    return {
        f"vendor/{name}/{path.relative_to(NODE_MODULES / source).as_posix()}": path
        for name, (source, patterns) in VENDOR_FOLDERS.items()
        for pattern in patterns
        for path in sorted((NODE_MODULES / source).glob(pattern))
    }


def missing_packages(assets: Mapping[str, Asset]) -> list[str]:
    """Package files that the map page needs and that are not installed."""
    return [source for name, source in VENDOR.items() if f"vendor/{name}" not in assets]


def fingerprint(assets: Mapping[str, Asset]) -> str:
    """A short hash over names and contents: it changes when any file does, because modules import each other."""
    digest = hashlib.sha256()
    for name, asset in sorted(assets.items()):
        digest.update(f"{name} {asset.etag}\n".encode())
    return digest.hexdigest()[:12]


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(
        body=body,
        media_type=MEDIA_TYPES[path.suffix],
        etag=hashlib.sha256(body).hexdigest()[:20],
    )


@cache
def leaflet_inside() -> Leaflet:
    """Leaflet for a page that loads nothing: the pictures of its style stand in it as data."""
    folder = NODE_MODULES / "leaflet/dist"

    def picture(found: re.Match[str]) -> str:
        body = base64.b64encode((folder / "images" / found[1]).read_bytes()).decode()
        return f"url(data:image/png;base64,{body})"

    style = re.sub(r"url\(images/([\w-]+\.png)\)", picture, (folder / "leaflet.css").read_text("utf-8"))
    return Leaflet((folder / "leaflet.js").read_text("utf-8"), style)
