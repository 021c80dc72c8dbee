"""Takes secrets out of texts that are about to be logged: credentials in headers, URLs, DSNs, JSON and parameters."""

import re
from urllib.parse import unquote_plus

MASK = "***"

#: Query parameters whose value is a credential by itself. A request that carries one in its URL is refused.
CREDENTIALS = frozenset({
    "access_token", "api-key", "api_key", "apikey", "auth", "auth_token", "authorization", "bearer", "client_secret",
    "id_token", "jwt", "passwd", "password", "private_token", "pwd", "refresh_token", "secret", "sessionid",
    "session_id", "token", "x-api-key",
})  # fmt: skip
#: Those that are secret for a moment, as in the answer of an OpenID provider.
_SHORT_LIVED = frozenset({"code", "state", "nonce", "otp", "totp", "csrf_token", "code_verifier", "signature", "sig"})

_SECRET = CREDENTIALS | _SHORT_LIVED
_NAMES = "|".join(sorted((re.escape(name) for name in CREDENTIALS - {"auth", "bearer"}), key=len, reverse=True))
#: What every rule needs; most lines have nothing of it, and one look is enough.
_SUSPICIOUS = re.compile(
    r"(?i)eyJ|://|basic|bearer|cookie|auth|pass|pwd|secret|token|key|jwt|session|otp|sig|code|state|nonce|parameters|/shared/|cmk_"
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # postgresql://user:password@host; the password of a database may hold any character but the last @
    (re.compile(r"""(?i)\b(postgres(?:ql)?(?:\+\w+)?://[^\s:/@'"]*:)[^\s'"]*@"""), rf"\g<1>{MASK}@"),
    (re.compile(r"""(?i)\b([a-z][a-z0-9+.-]*://[^\s:/?#@'"]*:)[^\s/?#'"]*@"""), rf"\g<1>{MASK}@"),
    # Cookie: a=b; c=d — the whole line, in whatever quotes
    (re.compile(r"""(?i)\b((?:set-)?cookie['"]?\s*[:=,]\s*)(?:b?(['"]).*?\2|[^\r\n'"]+)"""), rf"\g<1>{MASK}"),
    (re.compile(r"""(?i)\b((?:proxy-)?authorization['"]?\s*[:=,]\s*)(?:b?(['"]).*?\2|[^\r\n'"]+)"""), rf"\g<1>{MASK}"),
    (re.compile(r"\b([Bb]asic|[Bb]earer|BASIC|BEARER)\s+(?=\S*[A-Z0-9=._-])[A-Za-z0-9+/._~=-]{8,}"), rf"\g<1> {MASK}"),
    # A JSON web token, wherever it stands
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*"), MASK),
    # password=…, "password": "…", 'password': '…', password='…'
    (
        re.compile(rf"""(?i)((?:\b|_)(?:{_NAMES})["']?\s*[:=]\s*)(?:b?(["'])(?:\\.|(?!\2).)*\2|[^\s"'&,;)\]}}]+)"""),
        rf"\g<1>{MASK}",
    ),
    # A key of ours, wherever it stands; its id tells people which one it was
    (re.compile(r"\b(cmk_[0-9a-f]{16})_[0-9a-f]{64}"), rf"\g<1>_{MASK}"),
    # The address of a link to a live position
    (re.compile(r"(/tracking/shared/)[^\s/?\"']+"), rf"\g<1>{MASK}"),
    # ?code=…&state=… of an OpenID provider's answer
    (re.compile(rf"""(?i)([?&](?:{"|".join(sorted(_SHORT_LIVED))})=)[^&\s"']+"""), rf"\g<1>{MASK}"),
    # SQLAlchemy shows the values of a failed statement, which are people's data at best
    (re.compile(r"\[parameters: .*?\](?=\n|$|\()", re.DOTALL), f"[parameters: {MASK}]"),
)  # fmt: skip


def redacted(text: str) -> str:
    """The text with :data:`MASK` in place of every secret in it."""
    if _SUSPICIOUS.search(text) is None:
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def redacted_query(query: str) -> str:
    """A query string as it may be logged: values of secret parameters masked, whatever escapes their name is in."""
    if not query:
        return ""
    return "&".join(_redacted_pair(pair) for pair in query.split("&"))


def credential_in(query: bytes) -> str | None:
    """The name of the first parameter of a query string that is a credential."""
    for pair in query.split(b"&"):
        name = pair.partition(b"=")[0]
        text = _name(name.decode("latin-1")) if b"%" in name or b"+" in name else name.decode("latin-1").lower()
        if text in CREDENTIALS:
            return text
    return None


def _redacted_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    secret = _name(name) in _SECRET
    return f"{name}={MASK}" if secret and equals else redacted(f"{name}{equals}{value}")


def _name(escaped: str) -> str:
    return unquote_plus(escaped).strip().lower()
