-- What planning keeps beside its layers: rules and land codes as data, surveyed points, steps, checks, numbers.

CREATE SCHEMA planning;

-- Land-code schemes, and what a code of one means in another. Codes of different schemes are never compared without a mapping.
CREATE TABLE planning.land_codes (
    scheme text NOT NULL, code text NOT NULL, name text NOT NULL, provenance text NOT NULL DEFAULT '',
    PRIMARY KEY (scheme, code)
);
-- relation: same; narrower (from is a part of to); broader (from covers more than to).
CREATE TABLE planning.land_code_mappings (
    from_scheme text NOT NULL, from_code text NOT NULL, to_scheme text NOT NULL, to_code text NOT NULL,
    relation text NOT NULL CHECK (relation IN ('same', 'narrower', 'broader')), provenance text NOT NULL DEFAULT '',
    PRIMARY KEY (from_scheme, from_code, to_scheme, to_code),
    FOREIGN KEY (from_scheme, from_code) REFERENCES planning.land_codes,
    FOREIGN KEY (to_scheme, to_code) REFERENCES planning.land_codes
);

-- What a kind of control line or zone asks of a red line. distance [m] is for keep-distance; allowed are codes of a scheme.
CREATE TABLE planning.rules (
    kind text NOT NULL, place int NOT NULL DEFAULT 1,
    layer text NOT NULL CHECK (layer IN ('control-lines', 'control-zones')),
    rule text NOT NULL CHECK (rule IN ('must-lie-inside', 'must-not-overlap', 'keep-distance', 'allowed-uses', 'inform')),
    distance float8 NOT NULL DEFAULT 0 CHECK (distance BETWEEN 0 AND 5000),
    allowed text[] NOT NULL DEFAULT '{}', scheme text,
    severity text NOT NULL CHECK (severity IN ('blocking', 'warning', 'info')),
    zh text NOT NULL, en text NOT NULL, provenance text NOT NULL DEFAULT '',
    PRIMARY KEY (layer, kind, place),
    CHECK ((rule = 'keep-distance') = (distance > 0)),
    CHECK ((rule = 'allowed-uses') = (scheme IS NOT NULL))
);

-- Changes with every change of a rule or of a mapping, so that a result knows by which rules it was found.
CREATE FUNCTION planning.rules_version() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT md5(coalesce((SELECT string_agg(r::text, ';' ORDER BY layer, kind, place) FROM planning.rules r), '')
        || coalesce((SELECT string_agg(m::text, ';' ORDER BY from_scheme, from_code, to_scheme, to_code)
                     FROM planning.land_code_mappings m), ''))
$$;

-- 界址点 of a red line as surveyed: x is the northing, y the easting without zone number [m]. Ring 1 of a part is its outline.
CREATE TABLE planning.boundary_points (
    redline bigint NOT NULL, part int NOT NULL, ring int NOT NULL, place int NOT NULL,
    name text NOT NULL, x numeric(12, 4) NOT NULL, y numeric(12, 4) NOT NULL,
    zone int NOT NULL, zone_width int NOT NULL CHECK (zone_width IN (3, 6)),
    PRIMARY KEY (redline, part, ring, place)
);

-- 编号 numbers without gaps: the row is locked until the transaction that took a number ends, and rolled back with it.
CREATE TABLE planning.counters (series text, year int, last bigint NOT NULL, PRIMARY KEY (series, year));
CREATE FUNCTION planning.next_number(wanted_series text, wanted_year int) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO planning.counters AS c VALUES (wanted_series, wanted_year, 1)
    ON CONFLICT (series, year) DO UPDATE SET last = c.last + 1 RETURNING last
$$;

-- The steps of a red line, in order; each carries the digest of the one before it.
CREATE TABLE planning.steps (
    redline bigint NOT NULL, place int NOT NULL, action text NOT NULL, before text, after text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL, role text NOT NULL, opinion text NOT NULL DEFAULT '',
    document text, check_id bigint, detail jsonb NOT NULL DEFAULT '{}', digest text NOT NULL,
    PRIMARY KEY (redline, place)
);

-- Results of check-redline with what they saw: the snapshot of the database, the rules, the box [°] they looked into.
CREATE TABLE planning.checks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    redline bigint, at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL DEFAULT citymap.actor(),
    snapshot pg_snapshot NOT NULL DEFAULT pg_current_snapshot(), rules text NOT NULL DEFAULT planning.rules_version(),
    layers text[] NOT NULL, box box2d NOT NULL, visibility text NOT NULL,
    inputs jsonb NOT NULL, result jsonb NOT NULL, blocking int NOT NULL
);
CREATE INDEX ON planning.checks (redline, at);

-- --- Guards of the layer of red lines, whatever road an edit comes by ---------------------------------------------------

