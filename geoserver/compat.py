"""What we change in pygeoapi, each with its reason; nothing else in the project touches its internals."""

import logging
from functools import lru_cache
from types import ModuleType
from typing import Any

import orjson
import pygeoapi.api
import pygeoapi.api.collection
import pygeoapi.api.processes
from babel import Locale, localedata

from geoserver import conformance
from geoserver.templates import render

#: Names that are known to be of a language, or of none; they come from Accept-Language too, so there is a bound.
_LOCALES = 4096


def install() -> None:
    """Apply every change; calling it again changes nothing."""
    pygeoapi.api.all_apis = all_apis
    # It warns of every key of a group whose keys are no languages, and logs each refused request as an error.
    logging.getLogger("pygeoapi").setLevel(logging.CRITICAL)
    # Every new API object would call basicConfig and log to stdout, which belongs to the command line's answers.
    pygeoapi.api.setup_logger = _keep_logging
    # It links to items in CSV of every collection; ours link to the formats that each of them has.
    pygeoapi.api.collection.get_dataset_formatters = _no_formatters
    # Its renderer compiles the template for every request and falls back to templates that load from public networks.
    # Its JSON escapes every Chinese character.
    for module in (pygeoapi.api, pygeoapi.api.processes):
        module.render_j2_template = render
        module.to_json = _to_json
    # It asks of every key of every document whether it names a language, and babel goes through a thousand files for
    # each: that was nine tenths of GET /processes.
    for name in ("exists", "normalize_locale"):
        looked_up = getattr(localedata, name)
        if not hasattr(looked_up, "cache_info"):
            setattr(localedata, name, lru_cache(_LOCALES)(looked_up))


def all_apis() -> dict[str, ModuleType]:
    """pygeoapi's API modules, with ours where ours answers the route.

    Features: its own parses CQL2 with pygeofilter and announces classes accordingly (pygeoapi #2297).
    Processes: its own announces callbacks, but neither pages nor the list of jobs.
    """
    return {"itemtypes": conformance, "process": conformance}


def _to_json(document: Any, _pretty: bool = False) -> str:
    return orjson.dumps(document, default=_as_text, option=orjson.OPT_NON_STR_KEYS).decode()


def _as_text(value: Any) -> str:
    """A locale as a language tag (``hreflang``: zh-CN, not zh_Hans_CN); anything else as it writes itself."""
    return f"{value.language}-{value.territory}" if isinstance(value, Locale) else str(value)


def _no_formatters(_dataset: dict[str, Any]) -> dict[str, Any]:
    return {}


def _keep_logging(_config: dict[str, Any]) -> None:
    return None
