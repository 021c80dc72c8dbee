"""Reads ``config.yml`` and the environment into :class:`~geoserver.settings.Settings`; the only reader of either.

Every mistake is named as ``config.yml:4:11 server.bind.port: 'five' is not an integer``, all of them at once. Any key
may come from the environment, ``CITYMAP__SERVER__BIND__PORT=9000``, its value written as YAML.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from geoserver.located_yaml import MAX_BYTES, Document, read_yaml
from geoserver.located_yaml import Path as KeyPath
from geoserver.settings import Settings
from geoserver.settings.groups import ROOT

PREFIX = "CITYMAP__"
_EXPECTATIONS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "dict_type": "a group of keys",
    "model_type": "a group of keys",
    "model_attributes_type": "a group of keys",
}


class ConfigError(ValueError):
    """The configuration has mistakes; ``mistakes`` has a line for each, and so has the text."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def load(path: Path | str | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of one server.

    ``path`` defaults to ``$CITYMAP_CONFIG``, else ``config.yml`` here or beside the program; without any file the
    defaults hold. Precedence: ``CITYMAP__…`` variables, ``DATABASE_URL``, the file, defaults. Raises
    :class:`ConfigError`.
    """
    file = _find(path, environ)
    document = _read(file)
    name = file.name if file else "config.yml"
    mistakes = [
        (place.line, place.column, f"{name}:{place.line}:{place.column} {_dotted(where)}{text}")
        for place, where, text in document.mistakes
    ]
    values = document.values if isinstance(document.values, dict) else {}
    if document.values is not None and not isinstance(document.values, dict):
        mistakes.append((1, 1, f"{name}:1:1 the file is not a group of keys such as 'server:'"))
    overrides = _overrides(environ)
    variables: dict[KeyPath, str] = {}
    for variable, where, value, mistake in overrides:
        if mistake:
            mistakes.append((2**31, len(mistakes), f"{variable} {_dotted(where)}{mistake}"))
        elif not _put(values, where, value):
            mistakes.append(
                (2**31, len(mistakes), f"{variable} {_dotted(where)}lies below a key that is no group")
            )
        else:
            variables[where] = variable
    folder = file.parent if file else ROOT
    for groups in (
        *(("database",), ("server", "uploads"), ("server", "jobs"), ("server", "limits", "rate")),
        *(("grid", "photos"), ("grid", "notices", "sms")),
    ):
        # given, so that their default directories are counted from the folder
        found: Any = values
        for group in groups:
            found = found.setdefault(group, {}) if isinstance(found, dict) else None
    try:
        settings = Settings.model_validate(_lists_to_tuples(values), context={"folder": folder.absolute()})
    except ValidationError as error:
        for details in error.errors(include_url=False):
            where = details["loc"]
            if details["type"] != "default_factory_not_called":
                mistakes.append(_located(details, where, name, document, variables))
    if mistakes:
        raise ConfigError([text for _, _, text in sorted(mistakes)])
    return settings


def pass_to_workers(path: Path | str | None, database_url: str) -> None:
    """Let the processes that the server starts load the same configuration, on the running database."""
    if path is not None:
        os.environ["CITYMAP_CONFIG"] = str(Path(path).absolute())
    os.environ["DATABASE_URL"] = database_url
    # Twenty threads each with an allocator arena of their own, and Arrow's pool, keep what an export once needed.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")


def interface_language(environ: Mapping[str, str] = os.environ) -> str:
    """``zh`` in a Chinese locale, else ``en``: the language of the command line."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"


