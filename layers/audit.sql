-- 审计 audit: who did what, when and from where; entries are only ever appended, and sealed into a chain of hashes.
--
-- A transaction says who acts by citymap.actor and citymap.request (see layers/database.py). What it cannot choose is
-- the entry's id, its time, and the database role that it connected as. geoserver/audit/ seals and verifies.

CREATE SCHEMA audit;

CREATE TABLE audit.entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    login text NOT NULL DEFAULT session_user,
    -- NULL where nobody was named, as in an edit by plain SQL: then login tells.
    actor text, via text, address text, request text,
    action text NOT NULL CHECK (action ~ '^[a-z][a-z-]{0,39}$'),
    -- What was acted on: layer, process, account, key …, and which one.
    kind text, object text,
    row_count bigint CHECK (row_count >= 0),
    row_ids bigint[] CHECK (cardinality(row_ids) <= 100),
    outcome text NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
    detail jsonb CHECK (octet_length(detail::text) <= 4096)
);
CREATE INDEX entries_at ON audit.entries USING brin (at);
CREATE INDEX entries_actor ON audit.entries (actor, id);
CREATE INDEX entries_object ON audit.entries (object, id);
CREATE INDEX entries_action ON audit.entries (action, id);
CREATE INDEX entries_request ON audit.entries (request) WHERE request IS NOT NULL;

-- Entries that wait for their link. Sealing takes what is committed and stands here, so it neither waits for a long
-- transaction nor skips one that commits late.
CREATE TABLE audit.unsealed (entry bigint NOT NULL);

