"""动态验证码 one-time codes by time (TOTP, RFC 6238: SHA-1, 6 digits, 30 s), and recovery codes for a lost phone."""

import hmac
import re
import secrets
import time
from base64 import urlsafe_b64encode
from hashlib import sha256

import pyotp
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, text

from geoserver.errors import Conflict
from geoserver.identity.server_key import ServerKey

#: Seconds of a time step, and steps by which the phone's clock may be off.
STEP = 30
_DRIFT = 1
_RECOVERY_CODES = 10


def enrol(conn: Connection, key: ServerKey, account: str, issuer: str) -> tuple[str, str]:
    """A new secret, and its ``otpauth:`` address for a QR code; it counts once :func:`confirm` saw a code of it.

    Raises :class:`Conflict` while the account has a confirmed one.
    """
    secret = pyotp.random_base32()
    made = conn.execute(text("""
        INSERT INTO access.totp (account, secret) VALUES (:account, :secret)
        ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, step = 0 WHERE totp.confirmed IS NULL"""),
        {"account": account, "secret": _vault(key).encrypt(secret.encode())})  # fmt: skip
    if made.rowcount == 0:
        raise Conflict("one-time codes are on already; remove them first")
    return secret, pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def confirm(conn: Connection, key: ServerKey, account: str, code: str) -> list[str] | None:
    """Turn the codes on; returns the recovery codes, which are shown once, or None for a wrong code."""
    if not _take(conn, key, account, code, confirmed=False):
        return None
    conn.execute(text("UPDATE access.totp SET confirmed = now() WHERE account = :account"), {"account": account})
    conn.execute(text("DELETE FROM access.recovery_codes WHERE account = :account"), {"account": account})
    codes = [_recovery_code() for _ in range(_RECOVERY_CODES)]
    conn.execute(text("INSERT INTO access.recovery_codes (account, digest) VALUES (:account, :digest)"),
                 [{"account": account, "digest": _digest(code)} for code in codes])  # fmt: skip
    return codes


def verify_code(conn: Connection, key: ServerKey, account: str, code: str) -> bool:
    """Whether it is a code of now, or a recovery code. Either is taken once (RFC 6238 §5.2)."""
    if re.fullmatch(r"\d{6}", code):
        return _take(conn, key, account, code, confirmed=True)
    used = conn.execute(text("DELETE FROM access.recovery_codes WHERE account = :account AND digest = :digest"),
                        {"account": account, "digest": _digest(code)})  # fmt: skip
    return used.rowcount == 1


def is_on(conn: Connection, account: str) -> bool:
    """Whether the account needs one-time codes."""
    query = text("SELECT 1 FROM access.totp WHERE account = :account AND confirmed IS NOT NULL")
    return conn.execute(query, {"account": account}).first() is not None


def remove(conn: Connection, account: str) -> bool:
    """Turn the codes off; whether they were on or begun."""
    conn.execute(text("DELETE FROM access.recovery_codes WHERE account = :account"), {"account": account})
    return conn.execute(text("DELETE FROM access.totp WHERE account = :account"), {"account": account}).rowcount == 1


def encrypt_anew(conn: Connection, key: ServerKey) -> int:
    """Encrypt every secret with the newest line of the server's key; returns how many."""
    rows = conn.execute(text("SELECT account, secret FROM access.totp FOR UPDATE")).all()
    for account, secret in rows:
        conn.execute(text("UPDATE access.totp SET secret = :secret WHERE account = :account"),
                     {"account": account, "secret": _vault(key).rotate(bytes(secret))})  # fmt: skip
    return len(rows)


def matching_step(secret: str, code: str, now: float) -> int | None:
    """The newest time step within the drift whose code this is."""
    codes = pyotp.TOTP(secret)
    present = int(now) // STEP
    steps = range(present + _DRIFT, present - _DRIFT - 1, -1)
    return next((step for step in steps if hmac.compare_digest(codes.generate_otp(step), code)), None)


def _take(conn: Connection, key: ServerKey, account: str, code: str, *, confirmed: bool) -> bool:
    """Whether it is a code of a step later than the last one taken, which it becomes."""
    found = conn.execute(text("""
        SELECT secret FROM access.totp WHERE account = :account AND (confirmed IS NOT NULL) = :confirmed"""),
        {"account": account, "confirmed": confirmed}).scalar()  # fmt: skip
    if found is None:
        return False
    try:
        secret = _vault(key).decrypt(bytes(found)).decode()
    except InvalidToken:  # of another server key: nobody can know its codes
        return False
    step = matching_step(secret, code, time.time())
    if step is None:
        return False
    # Compare and set: of two requests with the same code one finds its step taken.
    taken = conn.execute(text("UPDATE access.totp SET step = :step WHERE account = :account AND step < :step"),
                         {"account": account, "step": step})  # fmt: skip
    return taken.rowcount == 1


def _vault(key: ServerKey) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(derived)) for derived in key.derived("totp")])


def _recovery_code() -> str:
    """80 bits as ``xxxx-xxxx-xxxx-xxxx`` of base32."""
    letters = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(16))
    return "-".join(letters[i : i + 4] for i in range(0, 16, 4))


def _digest(code: str) -> bytes:
    return sha256(re.sub(r"[\s-]", "", code).lower().encode()).digest()
