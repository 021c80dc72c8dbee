"""Uploads: files go to disk under their ids, bounded while they arrive, and are their owner's."""

import http.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.geoserver.job_site import LI, WANG, JobSite


@pytest.fixture
def empty(quiet_site: JobSite) -> Iterator[JobSite]:
    """The site without uploads, before and after."""
    yield quiet_site
    for (one,) in quiet_site.sql("DELETE FROM citymap.uploads RETURNING id"):
        (quiet_site.directory / "uploads" / str(one)).unlink(missing_ok=True)


def files(site: JobSite) -> list[Path]:
    return list((site.directory / "uploads").iterdir())


def test_a_plain_body_is_kept(empty: JobSite) -> None:
    answer = empty.upload("湖泊.zip", b"x" * 3_000)
    assert answer.status_code == 201
    kept = answer.json()
    assert kept == {"id": kept["id"], "name": "湖泊.zip", "bytes": 3_000}
    assert answer.headers["Location"] == f"{empty.url}/uploads/{kept['id']}"
    assert empty.get(f"/uploads/{kept['id']}").json() == kept
    assert [file.name for file in files(empty)] == [kept["id"]]
    assert files(empty)[0].read_bytes() == b"x" * 3_000
    assert empty.call("DELETE", f"/uploads/{kept['id']}").status_code == 204
    assert files(empty) == []
    assert empty.get(f"/uploads/{kept['id']}").status_code == 404


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename*=UTF-8''%E6%B9%96.geojson", "湖.geojson"),
        ('attachment; filename="a b.csv"', "a b.csv"),
        ('attachment; filename="湖.csv"', "湖.csv"),
        ('attachment; filename="C:\\\\data\\\\roads.shp.zip"', "roads.shp.zip"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
    ],
)
def test_the_name_may_come_from_content_disposition(empty: JobSite, header: str, name: str) -> None:
    answer = empty.call("POST", "/uploads", data=b"1", headers={"Content-Disposition": header.encode()})
    assert answer.json()["name"] == name
    assert [len(file.name) for file in files(empty)] == [36]


def test_a_form_with_one_file_is_kept(empty: JobSite) -> None:
    content = b"\r\n--x\r\n" * 200_000
    fields = {"note": (None, "ignored"), "file": ("湖.gpkg", content)}
    kept = empty.call("POST", "/uploads", files=fields).json()
    assert (kept["name"], kept["bytes"]) == ("湖.gpkg", len(content))
    assert files(empty)[0].read_bytes() == content


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--\r\n", "no file"),
        (b"--b\r\nContent-Disposition: form-data; name=a; filename=a.csv\r\n\r\n1\r\n", "breaks off"),
        (b"--b\r\nContent-Disposition: form-data; name=a; filename=a.csv\r\n\r\n1\r\n" * 2 + b"--b--\r\n", "several"),
        (b"--b\r\n" + b"X: y\r\n" * 50 + b"\r\n1\r\n--b--\r\n", "header count"),
        (b"--b\r\nX: " + b"y" * 10_000 + b"\r\n\r\n1\r\n--b--\r\n", "header size"),
        (b"nothing like it", "no multipart"),
    ],
)
def test_broken_forms_are_refused(empty: JobSite, body: bytes, problem: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = empty.call("POST", "/uploads", data=body, headers=headers)
    assert answer.status_code == 400
    assert problem in answer.json()["description"]
    assert files(empty) == []


@pytest.mark.parametrize("name", ["", "/", "..", "a\nb.csv", "x" * 300])
def test_a_name_is_needed(empty: JobSite, name: str) -> None:
    answer = empty.upload(name, b"1")
    assert answer.status_code == 400
    assert "name" in answer.json()["description"]
    assert files(empty) == []


def test_empty_files_are_refused(empty: JobSite) -> None:
    assert empty.upload("a.csv", b"").status_code == 400
    assert files(empty) == []


def test_an_account_is_needed(empty: JobSite) -> None:
    assert empty.upload("a.csv", b"1", auth=None).status_code == 401
    kept = empty.upload("a.csv", b"1").json()["id"]
    assert empty.call("DELETE", f"/uploads/{kept}", auth=None).status_code == 401
    for method in ("GET", "DELETE"):
        assert empty.call(method, f"/uploads/{kept}", auth=LI).status_code == 404
    assert empty.get(f"/uploads/{kept}").status_code == 200


def test_another_accounts_file_cannot_be_imported(empty: JobSite) -> None:
    kept = empty.upload("a.csv", b"1").json()["id"]
    answer = empty.execute("import-layer", {"upload": kept}, auth=LI)
    assert answer.status_code == 400
    assert answer.json()["description"].startswith("input 'upload'")


def test_large_files_are_refused_before_and_while_they_arrive(empty: JobSite) -> None:
    assert empty.upload("a.csv", b"1" * 2_100_000).status_code == 413
    connection = http.client.HTTPConnection(urlsplit(empty.url).netloc, timeout=30)
    credentials = "Basic d2FuZzpjb3JyZWN0IGhvcnNlIGJhdHRlcnk="
    headers = {"Authorization": credentials, "Transfer-Encoding": "chunked"}
    connection.request("POST", "/uploads?name=a.csv", iter([b"1" * 100_000] * 21), headers, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()
    assert files(empty) == []


def test_a_broken_connection_leaves_nothing(empty: JobSite) -> None:
    connection = http.client.HTTPConnection(urlsplit(empty.url).netloc, timeout=30)
    connection.putrequest("POST", "/uploads?name=a.csv")
    connection.putheader("Authorization", "Basic d2FuZzpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(b"1" * 1000)
    from tests.geoserver.workshop import eventually

    eventually(lambda: files(empty), 10)
    connection.close()
    eventually(lambda: not files(empty), 10)


def test_files_of_one_account_are_bounded(empty: JobSite) -> None:
    for _ in range(4):
        assert empty.upload("a.csv", b"1").status_code == 201
    assert empty.upload("a.csv", b"1").status_code == 503
    assert empty.upload("a.csv", b"1", auth=LI).status_code == 201


def test_expired_files_are_removed(empty: JobSite) -> None:
    from geoserver.config import load
    from geoserver.uploads import Uploads

    kept = empty.upload("a.csv", b"1").json()["id"]
    empty.sql("UPDATE citymap.uploads SET expires = now() - interval '1 s'")
    assert empty.get(f"/uploads/{kept}", WANG).status_code == 404
    settings = load(environ={f"CITYMAP__{name}": value for name, value in empty.settings.items()})
    assert Uploads(settings.server.uploads, empty.database).expire() == 1
    assert files(empty) == []
