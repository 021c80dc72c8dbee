"""Jobs, uploaded files, and the queue that workers take jobs from.

The queue is procrastinate's schema of the locked version; a release of it that changes its tables needs a migration
here that runs the release's own.
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE citymap.jobs (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
            process text NOT NULL,
            status text NOT NULL DEFAULT 'accepted'
                CHECK (status IN ('accepted', 'running', 'successful', 'failed', 'dismissed')),
            progress smallint NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
            message jsonb NOT NULL DEFAULT '{"zh": "", "en": ""}',
            inputs jsonb NOT NULL,
            response text NOT NULL DEFAULT 'raw' CHECK (response IN ('raw', 'document')),
            result jsonb,
            file jsonb,
            error jsonb,
            actor text,
            attempts integer NOT NULL DEFAULT 0,
            crashes smallint NOT NULL DEFAULT 0,
            queue_id bigint,
            created timestamptz NOT NULL DEFAULT now(),
            started timestamptz,
            finished timestamptz,
            updated timestamptz NOT NULL DEFAULT now()
        )""")
    op.execute("COMMENT ON COLUMN citymap.jobs.file IS 'name in the job''s directory, media type, name for the client'")
    op.execute("CREATE INDEX ON citymap.jobs (actor, created DESC)")
    op.execute("CREATE INDEX ON citymap.jobs (status) WHERE status IN ('accepted', 'running')")
    op.execute("""
        CREATE TABLE citymap.uploads (
            id uuid PRIMARY KEY,
            name text NOT NULL,
            bytes bigint NOT NULL,
            actor text,
            created timestamptz NOT NULL DEFAULT now(),
            expires timestamptz NOT NULL
        )""")
    connection = op.get_bind()
    before = connection.exec_driver_sql("SHOW search_path").scalar_one()
    connection.exec_driver_sql("CREATE SCHEMA procrastinate")
    connection.exec_driver_sql("SET LOCAL search_path TO procrastinate")
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    connection.exec_driver_sql(f"SET LOCAL search_path TO {before}")
