"""Configuration: every mistake is named by file, line, column and expectation."""

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from geoserver.config import ConfigError, load, schema

ROOT = Path(__file__).parents[2]

MISTAKES = [
    ("server:\n  bind:\n    port: five\n", "config.yml:3:11 server.bind.port: 'five' is not an integer"),
    ("server:\n  bind:\n    port: 80.5\n", "config.yml:3:11 server.bind.port: 80.5 is not an integer"),
    ("server:\n  bind:\n    port: true\n", "config.yml:3:11 server.bind.port: true is not an integer"),
    ("server:\n  bind:\n    port:\n", "config.yml:3:5 server.bind.port: is empty; give an integer"),
    ("server:\n  bind:\n    port: 70000\n", "config.yml:3:11 server.bind.port: 70000 is more than 65535"),
    ("server: {bind: {port: 0}}\n", "config.yml:1:23 server.bind.port: 0 is less than 1"),
    (
        "server:\n  bind:\n    prot: 80\n",
        "config.yml:3:5 server.bind.prot: unknown key; did you mean 'port'?",
    ),
    (
        "tiles:\n  colour: red\n",
        "config.yml:2:3 tiles.colour: unknown key; known are: archives, cache_mb, directory, disk_mb, matrix_sets",
    ),
    ("serverr: {}\n", "config.yml:1:1 serverr: unknown key; did you mean 'server'?"),
    ("server: 8080\n", "config.yml:1:9 server: 8080 is not a group of keys"),
    ("server:\n  bind: [1]\n", "config.yml:2:9 server.bind: a list is not a group of keys"),
    ("server:\n  languages: zh-CN\n", "config.yml:2:14 server.languages: 'zh-CN' is not a list"),
    (
        "server:\n  languages:\n    - zh-CN\n    - fr-FR\n",
        "config.yml:4:7 server.languages[1]: 'fr-FR' is not one of 'zh-CN', 'en-US'",
    ),
    ("server:\n  languages: []\n", "config.yml:2:14 server.languages: is empty"),
    (
        "server:\n  limits: {default_items: 50, max_items: 20}\n",
        "config.yml:2:11 server.limits: default_items 50 is more than max_items 20",
    ),
    (
        "server:\n  limits:\n    max_body_mb: 0\n",
        "config.yml:3:18 server.limits.max_body_mb: 0 is not more than 0",
    ),
    (
        "server:\n  url: map.example.gov.cn\n",
        "config.yml:2:8 server.url: 'map.example.gov.cn' is not an address such as 'https://map.example.gov.cn'",
    ),
    ("server:\n  tls: {certificate: a.pem}\n", "config.yml:2:8 server.tls.key: is missing"),
    ("access:\n  anonymous_edit: yes\n", "config.yml:2:19 access.anonymous_edit: 'yes' is not true or false"),
    (
        "metadata:\n  contact:\n    phone: 02712345\n",
        "config.yml:3:12 metadata.contact.phone: 2712345 is not a text; put it in quotes",
    ),
    (
        "logging:\n  level: loud\n",
        "config.yml:2:10 logging.level: 'loud' is not one of 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'",
    ),
    (
        "database:\n  url: mysql://root:geheim@db/x\n",
        "config.yml:2:8 database.url: is not an address such as 'postgresql://user:password@host:5432/citymap'",
    ),
    (
        "database:\n  statement_timeout: .inf\n",
        "config.yml:2:22 database.statement_timeout: inf is more than 3600",
    ),
    (
        "crs:\n  projected: 4490\n",
        "config.yml:2:14 crs.projected: EPSG:4490 is not projected in metres, as EPSG:4547 is",
    ),
    ("crs:\n  projected: 29999\n", "config.yml:2:14 crs.projected: EPSG:29999 is not in PROJ's database"),
    ("crs:\n  offered: [4326, gcj02]\n", "config.yml:2:19 crs.offered[1]: 'gcj02' is not an integer"),
    ("a: 1\n b: 2\n", "config.yml:2:3 is not YAML: mapping values are not allowed here"),
    ("server: {bind: \n", "config.yml:2:1 is not YAML: expected the node content, but found '<stream end>'"),
    ("server:\n\tbind: 1\n", "config.yml:2:1 is not YAML: found character '\\t' that cannot start any token"),
    (
        "server:\n  workers: 1\n  workers: 2\n",
        "config.yml:3:3 server.workers: is given twice, first in line 2",
    ),
    ("- server\n", "config.yml:1:1 the file is not a group of keys such as 'server:'"),
    (
        "server: !!python/object:os.system {}\n",
        "config.yml:1:9 server: has the tag 'tag:yaml.org,2002:python/object:os.system'; write a plain value",
    ),
    ("x: *nowhere\n", "config.yml:1:4 is not YAML: found undefined alias 'nowhere'"),
    (
        "a: 1\x00\n",
        "config.yml:1:1 is not YAML: unacceptable character #x0000: special characters are not allowed",
    ),
]


