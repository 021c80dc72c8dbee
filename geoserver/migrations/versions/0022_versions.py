"""Named versions of layers, and imports that can be taken back: see layers/versions/versions.sql."""

from importlib.resources import files

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    for name in ("row_changes.sql", "versions/versions.sql"):
        op.get_bind().exec_driver_sql(files("layers").joinpath(name).read_text("utf-8").replace("%", "%%"))


def downgrade() -> None:
    op.execute("DROP FUNCTION citymap.heed_seal, citymap.note_import, citymap.version_layer CASCADE")
    tables = ("import_changes", "imports", "seals", "version_layers", "versions")
    op.execute("DROP TABLE " + ", ".join(f"citymap.{name}" for name in tables))
    op.execute("DROP FUNCTION citymap.keep_versions, citymap.date_version, citymap.seal, citymap.rules_version")
