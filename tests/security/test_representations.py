"""Every representation of a layer holds just the markers that the rules allow: read back by others' programs."""

from pathlib import Path

import mapbox_vector_tile
import pyarrow.parquet
import pyogrio
import pytest
import requests

from tests.geoserver import workshop
from tests.security.rules import (
    FIELDS,
    LAYERS,
    PEOPLE,
    forbidden,
    markers,
    seen_fields,
    seen_layers,
    seen_markers,
    seen_rows,
)
from tests.security.secrets_site import SecretsSite, place
from tiles.matrix_sets import standard_sets

EXPORTS = ("gpkg", "csv", "shp", "fgb", "parquet", "kml", "dxf")
#: One of each kind of rights.
WHO = (
    "anonymous",
    "a-leader",
    "a-intake-clerk",
    "b-handler",
    "a-grid-worker",
    "b-fleet",
    "a-area-guard",
    "a-unit-guard",
    "mixed",
)
#: Whose rows every format is read back of; which rows and fields there are is decided before it is asked which format.
EXPORTERS = {*((who, "csv") for who in WHO),
             *((who, each) for who in ("anonymous", "b-handler", "a-area-guard", "mixed") for each in EXPORTS)}  # fmt: skip
#: Typed fields that only who reads what is core may know of, and how shapefiles cut names.
CORE_NAMES = ("secret_size", "secret_time", "secret_flag", "note_core", "key_core")


def read_back(content: bytes, format_: str, directory: Path) -> str:
    """What GDAL (Arrow for Parquet) finds in a file, as text, with the names of its fields."""
    path = directory / f"file.{'zip' if format_ == 'shp' else format_}"
    path.write_bytes(content)
    if format_ == "parquet":
        table = pyarrow.parquet.read_table(path)
        return f"{table.column_names} {table.to_pylist()} {table.schema.metadata}"
    where = f"/vsizip/{path}" if format_ == "shp" else str(path)
    texts = []
    for name, _ in pyogrio.list_layers(where):
        frame = pyogrio.read_dataframe(where, layer=name, read_geometry=False)
        texts.append(f"{name} {list(frame.columns)} {frame.to_dict('records')}")
    return " ".join(texts)


def hidden_names(who: str, layer: str, text: str) -> list[str]:
    """Names of fields in a text that the person may not know of in that layer."""
    if not seen_rows(PEOPLE[who], layer) or "core" in {FIELDS[name] for name in seen_fields(PEOPLE[who], layer)}:
        return []
    names = (*CORE_NAMES, *(name for name in FIELDS if name not in seen_fields(PEOPLE[who], layer)))
    return [name for name in names if name in text or f"'{name[:10]}'" in text]


@pytest.mark.parametrize(("who", "format_"), sorted(EXPORTERS))
def test_exports_hold_what_the_rules_allow(secrets_city: SecretsSite, who: str, format_: str, tmp_path: Path) -> None:
    person = PEOPLE[who]
    for layer in seen_layers(person):
        answer = secrets_city.get(person, f"/collections/{layer}/items", f=format_)
        assert answer.status_code == 200
        found = read_back(answer.content, format_, tmp_path) if seen_rows(person, layer) else ""
        text = found + answer.content.decode("utf-8", "replace")
        assert not forbidden(person, text) and not hidden_names(who, layer, text), layer
        # A drawing carries titles at most.
        expected = set() if format_ == "dxf" else seen_markers(person, layer)
        assert markers(found) >= expected, layer


@pytest.mark.parametrize("who", WHO)
def test_tiles_hold_what_the_rules_allow(secrets_city: SecretsSite, who: str) -> None:
    person = PEOPLE[who]
    shown = sorted(seen_layers(person))
    urls = {(layer,): f"/collections/{layer}/tiles/WebMercatorQuad/0/0/0" for layer in shown}
    for layers, url in {**urls, tuple(shown): "/tiles/WebMercatorQuad/0/0/0"}.items():
        answer = secrets_city.get(
            person, url, **({"collections": ",".join(layers)} if url.startswith("/tiles") else {})
        )
        tile = mapbox_vector_tile.decode(answer.content)
        assert set(tile) == {layer for layer in layers if seen_rows(person, layer)}
        for layer, content in tile.items():
            assert {feature["id"] for feature in content["features"]} == seen_rows(person, layer)
            # Keys are for machines, so no tile has them.
            expected = {found for found in seen_markers(person, layer) if found[2] != "key_core"}
            assert markers(str(content)) == expected and not hidden_names(who, layer, str(content)), layer
        assert not forbidden(person, answer.content.decode("utf-8", "replace"))


