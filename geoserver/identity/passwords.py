"""What a new password must be (等保 GB/T 22239-2019 §8.1.4.1 a; OWASP ASVS 5.0 §6.2)."""

import secrets
import string
from collections.abc import Callable

from sqlalchemy import Connection, text

from geoserver.accounts import AccountError, password_matches
from geoserver.settings.access import Password as PasswordSettings
from layers.catalogue import Text

#: What random passwords are made of, 6 bits a character, and how long they are at least: 96 bits.
_LETTERS, _RANDOM_LENGTH = string.ascii_letters + string.digits + "-_", 16
#: zxcvbn's time grows with the square of the length; what follows only makes a password stronger [characters].
_ESTIMATED = 60


class PasswordRefused(AccountError):
    """A new password is too weak; ``problems`` has a text for each rule that it breaks."""

    uri = "PasswordRefused"

    def __init__(self, problems: list[Text]) -> None:
        self.problems = tuple(problems)
        self.zh = "密码" + "；".join(p.zh for p in problems)
        super().__init__("the password " + "; ".join(p.en for p in problems))


def require_strong(password: str, account: str, rules: PasswordSettings) -> None:
    """Raise :class:`PasswordRefused` with everything that the rules have against the password."""
    problems = []
    if len(password) < rules.min_length:
        problems.append(Text(f"少于 {rules.min_length} 个字符", f"is shorter than {rules.min_length} characters"))
    if classes(password) < rules.min_classes:
        problems.append(
            Text(
                f"须含小写、大写、数字、其他字符中的至少 {rules.min_classes} 类",
                f"needs {rules.min_classes} of: lower case, upper case, digits, other characters",
            )
        )
    if account and account.casefold() in password.casefold():
        problems.append(Text("含有账号名", "contains the account's name"))
    if not problems and _score(password, account) < rules.min_score:
        problems.append(Text("过于常见或容易猜到", "is among the common ones, or made of them, and easily guessed"))
    if problems:
        raise PasswordRefused(problems)


def random_password(account: str, rules: PasswordSettings) -> str:
    """A password that nobody has thought of, and that the rules take for this account."""
    while True:
        password = "".join(secrets.choice(_LETTERS) for _ in range(max(_RANDOM_LENGTH, rules.min_length)))
        try:
            require_strong(password, account, rules)
        except PasswordRefused:  # by chance it holds the account's name, or lacks a kind of characters
            continue
        return password


def require_new(conn: Connection, account: str, password: str, rules: PasswordSettings) -> None:
    """Raise :class:`PasswordRefused` for the present password and the last ``rules.history`` before it."""
    former = conn.execute(text("""
        SELECT hash FROM access.accounts WHERE name = :account AND hash IS NOT NULL
        UNION ALL
        (SELECT hash FROM access.former_passwords WHERE account = :account ORDER BY replaced DESC LIMIT :count)
        """), {"account": account, "count": max(rules.history - 1, 0)}).scalars().all()  # fmt: skip
    if rules.history and any(password_matches(found, password) for found in former):
        told = Text(f"与最近 {rules.history} 次用过的相同", f"is one of the last {rules.history} of this account")
        raise PasswordRefused([told])


def classes(password: str) -> int:
    """How many kinds of characters it has: lower case, upper case, digits, others."""
    kinds: tuple[Callable[[str], bool], ...] = (
        lambda c: c in string.ascii_lowercase,
        lambda c: c in string.ascii_uppercase,
        lambda c: c in string.digits,
        lambda c: not (c.isascii() and c.isalnum()),
    )
    return sum(any(map(kind, password)) for kind in kinds)


def _score(password: str, account: str) -> int:
    """0 (found at once) to 4, by zxcvbn with its 30 000 common passwords, names and keyboard walks."""
    from zxcvbn import zxcvbn  # 50 ms that only a new password needs

    words = [account, "citymap", "city", "admin", "chengshi", "yizhangtu"]
    return int(zxcvbn(password[:_ESTIMATED], user_inputs=words)["score"])