-- States in which the ground is given out: two such lines never overlap.
CREATE FUNCTION planning.is_allocated(status text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN status IN ('approved', 'land-permit', 'works-permit', 'verified', 'archived');

CREATE FUNCTION planning.guard_redline() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF coalesce(current_setting('citymap.planning_step', true), '') = '' AND (TG_OP = 'DELETE' OR TG_OP = 'INSERT'
            AND NEW.status IS DISTINCT FROM 'applied' OR TG_OP = 'UPDATE'
            AND (NEW.status, NEW.number, NEW.geom) IS DISTINCT FROM (OLD.status, OLD.number, OLD.geom)) THEN
        RAISE EXCEPTION 'a red line moves by its steps (process advance-redline), not by edits'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'redline_steps';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- Two transactions that give out ground wait for each other here; the second then sees what the first committed, because
-- each statement of a VOLATILE function takes a new snapshot. That holds in READ COMMITTED only.
CREATE FUNCTION planning.keep_apart() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    other record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'ground is given out in READ COMMITTED transactions only';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('planning.redlines', 0));
    SELECT r.number, ST_Area(piece::geography) AS area INTO other
    FROM city.redlines r, LATERAL (SELECT ST_CollectionExtract(ST_Intersection(r.geom, NEW.geom), 3) AS piece) p
    WHERE r.geom && NEW.geom AND r.id <> NEW.id AND planning.is_allocated(r.status)
      AND ST_Area(piece::geography) > 1 AND ST_Area(piece::geography) > 0.025 * ST_Perimeter(piece::geography)
    ORDER BY area DESC LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'red line % overlaps % by % m²', NEW.number, other.number, round(other.area::numeric, 2)
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'redlines_apart', DETAIL = other.number;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION planning.watch_redlines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF to_regclass('city.redlines') IS NOT NULL THEN
        CREATE OR REPLACE TRIGGER a_guard BEFORE INSERT OR UPDATE OR DELETE ON city.redlines
            FOR EACH ROW EXECUTE FUNCTION planning.guard_redline();
        CREATE OR REPLACE TRIGGER keep_apart AFTER INSERT OR UPDATE OF status, geom ON city.redlines
            FOR EACH ROW WHEN (planning.is_allocated(NEW.status)) EXECUTE FUNCTION planning.keep_apart();
    END IF;
    RETURN NULL;
END $$;
-- Deferred, because the layer's table is made after its row in the catalogue.
CREATE CONSTRAINT TRIGGER watch_redlines AFTER INSERT ON citymap.layers DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.id = 'redlines') EXECUTE FUNCTION planning.watch_redlines();

-- --- Publicity and meetings --------------------------------------------------------------------------------------------

-- 图纸 drawings of a notice: what was put before the public stays as it was.
CREATE TABLE planning.drawings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, notice text NOT NULL, title text NOT NULL,
    media_type text NOT NULL CHECK (media_type IN ('application/pdf', 'image/png', 'image/jpeg')),
    content bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 20000000),
    at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL DEFAULT citymap.actor()
);
CREATE INDEX ON planning.drawings (notice, id);

-- 规划业务会议 meetings: an agenda in order, opinions that only add up, and what was decided.
CREATE TABLE planning.meetings (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number text NOT NULL UNIQUE, title text NOT NULL,
    held_on date NOT NULL, venue text NOT NULL DEFAULT '', chair text NOT NULL DEFAULT '',
    attendants text[] NOT NULL DEFAULT '{}', state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'closed')),
    conclusion text NOT NULL DEFAULT '', at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL DEFAULT citymap.actor(),
    closed_at timestamptz, closed_by text, CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);
CREATE TABLE planning.meeting_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, meeting bigint NOT NULL REFERENCES planning.meetings,
    place int NOT NULL CHECK (place >= 1), redline text, subject text NOT NULL DEFAULT '',
    decision text CHECK (decision IN ('agreed', 'changes', 'deferred', 'refused')), words text NOT NULL DEFAULT '',
    decided_at timestamptz, decided_by text,
    UNIQUE (meeting, place) DEFERRABLE INITIALLY DEFERRED, CHECK (redline IS NOT NULL OR subject <> '')
);
CREATE TABLE planning.meeting_opinions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item bigint NOT NULL REFERENCES planning.meeting_items,
    at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL DEFAULT citymap.actor(), speaker text NOT NULL,
    stance text NOT NULL CHECK (stance IN ('agree', 'changes', 'against', 'remark')), opinion text NOT NULL
);
CREATE INDEX ON planning.meeting_opinions (item, id);

-- The minutes of a meeting that is closed are what they are.
CREATE FUNCTION planning.guard_meeting() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    which bigint := CASE TG_TABLE_NAME
        WHEN 'meetings' THEN (to_jsonb(OLD) ->> 'id')::bigint
        WHEN 'meeting_items' THEN (to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END) ->> 'meeting')::bigint
        ELSE (SELECT i.meeting FROM planning.meeting_items i WHERE i.id = (to_jsonb(NEW) ->> 'item')::bigint) END;