def test_a_tile_that_an_account_was_shown_is_not_left_for_the_public(secrets_city: SecretsSite) -> None:
    """Tiles of the public are answered ahead of everything else, by their address: see :mod:`geoserver.hot_tiles`."""
    places = ("/collections/open/tiles", "/collections/inner/tiles", "/tiles")
    pairs = (("a-intake-clerk", "anonymous"), ("anonymous", "a-leader"), ("a-leader", "b-handler"))
    for first, then in pairs:
        for n, place_ in enumerate(places):
            # An address that nobody has asked for yet.
            asked = {"collections": "open,inner"} if place_ == "/tiles" else {}
            asked |= {"filter": f"size < 9{len(first)}{len(then)}{n}"}
            for who in (first, then, first, then):
                person = PEOPLE[who]
                answer = secrets_city.get(person, f"{place_}/WebMercatorQuad/0/0/0", **asked)
                layers = {"open", "inner"} if place_ == "/tiles" else {place_.split("/")[2]}
                if not layers <= seen_layers(person):
                    assert answer.status_code == 404, (who, place_)
                    continue
                expected = {
                    found for layer in layers for found in seen_markers(person, layer) if found[2] != "key_core"
                }
                assert markers(str(mapbox_vector_tile.decode(answer.content))) == expected, (who, place_)


def addresses(site: SecretsSite, who: str) -> list[str]:
    """Everything of the site that can be read without knowing more than its layers."""
    layers = [f"/collections/{layer}" for layer in LAYERS]
    rows = [f"{base}/items/{row}" for base in layers for row in (1, 3, 5)]
    pages = [
        "/",
        "/collections",
        "/conformance",
        "/jobs",
        "/processes/export-layer",
        *layers,
        *rows,
    ]
    pages += [
        f"{base}/{part}" for base in layers for part in ("items", "queryables", "schema", "items?limit=1&sortby=-name")
    ]
    found = [
        f"{page}{'&' if '?' in page else '?'}f={format_}" for page in pages for format_ in ("json", "html", "jsonld")
    ]
    found += [f"{base}/schema?f=geojson" for base in layers]
    found += [f"{base}/items?as-of={site.past}&limit=50" for base in layers]
    # These are long, and the page says what the document says.
    found += ["/openapi?f=json", "/processes?f=json", "/lite", "/archives", "/tiles", "/styles/city/project.qgs"]
    found += [f"/{each}?service={each}&request=GetCapabilities" for each in ("wms", "wmts")]
    found += [f"{base}/{part}" for base in layers for part in ("layer.qlr", "tiles", "map/tiles", "legend?f=json")]
    return [*found, "/styles/city", "/styles/city?theme=dark", "/map", "/functions", "/health", "/ready"]


@pytest.mark.parametrize("who", WHO)
def test_no_page_or_document_names_what_is_hidden(secrets_city: SecretsSite, who: str) -> None:
    person = PEOPLE[who]
    unseen = LAYERS.keys() - seen_layers(person)
    answered = 0
    for address in addresses(secrets_city, who):
        answer = secrets_city.get(person, address)
        assert answer.status_code < 500, address
        text = told(answer)
        assert not forbidden(person, text), address
        if answer.status_code != 200:
            continue
        answered += 1
        # Descriptions of processes name the layers that every city has, whoever reads them.
        by_name = () if address.startswith(("/openapi", "/processes")) else unseen
        assert not [layer for layer in unseen if f"collections/{layer}" in text], address
        assert not [layer for layer in by_name if f'"{layer}"' in text], address
        of_layers = {part for part in LAYERS if f"/{part}/" in f"{address.partition('?')[0]}/"}
        for layer in of_layers:
            assert not hidden_names(who, layer, text), address
        # What tells of the whole city may name what is seen in any of its layers.
        of_all = (set(hidden_names(who, layer, text)) for layer in seen_layers(person))
        assert of_layers or not set.intersection(*of_all), address
    assert answered > 20


