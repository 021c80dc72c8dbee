-- Who may see and change which rows: roles of the field as data, and row-level security made from the catalogue.
--
-- The server's connections are of role citymap_app, which owns nothing and is bound by every policy. A transaction
-- tells who acts by citymap.actor (an account) and citymap.grants (JSON; see layers/access.py), with SET LOCAL.

CREATE SCHEMA access;

CREATE TABLE access.roles (
    id text PRIMARY KEY,
    zh text NOT NULL, en text NOT NULL,
    -- Of the roles that are kept apart (三员分立) an account has one at most.
    kept_apart boolean NOT NULL DEFAULT false,
    position int NOT NULL DEFAULT 100
);

CREATE TABLE access.departments (
    id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,50}$'),
    parent text REFERENCES access.departments,
    zh text NOT NULL, en text NOT NULL,
    CHECK (parent <> id)
);

-- What a role may do. kind 'collection': resource is a layer's id or '*' (all layers but those that the role names for the
-- same action), up to the visibility, within: everywhere, the area or the department of the
-- membership. kind 'process': resource is a process's id or '*' (all that edit nothing). kind 'office': see
-- layers/access.py.
CREATE TABLE access.permissions (
    role text NOT NULL REFERENCES access.roles ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('collection', 'process', 'office')),
    resource text NOT NULL,
    action text NOT NULL CHECK (action IN ('read', 'create', 'update', 'delete', 'manage', 'execute')),
    visibility text NOT NULL DEFAULT 'core' CHECK (visibility IN ('public', 'internal', 'sensitive', 'core')),
    within text NOT NULL DEFAULT 'everywhere' CHECK (within IN ('everywhere', 'area', 'department')),
    PRIMARY KEY (role, kind, resource, action)
);

ALTER TABLE citymap.accounts SET SCHEMA access;

-- A person has a role in a department and an area. The area is a division code; it covers all codes that begin with it
-- ('' the whole city, 4 digits a city, 6 a district, 9 a street, 12 a community, 15 a grid).
CREATE TABLE access.memberships (
    account text NOT NULL REFERENCES access.accounts ON DELETE CASCADE ON UPDATE CASCADE,
    role text NOT NULL REFERENCES access.roles ON DELETE CASCADE,
    department text NOT NULL DEFAULT '',
    area text NOT NULL DEFAULT '' CHECK (area ~ '^[0-9]{0,18}$'),
    PRIMARY KEY (account, role, department, area)
);

CREATE FUNCTION access.keep_roles_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(DISTINCT m.role) > 1 FROM access.memberships m JOIN access.roles r ON r.id = m.role
        WHERE m.account = NEW.account AND r.kept_apart) THEN
        RAISE EXCEPTION 'account % would hold two roles that are kept apart', NEW.account
            USING ERRCODE = 'check_violation', CONSTRAINT = 'roles_kept_apart';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER keep_roles_apart AFTER INSERT OR UPDATE ON access.memberships
    FOR EACH ROW EXECUTE FUNCTION access.keep_roles_apart();

CREATE FUNCTION access.require_department() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.department <> '' AND NOT EXISTS (SELECT FROM access.departments WHERE id = NEW.department) THEN
        RAISE EXCEPTION 'there is no department %', NEW.department
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'membership_department';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER require_department BEFORE INSERT OR UPDATE ON access.memberships
    FOR EACH ROW EXECUTE FUNCTION access.require_department();

-- Any change of who may do what wakes every worker.
CREATE FUNCTION access.changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('citymap_access', '');
    RETURN NULL;
END $$;
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON access.roles
    FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON access.departments
    FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON access.permissions
    FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON access.memberships
    FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OF name, disabled OR DELETE ON access.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION access.changed();

-- --- What the transaction's principal may do with a layer -----------------------------------------------------------

CREATE FUNCTION citymap.visibility_rank(visibility text) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE visibility WHEN 'public' THEN 0 WHEN 'internal' THEN 1 WHEN 'sensitive' THEN 2 ELSE 3 END;

