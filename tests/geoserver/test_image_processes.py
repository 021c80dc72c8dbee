"""Images in and out by the API: uploaded, imported as jobs of a real worker, replaced, removed."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from tests.geoserver.job_site import JobSite
from tests.geoserver.workshop import eventually
from tests.layers.raster.conftest import write_tif

HERE = Affine(2, 0, 586400, 0, -2, 3364800)


@pytest.fixture
def tif(tmp_path: Path) -> Path:
    return write_tif(tmp_path / "正射 2024.tif", np.full((3, 300, 300), 7, "u1"), HERE)


def uploaded(site: JobSite, path: Path) -> str:
    answer = site.upload(path.name, path.read_bytes())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_an_uploaded_image_becomes_a_dated_footprint_and_leaves_again(busy_site: JobSite, tif: Path) -> None:
    inputs = {"upload": uploaded(busy_site, tif), "layer": "imagery", "acquired": "2024-05-01", "priority": 2}
    done = busy_site.run("import-image", inputs)
    assert done["status"] == "successful", done
    [image] = busy_site.get(f"/jobs/{done['jobID']}/results").json()["images"]
    assert (image["crs"], image["copies"]) == ("EPSG:4547", ["WebMercatorQuad", "CGCS2000Quad"])
    feature = busy_site.get(f"/collections/imagery/items/{image['id']}").json()["properties"]
    assert (feature["acquired"], feature["priority"]) == ("2024-05-01T00:00:00+00:00", 2)
    [[folder, actor]] = busy_site.sql("SELECT folder, actor FROM city.imagery WHERE id = :id", id=image["id"])
    assert actor == "wang"
    with rasterio.open(busy_site.directory / "rasters" / folder / "original.tif") as cog:
        assert (cog.read() == 7).all()

    gone = busy_site.run("remove-image", {"layer": "imagery", "image": image["id"]})
    assert gone["status"] == "successful"
    assert busy_site.get(f"/collections/imagery/items/{image['id']}").status_code == 404
    assert busy_site.sql("SELECT extent FROM citymap.layers WHERE id = 'imagery'") == [(None,)]
    # History keeps it, and its files, for reads of the past.
    assert busy_site.sql(
        "SELECT ended_by FROM history.imagery WHERE id = :id AND operation = 'delete'", id=image["id"]
    ) == [("wang",)]
    assert (busy_site.directory / "rasters" / folder / "original.tif").exists()


def test_an_import_of_an_image_that_is_dismissed_leaves_nothing(busy_site: JobSite, tmp_path: Path) -> None:
    large = write_tif(
        tmp_path / "large.tif", np.zeros((1, 1, 1), "u1"), HERE, width=12000, height=12000, sparse_ok=True, tiled=True
    )
    answer = busy_site.execute("import-image", {"upload": uploaded(busy_site, large), "layer": "drg"})
    job = answer.json()["jobID"]
    eventually(lambda: busy_site.status(job).get("progress", 0) > 1)
    assert busy_site.call("DELETE", f"/jobs/{job}").status_code == 200
    drafts = busy_site.directory / "rasters" / ".new"
    eventually(lambda: not list(drafts.iterdir()))
    assert not (busy_site.directory / "rasters" / "drg").exists()
    assert busy_site.sql("SELECT count(*) FROM city.drg") == [(0,)]


def test_a_refusal_tells_why_in_both_languages(busy_site: JobSite, tmp_path: Path) -> None:
    nowhere = write_tif(tmp_path / "dem.tif", np.zeros((2, 9, 9), "u1"), HERE)
    failed = busy_site.run("import-image", {"upload": uploaded(busy_site, nowhere), "layer": "dem"})
    assert failed["status"] == "failed"
    assert "images of dem have 1 bands; the file has 2" in str(busy_site.get(f"/jobs/{failed['jobID']}/results").json())
    unknown = busy_site.run("import-image", {"upload": uploaded(busy_site, nowhere), "layer": "nothing-there"})
    assert unknown["status"] == "failed"
    assert busy_site.run("remove-image", {"layer": "imagery", "image": 99})["status"] == "failed"


def test_a_new_coverage_is_made_where_its_nature_is_told(busy_site: JobSite, tif: Path) -> None:
    inputs = {"upload": uploaded(busy_site, tif), "layer": "survey-2024", "title": "2024 航片", "nature": "imagery"}
    done = busy_site.run("import-image", inputs)
    assert done["status"] == "successful", done
    assert busy_site.sql("SELECT kind, title->>'zh' FROM citymap.layers WHERE id = 'survey-2024'") == [
        ("coverage", "2024 航片")
    ]
    assert busy_site.sql("SELECT nature FROM citymap.coverages WHERE layer = 'survey-2024'") == [("imagery",)]
    eventually(lambda: busy_site.get("/collections/survey-2024").status_code == 200)


def test_images_need_an_account(quiet_site: JobSite) -> None:
    for process, inputs in (
        ("import-image", {"upload": "00000000-0000-0000-0000-000000000000"}),
        ("remove-image", {"layer": "dem", "image": 1}),
    ):
        assert quiet_site.execute(process, inputs, auth=None).status_code == 401
