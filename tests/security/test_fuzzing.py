"""schemathesis over the server's own OpenAPI document, as everybody: no failure, nothing hidden, everything as described.

``CITYMAP_FUZZ_EXAMPLES=100`` asks longer, and as every person in every phase; ``CITYMAP_FUZZ_PEOPLE=anonymous,a-leader`` as
these alone.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.security.rules import LAYERS, PEOPLE, forbidden, seen_layers
from tests.security.secrets_site import SecretsSite

_ALL = "examples,coverage,fuzzing,stateful"
#: What an office may be needed for; the other routes show administrators what they show anybody.
_OFFICES = "^/(account|admin|audit|jobs|uploads|photos|report|tracking|token|sign)"
#: Person, phases, paths. Who has the rights of somebody else on layers is asked for the rest only.
SHORT = (
    (
        "anonymous",
        "examples,coverage,fuzzing",
        "^/(collections/(open|{)|collections$|tiles|styles|jobs|uploads|audit|$)",
    ),
    # descriptions of processes have no parameters but the path: one stands for all
    ("anonymous", "fuzzing,stateful", "^/(?!collections/admin-areas|processes/(?!export-layer)[^/]+$)"),
    ("a-audit-administrator", "fuzzing", "^/(audit|jobs|uploads|account)"),
    ("a-leader", "fuzzing", "^/collections/(delicate|cases)/"),
    ("a-grid-worker", "fuzzing", "^/collections/visits/"),
    ("b-handler", "fuzzing", "^/collections/cases/"),
    ("a-area-guard", "fuzzing", "^/collections/kernel/"),
    ("a-unit-guard", "fuzzing", "^/collections/cases/"),
    # last, because they may change and remove what others look for
    ("a-planner", "fuzzing", "^/(collections/inner|processes/(import|export)-layer|jobs|uploads)"),
    ("a-security-administrator", "fuzzing", "^/admin"),
    ("a-administrator", "fuzzing", _OFFICES),
)
_NAMED = tuple(filter(None, os.environ.get("CITYMAP_FUZZ_PEOPLE", "").split(","))) or tuple(PEOPLE)
LONG = tuple(
    (name, _ALL, ".") for name in sorted(_NAMED, key=lambda name: "planner" in name or "administrator" in name)
)


@pytest.mark.timeout(0 if os.environ.get("CITYMAP_FUZZ_EXAMPLES") else 600)
def test_fuzzing_finds_no_failure_and_nothing_hidden(fuzzed_city: SecretsSite, tmp_path: Path) -> None:
    for name, person in PEOPLE.items():
        found = fuzzed_city.get(name, "/collections").json()["collections"]
        assert {c["id"] for c in found} & LAYERS.keys() == seen_layers(person)
    examples = os.environ.get("CITYMAP_FUZZ_EXAMPLES")
    runs = ["|".join(run) for run in (LONG if examples else SHORT)]
    log = tmp_path / "schemathesis.log"
    with log.open("w") as said:
        done = subprocess.run(
            [sys.executable, "-m", "tests.security.fuzz", fuzzed_city.url, *runs],
            cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT), "CITYMAP_FUZZ_EXAMPLES": examples or "3"},
            stdout=said, stderr=subprocess.STDOUT, timeout=None if examples else 550,
        )  # fmt: skip
    told = log.read_text()
    assert done.returncode == 0, told[-20_000:]
    assert told.count("#####") == len(runs) == told.count(" generated, ")
    # The secrets were there to be found until the end.
    page = fuzzed_city.get("a-leader", "/collections/cases/items", limit=50).text
    assert len(forbidden(PEOPLE["anonymous"], page)) > 10 and not forbidden(PEOPLE["a-leader"], page)