def write(folder: Path, text: str) -> Path:
    file = folder / "config.yml"
    file.write_text(text, encoding="utf-8")
    return file


def mistakes(file: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, environ or {})
    return caught.value.mistakes


@pytest.mark.parametrize(("text", "expected"), MISTAKES, ids=[text for _, text in MISTAKES])
def test_each_mistake_is_named_by_place_and_expectation(tmp_path: Path, text: str, expected: str) -> None:
    assert mistakes(write(tmp_path, text)) == [expected]


def test_all_mistakes_are_listed_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path, "tiles: {cache_mb: x}\nserver:\n  bind: {port: x, prot: 1}\n  workers: 0\n  workers: 1\n"
    )
    assert mistakes(file, {"CITYMAP__CRS__PROJECTED": "x"}) == [
        "config.yml:1:19 tiles.cache_mb: 'x' is not an integer",
        "config.yml:3:16 server.bind.port: 'x' is not an integer",
        "config.yml:3:19 server.bind.prot: unknown key; did you mean 'port'?",
        "config.yml:4:12 server.workers: 0 is less than 1",
        "config.yml:5:3 server.workers: is given twice, first in line 4",
        "CITYMAP__CRS__PROJECTED crs.projected: 'x' is not an integer",
    ]


def test_alias_bomb_deep_nesting_and_large_files_are_refused(tmp_path: Path) -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40))
    assert mistakes(write(tmp_path, bomb)) == [
        "config.yml:1:1 has more than 20000 values, counting every alias"
    ]
    wide = "a: &a [" + "x, " * 300 + "x]\nb: [" + "*a, " * 300 + "*a]\n"
    assert mistakes(write(tmp_path, wide)) == [
        "config.yml:1:1 has more than 20000 values, counting every alias"
    ]
    assert mistakes(write(tmp_path, "a: " + "[" * 5000)) == ["config.yml:1:1 is nested deeper than 20 levels"]
    assert mistakes(write(tmp_path, "# " + "x" * 300_000)) == [
        "config.yml:1:1 the file is larger than 256 KiB"
    ]


def test_alias_of_a_group_reads_like_the_group(tmp_path: Path) -> None:
    file = write(tmp_path, "resources:\n  a: &a {type: collection}\n  b: *a\n")
    assert load(file, {}).resources["b"] == {"type": "collection"}


def test_file_that_is_not_utf8_or_absent_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_bytes("server:\n  # 城市\n".encode("gbk"))
    assert mistakes(tmp_path / "config.yml") == [
        "config.yml:2:1 is not UTF-8; save the file in that encoding"
    ]
    missing = tmp_path / "other.yml"
    assert mistakes(missing) == [f"{missing}: there is no such file; name another with --config"]


def test_password_never_shows(tmp_path: Path) -> None:
    file = write(tmp_path, "database:\n  url: postgresql://u:geheim@db/x\n")
    assert "geheim" not in repr(load(file, {}))
    assert "geheim" not in str(mistakes(write(tmp_path, "database: {url: {password: geheim}}\n")))


