"""Servers that tiles are measured beside: Martin by cargo, and nginx, which serves finished bytes as files."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.peers import PEERS, WORKERS
from benchmarks.processes import Running, free_port, running

#: The last of its versions that reads PostGIS 3.3 by its own documentation; the parts for other sources are left out.
MARTIN = ("martin", "--version", "1.3.1", "--locked", "--no-default-features", "--features", "postgres")
_NGINX = """
daemon off; worker_processes {workers}; pid {folder}/nginx.pid; error_log stderr; {user}
events {{ worker_connections 512; }}
http {{
    access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=100;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port};
        location / {{ root {folder}/files; default_type application/vnd.mapbox-vector-tile; add_header Content-Encoding gzip; }}
    }}
}}
"""


@contextmanager
def martin(url: str, folder: Path, fields: Mapping[str, str], cache_mb: int) -> Iterator[Running]:
    """Martin over the peers' copy of the buildings, with these columns (name → PostgreSQL's type)."""
    program = folder / "martin" / "bin" / "martin"
    if not program.exists():
        subprocess.run(["cargo", "install", "--quiet", "--root", folder / "martin", *MARTIN], check=True)
    port = free_port()
    table = {
        "schema": PEERS, "table": "buildings", "srid": 4326, "geometry_column": "geom", "id_column": "id",
        "geometry_type": "MULTIPOLYGON", "extent": 4096, "buffer": 64, "properties": dict(fields),
    }  # fmt: skip
    told = {
        "listen_addresses": f"127.0.0.1:{port}", "worker_processes": int(WORKERS), "cache_size_mb": cache_mb,
        "postgres": {"connection_string": url, "pool_size": 8, "auto_publish": False, "tables": {"buildings": table}},
    }  # fmt: skip
    config = folder / "martin.yaml"
    with config.open("w") as file:
        YAML().dump(told, file)
    with running(
        "martin", [str(program), "--config", str(config)], port, "/health", {}, folder / "martin.log"
    ) as server:
        yield server


@contextmanager
def nginx(folder: Path, files: Mapping[str, bytes]) -> Iterator[Running]:
    """nginx over these gzip members, by their paths."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise RuntimeError("nginx is missing: apt-get install nginx")
    here, port = folder / "nginx", free_port()
    for path, body in files.items():
        target = here / "files" / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    config = here / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(_NGINX.format(folder=here, port=port, workers=WORKERS, user=user))
    ready = next(iter(files))
    with running(
        "nginx", [program, "-c", str(config), "-p", str(here)], port, ready, {}, folder / "nginx.log"
    ) as server:
        yield server
