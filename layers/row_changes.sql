-- The triggers of feature tables that give rows their revisions and write history. Made with the foundation, and again by
-- later migrations where they have changed.

-- The first instant at which an edit of the present transaction may count for a table: its beginning, but behind every
-- instant to which a name was given (layers/versions/versions.sql), for a named state is never changed by a transaction
-- that began before and wrote later.
CREATE OR REPLACE FUNCTION citymap.edited_at(place oid) RETURNS timestamptz LANGUAGE sql STABLE
RETURN greatest(now(), nullif(current_setting('citymap.sealed_' || place, true), '')::timestamptz + interval '1 microsecond');

-- Row trigger before INSERT and UPDATE: a new revision, valid from this transaction on, whatever the statement says of
-- it. `greatest` keeps the states of one row in order when a transaction that began earlier waited for this row.
CREATE OR REPLACE FUNCTION citymap.next_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.revision := 1;
        NEW.valid_from := citymap.edited_at(TG_RELID);
        -- A row that comes back goes on where it was, so that no entity tag and no instant means two states of it.
        IF current_setting('citymap.restoring', true) = 'on' THEN
            EXECUTE format('SELECT 1 + coalesce(max(revision), 0), greatest(max(valid_to), $2) FROM history.%I WHERE id = $1',
                           TG_TABLE_NAME) INTO NEW.revision, NEW.valid_from USING NEW.id, NEW.valid_from;
        END IF;
        NEW.actor := citymap.actor();
        RETURN NEW;
    END IF;
    NEW.id := OLD.id;
    NEW.revision := OLD.revision + 1;
    NEW.valid_from := greatest(citymap.edited_at(TG_RELID), OLD.valid_from + interval '1 microsecond');
    NEW.actor := citymap.actor();
    RETURN NEW;
END $$;

-- Statement trigger after INSERT, UPDATE or DELETE; its argument is the layer's id.
CREATE OR REPLACE FUNCTION citymap.after_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
        EXECUTE format('INSERT INTO history.%I SELECT greatest(citymap.edited_at(%s), o.valid_from), citymap.actor(), ''delete'', o.* '
                       'FROM old_rows o', TG_TABLE_NAME, TG_RELID);
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
