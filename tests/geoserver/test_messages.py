"""Errors are told in both languages: by class, by catalogue, and over HTTP by lang and Accept-Language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from geoserver import errors
from geoserver.errors import STATUS, describe, exception_document, in_language
from geoserver.messages import KINDS, in_chinese, translated
from layers.importing.errors import ImportRefused

ROOT = Path(__file__).parents[2]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
#: Whose messages people meet: signing in, rights, parameters, bodies, uploads, jobs, what is not there, conflicts.
MET = (
    "geoserver/lite/*.py", "geoserver/identity/*.py", "geoserver/accounts.py", "geoserver/rights.py", "geoserver/city.py", "geoserver/body.py",
    "geoserver/features.py", "geoserver/parameters.py", "geoserver/uploads.py", "geoserver/upload_routes.py",
    "geoserver/jobs.py", "geoserver/processes.py", "geoserver/process_manager.py", "geoserver/exports.py",
    "geoserver/reply.py", "geoserver/live.py", "geoserver/outbound.py", "geoserver/tile_parameters.py",
    "geoserver/coverage_parameters.py", "layers/features.py", "layers/query.py", "layers/registry.py",
    "layers/pipes/*.py", "layers/analysis/*.py", "tracking/analysis/*.py", "geoserver/moving_features.py",
    "tracking/dispatching/*.py", "tracking/importing/*.py", "tracking/alarms/*.py", "tracking/sharing.py",
    "geoserver/versions.py", "geoserver/named_instants.py", "geoserver/edr/*.py", "layers/versions/*.py",
    "tracking/tracks.py", "tracking/inputs/track_files.py", "tracking/inputs/moving_points.py", "geoserver/moving_edits.py", "geoserver/tracking_shares.py", "geoserver/other_processes.py",
)  # fmt: skip
#: Errors of commands and of the configuration, which never answer a request; and those that carry both languages.
ELSEWHERE = {
    "ServerKeyError",
    "ValueError",
    "TypeError",
    "RuntimeError",
    "PasswordRefused",
    "ImportRefused",
    "UnsafeFile",
    "UnreadableFile",
    "UnknownCrs",
    "VersionError",
    "NoSuchVersion",
    "UndoRefused",
    "CommandError",
    "_TooLarge",
    "JobCancelled",
    "HTTPException",
    "IncompleteRead",
    "OSError",
}


def raised(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, class and message (with X for what is filled in) of every error that a file raises with a text."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        call = node.exc if isinstance(node, ast.Raise) else node
        is_error = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and isinstance(node, ast.Raise)
        is_kept = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in RAISED
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and (is_error or is_kept):
            for text in filter(None, map(written, call.args)):
                yield call.lineno, call.func.id, text


#: Texts of which the code fills in all that has a meaning; what it fills in has entries of its own.
PARTS = {"X X", "there is no X X"}
#: Classes of the table, by name: errors are also made first and raised later.
RAISED = {kind.__name__ for kind, _, _ in STATUS}


def written(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
    return None


@pytest.mark.parametrize("pattern", MET)
def test_every_message_that_people_meet_has_its_chinese(pattern: str) -> None:
    files = sorted(ROOT.glob(pattern))
    assert files
    missing = [
        f"{path.relative_to(ROOT)}:{line} {message}"
        for path in files
        for line, kind, message in raised(path)
        if kind not in ELSEWHERE
        and message not in PARTS
        and not CHINESE.search(message)
        and translated(message) is None
    ]
    assert not missing, "say it in geoserver/messages.zh.txt:\n" + "\n".join(missing)


@pytest.mark.parametrize("code", sorted({code for _, _, code in STATUS}))
def test_every_kind_of_error_is_said_in_both_languages(code: str) -> None:
    document = exception_document(code, "something unheard of")
    assert CHINESE.search(KINDS[code])
    assert document["zh"] == f"{KINDS[code]}：something unheard of"
    assert in_language(document, "en")["description"] == "something unheard of"
    assert in_language(document, "zh")["description"] == document["zh"]


@pytest.mark.parametrize("kind", [kind for kind, _, _ in STATUS], ids=lambda kind: kind.__name__)
def test_every_class_of_error_is_described_in_both_languages(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    error.args = ("no such thing",)
    _, document = describe(error)
    assert CHINESE.search(document["zh"]) and document["description"]
    assert {"code", "type"} <= set(document)


def test_an_error_with_texts_of_its_own_keeps_them() -> None:
    _, document = describe(ImportRefused("文件损坏", "the file is damaged"))
    assert (document["zh"], document["description"]) == ("文件损坏", "the file is damaged")


def test_what_is_filled_in_is_looked_up_where_it_is_a_message_and_kept_where_it_is_a_name() -> None:
    told = in_chinese("InvalidParameterValue", "parameter 'bbox': has 3 numbers; it takes 4 (or 6 with heights)")
    assert told == "参数 'bbox'：有 3 个数，应为 4 个（含高程 6 个）"
    assert in_chinese("NotFound", "there is no account 'read'") == "没有账号 'read'"


def test_a_long_message_is_not_searched_for_long() -> None:
    assert translated("is none of " * 500) is None


def test_every_entry_of_the_catalogue_is_a_pair_and_uses_only_what_its_message_has() -> None:
    text = (ROOT / "geoserver" / "messages.zh.txt").read_text("utf-8")
    for entry in text.split("\n\n"):
        if entry.startswith("#"):
            continue
        english, chinese = entry.strip().splitlines()
        assert CHINESE.search(chinese) and not CHINESE.search(english.replace("管理员, 安全管理员 and 审计管理员", ""))
        assert set(re.findall(r"\{(\w+)\}", chinese)) <= set(re.findall(r"\{(\w+)\}", english)), english


@pytest.mark.parametrize(("asked", "params", "chinese"), [
    ({}, {}, False), ({"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}, {}, True),
    ({"Accept-Language": "en-US,zh;q=0.5"}, {}, False), ({"Accept-Language": "zh-CN"}, {"lang": "en"}, False),
    ({"Accept-Language": "en"}, {"lang": "zh-CN"}, True),
])  # fmt: skip
def test_the_reader_chooses_the_language_and_the_machine_members_stay(
    live_city: str, asked: dict[str, str], params: dict[str, str], chinese: bool
) -> None:
    headers = {"Accept": "application/json", **asked}
    answer = requests.get(f"{live_city}/collections/nowhere/items", headers=headers, params=params, timeout=10)
    document = answer.json()
    assert (answer.status_code, document["code"], document["type"]) == (404, "NotFound", "NotFound")
    told = "没有图层 'nowhere'，现有图层见 /collections"
    assert (document["description"] == told) is chinese
    assert document["zh"] == told
    assert answer.headers["Content-Language"] == ("zh-CN" if chinese else "en")


def test_paths_that_no_route_has_are_told_in_the_readers_language(live_city: str) -> None:
    for path, method, said in (("/nothing/here", "GET", "没有这一页面"), ("/conformance", "PUT", "不支持")):
        headers = {"Accept": "application/json", "Accept-Language": "zh"}
        answer = requests.request(method, f"{live_city}{path}", headers=headers, timeout=10)
        assert said in answer.json()["description"], answer.text


def test_the_server_s_own_failures_are_told_in_both_languages() -> None:
    _, document = errors._unexpected(RuntimeError("secret"))
    assert document["requestId"] in document["zh"] and "secret" not in "".join(document.values())
