-- What happens beside every edit of a feature table, by whatever road it comes: history, dirty boxes, row counts.

CREATE SCHEMA IF NOT EXISTS citymap;
CREATE SCHEMA IF NOT EXISTS city;
CREATE SCHEMA IF NOT EXISTS history;

-- Old and new boxes of changed rows, CGCS2000 degrees. A reader takes rows whose tx is below the xmin of its snapshot,
-- so that a transaction that commits late is not skipped.
CREATE TABLE citymap.dirty (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer text NOT NULL,
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    west float8 NOT NULL, south float8 NOT NULL, east float8 NOT NULL, north float8 NOT NULL
);
CREATE INDEX dirty_tx ON citymap.dirty (tx);

-- The row count of a layer is the sum of its deltas: concurrent edits never wait for each other.
CREATE TABLE citymap.row_deltas (layer text NOT NULL, delta bigint NOT NULL);
CREATE INDEX row_deltas_layer ON citymap.row_deltas (layer) INCLUDE (delta);

CREATE FUNCTION citymap.row_count(layer_id text) RETURNS bigint LANGUAGE sql STABLE
RETURN (SELECT coalesce(sum(delta), 0)::bigint FROM citymap.row_deltas WHERE layer = layer_id);

-- Fold the deltas of layers that have at least so many into one row each. Deltas committed meanwhile stay beside it.
CREATE FUNCTION citymap.fold_row_deltas(at_least bigint DEFAULT 100) RETURNS void LANGUAGE sql AS $$
    WITH long AS (SELECT layer FROM citymap.row_deltas GROUP BY layer HAVING count(*) >= at_least),
    gone AS (DELETE FROM citymap.row_deltas d USING long WHERE d.layer = long.layer RETURNING d.layer, d.delta)
    INSERT INTO citymap.row_deltas SELECT layer, sum(delta) FROM gone GROUP BY layer HAVING sum(delta) <> 0
$$;

-- Housekeeping, called now and then: folded counts, and dirty boxes that no reader can still be waiting for.
CREATE FUNCTION citymap.tidy() RETURNS void LANGUAGE sql AS $$
    SELECT citymap.fold_row_deltas();
    DELETE FROM citymap.dirty WHERE at < now() - interval '7 days';
$$;

CREATE FUNCTION citymap.actor() RETURNS text LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('citymap.actor', true), ''), session_user::text);

CREATE FUNCTION citymap.refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE would lose the history of %', TG_RELID::regclass USING HINT = 'Use DELETE: it keeps the history.';
END $$;

-- Writes the boxes of the rows in `changed` (columns geom). Above 1 000 rows neighbours share a box of a
-- 0.02 degree cell, about a tile of zoom 14.
CREATE FUNCTION citymap.log_boxes(layer_id text, boxes box2d[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(boxes) = 1 THEN
        IF boxes[1] IS NOT NULL THEN
            INSERT INTO citymap.dirty (layer, west, south, east, north)
            VALUES (layer_id, st_xmin(boxes[1]), st_ymin(boxes[1]), st_xmax(boxes[1]), st_ymax(boxes[1]));
        END IF;
        RETURN;
    END IF;
    WITH box AS (
        SELECT st_xmin(b) AS west, st_ymin(b) AS south, st_xmax(b) AS east, st_ymax(b) AS north
        FROM unnest(boxes) AS b WHERE b IS NOT NULL
    )
    INSERT INTO citymap.dirty (layer, west, south, east, north)
    SELECT layer_id, min(box.west), min(box.south), max(box.east), max(box.north) FROM box
    GROUP BY CASE WHEN cardinality(boxes) > 1000 THEN floor(box.west / 0.02) ELSE box.west END,
             CASE WHEN cardinality(boxes) > 1000 THEN floor(box.south / 0.02) ELSE box.south END,
             CASE WHEN cardinality(boxes) > 1000 THEN 0 ELSE box.east END,
             CASE WHEN cardinality(boxes) > 1000 THEN 0 ELSE box.north END;
END $$;

-- The catalogue's extent grows with the data. It is written only when a box lies outside it: a statement on the catalogue,
-- even one that finds nothing to change, wakes every worker.
CREATE FUNCTION citymap.widen_extent(layer_id text, boxes box2d[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    w float8; s float8; e float8; n float8;
BEGIN
    SELECT min(st_xmin(b)), min(st_ymin(b)), max(st_xmax(b)), max(st_ymax(b)) INTO w, s, e, n FROM unnest(boxes) AS b;
    IF w IS NULL OR EXISTS (
        SELECT FROM citymap.layers l
        WHERE l.id = layer_id AND w >= l.extent[1] AND s >= l.extent[2] AND e <= l.extent[3] AND n <= l.extent[4]) THEN
        RETURN;
    END IF;
    UPDATE citymap.layers l
    SET extent = ARRAY[least(w, l.extent[1]), least(s, l.extent[2]), greatest(e, l.extent[3]), greatest(n, l.extent[4])],
        updated = now()
    WHERE l.id = layer_id;
END $$;

-- Any change of the catalogue wakes every worker.
CREATE FUNCTION citymap.catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('citymap_catalogue', '');
    RETURN NULL;
END $$;
