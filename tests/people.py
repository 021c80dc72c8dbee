"""Accounts with roles, made by SQL beside the server's own functions."""

from sqlalchemy import Connection, text

from geoserver.accounts import add_account

PASSWORD = "correct horse battery 9!"


def employ(
    conn: Connection, account: str, *roles: str, department: str = "", area: str = "", password: str = PASSWORD
) -> tuple[str, str]:
    """An account that holds roles in a department and an area; what HTTP Basic wants of it."""
    if not conn.execute(text("SELECT 1 FROM access.accounts WHERE name = :name"), {"name": account}).first():
        add_account(conn, account, password)
    for role in roles:
        conn.execute(
            text("INSERT INTO access.memberships (account, role, department, area) VALUES (:a, :r, :d, :area)"),
            {"a": account, "r": role, "d": department, "area": area},
        )
    return account, password
