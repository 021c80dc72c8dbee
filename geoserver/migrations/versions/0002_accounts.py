"""Local accounts."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE citymap.accounts (
            name text PRIMARY KEY,
            hash text NOT NULL,
            created timestamptz NOT NULL DEFAULT now(),
            disabled boolean NOT NULL DEFAULT false
        )""")
