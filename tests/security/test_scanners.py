"""sqlmap and wapiti find nothing here; run alike on an application with holes, they find those."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.security.planted import planted_site
from tests.security.secrets_site import SecretsSite

#: What sqlmap tries: the parameters of one shape of address at a time; ``*`` marks a part of the path.
TARGETS = (
    "/collections/open/items?name=x&sortby=name&bbox=114,30,115,31&datetime=2020-01-01T00:00:00Z",
    "/collections/open/items?filter=name%3D%27x%27", "/collections/open*/items/1*", "/jobs?processID=x&status=failed",
)  # fmt: skip
#: What wapiti attacks: pages and documents that take words of the client's.
PLACES = (
    "/collections/open/items?f=html&name=x", "/collections/open/items?f=html&filter=name%3D%27x%27&sortby=name",
    "/collections?f=html&lang=zh-CN", "/sign-in?next=%2Fmap", "/jobs?f=html&status=failed",
    "/wms?service=WMS&request=GetCapabilities",
)  # fmt: skip


@pytest.fixture(scope="module")
def planted(secrets_city: SecretsSite) -> Iterator[str]:
    with planted_site(secrets_city.database.url) as url:
        yield url


def sqlmap(url: str, directory: Path) -> str:
    """What sqlmap says of the parameters of an address: boolean, error and union, of PostgreSQL."""
    if shutil.which("sqlmap") is None:
        pytest.skip("no sqlmap on this machine (apt-get install sqlmap)")
    command = ["sqlmap", "-u", url, "--batch", "--level", "1", "--risk", "1", "--technique", "BEU", "--dbms", "PostgreSQL",
               "--threads", "4", "--flush-session", "--disable-coloring", "--ignore-code", "400", "--output-dir", str(directory)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=directory,
                          env=os.environ | {"HOME": str(directory), "PYTHONPATH": ""})  # fmt: skip
    return done.stdout


def wapiti(url: str, directory: Path, *places: str) -> dict[str, list[dict[str, str]]]:
    """The vulnerabilities by kind: injection into SQL, HTML and headers, files, commands. The places are attacked to the
    end; without any, those that the address links to."""
    if shutil.which("wapiti") is None:
        pytest.skip("no wapiti on this machine (apt-get install wapiti)")
    report = directory / "report.json"
    command = ["wapiti", "-u", url, "--scope", "folder", "-m", "sql,xss,file,exec,redirect,crlf", "--max-scan-time", "60",
               "--max-attack-time", "120", "-d", "0" if places else "1", "--max-parameters", "6", "--flush-session",
               "-f", "json", "-o", str(report), "--no-bugreport", "--store-session", str(directory),
               *(part for place in places for part in ("-s", place))]  # fmt: skip
    environ = os.environ | {"HOME": str(directory), "PYTHONPATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, env=environ)
    visited = re.search(r"found (\d+) URLs", done.stdout)
    assert visited and int(visited[1]) >= max(3, len(places)), done.stdout[-2000:]
    assert "time was reached" not in done.stdout, done.stdout[-2000:]
    document = json.loads(report.read_text())
    return {kind: found for kind, found in document["vulnerabilities"].items() if found}


def test_sqlmap_finds_a_planted_injection(planted: str, tmp_path: Path) -> None:
    said = sqlmap(f"{planted}/search?name=x", tmp_path)
    assert re.search(r"Parameter: name \(GET\)", said), said[-3000:]


@pytest.mark.parametrize("target", TARGETS)
def test_sqlmap_finds_nothing_here(secrets_city: SecretsSite, tmp_path: Path, target: str) -> None:
    said = sqlmap(secrets_city.url + target, tmp_path)
    assert "testing" in said and "do not appear to be injectable" in said, said[-3000:]
    assert "Parameter:" not in said


def test_wapiti_finds_planted_holes(planted: str, tmp_path: Path) -> None:
    found = wapiti(f"{planted}/", tmp_path)
    assert "Cross Site Scripting" in found and "SQL Injection" in found, found


def test_wapiti_finds_nothing_here(secrets_city: SecretsSite, tmp_path: Path) -> None:
    places = [f"{secrets_city.url}{path}" for path in PLACES]
    assert wapiti(places[0], tmp_path, *places) == {}
