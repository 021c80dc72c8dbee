-- Names for instants of layers, and what each import did, so that it can be taken back.

-- --- 命名版本 named versions --------------------------------------------------------------------------------------------

CREATE TABLE citymap.versions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
    at timestamptz NOT NULL,
    note text NOT NULL DEFAULT '',
    actor text NOT NULL DEFAULT citymap.actor(),
    created timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE citymap.version_layers (
    version bigint NOT NULL REFERENCES citymap.versions ON DELETE CASCADE,
    layer text NOT NULL REFERENCES citymap.layers ON DELETE CASCADE,
    PRIMARY KEY (version, layer)
);
CREATE INDEX version_layers_layer ON citymap.version_layers (layer);

-- Up to which instant the states of a layer stay as they are, whoever commits later.
CREATE TABLE citymap.seals (layer text PRIMARY KEY REFERENCES citymap.layers ON DELETE CASCADE, at timestamptz NOT NULL);

-- Waits until nobody is writing to the layers, and has later writes count after `wanted`, or after now where it is NULL.
CREATE FUNCTION citymap.seal(layer_ids text[], wanted timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found citymap.layers;
    instant timestamptz;
BEGIN
    FOR found IN SELECT * FROM citymap.layers WHERE id = ANY (layer_ids) ORDER BY id LOOP
        IF (SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = format('city.%I', found.table_name)::regclass) THEN
            EXECUTE format('LOCK TABLE city.%I IN SHARE MODE', found.table_name);
        END IF;
    END LOOP;
    instant := least(coalesce(wanted, clock_timestamp()), clock_timestamp());
    INSERT INTO citymap.seals AS s SELECT id, instant FROM citymap.layers WHERE id = ANY (layer_ids)
    ON CONFLICT (layer) DO UPDATE SET at = greatest(s.at, excluded.at);
    RETURN instant;
END $$;

-- Gives a version its instant, now or an earlier one, from which on the states of its layers stay as they are. A version
-- has one instant: this is for one that is being made.
CREATE FUNCTION citymap.date_version(asked bigint, wanted timestamptz) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    instant timestamptz;
BEGIN
    IF NOT EXISTS (SELECT FROM citymap.versions WHERE id = asked AND created = now() AND actor = citymap.actor()) THEN
        RAISE EXCEPTION 'version % has its instant', asked;
    END IF;
    instant := citymap.seal(ARRAY(SELECT layer FROM citymap.version_layers WHERE version = asked), wanted);
    UPDATE citymap.versions SET at = instant WHERE id = asked;
    RETURN instant;
END $$;

-- Statement trigger before INSERT, UPDATE and DELETE, its argument the layer's id: tells the row triggers of the seal.
CREATE FUNCTION citymap.heed_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    sealed timestamptz := (SELECT at FROM citymap.seals WHERE layer = TG_ARGV[0]);
BEGIN
    IF sealed IS NOT NULL THEN
        PERFORM set_config('citymap.sealed_' || TG_RELID, sealed::text, true);
    END IF;
    RETURN NULL;
END $$;

-- --- 导入 imports -----------------------------------------------------------------------------------------------------

-- One row for each layer that a file went into, and for each time that such a load was taken back.
CREATE TABLE citymap.imports (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer text NOT NULL REFERENCES citymap.layers ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL DEFAULT citymap.actor(),
    file text,
    mode text NOT NULL CHECK (mode IN ('append', 'replace', 'update', 'undo')),
    inserted bigint NOT NULL DEFAULT 0,
    updated bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    deleted bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    undoes bigint REFERENCES citymap.imports,
    undone_by bigint REFERENCES citymap.imports,
    CHECK ((mode = 'undo') = (undoes IS NOT NULL))
);
CREATE INDEX imports_layer ON citymap.imports (layer, id);

-- What each statement of an import did: ids of rows, and the revision that it made (of a deleted row: that it ended).
CREATE TABLE citymap.import_changes (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import bigint NOT NULL REFERENCES citymap.imports ON DELETE CASCADE,
    operation text NOT NULL,
    ids bigint[] NOT NULL,
    revisions bigint[] NOT NULL
);
CREATE INDEX import_changes_import ON citymap.import_changes (import);

-- Statement triggers after an edit, while citymap.import tells the number of an import into this layer.
CREATE FUNCTION citymap.note_import() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    asked bigint := current_setting('citymap.import')::bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM citymap.imports WHERE id = asked AND layer = TG_ARGV[0]) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        INSERT INTO citymap.import_changes (import, operation, ids, revisions)
        SELECT asked, 'delete', array_agg(id), array_agg(revision) FROM old_rows HAVING count(*) > 0;
    ELSE
        INSERT INTO citymap.import_changes (import, operation, ids, revisions)
        SELECT asked, lower(TG_OP), array_agg(id), array_agg(revision) FROM new_rows HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;

-- --- Both, on the tables of layers ------------------------------------------------------------------------------------

