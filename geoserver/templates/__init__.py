"""The HTML pages: where their templates are, how they are rendered, and what they may load."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from babel import Locale
from jinja2 import Environment, FileSystemLoader, select_autoescape
from pygeoapi import l10n
from pygeoapi.util import json_serial

from geoserver.reader import reader
from geoserver.web.policy import content_security_policy

TEMPLATES = Path(__file__).parent

CONTENT_SECURITY_POLICY = content_security_policy(forms="'self'")


def render(
    config: dict[str, Any], tpl_config: dict[str, Any], template: str, data: Any, locale_: Locale | None = None
) -> str:
    """The page ``template`` with ``data``, in place of ``pygeoapi.util.render_j2_template`` and with its signature.

    pygeoapi's compiles every template anew for each request (tens of milliseconds), keeps the first configuration it
    ever translated, and falls back to templates that load scripts from public networks; this one does none of it.
    ``tpl_config`` may name another folder of templates as ``path``. Raises :class:`jinja2.TemplateNotFound`.
    """
    locale = locale_ or Locale("zh")
    metadata = {
        section: {name: l10n.translate(value, locale) for name, value in values.items()}
        for section, values in config["metadata"].items()
    }
    settings = {"server": {"url": config["server"]["url"]}, "metadata": metadata}
    page = _environment(str(tpl_config.get("path", TEMPLATES))).get_template(template)
    return page.render(config=settings, data=data, locale=locale, reader=reader())


@cache
def _environment(path: str) -> Environment:
    environment = Environment(loader=FileSystemLoader(path), autoescape=select_autoescape(), auto_reload=False)
    environment.filters["pretty"] = _pretty
    return environment


def _pretty(value: Any) -> str:
    """JSON for people: indented, with Chinese as it is written. The template escapes it like any text."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=json_serial)
