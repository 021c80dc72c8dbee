-- What devices send: raw positions in daily partitions, what could not be read, and what waits to be sent to them.
--
-- The rights to read raw positions are those of the layer `positions`, by department and ground; the server writes them
-- as citymap_app with a grant of its own (tracking/gateway/principal.py). Days are those of GMT+8, as terminals count.

CREATE SCHEMA tracking;

-- `device` is the id of the feature in the layer devices. `variant` tells two reports of one second apart, by what they
-- say: a report that is sent again has the same key, however often and in whatever order it comes.
CREATE TABLE tracking.positions (
    device bigint NOT NULL,
    time timestamptz NOT NULL,
    variant integer NOT NULL,
    received timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL for a place outside the Earth: `more` tells it.
    geom geometry(Point, 4490),
    department text,
    speed real, heading smallint, altitude smallint,
    alarms bigint NOT NULL DEFAULT 0, status bigint,
    mileage double precision,
    doubt smallint NOT NULL DEFAULT 0,
    more jsonb,
    PRIMARY KEY (device, time, variant)
) PARTITION BY RANGE (time);
CREATE INDEX positions_time ON tracking.positions USING brin (time) WITH (pages_per_range = 32, autosummarize = on);

CREATE INDEX positions_received ON tracking.positions USING brin (received) WITH (pages_per_range = 32, autosummarize = on);

-- Reports whose clock names no day that there is a partition for, until there is.
CREATE TABLE tracking.positions_other PARTITION OF tracking.positions DEFAULT;

-- Messages that could not be read, with their bytes.
CREATE TABLE tracking.quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received timestamptz NOT NULL DEFAULT clock_timestamp(),
    protocol text NOT NULL, address text, device text,
    reason text NOT NULL CHECK (length(reason) <= 500),
    data bytea NOT NULL CHECK (octet_length(data) <= 8192)
);
CREATE INDEX quarantine_received ON tracking.quarantine USING brin (received);

-- What else devices say that is worth keeping as it stands: multimedia events, parameters, signing in and out.
CREATE TABLE tracking.notes (
    device bigint NOT NULL, received timestamptz NOT NULL, kind text NOT NULL,
    data bytea NOT NULL CHECK (octet_length(data) <= 65536),
    PRIMARY KEY (device, received, kind)
);

-- What is to be sent to devices, and what they answered. `result` is that of JT/T 808's general reply.
CREATE TABLE tracking.commands (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device bigint NOT NULL, department text,
    -- What it says; it becomes bytes when it is sent, by the version that the terminal speaks.
    kind text NOT NULL, words jsonb NOT NULL DEFAULT '{}' CHECK (octet_length(words::text) <= 65536),
    made timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by text NOT NULL DEFAULT coalesce(nullif(current_setting('citymap.actor', true), ''), session_user::text),
    expires timestamptz NOT NULL DEFAULT clock_timestamp() + interval '1 day',
    sent timestamptz, tries integer NOT NULL DEFAULT 0, serial integer,
    answered timestamptz, result smallint,
    -- What else the answer said, as values: parameters by their ids.
    answer jsonb CHECK (octet_length(answer::text) <= 262144)
);
CREATE INDEX commands_waiting ON tracking.commands (device, id) WHERE answered IS NULL;

-- Links that show a device's live position. `digest` is the SHA-256 of what the link's address holds.
CREATE TABLE tracking.shares (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    device bigint NOT NULL, code text NOT NULL, department text,
    made timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by text NOT NULL DEFAULT coalesce(nullif(current_setting('citymap.actor', true), ''), session_user::text),
    expires timestamptz NOT NULL, revoked timestamptz, revoked_by text,
    note text CHECK (length(note) <= 200),
    looks bigint NOT NULL DEFAULT 0, looked timestamptz
);
CREATE INDEX shares_device ON tracking.shares (device) WHERE revoked IS NULL;

-- Numbers of the tasks in the layer unit-tasks.
CREATE SEQUENCE tracking.task_number;

-- What the alarm handlers remember of each device, so that a restart neither loses nor doubles an alarm.
CREATE TABLE tracking.memory (
    device bigint PRIMARY KEY, upto timestamptz NOT NULL, state jsonb NOT NULL
);

-- Up to which time of receiving the positions have been looked at, and by what.
CREATE TABLE tracking.marks (name text PRIMARY KEY, upto timestamptz NOT NULL);

-- Stretches of track that late reports have touched after they were drawn.
CREATE TABLE tracking.touched (
    device bigint NOT NULL, stretch timestamptz NOT NULL,
    PRIMARY KEY (device, stretch)
);

-- What was done to the partition of a day that is over.
CREATE TABLE tracking.closed_days (day date PRIMARY KEY, indexed timestamptz, thinned timestamptz);

-- --- Partitions -----------------------------------------------------------------------------------------------------

