"""The map page: one HTML document whose only inline script is the import map, allowed by its hash."""

import base64
import hashlib
import html
import json
from functools import cache
from string import Template

from geoserver.web.assets import IMPORTS, STATIC, WEB

LANGUAGES = ("zh-CN", "en")


@cache
def strings(language: str) -> dict[str, str]:
    """The interface texts of one language, as its catalogue file has them."""
    texts: dict[str, str] = json.loads((STATIC / "i18n" / f"{language}.json").read_text("utf-8"))
    return texts


def choose_language(asked: str | None, accepted: str) -> str:
    """``lang`` of the address if it names a language of ours, else the first acceptable one, else Chinese.

    ``accepted`` is an Accept-Language header (RFC 9110 §12.5.4); unknown languages in it are passed over.
    """
    weighted = []
    for position, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.partition(";q=")
        try:
            weighted.append((-float(weight or 1), position, tag.strip()))
        except ValueError:
            continue
    for tag in [asked or "", *(tag for weight, _, tag in sorted(weighted) if weight < 0)]:
        for language in LANGUAGES:
            if tag.lower()[:2] == language[:2]:
                return language
    return LANGUAGES[0]


def import_map(static_url: str) -> str:
    """The page's import map; ``static_url`` is where the files of this build are, without a final slash."""
    return json.dumps({"imports": {name: f"{static_url}/vendor/{file}" for name, file in IMPORTS.items()}})


def map_page(language: str, base: str, static_url: str) -> str:
    """The document at ``/map``; ``base`` is the server's path prefix with its final slash."""
    texts = strings(language)
    values = {key: html.escape(text) for key, text in texts.items() if key.startswith("page.")}
    page = Template((WEB / "map.html").read_text("utf-8"))
    return page.substitute(
        {key.replace(".", "_"): text for key, text in values.items()},
        language=language,
        base=html.escape(base),
        static=html.escape(static_url),
        imports=import_map(static_url),
        # A data block: never executed, and "<" cannot end it.
        strings=json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c"),
    )


def content_security_policy(static_url: str) -> str:
    """What the map page may load: this origin only, no inline code but the import map (CSP Level 3)."""
    digest = base64.b64encode(hashlib.sha256(import_map(static_url).encode()).digest()).decode()
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'sha256-{digest}'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self'",
            "font-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )
