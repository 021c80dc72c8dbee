"""The .qlr and .qgs files, as QGIS of the system (3.22 in Debian 12) loads them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

PYTHON = "/usr/bin/python3"
LOADER = Path(__file__).with_name("qgis_loader.py")


def loaded(tmp_path: Path, name: str, body: bytes) -> dict[str, Any]:
    if subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True).returncode:
        pytest.skip("QGIS is not installed (apt-get install python3-qgis)")
    (tmp_path / name).write_bytes(body)
    home = str(tmp_path)
    environment = {"PATH": os.environ["PATH"], "HOME": home, "XDG_RUNTIME_DIR": home, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [PYTHON, str(LOADER), str(tmp_path / name)], env=environment, capture_output=True, text=True, timeout=240
    )
    assert "ANSWER" in done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.split("ANSWER")[1])
    assert answer["accepted"], answer["why"]
    return answer


def test_qgis_draws_a_layer_in_the_colours_of_its_legend(live_city: str, tmp_path: Path) -> None:
    answer = requests.get(f"{live_city}/collections/roads/layer.qlr", {"lang": "zh-CN"}, timeout=30)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="roads.qlr"'
    [roads] = loaded(tmp_path, "roads.qlr", answer.content)["layers"]
    assert roads["valid"] and roads["provider"] == "OAPIF" and roads["attribute"] == '"class"'
    legend = requests.get(f"{live_city}/collections/roads/legend", {"lang": "zh-CN"}, timeout=30).json()["entries"]
    assert [(label, colour) for _, label, colour in roads["classes"]] == [(e["label"], e["color"]) for e in legend]
    page = requests.get(f"{live_city}/collections/roads/items", {"f": "json", "limit": "1"}, timeout=30).json()
    assert page["features"][0]["properties"]["class"] in {value for value, _, _ in roads["classes"]}
    assert roads["features"] > 100


def test_qgis_opens_the_city_as_a_project(live_city: str, tmp_path: Path) -> None:
    body = requests.get(f"{live_city}/styles/city/project.qgs", {"lang": "en-US"}, timeout=30).content
    # No layer needs the network to be opened here: what is drawn how is in the file.
    project = loaded(tmp_path, "city.qgs", body.replace(live_city.encode(), b"http://127.0.0.1:9"))
    listed = requests.get(f"{live_city}/styles/city", {"lang": "en-US"}, timeout=30).json()["metadata"][
        "citymap:layers"
    ]
    assert project["order"] == [entry["title"] for entry in listed] and project["crs"] == "EPSG:3857"
    assert len(project["layers"]) == len(listed)