-- The chain. digest: of the entry's canonical bytes; hash: of the link's, which name the digest and the hash of the link
-- before it (docs/audit.md has both forms). Each link says by which algorithm, so that a change keeps older ones valid.
CREATE TABLE audit.links (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    entry bigint NOT NULL UNIQUE,
    sealed timestamptz NOT NULL,
    algorithm text NOT NULL CHECK (algorithm IN ('sha256', 'sm3')),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

-- --- Only ever appended ---------------------------------------------------------------------------------------------
-- These triggers bind the owner too. A superuser can take them away: what is done then, the chain shows.

CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the audit log is only ever appended to', TG_OP, TG_RELID::regclass
        USING ERRCODE = 'insufficient_privilege', HINT = '`citymap audit prune` removes what is older than it must be kept.';
END $$;

-- DELETE is for pruning alone: within the transaction that wrote a 'prune' entry, up to the link that the entry names,
-- and nothing that is younger than six months.
CREATE FUNCTION audit.refuse_unless_pruned() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    pruned bigint := (SELECT (e.detail ->> 'upto')::bigint FROM audit.entries e
                      WHERE e.action = 'prune' AND e.xmin = pg_current_xact_id()::xid ORDER BY e.id DESC LIMIT 1);
    kept bigint;
BEGIN
    IF TG_TABLE_NAME = 'links' THEN
        SELECT count(*) INTO kept FROM old_rows o
        WHERE pruned IS NULL OR o.seq > pruned OR o.sealed > now() - interval '183 days';
    ELSE
        SELECT count(*) INTO kept FROM old_rows o LEFT JOIN audit.links l ON l.entry = o.id
        WHERE pruned IS NULL OR l.seq IS NULL OR l.seq > pruned OR l.sealed > now() - interval '183 days';
    END IF;
    IF kept > 0 THEN
        RAISE EXCEPTION 'DELETE of % is refused: the audit log is only ever appended to', TG_RELID::regclass
            USING ERRCODE = 'insufficient_privilege', HINT = '`citymap audit prune` removes what is older than it must be kept.';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER refuse_update BEFORE UPDATE ON audit.entries EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER refuse_update BEFORE UPDATE ON audit.links EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit.entries EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit.links EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER refuse_delete AFTER DELETE ON audit.entries REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_unless_pruned();
CREATE TRIGGER refuse_delete AFTER DELETE ON audit.links REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_unless_pruned();
-- ALWAYS: session_replication_role does not pass them by.
ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER refuse_update, ENABLE ALWAYS TRIGGER refuse_truncate,
    ENABLE ALWAYS TRIGGER refuse_delete;
ALTER TABLE audit.links ENABLE ALWAYS TRIGGER refuse_update, ENABLE ALWAYS TRIGGER refuse_truncate,
    ENABLE ALWAYS TRIGGER refuse_delete;

-- --- Appending ------------------------------------------------------------------------------------------------------

CREATE FUNCTION audit.record(
    action text, kind text, object text, row_count bigint, row_ids bigint[], outcome text, detail jsonb
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    request jsonb := nullif(current_setting('citymap.request', true), '')::jsonb;
BEGIN
    IF octet_length(detail::text) > 4096 THEN
        detail := jsonb_build_object('cut', left(detail::text, 900), 'bytes', octet_length(detail::text));
    END IF;
    WITH added AS (
        INSERT INTO audit.entries (actor, via, address, request, action, kind, object, row_count, row_ids, outcome, detail)
        VALUES (left(nullif(current_setting('citymap.actor', true), ''), 200), left(request ->> 'via', 200),
                left(request ->> 'address', 100), left(request ->> 'id', 100), record.action, left(record.kind, 100),
                left(record.object, 300), record.row_count, record.row_ids[:100], record.outcome, record.detail)
        RETURNING id
    )
    INSERT INTO audit.unsealed SELECT id FROM added;
END $$;

-- The one way in for the server's roles.
CREATE FUNCTION audit.append(
    action text, kind text DEFAULT NULL, object text DEFAULT NULL, row_count bigint DEFAULT NULL,
    row_ids bigint[] DEFAULT NULL, outcome text DEFAULT 'done', detail jsonb DEFAULT NULL
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF action = 'prune' THEN
        RAISE EXCEPTION 'only `citymap audit prune` writes prune entries' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM audit.record(action, kind, object, row_count, row_ids, outcome, detail);
END $$;

-- --- Edits, by whatever road ----------------------------------------------------------------------------------------

-- Statement trigger of feature tables; its argument is the layer's id. One entry per statement that changed rows.
CREATE FUNCTION audit.after_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    changed bigint;
    ids bigint[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT count(*), (SELECT array_agg(few.id) FROM (SELECT id FROM old_rows LIMIT 100) few) INTO changed, ids FROM old_rows;
    ELSE
        SELECT count(*), (SELECT array_agg(few.id) FROM (SELECT id FROM new_rows LIMIT 100) few) INTO changed, ids FROM new_rows;
    END IF;
    IF changed > 0 THEN
        PERFORM audit.record(CASE TG_OP WHEN 'INSERT' THEN 'create' ELSE lower(TG_OP) END, 'layer', TG_ARGV[0],
                             changed, ids, 'done', NULL);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION audit.watch_table(layer citymap.layers) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    event record;
BEGIN
    IF to_regclass(format('city.%I', layer.table_name)) IS NULL THEN
        RETURN;
    END IF;
    FOR event IN SELECT * FROM (VALUES ('INSERT', 'NEW TABLE AS new_rows'), ('DELETE', 'OLD TABLE AS old_rows'),
                                       ('UPDATE', 'NEW TABLE AS new_rows')) AS e (name, rows) LOOP
        EXECUTE format('CREATE TRIGGER audit_%s AFTER %s ON city.%I REFERENCING %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION audit.after_change(%L)',
                       lower(event.name), event.name, layer.table_name, event.rows, layer.id);
    END LOOP;
END $$;

-- After make_layer, which comes before it in the alphabet, has made the table.
CREATE FUNCTION audit.watch_layer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM audit.watch_table(NEW);
    RETURN NULL;
END $$;
CREATE TRIGGER watch_layer AFTER INSERT ON citymap.layers FOR EACH ROW EXECUTE FUNCTION audit.watch_layer();

SELECT audit.watch_table(l) FROM citymap.layers l;

-- --- Layers' definitions, and who may do what -----------------------------------------------------------------------

-- Row trigger; its arguments are the object's kind and the columns that name it. Of an UPDATE the changed columns are
-- kept, before and after; of an account only those that hold no secret.
CREATE FUNCTION audit.after_administration() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    present jsonb := coalesce(after, before);
    object text := (SELECT string_agg(present ->> name, ' ' ORDER BY n)
                    FROM unnest(TG_ARGV[1:]) WITH ORDINALITY AS t (name, n));
    changes jsonb;
BEGIN
    SELECT jsonb_object_agg(key, jsonb_build_array(before -> key, after -> key)) INTO changes
    FROM jsonb_object_keys(present) AS key
    WHERE TG_OP = 'UPDATE' AND before -> key IS DISTINCT FROM after -> key AND key <> 'updated'
      AND key !~ 'hash|password|secret|totp|token' AND (TG_ARGV[0] <> 'account' OR key IN ('name', 'disabled'));
    IF TG_OP <> 'UPDATE' OR changes IS NOT NULL THEN
        PERFORM audit.record('administer', TG_ARGV[0], object, NULL, NULL, 'done',
            jsonb_build_object('change', CASE TG_OP WHEN 'INSERT' THEN 'create' ELSE lower(TG_OP) END)
            || CASE WHEN changes IS NULL THEN '{}' ELSE jsonb_build_object('fields', changes) END);
    END IF;
    RETURN NULL;
END $$;

-- An edit that widens a layer's extent is no administration: extent and updated are not named here.
CREATE TRIGGER audit_administration AFTER INSERT OR DELETE OR UPDATE OF id, title, description, keywords, kind, table_name,
    geometry_type, srid, fields, style, visibility, editable, time_field, source, licence ON citymap.layers
    FOR EACH ROW EXECUTE FUNCTION audit.after_administration('layer', 'id');
CREATE TRIGGER audit_administration AFTER INSERT OR UPDATE OR DELETE ON access.roles
    FOR EACH ROW EXECUTE FUNCTION audit.after_administration('role', 'id');
CREATE TRIGGER audit_administration AFTER INSERT OR UPDATE OR DELETE ON access.departments
    FOR EACH ROW EXECUTE FUNCTION audit.after_administration('department', 'id');
CREATE TRIGGER audit_administration AFTER INSERT OR UPDATE OR DELETE ON access.permissions
    FOR EACH ROW EXECUTE FUNCTION audit.after_administration('permission', 'role', 'kind', 'resource', 'action');
CREATE TRIGGER audit_administration AFTER INSERT OR UPDATE OR DELETE ON access.memberships
    FOR EACH ROW EXECUTE FUNCTION audit.after_administration('membership', 'account', 'role', 'department', 'area');
CREATE TRIGGER audit_administration AFTER INSERT OR DELETE OR UPDATE OF name, disabled ON access.accounts
    FOR EACH ROW EXECUTE FUNCTION audit.after_administration('account', 'name');

-- --- The roles of the database --------------------------------------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO citymap_app, citymap_access;
GRANT EXECUTE ON FUNCTION audit.append TO citymap_app, citymap_access;
GRANT SELECT ON audit.entries, audit.links, audit.unsealed TO citymap_access;
-- Who verifies the log looks whether each table has its triggers: their names, no row of them.
GRANT USAGE ON SCHEMA city TO citymap_access;
