"""The map page: one HTML document whose only inline script is the import map, allowed by its hash."""

import base64
import hashlib
import html
import json
from functools import cache
from string import Template

from geoserver.web.assets import IMPORTS, STATIC, WEB
from geoserver.web.policy import content_security_policy

#: The languages of the map, the first being the default.
LANGUAGES = ("zh-CN", "en")


@cache
def strings(language: str) -> dict[str, str]:
    """The interface texts of one language, as its catalogue file has them."""
    texts: dict[str, str] = json.loads((STATIC / "i18n" / f"{language}.json").read_text("utf-8"))
    return texts


def import_map(static_url: str) -> str:
    """The page's import map; ``static_url`` is where the files of this build are, without a final slash."""
    return json.dumps({"imports": {name: f"{static_url}/vendor/{file}" for name, file in IMPORTS.items()}})


def map_page(language: str, base: str, static_url: str, account: str | None = None) -> str:
    """The document at ``/map`` for an account or the public; ``base`` is the server's path prefix with its slash."""
    texts = strings(language)
    values = {key: html.escape(text) for key, text in texts.items() if key.startswith("page.")}
    page = Template((WEB / "map.html").read_text("utf-8"))
    return page.substitute(
        {key.replace(".", "_"): text for key, text in values.items()},
        language=language,
        base=html.escape(base),
        account=html.escape(account or ""),
        static=html.escape(static_url),
        imports=import_map(static_url),
        # A data block: never executed, and "<" cannot end it.
        strings=json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c"),
    )


def map_policy(static_url: str) -> str:
    """What the map page may load: this origin only, no inline code but the import map."""
    digest = base64.b64encode(hashlib.sha256(import_map(static_url).encode()).digest()).decode()
    return content_security_policy(f"sha256-{digest}")
