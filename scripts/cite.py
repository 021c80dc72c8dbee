"""Runs an executable OGC test suite (CITE) against a running server and lists what does not pass.

    .venv/bin/python scripts/cite.py ets-ogcapi-features10-….jar http://127.0.0.1:8080/ noofcollections=100
    .venv/bin/python scripts/cite.py ets-ogcapi-tiles10-….jar http://127.0.0.1:8080/ \
        tilematrixsetdefinitionuri=http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad …

The jar is a suite's all-in-one artefact (``…-aio.jar``, https://github.com/opengeospatial/ets-ogcapi-features10 and its
siblings), which is no part of this repository; Java 17 runs it. Further arguments are the suite's own. Ends with 1 when
anything fails that ``docs/conformance.md`` does not explain.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

type Result = tuple[str, str, str]


def main() -> None:
    """Run the suite that the command line names."""
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    jar, url, *more = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        results = run_suite(Path(jar), {"iut": url, **dict(argument.split("=", 1) for argument in more)}, Path(folder))
    counted = Counter(status for status, _, _ in results)
    print(", ".join(f"{status} {number}" for status, number in sorted(counted.items())))
    for (status, test, why), times in Counter(results).items():
        if status != "PASS":
            print(f"{status} {times} × {test}: {why}")
    empty = empty_collections(url)
    unexplained = [test for status, test, why in results if status == "FAIL" and not _explained(test, why, empty)]
    print(f"{len(unexplained)} failures that docs/conformance.md does not explain")
    sys.exit(bool(unexplained))


def run_suite(jar: Path, arguments: dict[str, str], folder: Path) -> list[Result]:
    """Status (PASS, FAIL, SKIP), test with its collection, and message of everything that the suite tried."""
    entries = "".join(f"<entry key={quoteattr(key)}>{escape(value)}</entry>" for key, value in arguments.items())
    properties = folder / "arguments.xml"
    # Without a document type: Java would fetch its DTD.
    properties.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<properties version="1.0">{entries}</properties>\n')
    command = ["java", "-jar", str(jar), "-o", str(folder), str(properties)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    reports = list(folder.glob("testng/*/testng-results.xml"))
    if not reports:
        sys.exit(f"the suite made no report:\n{said.stdout[-2000:]}{said.stderr[-2000:]}")
    methods = ElementTree.parse(reports[0]).getroot().iter("test-method")
    return [_result(method) for method in methods if method.get("is-config") != "true"]


def _result(method: ElementTree.Element) -> Result:
    values = [(value.text or "").strip() for value in method.findall("params/param/value")]
    message = " ".join((method.findtext("exception/message") or "").split())
    shown = [value for value in values if 0 < len(value) < 80 and "@" not in value]
    return method.get("status", ""), " ".join([method.get("name", ""), *shown]), message[:200]


def empty_collections(url: str) -> set[str]:
    """Ids of the collections without features."""
    base = url.rstrip("/")
    ids = [collection["id"] for collection in _json(f"{base}/collections?f=json")["collections"]]
    return {name for name in ids if not _json(f"{base}/collections/{name}/items?f=json&limit=1")["features"]}


def _json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def _explained(test: str, why: str, empty: set[str]) -> bool:
    """Whether the fault is the suite's own (docs/conformance.md): it writes boxes of latitude-first systems with the
    longitude first, and asks empty collections for a feature without id and for the whole earth in one zone."""
    name, *values = test.split(" ")
    if name == "verifyBboxCrsParameter" and "<200> but was <400>" in why:
        return any(value.endswith(("/EPSG/0/4326", "/EPSG/0/4490")) for value in values) or values[0] in empty
    return name == "verifyFeatureCrsParameter" and "<200> but was <404>" in why and values[0] in empty


main()
