"""What a new password must be."""

import pytest
from sqlalchemy import Connection, text

from geoserver.accounts import AccountError, add_account, password_matches, set_password
from geoserver.identity.passwords import PasswordRefused, classes, random_password, require_new, require_strong
from geoserver.settings.access import Password

RULES = Password()


@pytest.mark.parametrize("password", ["Blue-Lantern-47 river", "wuYe9!Kranich", "江汉-Tower-2031-渡口", "q7#Vw9)zLp2"])
def test_strong_passwords_pass(password: str) -> None:
    require_strong(password, "wang", RULES)


@pytest.mark.parametrize(("password", "problem"), [
    ("aB3-xY7z", "shorter than 10"),
    ("lanternriverblue", "needs 3 of"),
    ("LanternRiverBlue", "needs 3 of"),
    ("Wang-47 lantern", "account's name"),
    ("xWANGx-47 lantern", "account's name"),
    ("Password123!", "easily guessed"),
    ("Admin@123456", "easily guessed"),
    ("Qwerty123456", "easily guessed"),
    ("P@ssw0rd2024", "easily guessed"),
    ("Citymap2026!", "easily guessed"),
    ("Aa1!Aa1!Aa1!", "easily guessed"),
])  # fmt: skip
def test_weak_passwords_are_refused_and_told_why(password: str, problem: str) -> None:
    with pytest.raises(PasswordRefused, match=problem) as refused:
        require_strong(password, "wang", RULES)
    assert password not in str(refused.value) and refused.value.zh.startswith("密码")


def test_every_broken_rule_is_told_at_once() -> None:
    with pytest.raises(PasswordRefused) as refused:
        require_strong("wang", "wang", RULES)
    assert len(refused.value.problems) == 3


def test_the_rules_are_the_citys() -> None:
    require_strong("lanternriverblue", "wang", Password(min_classes=1))
    with pytest.raises(PasswordRefused, match="shorter than 30"):
        require_strong("Blue-Lantern-47 river", "wang", Password(min_length=30))


@pytest.mark.parametrize(
    ("password", "count"), [("aaa", 1), ("aA", 2), ("aA1", 3), ("aA1 ", 4), ("密码", 1), ("密a", 2)]
)
def test_kinds_of_characters(password: str, count: int) -> None:
    assert classes(password) == count


def test_a_very_long_password_costs_no_more_time() -> None:
    import time

    start = time.perf_counter()
    require_strong("Blue-Lantern-47 river " * 11, "wang", RULES)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(("account", "rules"), [
    ("wang", RULES),
    ("a", RULES),
    ("", RULES),  # who asks for it is told that it is no name
    ("wang", RULES.model_copy(update={"min_length": 24, "min_classes": 4})),
])  # fmt: skip
def test_random_passwords_pass_the_rules(account: str, rules: Password) -> None:
    for _ in range(100):
        require_strong(random_password(account, rules), account, rules)


def test_the_last_five_passwords_are_not_taken_again(conn: Connection) -> None:
    used = [f"Blue-Lantern-{n}7 river" for n in range(7)]
    add_account(conn, "wang", used[0])
    for password in used[1:]:
        set_password(conn, "wang", password)
    for password in used[2:]:
        with pytest.raises(PasswordRefused, match="one of the last 5"):
            require_new(conn, "wang", password, RULES)
    for password in used[:2]:
        require_new(conn, "wang", password, RULES)
    require_new(conn, "wang", used[-1], Password(history=0))


def test_hashes_are_argon2id_and_salted(conn: Connection) -> None:
    for name in ("wang", "li"):
        add_account(conn, name, "Blue-Lantern-47 river")
    one, other = conn.execute(text("SELECT hash FROM access.accounts WHERE name IN ('wang', 'li')")).scalars()
    assert one.startswith("$argon2id$") and one != other


def test_both_forms_of_a_character_are_the_same_password(conn: Connection) -> None:
    add_account(conn, "wang", "Blue-Lantern-４７ é")  # full-width digits of a Chinese input method, composed é
    found = conn.execute(text("SELECT hash FROM access.accounts WHERE name = 'wang'")).scalar()
    assert password_matches(found, "Blue-Lantern-47 e\u0301")


@pytest.mark.parametrize("name", ["", " wang", "a:b", "a/b", "a\0b", "x" * 65, "a\nb"])
def test_names_that_cannot_be_typed_or_addressed_are_refused(conn: Connection, name: str) -> None:
    with pytest.raises(AccountError, match="account name"):
        add_account(conn, name, "Blue-Lantern-47 river")
