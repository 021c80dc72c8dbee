"""Alembic's entry: migrations run in the transaction of the caller."""

from alembic import context

from layers.tables import METADATA, SCHEMA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table_schema=SCHEMA,
    transactional_ddl=True,
)
context.run_migrations()
