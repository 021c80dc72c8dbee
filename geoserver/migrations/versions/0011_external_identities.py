"""Which account somebody is who signs in at an OpenID provider."""

from alembic import op

revision = "0011"
down_revision = "0010"

_SQL = """
CREATE TABLE access.external_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    account text NOT NULL REFERENCES access.accounts ON DELETE CASCADE ON UPDATE CASCADE,
    made timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX ON access.external_identities (account);
GRANT SELECT, INSERT, DELETE ON access.external_identities TO citymap_access;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(_SQL)
