"""Fuzzes a running server by its own OpenAPI document: ``python -m tests.security.fuzz URL PERSON|PHASES|PATHS …``.

One process for all people, so that schemathesis is loaded once. For a long run say how many examples:
``CITYMAP_FUZZ_EXAMPLES=200 pytest tests/security/test_fuzzing.py``.
"""

import json
import os
import re
import sys
from pathlib import Path

import requests
import schemathesis
from click.exceptions import Exit
from schemathesis.checks import CheckContext
from schemathesis.cli import schemathesis as command

from tests.security.rules import PEOPLE, Person, forbidden
from tests.security.secrets_site import PASSWORD

#: Not asked: OpenAPI cannot say what a filter, a cursor or a date looks like; that an account is optional is not the document's
#: matter; and Allow tells what the one asking may do, where the document tells what anybody may.
_LEFT_OUT = (
    "positive_data_acceptance", "negative_data_rejection", "missing_required_header", "ignored_auth",
    "allow_header_conformance",
)  # fmt: skip
_asking: Person = PEOPLE["anonymous"]


@schemathesis.check
def nothing_hidden(_ctx: CheckContext, response: schemathesis.Response, _case: schemathesis.Case) -> None:
    """Neither body nor headers tell what the role may not see."""
    told = response.content.decode("utf-8", "replace") + repr(response.headers)
    if found := forbidden(_asking, told):
        raise AssertionError(f"{_asking.account} is told {sorted(found)[:5]}")


#: Streams without end, and processes that other tests of this process have brought, some of which fail or sleep on purpose.
_NOT_ASKED = "^/(tracking/)?live$|^/processes/(add-up|break-down|plant|sleep-in-database|write-note)(/|$)"


def document(url: str, only: str) -> str:
    """A file with the asker's OpenAPI document and just the paths that match: to load the whole for each would take longer
    than to ask."""
    auth = (_asking.account, PASSWORD) if _asking.account else None
    answer = requests.get(f"{url}/openapi", {"f": "json"}, auth=auth, timeout=60)
    answer.raise_for_status()
    told = answer.json()
    wanted = [path for path in told["paths"] if re.search(only, path) and not re.search(_NOT_ASKED, path)]
    file = Path("openapi.json").absolute()
    file.write_text(json.dumps({**told, "paths": {path: told["paths"][path] for path in wanted}}))
    return str(file)


def fuzz(url: str, name: str, phases: str, only: str, examples: int) -> int:
    """Ask as a person, in these phases (commas between), what matches ``only``; the exit code of schemathesis."""
    global _asking
    _asking = PEOPLE[name]
    arguments = ["run", document(url, only), "--url", url, "--phases", phases, "--seed", "20261122", "-n", str(examples),
                 "--exclude-checks", ",".join(_LEFT_OUT), "--generation-database", "none", "--suppress-health-check", "all",
                 "--continue-on-failure", "--warnings", "off", "--no-color"]  # fmt: skip
    if _asking.account:
        arguments += ["--auth", f"{_asking.account}:{PASSWORD}"]
    print(f"##### {name}: {phases}", flush=True)
    try:
        command.main(arguments, standalone_mode=False)
    except Exit as end:
        return end.exit_code
    except SystemExit as end:
        return int(end.code or 0)
    return 0


if __name__ == "__main__":
    runs = [argument.split("|", 2) for argument in sys.argv[2:]]
    worst = [fuzz(sys.argv[1], *run, examples=int(os.environ.get("CITYMAP_FUZZ_EXAMPLES", "3"))) for run in runs]
    sys.exit(max(worst))