CREATE FUNCTION citymap.keep_versions(layer citymap.layers) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own text := format('city.%I', layer.table_name);
    event record;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = to_regclass(own)) IS DISTINCT FROM 'r' THEN
        RETURN;  -- a view: its states are those of what it shows
    END IF;
    EXECUTE format('CREATE TRIGGER heed_seal BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT '
                   'EXECUTE FUNCTION citymap.heed_seal(%L)', own, layer.id);
    FOR event IN SELECT * FROM (VALUES ('INSERT', 'NEW TABLE AS new_rows'), ('DELETE', 'OLD TABLE AS old_rows'),
                                       ('UPDATE', 'NEW TABLE AS new_rows')) AS e (name, rows) LOOP
        EXECUTE format('CREATE TRIGGER import_%s AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT '
                       'WHEN (current_setting(''citymap.import'', true) <> '''') EXECUTE FUNCTION citymap.note_import(%L)',
                       lower(event.name), event.name, own, event.rows, layer.id);
    END LOOP;
    -- What began or ended between two instants; rows come in that order, so that a summary of blocks finds them.
    EXECUTE format('CREATE INDEX ON %s USING brin (valid_from)', own);
    EXECUTE format('CREATE INDEX ON history.%I USING brin (valid_to)', layer.table_name);
END $$;

-- After make_layer, which comes before it in the alphabet, has made the table.
CREATE FUNCTION citymap.version_layer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM citymap.keep_versions(NEW);
    RETURN NULL;
END $$;
CREATE TRIGGER version_layer AFTER INSERT ON citymap.layers FOR EACH ROW EXECUTE FUNCTION citymap.version_layer();
SELECT citymap.keep_versions(l) FROM citymap.layers l;

-- --- Who may see and write them: whoever sees the layer; to give a name to its states needs its management ----------------

ALTER TABLE citymap.versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE citymap.versions FORCE ROW LEVEL SECURITY;
ALTER TABLE citymap.version_layers ENABLE ROW LEVEL SECURITY;
ALTER TABLE citymap.version_layers FORCE ROW LEVEL SECURITY;
ALTER TABLE citymap.imports ENABLE ROW LEVEL SECURITY;
ALTER TABLE citymap.imports FORCE ROW LEVEL SECURITY;
ALTER TABLE citymap.import_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE citymap.import_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON citymap.versions TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY steward ON citymap.version_layers TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY steward ON citymap.imports TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY steward ON citymap.import_changes TO CURRENT_USER USING (true) WITH CHECK (true);

-- Whether the principal manages every layer of a version, those that it does not see among them.
CREATE FUNCTION citymap.rules_version(asked bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM citymap.version_layers v JOIN citymap.layers l ON l.id = v.layer
                       WHERE v.version = asked AND NOT citymap.granted_everywhere(l.id, l.visibility, 'manage'));
END $$;

CREATE POLICY reading ON citymap.version_layers FOR SELECT TO citymap_app
    USING (EXISTS (SELECT FROM citymap.layers l WHERE l.id = layer));
CREATE POLICY naming ON citymap.version_layers FOR INSERT TO citymap_app WITH CHECK
    (EXISTS (SELECT FROM citymap.layers l WHERE l.id = layer AND citymap.granted_everywhere(l.id, l.visibility, 'manage')));
-- A name is its maker's until its layers stand beside it.
CREATE POLICY reading ON citymap.versions FOR SELECT TO citymap_app USING
    (EXISTS (SELECT FROM citymap.version_layers v WHERE v.version = id) OR created = now() AND actor = citymap.actor());
CREATE POLICY naming ON citymap.versions FOR INSERT TO citymap_app WITH CHECK (actor = citymap.actor());
CREATE POLICY deleting ON citymap.versions FOR DELETE TO citymap_app USING (citymap.rules_version(id));
CREATE POLICY reading ON citymap.imports FOR SELECT TO citymap_app
    USING (EXISTS (SELECT FROM citymap.layers l WHERE l.id = layer));
CREATE POLICY noting ON citymap.imports FOR INSERT TO citymap_app
    WITH CHECK (actor = citymap.actor() AND EXISTS (SELECT FROM citymap.layers l WHERE l.id = layer));
CREATE POLICY counting ON citymap.imports FOR UPDATE TO citymap_app
    USING (EXISTS (SELECT FROM citymap.layers l WHERE l.id = layer));
CREATE POLICY reading ON citymap.import_changes FOR SELECT TO citymap_app
    USING (EXISTS (SELECT FROM citymap.imports i WHERE i.id = import));
GRANT SELECT, INSERT, DELETE ON citymap.versions TO citymap_app;
GRANT SELECT, INSERT ON citymap.version_layers, citymap.imports TO citymap_app;
GRANT UPDATE (inserted, updated, unchanged, deleted, rejected, undone_by) ON citymap.imports TO citymap_app;
GRANT SELECT ON citymap.import_changes TO citymap_app;
REVOKE EXECUTE ON FUNCTION citymap.seal, citymap.heed_seal, citymap.note_import, citymap.keep_versions, citymap.version_layer FROM PUBLIC;

CREATE TRIGGER audit_administration AFTER INSERT OR DELETE ON citymap.versions
    FOR EACH ROW EXECUTE FUNCTION audit.after_administration('version', 'name');
