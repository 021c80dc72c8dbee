"""Who was proved to ask, how far a key or token reaches, and what a client is told that proved nothing."""

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from geoserver.errors import BodyError, NotAllowed, SignInNeeded

#: Entries of one part of a scope at most.
MOST_IN_SCOPE = 100


@dataclass(frozen=True, slots=True)
class Scope:
    """How a key or token narrows what its account may do; None leaves a part as wide as the account's rights.

    ``collections`` and ``processes`` are ids, ``actions`` those of :data:`layers.access.Action`, ``areas`` division
    codes, each covering all that begin with it. Whatever has a scope holds no office.
    """

    collections: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    processes: frozenset[str] | None = None
    areas: frozenset[str] | None = None

    def document(self) -> dict[str, list[str]]:
        """As JSON, without the parts that narrow nothing."""
        parts = ((part.name, getattr(self, part.name)) for part in fields(self))
        return {name: sorted(values) for name, values in parts if values is not None}

    def within(self, other: "Scope | None") -> "Scope":
        """What both allow."""
        if other is None:
            return self
        return Scope(
            _both(self.collections, other.collections),
            _both(self.actions, other.actions),
            _both(self.processes, other.processes),
            _common_areas(self.areas, other.areas),
        )


def scope_of(document: Any) -> Scope | None:
    """The scope in a JSON document; None for null. Raises :class:`BodyError`."""
    if document is None:
        return None
    known = [part.name for part in fields(Scope)]
    if not isinstance(document, dict) or set(document) - set(known):
        raise BodyError(f"scope: has the members {', '.join(known)} and no other")
    return Scope(**{name: _strings(name, values) for name, values in document.items()})


def _strings(name: str, values: Any) -> frozenset[str] | None:
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(v, str) and 0 < len(v) <= 100 for v in values):
        raise BodyError(f"scope.{name}: is a list of texts")
    if len(values) > MOST_IN_SCOPE:
        raise BodyError(f"scope.{name}: has more than {MOST_IN_SCOPE} entries")
    return frozenset(values)


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _common_areas(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    inner = {a for a in one for b in other if a.startswith(b)} | {b for b in other for a in one if b.startswith(a)}
    return frozenset(inner)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends a request.

    ``via`` is ``password`` (HTTP Basic), ``session``, ``key:<id>``, ``token`` or ``device:<id>``. ``session`` is the id
    of the browser's session, or of that by which a token was made; ``epoch`` the account's when it was proved.
    """

    account: str
    via: str
    scope: Scope | None = None
    must_change_password: bool = False
    session: UUID | None = None
    key: str | None = None
    epoch: int = 0

    @property
    def in_person(self) -> bool:
        """Whether a person signed in, not a program by key or token: those manage no passwords and no keys."""
        return self.via in ("password", "session")


class WrongCredentials(SignInNeeded):
    """The credentials prove nobody. The answer is the same whatever was wrong with them."""

    zh = "账号或凭据不正确、已过期或已撤销，或账号已停用，或因多次失败暂时锁定"

    def __init__(self) -> None:
        super().__init__(
            "the credentials are wrong, expired or revoked, or the account is disabled, or locked for a while after"
            " failures; an administrator can tell which"
        )


class SessionEnded(SignInNeeded):
    """The browser's session is over; ``headers`` take its cookie away, and call up no prompt of the browser's own."""

    uri = "SessionEnded"
    zh = "登录已过期，请重新登录"

    def __init__(self, cookie: str) -> None:
        super().__init__("the session has ended; sign in again")
        self.headers = {"Set-Cookie": cookie}


class CodeNeeded(SignInNeeded):
    """The password is right; the account also needs a one-time code."""

    uri = "CodeNeeded"
    zh = "请输入动态验证码"

    def __init__(self) -> None:
        super().__init__("this account also needs a one-time code: send it as 'code'")


class KeyNeeded(NotAllowed):
    """HTTP Basic cannot carry a one-time code."""

    uri = "KeyNeeded"
    zh = "该账号启用了动态验证码，程序请改用 API 密钥"

    def __init__(self) -> None:
        super().__init__(
            "this account needs one-time codes, which HTTP Basic cannot carry: sign in at /sign-in and make an API key"
            " (POST /account/keys, or 'citymap user key add')"
        )


class PasswordChangeNeeded(NotAllowed):
    """The account's password was made by somebody else or is too old: it may do nothing but change it."""

    uri = "PasswordChangeNeeded"
    zh = "请先修改密码"

    def __init__(self) -> None:
        super().__init__(
            'change the password first: POST /account/password with JSON {"old": …, "new": …}, signed in as now'
        )


class CrossSite(NotAllowed):
    """The browser was sent by another site, or did not show that it was not."""

    uri = "CrossSiteRequest"
    zh = "请求来自其他站点，已拒绝"
