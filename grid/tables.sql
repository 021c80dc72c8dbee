-- Grid management beside its layers: classes, limits, the city's working time, the steps of cases, rules of dispatch,
-- notices. Made by migration 0012; the server's role reads and writes here, and cannot change a step.

CREATE SCHEMA grid;
GRANT USAGE ON SCHEMA grid TO citymap_app;

-- What the configuration says, for triggers and functions; written by grid/setup.py. One row.
CREATE TABLE grid.options (
    id boolean PRIMARY KEY DEFAULT true CHECK (id),
    digest text NOT NULL,
    timezone text NOT NULL,
    event_scheme text NOT NULL,
    component_scheme text NOT NULL,
    similar_metres float8 NOT NULL,
    similar_hours float8 NOT NULL,
    component_metres float8 NOT NULL
);

-- 部件/事件分类. The same digits mean different things in each scheme, so the scheme is part of the key.
CREATE TABLE grid.classes (
    scheme text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('event', 'component')),
    code text NOT NULL,
    major text NOT NULL,
    major_name text,
    name text NOT NULL,
    provenance text,
    PRIMARY KEY (scheme, kind, code)
);

-- 立案条件与处置时限: per condition and type of area ('' any). A condition belongs to a class, or to all ('').
CREATE TABLE grid.conditions (
    scheme text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('event', 'component')),
    class text NOT NULL,
    condition text NOT NULL,
    area_type text NOT NULL DEFAULT '',
    amount float8 NOT NULL CHECK (amount > 0 AND amount <= 10000),
    unit text NOT NULL CHECK (unit IN ('work-hours', 'work-days', 'urgent-hours')),
    filing text, closing text, responsible text, legal_basis text, collecting text,
    PRIMARY KEY (scheme, kind, class, condition, area_type)
);

-- 派遣规则: which department handles a class in an area ('' any); the most precise rule wins, then the first by rank.
CREATE TABLE grid.dispatch_rules (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scheme text NOT NULL DEFAULT '',
    kind text NOT NULL DEFAULT '' CHECK (kind IN ('', 'event', 'component')),
    class text NOT NULL DEFAULT '',
    area text NOT NULL DEFAULT '' CHECK (area ~ '^[0-9]{0,18}$'),
    department text NOT NULL,
    rank int NOT NULL DEFAULT 100,
    note text,
    UNIQUE (scheme, kind, class, area, department)
);

-- The city's working time: periods, and the seconds of all periods before each.
CREATE TABLE grid.working_time (
    begins timestamptz PRIMARY KEY,
    ends timestamptz NOT NULL,
    seconds_before bigint NOT NULL UNIQUE,
    CHECK (ends > begins)
);

-- Every step of every case: who, when, where, why, with what. Only ever appended.
CREATE TABLE grid.steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id bigint NOT NULL,
    case_code text NOT NULL,
    act text NOT NULL,
    from_state text,
    to_state text NOT NULL,
    actor text NOT NULL,
    role text NOT NULL,
    at timestamptz NOT NULL,
    reason text,
    detail jsonb NOT NULL DEFAULT '{}' CHECK (octet_length(detail::text) <= 20000),
    place geometry(Point, 4490),
    attachments uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(attachments) <= 50)
);
CREATE INDEX steps_case ON grid.steps (case_id, id);
CREATE INDEX steps_actor ON grid.steps (actor, at);
-- An escalation happens once in each round of a case's clock.
CREATE UNIQUE INDEX steps_escalated ON grid.steps (case_id, (detail ->> 'round'), act) WHERE role = 'clock';

CREATE FUNCTION grid.keep_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of grid.% is refused: steps are only ever appended', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER keep_steps BEFORE UPDATE OR DELETE OR TRUNCATE ON grid.steps
    FOR EACH STATEMENT EXECUTE FUNCTION grid.keep_steps();

