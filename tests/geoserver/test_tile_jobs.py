"""Archives and seeding as jobs: what comes is a file for phones, for the eyes of whoever asked."""

import gzip
import json

import mapbox_vector_tile
from pmtiles.reader import MemorySource, Reader, all_tiles
from sqlalchemy import text

from tests.geoserver.job_site import JobSite
from tests.geoserver.workshop import eventually
from tests.people import PASSWORD, employ

BOX = [114.80, 30.30, 114.90, 30.40]


def test_a_job_packs_tiles_for_phones_and_hides_what_its_reader_may_not_see(busy_site: JobSite) -> None:
    with busy_site.database.transaction(actor="test") as conn:
        employ(conn, "keeper", "administrator")
        employ(conn, "nobody")
        conn.execute(
            text("""
            INSERT INTO city.roads (geom, name, class) VALUES
                (ST_GeomFromText('LINESTRING(114.82 30.32, 114.88 30.38)', 4490), '包路', 'primary')""")
        )
    pack = {"collections": ["roads"], "bbox": BOX, "min_zoom": 10, "max_zoom": 14}
    job = busy_site.execute("export-tiles", pack).json()["jobID"]
    eventually(lambda: busy_site.status(job)["status"] != "accepted", 200)  # the worker may be starting
    done = busy_site.ended(job)
    assert done["status"] == "successful", done
    answer = busy_site.get(f"/jobs/{done['jobID']}/results")
    assert answer.headers["Content-Type"] == "application/vnd.pmtiles"
    source = MemorySource(answer.content)
    header = Reader(source).header()
    assert (header["min_zoom"], header["max_zoom"]) == (10, 14) and header["clustered"]
    tiles = dict(all_tiles(source))
    names = {
        feature["properties"]["name"]
        for body in tiles.values()
        for feature in mapbox_vector_tile.decode(gzip.decompress(body))["roads"]["features"]
    }
    assert names == {"包路"} and {z for z, _, _ in tiles} == set(range(10, 15))
    (z, x, y), body = next(iter(tiles.items()))
    served = busy_site.get(f"/collections/roads/tiles/WebMercatorQuad/{z}/{y}/{x}", None)
    assert served.content == gzip.decompress(body)

    hidden = busy_site.execute("export-tiles", {**pack, "collections": ["pipelines"]}, ("nobody", PASSWORD)).json()
    ended = busy_site.ended(hidden["jobID"], ("nobody", PASSWORD))
    assert ended["status"] == "failed" and "pipelines" in json.dumps(ended)
    far = busy_site.run("export-tiles", {**pack, "bbox": [0, 0, 90, 80], "max_zoom": 18})
    assert far["status"] == "failed" and "1000000" in busy_site.get(f"/jobs/{far['jobID']}/results").text

    seeds = {"collections": ["roads"], "bbox": BOX, "max_zoom": 10}
    assert busy_site.execute("seed-tiles", seeds, ("nobody", PASSWORD)).status_code == 403
    keeper = ("keeper", PASSWORD)
    seeding = busy_site.execute("seed-tiles", seeds, keeper).json()["jobID"]
    assert busy_site.ended(seeding, keeper)["status"] == "successful"
    counted = busy_site.get(f"/jobs/{seeding}/results", keeper).json()
    assert counted["tiles"] >= counted["rendered"] >= 0 and counted["tiles"] >= 11