@pytest.mark.parametrize("who", WHO)
def test_a_look_at_a_point_shows_what_the_rules_allow(secrets_city: SecretsSite, who: str) -> None:
    person = PEOPLE[who]
    asked = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetFeatureInfo", "CRS": "CRS:84", "WIDTH": "1", "HEIGHT": "1",
             "I": "0", "J": "0", "FEATURE_COUNT": "9", "INFO_FORMAT": "application/json"}  # fmt: skip
    grid = standard_sets()["WebMercatorQuad"]
    for row in (1, 3, 5):
        x, y = place(row)
        box = f"{x - 1e-4},{y - 1e-4},{x + 1e-4},{y + 1e-4}"
        column, line, _, _ = grid.covering((x, y, x, y), 12)
        for layer in LAYERS:
            named = {**asked, "BBOX": box, "LAYERS": layer, "QUERY_LAYERS": layer}
            answer = secrets_city.get(person, "/wms", **named)
            tiled = secrets_city.get(person, f"/wmts/{layer}/default/WebMercatorQuad/12/{line}/{column}/128/128")
            if layer not in seen_layers(person):
                assert answer.status_code == tiled.status_code == 404, layer
                continue
            assert answer.status_code == tiled.status_code == 200, (layer, answer.text, tiled.text)
            own = {found for found in seen_markers(person, layer) if found[1] == row and found[2] != "key_core"}
            assert {found for found in markers(told(answer)) if found[2] != "key_core"} == own, layer
            for text in (told(answer), told(tiled)):
                assert not forbidden(person, text) and not hidden_names(who, layer, text), layer


def told(answer: requests.Response) -> str:
    return answer.text + str(answer.headers)


@pytest.mark.parametrize("who", WHO)
def test_past_states_show_what_the_present_shows(secrets_city: SecretsSite, who: str) -> None:
    person = PEOPLE[who]
    for layer in seen_layers(person):
        answer = secrets_city.get(person, f"/collections/{layer}/items", **{"as-of": secrets_city.past, "limit": 50})
        assert markers(answer.text) == seen_markers(person, layer), layer
        assert {f["id"] for f in answer.json()["features"]} == seen_rows(person, layer)


def test_exports_as_jobs_hold_what_the_rules_allow(secrets_city: SecretsSite, tmp_path: Path) -> None:
    def submit(who: str, **inputs: str) -> str:
        answer = secrets_city.call(who, "POST", "/processes/export-layer/execution", json={"inputs": inputs})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["jobID"])

    def ended(who: str, job: str) -> dict[str, str]:
        found = secrets_city.get(who, f"/jobs/{job}", f="json").json()
        return found if found["status"] in ("successful", "failed") else {}

    with workshop.working(secrets_city.database.url, **secrets_city.settings):
        jobs = {
            (who, layer, format_): submit(
                who, layer=layer, format=format_, crs="EPSG:4547" if format_ == "dxf" else "EPSG:4490"
            )
            for who, layer in (("b-handler", "cases"), ("a-area-guard", "kernel"))
            for format_ in ((*EXPORTS, "geojson") if who == "b-handler" else ("csv",))
        }
        filters = {
            (who, layer, name, predicate): submit(who, layer=layer, format="csv", filter=predicate.format(name))
            for who, layer in (("anonymous", "open"), ("b-handler", "cases"))
            for name in ("note_core", "note_zero") for predicate in ("{} IS NULL", "{} = 'x'")
        }  # fmt: skip
        unseen = {layer: submit("a-leader", layer=layer) for layer in ("kernel", "kernal")}
        for (who, layer, format_), job in jobs.items():
            status = workshop.eventually(lambda who=who, job=job: ended(who, job))
            assert status["status"] == "successful", (format_, secrets_city.get(who, f"/jobs/{job}/results").text)
            assert "5" not in status.get("message", ""), status
            answer = secrets_city.get(who, f"/jobs/{job}/results")
            text = answer.content.decode("utf-8", "replace")
            found = text if format_ == "geojson" else read_back(answer.content, format_, tmp_path)
            assert not forbidden(PEOPLE[who], text + found) and not hidden_names(who, layer, text + found), (
                who,
                format_,
            )
            if format_ != "dxf":
                assert markers(found) == seen_markers(PEOPLE[who], layer), (who, format_)
            for other in {"anonymous", "a-leader"} - {who}:
                if who != "anonymous":  # nobody's jobs are whose who knows their id
                    assert secrets_city.get(other, f"/jobs/{job}/results").status_code == 404
        for (who, layer, name, predicate), job in filters.items():
            twin = filters[(who, layer, "note_zero", predicate)]
            results = []
            for asked, of in ((name, job), ("note_zero", twin)):
                assert workshop.eventually(lambda who=who, of=of: ended(who, of))["status"] == "failed"
                answer = secrets_city.get(who, f"/jobs/{of}/results")
                results.append((answer.status_code, answer.text.replace(asked, "@")))
            assert results[0] == results[1] and results[0][0] == 400
        ends = []
        for layer, job in unseen.items():
            workshop.eventually(lambda job=job: ended("a-leader", job))
            answer = secrets_city.get("a-leader", f"/jobs/{job}/results")
            ends.append((answer.status_code, answer.text.replace(layer, "@")))
        assert ends[0] == ends[1] and ends[0][0] == 404