CREATE FUNCTION citymap.granted(layer text, visibility text, wanted text)
RETURNS TABLE (area text, departments text[]) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT g.area, g.departments
    FROM jsonb_to_recordset(nullif(current_setting('citymap.grants', true), '')::jsonb)
        AS g (collection text, besides text[], actions text[], visibility text, area text, departments text[])
    WHERE (g.collection = layer OR g.collection = '*' AND NOT layer = ANY (coalesce(g.besides, '{}')))
      AND wanted = ANY (g.actions)
      AND citymap.visibility_rank(g.visibility) >= citymap.visibility_rank(granted.visibility)
$$;

-- PL/pgSQL keeps the plans of its statements for the session; SQL functions would plan them in every read.
CREATE FUNCTION citymap.granted_everywhere(layer text, visibility text, wanted text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM citymap.granted(layer, visibility, wanted) g WHERE g.area = '' AND g.departments IS NULL);
END $$;

CREATE FUNCTION citymap.granted_areas(layer text, visibility text, wanted text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT array_agg(DISTINCT g.area) FROM citymap.granted(layer, visibility, wanted) g
            WHERE g.area <> '' AND g.departments IS NULL);
END $$;

CREATE FUNCTION citymap.granted_departments(layer text, visibility text, wanted text) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT array_agg(DISTINCT d) FROM citymap.granted(layer, visibility, wanted) g, unnest(g.departments) d);
END $$;

-- The ground of division codes, from the layer admin-areas, in EPSG:srid; NULL where it has none of them.
CREATE FUNCTION citymap.area_shape(areas text[], srid int) RETURNS geometry
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    shape geometry;
BEGIN
    IF areas IS NOT NULL THEN
        SELECT ST_Transform(ST_Union(a.geom), srid) INTO shape FROM city.admin_areas a WHERE a.code = ANY (areas);
    END IF;
    RETURN shape;
END $$;

