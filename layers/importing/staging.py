"""Update by key: the file in a temporary table beside the layer, then the least change that makes them equal."""

from collections.abc import Callable
from typing import Any

from psycopg2 import sql

from layers.catalogue import Layer, Text
from layers.importing.errors import ImportRefused
from layers.importing.report import MAX_REMARKS, Findings, Remark

#: The temporary table that holds the file's features, in the file's order (``#``, which no field can be called).
STAGE = "import_stage"


class Relay:
    """Brings COPY into a table that row-level security guards, where PostgreSQL takes INSERT only."""

    def __init__(self, cursor: Any, target: sql.Identifier) -> None:
        self._cursor = cursor
        self._target = target

    def needed(self) -> bool:
        """Whether a policy binds this connection."""
        self._cursor.execute("SELECT row_security_active(%s)", (self._target.as_string(self._cursor),))
        return bool(self._cursor.fetchone()[0])

    def copy(self, names: list[str], send: Callable[[sql.Identifier], None]) -> None:
        """``send`` copies rows of these columns into the table it is given; they end up in the target."""
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        stage = sql.Identifier(STAGE)
        make = sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0")
        self._cursor.execute(make.format(stage, columns, self._target))
        send(stage)
        move = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}")
        self._cursor.execute(move.format(self._target, columns, columns, stage))
        self._cursor.execute(sql.SQL("DROP TABLE {}").format(stage))


class Staging:
    """The staging table of one update; it goes with the transaction."""

    def __init__(self, cursor: Any, layer: Layer, target: sql.Identifier) -> None:
        if layer.key_field is None:
            raise ImportRefused(
                f"图层 {layer.id} 没有标识字段，不能用 update 方式",
                f"layer {layer.id} has no key field, so it cannot be updated",
            )
        self._cursor = cursor
        self._key = sql.Identifier(layer.key_field)
        self._key_name = layer.key_field
        self._target = target
        names = sql.SQL(", ").join(map(sql.Identifier, ("geom", *(f.name for f in layer.fields))))
        self._run("DROP TABLE IF EXISTS pg_temp.{stage}")
        self._run("CREATE TEMPORARY TABLE {stage} ON COMMIT DROP AS SELECT {names} FROM {target} LIMIT 0", names=names)
        self._run('ALTER TABLE {stage} ADD COLUMN "#" bigint GENERATED ALWAYS AS IDENTITY')

    def merge(self, fields: tuple[str, ...], findings: Findings, *, prune: bool) -> tuple[int, int, int, int]:
        """Make the layer like the stage; numbers of features inserted, updated, unchanged and deleted."""
        if self._key_name not in fields:
            raise ImportRefused(
                f"文件没有标识字段 {self._key_name}，不能用 update 方式",
                f"the file has no key field {self._key_name}, so the layer cannot be updated from it",
            )
        self._refuse_ambiguous_layer()
        self._reject_repeats(findings)
        self._run("CREATE UNIQUE INDEX ON {stage} ({key})")
        self._run("ANALYZE {stage}")
        staged = self._count("SELECT count(*) FROM {stage}")
        known = self._count("SELECT count(*) FROM {stage} s JOIN {target} t USING ({key})")
        updated = self._update(fields)
        names = sql.SQL(", ").join(map(sql.Identifier, ("geom", *fields)))
        inserted = self._run(
            "INSERT INTO {target} ({names}) SELECT {names} FROM {stage} s"
            " WHERE NOT EXISTS (SELECT FROM {target} t WHERE t.{key} = s.{key}) ORDER BY s.\"#\"",
            names=names,
        )
        deleted = self._prune(findings) if prune else 0
        self._run("DROP TABLE {stage}")
        assert staged == known + inserted
        return inserted, updated, known - updated, deleted

    def _update(self, fields: tuple[str, ...]) -> int:
        changing = [sql.Identifier(name) for name in ("geom", *fields) if name != self._key_name]
        return self._run(
            "UPDATE {target} t SET {assignments} FROM {stage} s"
            " WHERE t.{key} = s.{key} AND ({old}) IS DISTINCT FROM ({new})",
            assignments=sql.SQL(", ").join(sql.SQL("{0} = s.{0}").format(name) for name in changing),
            old=sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in changing),
            new=sql.SQL(", ").join(sql.SQL("s.{}").format(name) for name in changing),
        )

    def _prune(self, findings: Findings) -> int:
        """Delete what the file no longer has. A feature that was rejected is still in the file: it stays."""
        if findings.rejected_count > len(findings.rejected):
            raise ImportRefused(
                "被拒要素过多，无法判断哪些要素应删除",
                f"more than {MAX_REMARKS} features were rejected: prune would be a guess",
            )
        kept = [remark.id for remark in findings.rejected]
        self._cursor.execute(
            self._sql(
                "DELETE FROM {target} t WHERE NOT EXISTS (SELECT FROM {stage} s WHERE s.{key} = t.{key})"
                " AND NOT coalesce(t.{key}::text = ANY(%s), false)"
            ),
            (kept,),
        )
        return int(self._cursor.rowcount)

    def _refuse_ambiguous_layer(self) -> None:
        self._cursor.execute(
            self._sql("SELECT {key}::text FROM {target} WHERE {key} IS NOT NULL GROUP BY 1 HAVING count(*) > 1 LIMIT 1")
        )
        row = self._cursor.fetchone()
        if row is not None:
            raise ImportRefused(
                f"图层中标识 {row[0]} 出现多次，无法按标识更新",
                f"the layer has the key {row[0]} more than once: update is ambiguous",
            )

    def _reject_repeats(self, findings: Findings) -> None:
        """Repeats of a key after its first are kept out by name."""
        self._cursor.execute(
            self._sql(
                "DELETE FROM {stage} a USING {stage} b WHERE a.{key} = b.{key} AND a.\"#\" > b.\"#\""
                " RETURNING a.{key}::text"
            )
        )
        again = Text("标识在文件中重复，只取第一个", "its key stands in the file before; only the first was taken")
        findings.reject([Remark(row[0], again) for row in self._cursor.fetchall()])

    def _count(self, statement: str) -> int:
        self._cursor.execute(self._sql(statement))
        return int(self._cursor.fetchone()[0])

    def _run(self, statement: str, **parts: sql.Composable) -> int:
        self._cursor.execute(self._sql(statement, **parts))
        return int(self._cursor.rowcount)

    def _sql(self, statement: str, **parts: sql.Composable) -> sql.Composed:
        return sql.SQL(statement).format(stage=sql.Identifier(STAGE), target=self._target, key=self._key, **parts)