def test_environment_overrides_any_key_with_yaml_values(tmp_path: Path) -> None:
    file = write(tmp_path, "server:\n  bind: {port: 8081}\n")
    settings = load(
        file,
        {
            "CITYMAP__SERVER__BIND__PORT": "9000",
            "CITYMAP__SERVER__LANGUAGES": "[en-US]",
            "CITYMAP__TRACKING__JT808": "{host: 0.0.0.0}",
            "CITYMAP__TRACKING__JT808__PORT": "7900",
            "CITYMAP__ACCESS__ANONYMOUS_EDIT": "true",
        },
    )
    assert settings.server.bind.port == 9000
    assert settings.server.languages == ("en-US",)
    assert (settings.tracking.jt808.host, settings.tracking.jt808.port) == ("0.0.0.0", 7900)
    assert settings.access.anonymous_edit is True


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("CITYMAP__SERVER__BIND__PORT", "x", "CITYMAP__SERVER__BIND__PORT server.bind.port: 'x' is not an integer"),
        ("CITYMAP__SERVER__BIND", "{port: x}", "CITYMAP__SERVER__BIND server.bind.port: 'x' is not an integer"),
        ("CITYMAP__SERVR__URL", "x", "CITYMAP__SERVR__URL servr: unknown key; did you mean 'server'?"),
        ("DATABASE_URL", "db", "DATABASE_URL database.url: is not an address such as "
         "'postgresql://user:password@host:5432/citymap'"),
        ("CITYMAP__SERVER__URL", "@x", "CITYMAP__SERVER__URL server.url: is not YAML: found character '@' "
         "that cannot start any token; put a text in quotes"),
    ],
)  # fmt: skip
def test_mistake_in_the_environment_names_the_variable(
    tmp_path: Path, variable: str, value: str, expected: str
) -> None:
    assert mistakes(write(tmp_path, ""), {variable: value}) == [expected]


def test_more_precise_source_of_the_database_wins(tmp_path: Path) -> None:
    file = write(tmp_path, "database: {url: 'postgresql://file/x'}\n")
    both = {"DATABASE_URL": "postgres://env/x", "CITYMAP__DATABASE__URL": "postgresql://key/x"}
    assert load(file, {}).database.url == "postgresql://file/x"
    assert load(file, {"DATABASE_URL": both["DATABASE_URL"]}).database.url == "postgresql://env/x"
    assert load(file, both).database.url == "postgresql://key/x"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:8080"),
        ("server: {bind: {host: 0.0.0.0, port: 9}}", "http://127.0.0.1:9"),
        ("server: {bind: {host: '::1'}, tls: {certificate: c, key: k}}", "https://[::1]:8080"),
        ("server: {url: 'https://map.example.gov.cn/'}", "https://map.example.gov.cn"),
    ],
)
def test_url_defaults_to_the_bound_address(tmp_path: Path, text: str, url: str) -> None:
    assert load(write(tmp_path, text), {}).server.url == url


def test_relative_paths_are_counted_from_the_file(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "server: {tls: {certificate: c.pem, key: /k.pem}}\n"), {})
    assert settings.server.tls and settings.server.tls.certificate == str(tmp_path / "c.pem")
    assert settings.server.tls.key == "/k.pem"
    assert settings.database.directory == str(tmp_path / "var/postgres")


def test_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    file = write(tmp_path, "server: {bind: {port: 8099}}\n")
    assert load(environ={"CITYMAP_CONFIG": str(file)}).server.bind.port == 8099


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(environ={}).server.workers = 3  # type: ignore[misc]


def test_shipped_file_loads_and_states_the_defaults(tmp_path: Path) -> None:
    shipped, defaults = load(ROOT / "config.yml", {}), load(write(tmp_path, ""), {})
    below = {"uploads": {"directory"}, "jobs": {"directory"}, "limits": {"rate": {"file"}}}
    grid = {"photos": {"directory"}, "notices": {"sms": {"file"}}}
    folders = {"database": {"directory"}, "rasters": {"directory"}, "server": below, "grid": grid}
    assert shipped.model_dump(exclude=folders) == defaults.model_dump(exclude=folders)


def test_shipped_schema_is_in_step_and_accepts_the_shipped_file() -> None:
    shipped = json.loads((ROOT / "geoserver/config.schema.json").read_text())
    assert shipped == schema(), "run `.venv/bin/citymap config schema --write`"
    values = YAML(typ="safe").load((ROOT / "config.yml").read_text())
    jsonschema.Draft202012Validator(shipped).validate(values)
    values["server"]["bind"]["port"] = "five"
    assert not jsonschema.Draft202012Validator(shipped).is_valid(values)
    assert (
        (ROOT / "config.yml")
        .read_text()
        .startswith("# yaml-language-server: $schema=geoserver/config.schema.json")
    )
