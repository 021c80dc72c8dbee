-- The rows that an import touched, as they were before it and as it left them. `{own}`, `{past}`: the layer's tables.
-- is_now: the row's revision now, NULL where it is gone; was: the revision to put back, NULL where it was not there;
-- left_at: the revision that the import left, NULL where it deleted the row.
CREATE TEMPORARY TABLE undo_rows ON COMMIT DROP AS
WITH touched AS (
    SELECT c.seq, c.operation, r.id, r.revision
    FROM citymap.import_changes c, unnest(c.ids, c.revisions) AS r (id, revision)
    WHERE c.import = :import
), edges AS (
    SELECT DISTINCT ON (f.id) f.id, f.operation AS first_operation, f.revision AS first_revision,
           l.operation AS last_operation, l.revision AS last_revision
    FROM touched f JOIN (SELECT DISTINCT ON (id) * FROM touched ORDER BY id, seq DESC) l ON l.id = f.id
    ORDER BY f.id, f.seq
)
SELECT e.id,
       CASE first_operation WHEN 'update' THEN first_revision - 1 WHEN 'delete' THEN first_revision END AS was,
       CASE WHEN last_operation <> 'delete' THEN last_revision END AS left_at,
       t.revision AS is_now
FROM edges e LEFT JOIN {own} t ON t.id = e.id