def schema() -> dict[str, Any]:
    """The JSON Schema of ``config.yml``, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(),
        "title": "CityMap configuration",
    }


def _find(path: Path | str | None, environ: Mapping[str, str]) -> Path | None:
    named = path or environ.get("CITYMAP_CONFIG")
    if named:
        if not Path(named).is_file():
            raise ConfigError([f"{named}: there is no such file; name another with --config"])
        return Path(named)
    return next((file for file in (Path("config.yml"), ROOT / "config.yml") if file.is_file()), None)


def _read(file: Path | None) -> Document:
    if file is None:
        return Document()
    try:
        with file.open("rb") as stream:
            return read_yaml(stream.read(MAX_BYTES + 1).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = bytes(error.object[: error.start]).count(b"\n") + 1
        raise ConfigError([f"{file.name}:{line}:1 is not UTF-8; save the file in that encoding"]) from error
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from error


def _overrides(environ: Mapping[str, str]) -> list[tuple[str, KeyPath, Any, str | None]]:
    """Variable, path, value, mistake; groups before their members, so that the more precise variable wins."""
    found: list[tuple[str, KeyPath, Any, str | None]] = []
    if url := environ.get("DATABASE_URL"):
        found.append(("DATABASE_URL", ("database", "url"), url, None))
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        where: KeyPath = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        document = read_yaml(environ[variable])
        mistake = next((text for _, _, text in document.mistakes), None)
        found.append(
            (variable, where, document.values, f"{mistake}; put a text in quotes" if mistake else None)
        )
    return sorted(found, key=lambda override: len(override[1]))


def _put(values: dict[str, Any], where: KeyPath, value: Any) -> bool:
    for key in where[:-1]:
        child = values.get(str(key))
        if child is None:
            child = values[str(key)] = {}
        if not isinstance(child, dict):
            return False
        values = child
    values[str(where[-1])] = value
    return True


def _lists_to_tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists_to_tuples(child) for key, child in value.items()}
    return tuple(_lists_to_tuples(item) for item in value) if isinstance(value, list) else value


def _located(
    details: ErrorDetails, where: KeyPath, name: str, document: Document, variables: Mapping[KeyPath, str]
) -> tuple[int, int, str]:
    text = f"{_dotted(where)}{_explained(details, where)}"
    for path, variable in reversed(list(variables.items())):
        if where[: len(path)] == path or (path[: len(where)] == where and where not in document.places):
            return 2**31, 0, f"{variable} {text}"
    place = document.place(where, key=details["type"] == "extra_forbidden")
    return place.line, place.column, f"{name}:{place.line}:{place.column} {text}"


def _explained(details: ErrorDetails, where: KeyPath) -> str:
    kind, given, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return _nearest(where)
    if kind == "value_error":
        return str(context["error"])
    if given is None and kind in _EXPECTATIONS:
        return f"is empty; give {_EXPECTATIONS[kind]}"
    shown = _shortened(given)
    if kind in _EXPECTATIONS:
        hint = "; put it in quotes" if kind == "string_type" and isinstance(given, int | float) else ""
        return f"{shown} is not {_EXPECTATIONS[kind]}{hint}"
    if kind == "literal_error":
        return f"{shown} is not one of {context['expected'].replace(' or ', ', ')}"
    bounds = {
        "greater_than_equal": ("ge", "less than"), "less_than_equal": ("le", "more than"),
        "greater_than": ("gt", "not more than"), "less_than": ("lt", "not less than"),
    }  # fmt: skip
    if kind in bounds:
        key, relation = bounds[kind]
        return f"{shown} is {relation} {context[key]:g}"
    if kind in ("too_short", "string_too_short"):
        return "is empty"
    return f"{shown}: {details['msg']}"


def _shortened(value: Any) -> str:
    if isinstance(value, dict):
        return "a group of keys"
    if isinstance(value, tuple):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "...'"


def _nearest(where: KeyPath) -> str:
    model: Any = Settings
    for key in where[:-1]:
        annotation = model.model_fields[str(key)].annotation
        model = next(part for part in (annotation, *get_args(annotation)) if _is_group(part))
    known = sorted(model.model_fields)
    close = difflib.get_close_matches(str(where[-1]), known, n=1, cutoff=0.5)
    return (
        f"unknown key; did you mean {close[0]!r}?" if close else f"unknown key; known are: {', '.join(known)}"
    )


def _is_group(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, BaseModel)


def _dotted(where: KeyPath) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
    return f"{text}: " if text else ""
