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

-- Row trigger before INSERT and UPDATE: a new revision, valid from this transaction on, whatever the statement says of
-- it. `greatest` keeps the states of one row in order when a transaction that began earlier waited for this row.
CREATE FUNCTION citymap.next_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.revision := 1;
        NEW.valid_from := now();
        NEW.actor := citymap.actor();
        RETURN NEW;
    END IF;
    NEW.id := OLD.id;
    NEW.revision := OLD.revision + 1;
    NEW.valid_from := greatest(now(), OLD.valid_from + interval '1 microsecond');
    NEW.actor := citymap.actor();
    RETURN NEW;
END $$;

CREATE FUNCTION citymap.refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE would lose the history of %', TG_RELID::regclass USING HINT = 'Use DELETE: it keeps the history.';
END $$;

-- Writes the boxes of the rows in `changed` (columns geom). Above 1 000 rows neighbours share a box of a
-- 0.02 degree cell, about a tile of zoom 14.
CREATE FUNCTION citymap.log_boxes(layer_id text, boxes box2d[]) RETURNS void LANGUAGE sql AS $$
    WITH box AS (
        SELECT st_xmin(b) AS west, st_ymin(b) AS south, st_xmax(b) AS east, st_ymax(b) AS north
        FROM unnest(boxes) AS b WHERE b IS NOT NULL
    )
    INSERT INTO citymap.dirty (layer, west, south, east, north)
    SELECT layer_id, min(west), min(south), max(east), max(north) FROM box
    GROUP BY CASE WHEN cardinality(boxes) > 1000 THEN floor(west / 0.02) ELSE west END,
             CASE WHEN cardinality(boxes) > 1000 THEN floor(south / 0.02) ELSE south END,
             CASE WHEN cardinality(boxes) > 1000 THEN 0 ELSE east END,
             CASE WHEN cardinality(boxes) > 1000 THEN 0 ELSE north END
$$;

-- Statement trigger after INSERT, UPDATE or DELETE; its argument is the layer's id.
CREATE FUNCTION citymap.after_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    layer_id text := TG_ARGV[0];
    srid int;
    box text;
    boxes box2d[] := '{}';
    more box2d[];
    changed bigint;
BEGIN
    SELECT l.srid INTO srid FROM citymap.layers l WHERE l.id = layer_id;
    box := CASE WHEN srid = 4490 THEN 'box2d(geom)' ELSE 'box2d(ST_Transform(geom, 4490))' END;
    IF TG_OP <> 'INSERT' THEN
        EXECUTE format('SELECT array_agg(%s), count(*) FROM old_rows', box) INTO boxes, changed;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        EXECUTE format('SELECT array_agg(%s), count(*) FROM new_rows', box) INTO more, changed;
    END IF;
    IF changed = 0 THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        EXECUTE format('INSERT INTO history.%I SELECT n.valid_from, citymap.actor(), ''update'', o.* '
                       'FROM old_rows o JOIN new_rows n USING (id)', TG_TABLE_NAME);
    ELSIF TG_OP = 'DELETE' THEN
        EXECUTE format('INSERT INTO history.%I SELECT greatest(now(), o.valid_from), citymap.actor(), ''delete'', o.* '
                       'FROM old_rows o', TG_TABLE_NAME);
    END IF;
    IF TG_OP <> 'UPDATE' THEN
        INSERT INTO citymap.row_deltas VALUES (layer_id, CASE TG_OP WHEN 'INSERT' THEN changed ELSE -changed END);
    END IF;
    PERFORM citymap.log_boxes(layer_id, boxes || more);
    IF more IS NOT NULL THEN
        PERFORM citymap.widen_extent(layer_id, more);
    END IF;
    PERFORM pg_notify('citymap_dirty', layer_id);
    RETURN NULL;
END $$;

-- The catalogue's extent grows with the data; it is written only when a box lies outside it.
CREATE FUNCTION citymap.widen_extent(layer_id text, boxes box2d[]) RETURNS void LANGUAGE sql AS $$
    WITH new AS (
        SELECT min(st_xmin(b)) AS west, min(st_ymin(b)) AS south, max(st_xmax(b)) AS east, max(st_ymax(b)) AS north
        FROM unnest(boxes) AS b
    )
    UPDATE citymap.layers l
    SET extent = ARRAY[least(west, l.extent[1]), least(south, l.extent[2]),
                       greatest(east, l.extent[3]), greatest(north, l.extent[4])],
        updated = now()
    FROM new
    WHERE l.id = layer_id AND west IS NOT NULL
      AND (l.extent IS NULL OR west < l.extent[1] OR south < l.extent[2] OR east > l.extent[3] OR north > l.extent[4])
$$;

-- Any change of the catalogue wakes every worker.
CREATE FUNCTION citymap.catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('citymap_catalogue', '');
    RETURN NULL;
END $$;
