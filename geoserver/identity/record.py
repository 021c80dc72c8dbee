"""Every security-relevant act goes through here into the audit log; the transaction's settings say who acts."""

from typing import Any, Literal

from sqlalchemy import Connection, text

from geoserver.audit.entries import append

Action = Literal["sign-in", "sign-in-refused", "sign-out", "administer"]
#: What is acted on.
Kind = Literal["account", "session", "api-key", "token", "device"]


def record(conn: Connection, action: Action, kind: Kind, name: str, **detail: Any) -> None:
    """Keep an act in the connection's transaction; ``detail`` holds no secret. Memberships, new and disabled accounts
    are kept by triggers (layers/audit.sql)."""
    outcome: Literal["done", "refused"] = "refused" if action == "sign-in-refused" else "done"
    append(conn, action, kind, name, outcome=outcome, detail=detail or None)


def acts(conn: Connection, account: str) -> None:
    """From here on the transaction is the account's, which has just been proved."""
    conn.execute(text("SELECT set_config('citymap.actor', :account, true)"), {"account": account})