-- Whether the principal may read that case, as the policies of layer cases say. Late bound: the layer may be made anew.
CREATE FUNCTION grid.sees_case(case_id bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    seen boolean;
BEGIN
    EXECUTE 'SELECT EXISTS (SELECT FROM city.cases WHERE id = $1)' INTO seen USING case_id;
    RETURN seen;
EXCEPTION WHEN undefined_table THEN
    RETURN false;
END $$;

ALTER TABLE grid.steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE grid.steps FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON grid.steps TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY reading ON grid.steps FOR SELECT TO citymap_app USING ((SELECT grid.sees_case(case_id)));
CREATE POLICY appending ON grid.steps FOR INSERT TO citymap_app WITH CHECK ((SELECT grid.sees_case(case_id)));

-- 巡检 inspections of components: who found which state when, and from how far. Only ever appended.
CREATE TABLE grid.inspections (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    component text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    state_before text,
    state text NOT NULL,
    note text CHECK (length(note) <= 4000),
    metres float8
);
CREATE INDEX inspections_component ON grid.inspections (component, id);
CREATE TRIGGER keep_inspections BEFORE UPDATE OR DELETE OR TRUNCATE ON grid.inspections
    FOR EACH STATEMENT EXECUTE FUNCTION grid.keep_steps();

CREATE FUNCTION grid.sees_component(of_code text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    seen boolean;
BEGIN
    EXECUTE 'SELECT EXISTS (SELECT FROM city.components WHERE code = $1)' INTO seen USING of_code;
    RETURN seen;
EXCEPTION WHEN undefined_table THEN
    RETURN false;
END $$;

ALTER TABLE grid.inspections ENABLE ROW LEVEL SECURITY;
ALTER TABLE grid.inspections FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON grid.inspections TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY reading ON grid.inspections FOR SELECT TO citymap_app USING ((SELECT grid.sees_component(component)));
CREATE POLICY appending ON grid.inspections FOR INSERT TO citymap_app WITH CHECK ((SELECT grid.sees_component(component)));

-- Photos of cases: the file lies under its id outside the database.
CREATE TABLE grid.photos (
    id uuid PRIMARY KEY,
    case_id bigint NOT NULL,
    media_type text NOT NULL,
    bytes bigint NOT NULL,
    width int NOT NULL,
    height int NOT NULL,
    sha256 text NOT NULL,
    taken_at timestamptz,
    offset_metres float8,
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX photos_case ON grid.photos (case_id);
ALTER TABLE grid.photos ENABLE ROW LEVEL SECURITY;
ALTER TABLE grid.photos FORCE ROW LEVEL SECURITY;
CREATE POLICY steward ON grid.photos TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY reading ON grid.photos FOR SELECT TO citymap_app USING ((SELECT grid.sees_case(case_id)));
CREATE POLICY appending ON grid.photos FOR INSERT TO citymap_app WITH CHECK (true);

-- Which of these ids are photos of cases, whoever may see them: what is none of them may be removed from the disk.
CREATE FUNCTION grid.known_photos(ids uuid[]) RETURNS uuid[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT array_agg(id) FROM grid.photos WHERE id = ANY (ids);
END;

-- Answers to writes that carried an Idempotency-Key, so that the same write again changes nothing.
CREATE TABLE citymap.idempotency (
    actor text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    digest text NOT NULL,
    status int,
    headers jsonb,
    body bytea,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_at ON citymap.idempotency (at);

-- Messages that wait to be sent: to phones and to other systems. Sent by the worker, tried again, at last given up.
CREATE TABLE grid.notices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    road text NOT NULL CHECK (road IN ('sms', 'webhook')),
    receiver text NOT NULL,
    event text NOT NULL,
    case_id bigint,
    body jsonb NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dead')),
    attempts int NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    problem text,
    made timestamptz NOT NULL DEFAULT now(),
    sent timestamptz
);
CREATE INDEX notices_waiting ON grid.notices (next_at) WHERE state = 'waiting';

-- The telephones of workers on duty: of a department, or of those in whose area a division code lies.
CREATE FUNCTION grid.phones(audience text, of_department text, of_area text) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT array_agg(DISTINCT w.phone ORDER BY w.phone) FROM city.grid_workers w
            WHERE w.phone <> '' AND w.active IS NOT FALSE
              AND CASE audience WHEN 'department' THEN w.department = of_department
                                ELSE w.department IS NULL AND w.area_code <> '' AND starts_with(of_area, w.area_code) END);
EXCEPTION WHEN undefined_table OR undefined_column THEN
    RETURN NULL;
END $$;

-- The ids of the departments, which the server's role cannot read itself.
CREATE FUNCTION grid.departments() RETURNS text[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT array_agg(id ORDER BY id) FROM access.departments;
END;

-- The same with their names, for whoever chooses one.
CREATE FUNCTION grid.department_names() RETURNS TABLE (id text, zh text, en text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT d.id, d.zh, d.en FROM access.departments d ORDER BY d.id;
END;

GRANT SELECT, INSERT, UPDATE, DELETE ON grid.options, grid.classes, grid.conditions, grid.dispatch_rules,
    grid.working_time TO citymap_app;
GRANT SELECT, INSERT ON grid.steps, grid.photos, grid.inspections TO citymap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON citymap.idempotency, grid.notices TO citymap_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA grid TO citymap_app;
