"""Other people's servers for the tests of proxies: stock pygeoapi, MapServer, and one that answers what it is told."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import pytest
import requests
from shapely.geometry import Point

#: 30 wells, whose names and depths the tests know.
WELLS = gpd.GeoDataFrame(
    {"name": [f"井{n}" for n in range(30)], "depth": [n / 2 for n in range(30)], "number": range(30)},
    geometry=[Point(114.5 + n / 100, 30.2 + n / 200) for n in range(30)],
    crs=4326,
)


@contextmanager
def answering(answer: Callable[[str, dict[str, str]], tuple[int, str, bytes]]) -> Iterator[str]:
    """The address of a server that answers a path and its parameters with status, media type and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            status, media_type, body = answer(parts.path, query)
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def stock_pygeoapi(directory: Path) -> Iterator[str]:
    """pygeoapi as its authors ship it, over a file of the wells."""
    WELLS.to_file(directory / "wells.geojson", driver="GeoJSON", id_generate="yes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = directory / "config.yml"
    config.write_text(
        f"""
server: {{bind: {{host: 127.0.0.1, port: {port}}}, url: 'http://127.0.0.1:{port}', mimetype: application/json, encoding: utf-8,
  languages: [en-US], limits: {{default_items: 10, max_items: 100}}, map: {{url: 'https://x/{{z}}', attribution: x}}}}
logging: {{level: ERROR}}
metadata:
  identification: {{title: {{en: t}}, description: {{en: d}}, keywords: {{en: [k]}}, keywords_type: theme, terms_of_service: x, url: 'https://x'}}
  license: {{name: x, url: 'https://x'}}
  provider: {{name: x, url: 'https://x'}}
  contact: {{name: x, position: x, address: x, city: x, stateorprovince: x, postalcode: x, country: x, phone: x, fax: x, email: x@x.cn, url: 'https://x', hours: x, instructions: x, role: x}}
resources:
  wells: {{type: collection, title: Wells, description: Wells, keywords: [k], links: [],
    extents: {{spatial: {{bbox: [114.5, 30.2, 114.8, 30.4], crs: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84'}}}},
    providers: [{{type: feature, name: GeoJSON, data: '{directory / "wells.geojson"}', id_field: id}}]}}
""",
        "utf-8",
    )
    environ = {**os.environ, "PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(directory / "openapi.yml")}
    run = [sys.executable, "-W", "ignore", "-m", "pygeoapi"]
    made = "from pygeoapi.openapi import generate_openapi_document as g; import pathlib, os; pathlib.Path(os.environ['PYGEOAPI_OPENAPI']).write_text(g(pathlib.Path(os.environ['PYGEOAPI_CONFIG']), 'yaml'))"
    subprocess.run([*run[:3], "-c", made], env=environ, check=True, timeout=120)
    served = [*run[:3], "-m", "uvicorn", "pygeoapi.starlette_app:APP", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(served, env=environ)
    try:
        _wait(f"http://127.0.0.1:{port}/collections/wells?f=json")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def mapserver(directory: Path) -> Iterator[str]:
    """MapServer's WFS and WMS over the wells, in EPSG:4547 so that systems and axes matter."""
    program = shutil.which("mapserv") or "/usr/lib/cgi-bin/mapserv"
    if not Path(program).exists():
        pytest.skip("no MapServer on this machine (apt-get install cgi-mapserver)")
    WELLS.to_crs(4547).to_file(directory / "wells.gpkg", driver="GPKG", layer="wells")
    mapfile = directory / "wells.map"
    mapfile.write_text(_MAPFILE.replace("WELLS", str(directory / "wells.gpkg")), "utf-8")
    (directory / "mapserver.conf").write_text('CONFIG\nENV\nMS_MAP_PATTERN "."\nEND\nEND\n')

    def answer(_path: str, query: dict[str, str]) -> tuple[int, str, bytes]:
        from urllib.parse import urlencode

        environ = {
            "REQUEST_METHOD": "GET", "QUERY_STRING": urlencode(query), "MS_MAPFILE": str(mapfile), "PATH": os.environ["PATH"],
            "MAPSERVER_CONFIG_FILE": str(directory / "mapserver.conf"), "SERVER_NAME": "127.0.0.1", "SCRIPT_NAME": "/ows",
        }  # fmt: skip
        done = subprocess.run([program], env=environ, capture_output=True, timeout=60, check=False)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        kind = next((line[14:] for line in head.decode().split("\r\n") if line.lower().startswith("content-type: ")), "text/html")
        return 200, kind, body

    with answering(answer) as url:
        yield f"{url}/ows"


_MAPFILE = """MAP
  NAME "city" EXTENT 114.4 30.1 114.9 30.5 SIZE 256 256 PROJECTION "init=epsg:4326" END
  WEB METADATA "ows_enable_request" "*" "ows_title" "wells" "ows_onlineresource" "http://127.0.0.1/ows?"
    "ows_srs" "EPSG:4326 EPSG:3857 EPSG:4547" "wfs_getfeature_formatlist" "gml" END END
  SYMBOL NAME "dot" TYPE ELLIPSE FILLED TRUE POINTS 1 1 END END
  LAYER NAME "wells" TYPE POINT STATUS ON CONNECTIONTYPE OGR CONNECTION "WELLS" DATA "wells"
    PROJECTION "init=epsg:4547" END EXTENT 500000 3300000 600000 3400000
    METADATA "ows_title" "Wells" "gml_include_items" "all" "gml_featureid" "number" "gml_types" "auto" "wfs_use_default_extent_for_getfeature" "false" END
    CLASS STYLE COLOR 255 0 0 SIZE 8 SYMBOL "dot" END END
  END
END
"""


def _wait(url: str) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            if requests.get(url, timeout=10).status_code == 200:
                return
        except requests.ConnectionError:
            threading.Event().wait(0.2)
    raise TimeoutError(url)