-- The condition under which the principal may do `wanted` with a row of the layer, as SQL. The principal's part is in
-- subqueries without the row, so that it is worked out once per statement.
CREATE FUNCTION citymap.row_condition(layer citymap.layers, wanted text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    arguments text := format('(%L, %L, %L)', layer.id, layer.visibility, wanted);
    area text := (SELECT f ->> 'name' FROM jsonb_array_elements(layer.fields) f WHERE f ->> 'role' = 'area');
    department text := (SELECT f ->> 'name' FROM jsonb_array_elements(layer.fields) f WHERE f ->> 'role' = 'department');
    condition text := '(SELECT citymap.granted_everywhere' || arguments || ')';
BEGIN
    IF wanted = 'read' AND layer.visibility = 'public' THEN
        RETURN 'true';
    END IF;
    IF area IS NOT NULL THEN
        condition := condition || format(' OR EXISTS (SELECT FROM unnest((SELECT citymap.granted_areas%s)) AS a (code) '
            'WHERE starts_with(%I, a.code))', arguments, area);
    ELSE
        condition := condition || format(' OR %s(geom, (SELECT citymap.area_shape(citymap.granted_areas%s, %s)))',
            CASE wanted WHEN 'read' THEN 'ST_Intersects' ELSE 'ST_CoveredBy' END, arguments, layer.srid);
    END IF;
    IF department IS NOT NULL THEN
        condition := condition || format(' OR %I = ANY ((SELECT citymap.granted_departments%s)::text[])',
            department, arguments);
    END IF;
    RETURN condition;
END $$;

-- --- A row of the catalogue makes its tables; what it says of visibility makes their policies -----------------------

CREATE FUNCTION citymap.apply_policies(layer citymap.layers) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    place text;
    policy text;
BEGIN
    FOREACH place IN ARRAY ARRAY[format('city.%I', layer.table_name), format('history.%I', layer.table_name)] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY; ALTER TABLE %s FORCE ROW LEVEL SECURITY', place, place);
        FOR policy IN SELECT polname FROM pg_policy WHERE polrelid = place::regclass LOOP
            EXECUTE format('DROP POLICY %I ON %s', policy, place);
        END LOOP;
        EXECUTE format('CREATE POLICY steward ON %s TO CURRENT_USER USING (true) WITH CHECK (true)', place);
        EXECUTE format('CREATE POLICY reading ON %s FOR SELECT TO citymap_app USING (%s)',
            place, citymap.row_condition(layer, 'read'));
        EXECUTE format('GRANT SELECT ON %s TO citymap_app', place);
    END LOOP;
    place := format('city.%I', layer.table_name);
    EXECUTE format('CREATE POLICY creating ON %s FOR INSERT TO citymap_app WITH CHECK (%s)',
        place, citymap.row_condition(layer, 'create'));
    EXECUTE format('CREATE POLICY updating ON %s FOR UPDATE TO citymap_app USING (%s)',
        place, citymap.row_condition(layer, 'update'));
    EXECUTE format('CREATE POLICY deleting ON %s FOR DELETE TO citymap_app USING (%s)',
        place, citymap.row_condition(layer, 'delete'));
    EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %s TO citymap_app', place);
END $$;

CREATE FUNCTION citymap.make_layer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own text := format('city.%I', NEW.table_name);
    past text := format('history.%I', NEW.table_name);
    geometry_type text;
    key_field text := (SELECT f ->> 'name' FROM jsonb_array_elements(NEW.fields) f WHERE f ->> 'role' = 'key');
    columns text;
    event record;
BEGIN
    IF NEW.geometry_type !~ '^[A-Za-z]{1,30}$' THEN
        RAISE EXCEPTION 'geometry type % of layer % is none', NEW.geometry_type, NEW.id;
    END IF;
    SELECT format('geom geometry(%s, %s)', NEW.geometry_type, NEW.srid)
        || coalesce(string_agg(format(', %I %s', f ->> 'name', citymap.column_type(f ->> 'type')), '' ORDER BY n), '')
        || ', revision bigint NOT NULL DEFAULT 1, valid_from timestamptz NOT NULL DEFAULT now(), actor text'
        || $d$ DEFAULT nullif(current_setting('citymap.actor', true), '')$d$
    INTO columns FROM jsonb_array_elements(NEW.fields) WITH ORDINALITY AS t (f, n);
    EXECUTE format('CREATE TABLE %s (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, %s)', own, columns);
    EXECUTE format('CREATE TABLE %s (valid_to timestamptz NOT NULL, ended_by text, operation text NOT NULL, '
                   'id bigint NOT NULL, %s)', past, columns);
    EXECUTE format('CREATE INDEX ON %s USING gist (geom)', own);
    EXECUTE format('CREATE INDEX ON %s (id, valid_from)', past);
    EXECUTE format('CREATE INDEX ON %s USING gist (geom)', past);
    IF key_field IS NOT NULL THEN
        EXECUTE format('CREATE UNIQUE INDEX ON %s (%I)', own, key_field);
    END IF;
    EXECUTE format('CREATE TRIGGER next_revision BEFORE INSERT OR UPDATE ON %s '
                   'FOR EACH ROW EXECUTE FUNCTION citymap.next_revision()', own);
    EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %s EXECUTE FUNCTION citymap.refuse_truncate()', own);
    FOR event IN SELECT * FROM (VALUES ('INSERT', 'NEW TABLE AS new_rows'), ('DELETE', 'OLD TABLE AS old_rows'),
                                       ('UPDATE', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS e (name, tables) LOOP
        EXECUTE format('CREATE TRIGGER after_%s AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION citymap.after_change(%L)', lower(event.name), event.name, own, event.tables, NEW.id);
    END LOOP;
    PERFORM citymap.apply_policies(NEW);
    RETURN NULL;
END $$;

CREATE FUNCTION citymap.column_type(field_type text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE field_type WHEN 'string' THEN 'text' WHEN 'integer' THEN 'bigint' WHEN 'number' THEN 'double precision'
        WHEN 'boolean' THEN 'boolean' WHEN 'date' THEN 'date' WHEN 'date-time' THEN 'timestamptz'
        WHEN 'string-array' THEN 'text[]' END;
END $$;

CREATE FUNCTION citymap.drop_layer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE city.%I, history.%I', OLD.table_name, OLD.table_name);
    DELETE FROM citymap.row_deltas WHERE layer = OLD.id;
    INSERT INTO citymap.dirty (layer, west, south, east, north) VALUES (OLD.id, -180, -90, 180, 90);
    RETURN NULL;
END $$;

CREATE FUNCTION citymap.change_policies() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM citymap.apply_policies(NEW);
    RETURN NULL;
END $$;

CREATE TRIGGER make_layer AFTER INSERT ON citymap.layers FOR EACH ROW EXECUTE FUNCTION citymap.make_layer();
CREATE TRIGGER drop_layer AFTER DELETE ON citymap.layers FOR EACH ROW EXECUTE FUNCTION citymap.drop_layer();
CREATE TRIGGER change_policies AFTER UPDATE ON citymap.layers FOR EACH ROW
    WHEN (OLD.visibility <> NEW.visibility OR OLD.fields <> NEW.fields)
    EXECUTE FUNCTION citymap.change_policies();

-- --- The roles of the database --------------------------------------------------------------------------------------
-- citymap_app: requests and jobs. citymap_access: sign-in and the administration of access; it sees no feature.

ALTER TABLE citymap.layers ENABLE ROW LEVEL SECURITY;
ALTER TABLE citymap.layers FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON citymap.layers TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY everything ON citymap.layers FOR SELECT TO citymap_access USING (true);
CREATE POLICY reading ON citymap.layers FOR SELECT TO citymap_app
    USING (visibility = 'public' OR EXISTS (SELECT FROM citymap.granted(id, visibility, 'read')));
CREATE POLICY creating ON citymap.layers FOR INSERT TO citymap_app
    WITH CHECK (citymap.granted_everywhere(id, visibility, 'manage'));
CREATE POLICY updating ON citymap.layers FOR UPDATE TO citymap_app
    USING (citymap.granted_everywhere(id, visibility, 'manage'));
CREATE POLICY deleting ON citymap.layers FOR DELETE TO citymap_app
    USING (citymap.granted_everywhere(id, visibility, 'manage'));

GRANT USAGE ON SCHEMA citymap, city, history TO citymap_app;
GRANT USAGE ON SCHEMA citymap, access TO citymap_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON citymap.layers TO citymap_app;
GRANT SELECT ON citymap.dirty, citymap.row_deltas TO citymap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON citymap.jobs, citymap.uploads TO citymap_app;
GRANT USAGE ON SCHEMA procrastinate TO citymap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA procrastinate TO citymap_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA procrastinate TO citymap_app;
GRANT SELECT ON citymap.layers TO citymap_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA access TO citymap_access;

ALTER FUNCTION citymap.tidy() SECURITY DEFINER SET search_path = public, pg_temp;

-- Who could call these, or hang them on a temporary table, would act as the owner: the triggers that stand need no right.
REVOKE EXECUTE ON FUNCTION citymap.apply_policies, citymap.make_layer, citymap.drop_layer, citymap.change_policies,
    citymap.after_change FROM PUBLIC;

-- How the key narrowed the rights of the account for which a job runs.
ALTER TABLE citymap.jobs ADD COLUMN scope text;

-- A filter that may leak what it sees must wait for the policies, so it could use no index. Boxes tell nothing. Only a
-- superuser may say so; without it, spatial reads of layers that are not public scan them (citymap doctor tells).
DO $$
BEGIN
    ALTER FUNCTION public.geometry_overlaps(geometry, geometry) LEAKPROOF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'the owner is no superuser: spatial reads of layers that are not public will scan them';
END $$;

SELECT citymap.apply_policies(l) FROM citymap.layers l;
