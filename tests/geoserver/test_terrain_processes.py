"""Terrain processes over HTTP: elevation uploaded as a client does, then asked about while waiting and as a job."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer

from tests.geoserver.job_site import JobSite
from tests.layers.raster.conftest import write_tif

X, Y = 586000.0, 3364000.0
DEGREES = Transformer.from_crs(4547, 4490, always_xy=True)


def place(x: float, y: float) -> list[float]:
    return [float(v) for v in DEGREES.transform(X + x, Y + y)]


def ring(west: float, south: float, east: float, north: float) -> dict[str, object]:
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return {"type": "Polygon", "coordinates": [[place(*corner) for corner in corners]]}


@pytest.fixture
def slope(busy_site: JobSite, tmp_path: Path) -> Iterator[JobSite]:
    """Ground that rises by 1 in 10 to the east, 0 m in the middle, 1 km wide."""
    heights = np.tile((np.arange(500) * 2.0 - 499) / 10, (500, 1)).astype("f4")
    path = write_tif(tmp_path / "slope.tif", heights, Affine(2, 0, X - 500, 0, -2, Y + 500))
    upload = busy_site.upload(path.name, path.read_bytes()).json()["id"]
    done = busy_site.run("import-image", {"upload": upload, "layer": "dem"})
    assert done["status"] == "successful", done
    [image] = busy_site.get(f"/jobs/{done['jobID']}/results").json()["images"]
    yield busy_site
    busy_site.run("remove-image", {"layer": "dem", "image": image["id"]})


def test_every_terrain_process_answers_over_http(slope: JobSite) -> None:
    def ask(process: str, **inputs: object) -> dict:
        answer = slope.execute(process, inputs, wait=True)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    line = {"type": "LineString", "coordinates": [place(-400, 0), place(400, 0)]}
    profile = ask("elevation-profile", line=line, step=50)
    assert (profile["lowest"], profile["highest"]) == (pytest.approx(-40, abs=0.1), pytest.approx(40, abs=0.1))
    assert profile["ascent"] == pytest.approx(80, abs=0.2) and profile["descent"] == pytest.approx(0, abs=0.01)
    sight = ask("line-of-sight", observer=place(-400, 0), target=place(400, 0), target_height=2)
    assert sight["visible"] is True and sight["hidden_by"] is None
    seen = ask("viewshed", observer=place(0, 0), radius=300, resolution=5)
    assert seen["share"] > 0.95 and seen["geometry"]["type"] == "MultiPolygon"
    earth = ask("cut-fill", area=ring(0, -50, 100, 50), level=5)
    assert earth["cut"] == pytest.approx(12_500, rel=5e-3) and earth["fill"] == pytest.approx(12_500, rel=5e-3)
    proposed = [{"footprint": ring(-60, -60, 60, -30), "height": 60}]
    points = [{"longitude": place(0, 0)[0], "latitude": place(0, 0)[1], "facing": 180}]
    sun = ask("sunlight-hours", points=points, proposed=proposed, step=5)
    assert sun["points"][0]["enough"] is False and ask("sunlight-hours", points=points)["points"][0]["hours"] == 8

    job = slope.run("sunlight-hours", {"area": ring(-20, -20, 20, 20), "proposed": proposed, "step": 5})
    assert job["status"] == "successful", job
    hours = slope.get(f"/jobs/{job['jobID']}/results").json()
    assert hours["coverage"]["ranges"]["hours"]["shape"][0] in (40, 41) and 0 <= hours["share_enough"] < 1


def test_what_cannot_be_computed_is_the_clients_mistake_and_is_named(slope: JobSite) -> None:
    def refused(process: str, **inputs: object) -> str:
        answer = slope.execute(process, inputs, wait=True)
        assert answer.status_code == 400, answer.text
        return str(answer.json())

    assert "no image there" in refused("viewshed", observer=[115.9, 31.9])
    assert "'level', 'plane' and 'design'" in refused("cut-fill", area=ring(0, 0, 10, 10))
    assert "radius" in refused("viewshed", observer=place(0, 0), radius=1e9)
    assert "coarser resolution" in refused("viewshed", observer=place(0, 0), radius=450, resolution=0.1)
    assert slope.execute("viewshed", {"observer": place(0, 0), "dem": "nothing"}, wait=True).status_code == 404