CREATE FUNCTION tracking.day_of(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (at AT TIME ZONE interval '8 hours')::date;

CREATE FUNCTION tracking.begin_of(day date) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN day::timestamp AT TIME ZONE interval '8 hours';

CREATE FUNCTION tracking.days() RETURNS TABLE (day date, place regclass) LANGUAGE sql STABLE AS $$
    SELECT to_date(substring(c.relname FROM '^positions_(\d{8})$'), 'YYYYMMDD'), c.oid::regclass
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'tracking.positions'::regclass AND c.relname ~ '^positions_\d{8}$' ORDER BY 1
$$;

-- Make the partitions of these days that are missing, and move there what lies in the default one. Days later than the day
-- after tomorrow and before 1990 are left to that.
CREATE FUNCTION tracking.make_days(wanted date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    made integer := 0;
    wanted_day date;
    place text;
BEGIN
    IF session_user = 'citymap_app' AND NOT tracking.is_gateway() THEN
        RAISE EXCEPTION 'only the gateway makes partitions' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF cardinality(wanted) > 1000 THEN
        RAISE EXCEPTION '% days at once are too many', cardinality(wanted);
    END IF;
    PERFORM pg_advisory_xact_lock(x'64617973'::int);  -- "days"
    FOR wanted_day IN
        SELECT DISTINCT w FROM unnest(wanted) w
        WHERE w BETWEEN date '1990-01-01' AND tracking.day_of(now()) + 2
        EXCEPT SELECT d.day FROM tracking.days() d ORDER BY 1
    LOOP
        place := 'tracking.positions_' || to_char(wanted_day, 'YYYYMMDD');
        EXECUTE format('CREATE TABLE %s (LIKE tracking.positions INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', place);
        EXECUTE format('WITH moved AS (DELETE FROM tracking.positions_other WHERE time >= %L AND time < %L RETURNING *)'
            ' INSERT INTO %s SELECT * FROM moved', tracking.begin_of(wanted_day), tracking.begin_of(wanted_day + 1), place);
        EXECUTE format('ALTER TABLE tracking.positions ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
            place, tracking.begin_of(wanted_day), tracking.begin_of(wanted_day + 1));
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;

-- --- Who may read and write -----------------------------------------------------------------------------------------

-- The layer `positions` says who may read raw positions; a layer of that name with other fields changes nothing here.
CREATE FUNCTION tracking.apply_policies() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    visibility text := coalesce((SELECT l.visibility FROM citymap.layers l WHERE l.id = 'positions'), 'internal');
    alike citymap.layers := jsonb_populate_record(NULL::citymap.layers, jsonb_build_object(
        'id', 'positions', 'visibility', visibility, 'srid', 4490,
        'fields', '[{"name": "department", "role": "department"}]'::jsonb));
BEGIN
    DROP POLICY IF EXISTS reading ON tracking.positions;
    EXECUTE format('CREATE POLICY reading ON tracking.positions FOR SELECT TO citymap_app USING (%s)',
        citymap.row_condition(alike, 'read'));
END $$;

CREATE FUNCTION tracking.follow_visibility() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM tracking.apply_policies();
    RETURN NULL;
END $$;
-- A policy is changed under a lock that shuts everybody out of the table. The extent grows as vehicles drive: that is no
-- reason.
CREATE TRIGGER tracking_follow_visibility AFTER INSERT OR UPDATE OF visibility ON citymap.layers FOR EACH ROW
    WHEN (NEW.id = 'positions') EXECUTE FUNCTION tracking.follow_visibility();

-- Whoever may put positions into the layer, everywhere, takes devices' messages in.
CREATE FUNCTION tracking.is_gateway() RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN citymap.granted_everywhere('positions', 'core', 'create');
END $$;

-- Whether the principal may do so with the device of a row of that department.
CREATE FUNCTION tracking.departments(wanted text) RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN citymap.granted_departments('devices', 'internal', wanted);
END $$;
CREATE FUNCTION tracking.all_devices(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN citymap.granted_everywhere('devices', 'internal', wanted);
END $$;

GRANT USAGE ON SCHEMA tracking TO citymap_app;
GRANT USAGE ON SEQUENCE tracking.task_number TO citymap_app;
GRANT SELECT, INSERT ON tracking.positions, tracking.quarantine, tracking.notes TO citymap_app;
GRANT SELECT, INSERT, UPDATE ON tracking.commands, tracking.shares TO citymap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tracking.memory, tracking.marks, tracking.touched TO citymap_app;
DO $$
DECLARE
    place text;
BEGIN
    FOREACH place IN ARRAY '{positions,quarantine,notes,commands,shares,memory,marks,touched}'::text[] LOOP
        EXECUTE format('ALTER TABLE tracking.%I ENABLE ROW LEVEL SECURITY; ALTER TABLE tracking.%I FORCE ROW LEVEL SECURITY;'
            'CREATE POLICY steward ON tracking.%I TO CURRENT_USER USING (true) WITH CHECK (true);'
            'CREATE POLICY gateway ON tracking.%I TO citymap_app USING ((SELECT tracking.is_gateway()))'
            ' WITH CHECK ((SELECT tracking.is_gateway()))', place, place, place, place);
    END LOOP;
END $$;
-- Tracks from files, by whoever may change the device.
CREATE POLICY importing ON tracking.positions FOR INSERT TO citymap_app WITH CHECK (
    (SELECT tracking.all_devices('update')) OR department = ANY ((SELECT tracking.departments('update'))::text[]));
CREATE POLICY importing ON tracking.touched FOR INSERT TO citymap_app WITH CHECK (
    (SELECT tracking.all_devices('update')) OR (SELECT cardinality(tracking.departments('update'))) > 0);
CREATE POLICY reading ON tracking.commands FOR SELECT TO citymap_app USING (
    (SELECT tracking.all_devices('update')) OR department = ANY ((SELECT tracking.departments('update'))::text[]));
CREATE POLICY creating ON tracking.commands FOR INSERT TO citymap_app WITH CHECK (
    (SELECT tracking.all_devices('update')) OR department = ANY ((SELECT tracking.departments('update'))::text[]));
CREATE POLICY reading ON tracking.quarantine FOR SELECT TO citymap_app USING ((SELECT tracking.all_devices('update')));
CREATE POLICY sharing ON tracking.shares TO citymap_app USING (
    (SELECT tracking.all_devices('update')) OR department = ANY ((SELECT tracking.departments('update'))::text[]));

-- What a link shows, to whoever has it: the one place where a live position is read without a right to the layer. Its use
-- is counted, and told to the audit log once a minute at most.
CREATE FUNCTION tracking.shared_position(given bytea) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    share tracking.shares;
    shown jsonb;
BEGIN
    SELECT * INTO share FROM tracking.shares s WHERE s.digest = given AND s.revoked IS NULL AND s.expires > now() FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT jsonb_build_object('name', coalesce(d.name, d.code), 'kind', d.kind, 'person', coalesce(d.person, false),
            'duty', d.duty, 'state', coalesce(p.state, 'offline'), 'time', p.time, 'lon', ST_X(p.geom), 'lat', ST_Y(p.geom),
            'speed', p.speed, 'heading', p.heading, 'expires', share.expires)
    INTO shown FROM city.devices d LEFT JOIN city.positions p ON p.device = d.code
    WHERE d.id = share.device AND d.enabled IS DISTINCT FROM false;
    UPDATE tracking.shares s SET looks = looks + 1, looked = clock_timestamp() WHERE s.id = share.id;
    IF share.looked IS NULL OR share.looked < now() - interval '1 minute' THEN
        PERFORM audit.append('read', 'position-share', share.id::text, detail => jsonb_build_object('device', share.code));
    END IF;
    RETURN shown;
END $$;
SELECT tracking.apply_policies();

-- --- Layers that change by the second keep no history ---------------------------------------------------------------

-- After a statement: one dirty box of all its rows, in CGCS2000 degrees, and the row count. The argument is the layer's id.
CREATE FUNCTION tracking.after_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    box box2d;
    older box2d;
    changed bigint;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT ST_Extent(geom), count(*) INTO older, changed FROM old_rows;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        SELECT ST_Extent(geom), count(*) INTO box, changed FROM new_rows;
    END IF;
    IF changed = 0 THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'UPDATE' THEN
        INSERT INTO citymap.row_deltas VALUES (TG_ARGV[0], CASE TG_OP WHEN 'INSERT' THEN changed ELSE -changed END);
    END IF;
    IF coalesce(box, older) IS NOT NULL THEN
        PERFORM citymap.log_boxes(TG_ARGV[0], ARRAY[(SELECT ST_Extent(b::geometry) FROM unnest(ARRAY[box, older]) AS b)]);
    END IF;
    IF box IS NOT NULL THEN
        PERFORM citymap.widen_extent(TG_ARGV[0], ARRAY[box]);
    END IF;
    PERFORM pg_notify('citymap_dirty', TG_ARGV[0]);
    RETURN NULL;
END $$;

-- Called once for a layer that was just made, by its owner. Nobody edits these layers: the server derives them, so the
-- audit log does not tell of it either.
CREATE FUNCTION tracking.keep_no_history(layer_id text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    place text := format('city.%I', (SELECT table_name FROM citymap.layers WHERE id = layer_id));
    event record;
BEGIN
    FOR event IN SELECT * FROM (VALUES ('insert', 'NEW TABLE AS new_rows'), ('delete', 'OLD TABLE AS old_rows'),
                                       ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows')) AS e (name, tables) LOOP
        EXECUTE format('DROP TRIGGER after_%s ON %s', event.name, place);
        EXECUTE format('DROP TRIGGER IF EXISTS audit_%s ON %s', event.name, place);
        EXECUTE format('CREATE TRIGGER after_%s AFTER %s ON %s REFERENCING %s FOR EACH STATEMENT '
                       'EXECUTE FUNCTION tracking.after_change(%L)', event.name, event.name, place, event.tables, layer_id);
    END LOOP;
    EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)', place);
END $$;

REVOKE EXECUTE ON FUNCTION tracking.apply_policies, tracking.follow_visibility, tracking.after_change,
    tracking.keep_no_history FROM PUBLIC;
