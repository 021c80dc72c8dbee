-- Exchange with other systems: what a layer's metadata say, and which features changed, in which transaction.

-- Metadata beside title, keywords, source and licence: see layers/exchange/records/model.py.
ALTER TABLE citymap.layers ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
ALTER TABLE citymap.layers ADD COLUMN created timestamptz NOT NULL DEFAULT now();

-- 变更日志 The change log: the features that a statement touched. Not `seq` tells what a reader has seen, since of two
-- transactions the later number may be the first to commit, but `tx` and the reader's last snapshot.
CREATE TABLE citymap.changes (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer text NOT NULL,
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    operation text NOT NULL CHECK (operation IN ('insert', 'update', 'delete')),
    ids bigint[] NOT NULL
);
CREATE INDEX changes_layer ON citymap.changes (layer, tx, seq);
CREATE INDEX changes_at ON citymap.changes USING brin (at);
-- Up to which transaction the log was cut: who has not seen that must copy the layer anew.
CREATE TABLE citymap.changes_cut (tx xid8 NOT NULL);
INSERT INTO citymap.changes_cut VALUES ('0');
GRANT SELECT ON citymap.changes, citymap.changes_cut TO citymap_app;

-- When a layer was made: one of the same id that was made later is another.
CREATE FUNCTION citymap.layer_created(layer_id text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (SELECT created FROM citymap.layers WHERE id = layer_id);

-- A statement's features, a thousand in a row of the log.
CREATE FUNCTION citymap.log_changes(layer_id text, change text, touched bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO citymap.changes (layer, operation, ids)
    SELECT layer_id, change, array_agg(id ORDER BY n) FROM unnest(touched) WITH ORDINALITY AS t (id, n) GROUP BY (n - 1) / 1000
$$;

-- Statement trigger beside citymap.after_change, which keeps history and dirty boxes; its argument is the layer's id.
CREATE FUNCTION citymap.note_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    touched bigint[];
BEGIN
    EXECUTE format('SELECT array_agg(id) FROM %s', CASE TG_OP WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END) INTO touched;
    IF touched IS NOT NULL THEN
        PERFORM citymap.log_changes(TG_ARGV[0], lower(TG_OP), touched);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION citymap.follow_changes(layer citymap.layers) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    event record;
BEGIN
    FOR event IN SELECT * FROM (VALUES ('INSERT', 'NEW TABLE AS new_rows'), ('DELETE', 'OLD TABLE AS old_rows'),
                                       ('UPDATE', 'NEW TABLE AS new_rows')) AS e (name, tables) LOOP
        EXECUTE format('CREATE TRIGGER note_%s AFTER %s ON city.%I REFERENCING %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION citymap.note_changes(%L)', lower(event.name), event.name, layer.table_name,
                       event.tables, layer.id);
    END LOOP;
END $$;

-- After make_layer, by name, which makes the table; layers that are views have none.
CREATE FUNCTION citymap.make_layer_followed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(format('city.%I', NEW.table_name)) AND relkind = 'r') THEN
        PERFORM citymap.follow_changes(NEW);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER make_layer_followed AFTER INSERT ON citymap.layers FOR EACH ROW
    EXECUTE FUNCTION citymap.make_layer_followed();

-- Only tables of which every edit comes by the ordinary road: views, and the partitioned tables of vehicles, do not.
SELECT citymap.follow_changes(l) FROM citymap.layers l WHERE EXISTS (
    SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass(format('city.%I', l.table_name))
    AND t.tgfoid = 'citymap.after_change'::regproc);

CREATE FUNCTION citymap.tidy_feed() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (DELETE FROM citymap.changes WHERE at < now() - interval '90 days' RETURNING tx)
    UPDATE citymap.changes_cut c SET tx = greatest(c.tx, g.tx)
    FROM (SELECT tx FROM gone ORDER BY tx DESC LIMIT 1) g;
$$;

CREATE OR REPLACE FUNCTION citymap.tidy() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT citymap.tidy_changes();
    SELECT citymap.tidy_names();
    SELECT citymap.tidy_feed();
$$;

REVOKE EXECUTE ON FUNCTION citymap.log_changes, citymap.note_changes, citymap.follow_changes,
    citymap.make_layer_followed, citymap.tidy_feed FROM PUBLIC;

-- 代理 Layers of other servers, shown as collections of this one: see layers/exchange/proxies/model.py. Whoever may read or
-- manage a layer of that id and visibility may this one.
CREATE TABLE citymap.proxies (
    id text PRIMARY KEY,
    visibility text NOT NULL CHECK (visibility IN ('public', 'internal', 'sensitive', 'core')),
    definition jsonb NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    updated timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE citymap.proxies ENABLE ROW LEVEL SECURITY;
ALTER TABLE citymap.proxies FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON citymap.proxies TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY everything ON citymap.proxies FOR SELECT TO citymap_access USING (true);
CREATE POLICY reading ON citymap.proxies FOR SELECT TO citymap_app
    USING (visibility = 'public' OR EXISTS (SELECT FROM citymap.granted(id, visibility, 'read')));
CREATE POLICY creating ON citymap.proxies FOR INSERT TO citymap_app
    WITH CHECK (citymap.granted_everywhere(id, visibility, 'manage'));
CREATE POLICY deleting ON citymap.proxies FOR DELETE TO citymap_app
    USING (citymap.granted_everywhere(id, visibility, 'manage'));
GRANT SELECT, INSERT, DELETE ON citymap.proxies TO citymap_app;
GRANT SELECT ON citymap.proxies TO citymap_access;

CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON citymap.proxies
    FOR EACH STATEMENT EXECUTE FUNCTION citymap.catalogue_changed();
CREATE TRIGGER audit_administration AFTER INSERT OR UPDATE OR DELETE ON citymap.proxies
    FOR EACH ROW EXECUTE FUNCTION audit.after_administration('proxy', 'id');

-- A collection is either: one id means one thing.
CREATE FUNCTION citymap.one_collection() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('collection ' || NEW.id));
    IF NEW.id = 'records' OR (TG_TABLE_NAME = 'proxies' AND EXISTS (SELECT FROM citymap.layers WHERE id = NEW.id))
        OR (TG_TABLE_NAME = 'layers' AND EXISTS (SELECT FROM citymap.proxies WHERE id = NEW.id)) THEN
        RAISE EXCEPTION 'there is a collection % already', NEW.id USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_collection BEFORE INSERT ON citymap.proxies FOR EACH ROW EXECUTE FUNCTION citymap.one_collection();
CREATE TRIGGER one_collection BEFORE INSERT ON citymap.layers FOR EACH ROW EXECUTE FUNCTION citymap.one_collection();
REVOKE EXECUTE ON FUNCTION citymap.one_collection FROM PUBLIC;