BEGIN
    IF (SELECT m.state FROM planning.meetings m WHERE m.id = which FOR SHARE) = 'closed' THEN
        RAISE EXCEPTION 'the meeting is closed: its minutes change no more'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'meeting_closed';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON planning.meetings FOR EACH ROW EXECUTE FUNCTION planning.guard_meeting();
CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON planning.meeting_items
    FOR EACH ROW EXECUTE FUNCTION planning.guard_meeting();
CREATE TRIGGER guard BEFORE INSERT ON planning.meeting_opinions
    FOR EACH ROW EXECUTE FUNCTION planning.guard_meeting();

-- --- Rights -------------------------------------------------------------------------------------------------------------

ALTER TABLE planning.checks ENABLE ROW LEVEL SECURITY;
ALTER TABLE planning.checks FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON planning.checks TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY reading ON planning.checks FOR SELECT TO citymap_app
    USING (actor = citymap.actor() OR (SELECT citymap.granted_everywhere('redlines', visibility, 'read')));
CREATE POLICY creating ON planning.checks FOR INSERT TO citymap_app WITH CHECK (actor = citymap.actor());

-- Points and steps are seen by who sees their red line: the policies of city.redlines decide.
ALTER TABLE planning.boundary_points ENABLE ROW LEVEL SECURITY;
ALTER TABLE planning.boundary_points FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON planning.boundary_points TO CURRENT_USER USING (true) WITH CHECK (true);
ALTER TABLE planning.steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE planning.steps FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON planning.steps TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY reading ON planning.boundary_points FOR SELECT TO citymap_app
    USING ((SELECT citymap.granted_everywhere('redlines', 'internal', 'read')));
CREATE POLICY creating ON planning.boundary_points FOR INSERT TO citymap_app
    WITH CHECK ((SELECT citymap.granted_everywhere('redlines', 'internal', 'create')));
CREATE POLICY reading ON planning.steps FOR SELECT TO citymap_app
    USING ((SELECT citymap.granted_everywhere('redlines', 'internal', 'read')));
CREATE POLICY creating ON planning.steps FOR INSERT TO citymap_app
    WITH CHECK (actor = citymap.actor() AND (SELECT citymap.granted_everywhere('redlines', 'internal', 'update')));

ALTER TABLE planning.drawings ENABLE ROW LEVEL SECURITY;
ALTER TABLE planning.drawings FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON planning.drawings TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY reading ON planning.drawings FOR SELECT TO citymap_app USING (true);
CREATE POLICY creating ON planning.drawings FOR INSERT TO citymap_app
    WITH CHECK (actor = citymap.actor() AND (SELECT citymap.granted_everywhere('notices', 'public', 'create')));
CREATE POLICY deleting ON planning.drawings FOR DELETE TO citymap_app
    USING ((SELECT citymap.granted_everywhere('notices', 'public', 'create')));

DO $$
DECLARE
    place text;
BEGIN
    FOREACH place IN ARRAY ARRAY['meetings', 'meeting_items', 'meeting_opinions'] LOOP
        EXECUTE format('ALTER TABLE planning.%1$I ENABLE ROW LEVEL SECURITY; ALTER TABLE planning.%1$I FORCE ROW LEVEL SECURITY;'
            'CREATE POLICY steward ON planning.%1$I TO CURRENT_USER USING (true) WITH CHECK (true)', place);
        EXECUTE format('CREATE POLICY reading ON planning.%I FOR SELECT TO citymap_app'
            ' USING ((SELECT citymap.granted_everywhere(''redlines'', ''internal'', ''read'')))', place);
        EXECUTE format('CREATE POLICY creating ON planning.%I FOR INSERT TO citymap_app'
            ' WITH CHECK (%s (SELECT citymap.granted_everywhere(''redlines'', ''internal'', ''update'')))', place,
            CASE place WHEN 'meeting_items' THEN '' ELSE 'actor = citymap.actor() AND' END);
        EXECUTE format('CREATE POLICY updating ON planning.%I FOR UPDATE TO citymap_app'
            ' USING ((SELECT citymap.granted_everywhere(''redlines'', ''internal'', ''update'')))', place);
        EXECUTE format('CREATE POLICY deleting ON planning.%I FOR DELETE TO citymap_app'
            ' USING ((SELECT citymap.granted_everywhere(''redlines'', ''internal'', ''update'')))', place);
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA planning TO citymap_app;
GRANT SELECT ON planning.land_codes, planning.land_code_mappings, planning.rules TO citymap_app;
GRANT SELECT, INSERT ON planning.boundary_points, planning.steps, planning.checks, planning.meeting_opinions TO citymap_app;
GRANT SELECT, INSERT, UPDATE ON planning.meetings TO citymap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON planning.meeting_items TO citymap_app;
GRANT SELECT, INSERT, DELETE ON planning.drawings TO citymap_app;
REVOKE EXECUTE ON FUNCTION planning.guard_redline, planning.guard_meeting, planning.keep_apart, planning.watch_redlines, planning.next_number
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION planning.next_number TO citymap_app;
