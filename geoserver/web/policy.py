"""The Content-Security-Policy (CSP Level 3) of every page: this origin only, nothing inline."""


def content_security_policy(*inline_scripts: str, forms: str = "'none'") -> str:
    """The header's value; ``inline_scripts`` are hashes (``sha256-…``) of scripts that stand in the page itself.

    ``forms`` is where forms may go. MapLibre's worker is a file of ours; its images are drawn from data and blob URLs.
    """
    scripts = " ".join(("'self'", *(f"'{digest}'" for digest in inline_scripts)))
    return "; ".join((
        "default-src 'none'",
        f"script-src {scripts}",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        f"form-action {forms}",
        "frame-ancestors 'self'",
    ))
