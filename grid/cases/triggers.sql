-- What happens beside every write to the grid's layers, by whatever road it comes: a new case is located and compared
-- with others, its life cycle is changed by advance-case only, components and visits get their grid and area.
--
-- citymap.case_act tells what the transaction does: '' a client's edit, 'advance' an act, 'attach' a report that joins a
-- case, 'import' cases whose past is known: these keep what they say of themselves. Errors CM400 and CM409 are for the
-- client: MESSAGE in English, DETAIL in Chinese (geoserver/errors.py).

CREATE FUNCTION grid.refuse(code text, en text, zh text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = en, DETAIL = zh;
END $$;

CREATE FUNCTION grid.case_act() RETURNS text LANGUAGE sql STABLE
RETURN coalesce(current_setting('citymap.case_act', true), '');

-- BEFORE INSERT on cases, in the order of their numbers.
CREATE FUNCTION grid.case_1_checked() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    options grid.options;
    known text;
BEGIN
    SELECT * INTO options FROM grid.options;
    IF NEW.geom IS NULL OR ST_IsEmpty(NEW.geom) THEN
        PERFORM grid.refuse('CM400', 'a case needs a point: where is it?', '案卷必须有位置');
    END IF;
    NEW.kind := coalesce(NEW.kind, 'event');
    IF NEW.kind NOT IN ('event', 'component') THEN
        PERFORM grid.refuse('CM400', 'kind is event or component', 'kind 应为 event 或 component');
    END IF;
    NEW.scheme := coalesce(NEW.scheme, CASE NEW.kind WHEN 'component' THEN options.component_scheme ELSE options.event_scheme END);
    IF NEW.class IS NULL THEN
        NEW.class_name := CASE WHEN grid.case_act() = 'import' THEN NEW.class_name END;
        RETURN NEW;
    END IF;
    SELECT c.name INTO known FROM grid.classes c WHERE (c.scheme, c.kind, c.code) = (NEW.scheme, NEW.kind, NEW.class);
    IF known IS NULL AND grid.case_act() <> 'import' THEN
        PERFORM grid.refuse('CM400', format('there is no %s class %L in scheme %L', NEW.kind, left(NEW.class, 40), left(NEW.scheme, 40)),
                            format('标准 %s 中没有类别 %s', left(NEW.scheme, 40), left(NEW.class, 40)));
    END IF;
    NEW.class_name := coalesce(known, NEW.class_name);
    RETURN NEW;
END $$;

CREATE FUNCTION grid.case_2_located() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    options grid.options;
    found grid.location;
BEGIN
    IF grid.case_act() = 'import' AND NEW.area_code IS NOT NULL THEN
        RETURN NEW;
    END IF;
    SELECT * INTO options FROM grid.options;
    found := grid.locate(NEW.geom);
    NEW.grid := found.grid;
    NEW.social_grid := found.social_grid;
    NEW.area_code := found.area_code;
    NEW.area_type := found.area_type;
    NEW.place := coalesce(CASE WHEN grid.case_act() = 'import' THEN NEW.place END, grid.place_at(NEW.geom));
    IF NEW.kind = 'component' AND to_regclass('city.components') IS NOT NULL THEN
        SELECT n.code, n.distance INTO NEW.component, NEW.component_distance
        FROM grid.component_near(NEW.geom, NEW.scheme, NEW.class, options.component_metres) n;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION grid.case_3_begun() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF grid.case_act() = 'import' THEN
        NEW.reported_at := coalesce(NEW.reported_at, now());
        NEW.state := coalesce(NEW.state, 'reported');
        NEW.channel := coalesce(NEW.channel, 'import');
        NEW.clock_round := coalesce(NEW.clock_round, 0);
        NEW.escalation := coalesce(NEW.escalation, 0);
        NEW.dispatches := coalesce(NEW.dispatches, 0);
        NEW.returns := coalesce(NEW.returns, 0);
        NEW.reworks := coalesce(NEW.reworks, 0);
        NEW.extensions := coalesce(NEW.extensions, 0);
        NEW.urges := coalesce(NEW.urges, 0);
        NEW.photos := coalesce(NEW.photos, 0);
        NEW.reports := coalesce(NEW.reports, 1);
        NEW.supervised := coalesce(NEW.supervised, false);
    ELSE
        -- One by one, for a report is what a city does most; a way through jsonb takes longer.
        NEW.accepted_at := NULL; NEW.filed_at := NULL; NEW.filing_due := NULL; NEW.dispatched_at := NULL;
        NEW.handled_at := NULL; NEW.check_due := NULL; NEW.checked_at := NULL; NEW.closed_at := NULL;
        NEW.limit_amount := NULL; NEW.limit_unit := NULL; NEW.limit_seconds := NULL; NEW.used_seconds := NULL;
        NEW.running_since := NULL; NEW.remind_at := NULL; NEW.deadline := NULL; NEW.supervise_at := NULL;
        NEW.light := NULL; NEW.department := NULL; NEW.condition := NULL; NEW.found := NULL; NEW.consistent := NULL;
        NEW.duplicate_of := NULL; NEW.asked_extension := NULL; NEW.suspended_from := NULL; NEW.satisfaction := NULL;
        NEW.photo_offset := NULL; NEW.source := NULL; NEW.source_id := NULL;
        NEW.clock_round := 0; NEW.escalation := 0; NEW.dispatches := 0; NEW.returns := 0; NEW.reworks := 0;
        NEW.extensions := 0; NEW.urges := 0; NEW.photos := 0; NEW.reports := 1; NEW.supervised := false;
        NEW.reported_at := now();
        NEW.state := 'reported';
        NEW.reporter := citymap.actor();
        NEW.channel := coalesce(NEW.channel, CASE WHEN NEW.reporter = 'anonymous' THEN 'public' ELSE 'patrol' END);
        IF NEW.channel NOT IN ('patrol', 'public', 'open311', 'hotline', 'sms', 'media', 'video', 'superior') THEN
            PERFORM grid.refuse('CM400', format('channel %L is not known', left(NEW.channel, 40)), '没有这个来源渠道');
        END IF;
        NEW.code := NULL;
        NEW.title := NULL;
    END IF;
    NEW.code := coalesce(NEW.code, to_char(NEW.reported_at AT TIME ZONE (SELECT timezone FROM grid.options), 'YYYYMMDD')
        || '-' || lpad(NEW.id::text, greatest(6, length(NEW.id::text)), '0'));
    NEW.title := coalesce(NEW.title,
        concat_ws(' ', coalesce(NEW.class_name, left(NEW.description, 20), '问题上报'), NEW.place));
    RETURN NEW;
END $$;

CREATE FUNCTION grid.case_3_named() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    NEW.title := concat_ws(' ', coalesce(NEW.class_name, left(NEW.description, 20), '问题上报'), NEW.place);
    RETURN NEW;
END $$;

-- Whoever reports what is reported already adds to that case; the report stays as a void case that names it. Of two that
-- come at the same moment the second waits, so that it sees the first. citymap.separate: the reporter says it is another.
CREATE FUNCTION grid.case_4_compared() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    options grid.options;
    box geometry;
BEGIN
    IF grid.case_act() = 'import' OR NEW.class IS NULL OR coalesce(current_setting('citymap.separate', true), '') <> '' THEN
        RETURN NEW;
    END IF;
    SELECT * INTO options FROM grid.options;
    box := grid.around(NEW.geom, options.similar_metres);
    PERFORM pg_advisory_xact_lock(hashtext('grid.similar ' || NEW.class), cell) FROM (
        SELECT DISTINCT (floor(x / 0.02) * 20000 + floor(y / 0.02))::int AS cell
        FROM unnest(ARRAY[ST_XMin(box), ST_XMax(box)]) x, unnest(ARRAY[ST_YMin(box), ST_YMax(box)]) y ORDER BY 1) cells;
    SELECT s.code INTO NEW.duplicate_of
    FROM grid.similar_cases(NEW.geom, NEW.kind, NEW.scheme, NEW.class, now(), options.similar_metres, options.similar_hours) s
    WHERE s.open LIMIT 1;
    IF NEW.duplicate_of IS NOT NULL THEN
        NEW.state := 'void';
        NEW.closed_at := now();
    END IF;
    RETURN NEW;
END $$;

-- AFTER INSERT on cases: the first step, and of a repeated report also a step of the case that it joins.
CREATE FUNCTION grid.case_recorded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    act text := grid.case_act();
BEGIN
    IF act = 'import' THEN
        RETURN NULL;
    END IF;
    INSERT INTO grid.steps (case_id, case_code, act, to_state, actor, role, at, reason, detail, place)
    VALUES (NEW.id, NEW.code, 'report', NEW.state, citymap.actor(), 'reporter', now(), NEW.description,
            jsonb_strip_nulls(jsonb_build_object('channel', NEW.channel, 'duplicate_of', NEW.duplicate_of)), NEW.geom);
    IF NEW.duplicate_of IS NOT NULL THEN
        PERFORM set_config('citymap.case_act', 'attach', true);
        INSERT INTO grid.steps (case_id, case_code, act, from_state, to_state, actor, role, at, reason, detail, place)
        SELECT c.id, c.code, 'report-again', c.state, c.state, citymap.actor(), 'reporter', now(), NEW.description,
               jsonb_build_object('channel', NEW.channel, 'report', NEW.code), NEW.geom
        FROM city.cases c WHERE c.code = NEW.duplicate_of;
        UPDATE city.cases SET reports = reports + 1 WHERE code = NEW.duplicate_of;
        PERFORM set_config('citymap.case_act', act, true);
    END IF;
    RETURN NULL;
END $$;

-- BEFORE UPDATE on cases: a client corrects what was reported; where it stands in its life cycle it cannot write.
CREATE FUNCTION grid.case_guarded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    free text[] := ARRAY['geom', 'kind', 'scheme', 'class', 'class_name', 'description', 'accuracy', 'reporter_name',
        'reporter_phone', 'title', 'place', 'grid', 'social_grid', 'area_code', 'area_type', 'component', 'component_distance',
        'revision', 'valid_from', 'actor'];
    wrong text;
BEGIN
    IF grid.case_act() <> '' THEN
        RETURN NEW;
    END IF;
    SELECT string_agg(n.key, ', ') INTO wrong
    FROM jsonb_each(to_jsonb(NEW) - free) n JOIN jsonb_each(to_jsonb(OLD) - free) o USING (key) WHERE n.value <> o.value;
    IF wrong IS NOT NULL THEN
        PERFORM grid.refuse('CM409', wrong || ': changed by the process advance-case only', wrong || '：只能由 advance-case 改变');
    END IF;
    IF (NEW.kind, NEW.scheme, NEW.class) IS DISTINCT FROM (OLD.kind, OLD.scheme, OLD.class)
        OR NOT ST_OrderingEquals(NEW.geom, OLD.geom) IS TRUE THEN
        IF OLD.state NOT IN ('reported', 'verified', 'accepted') THEN
            PERFORM grid.refuse('CM409', 'class and position stand once the case is filed', '立案后不能改变类别和位置');
        END IF;
    ELSE
        NEW.place := OLD.place;
        NEW.grid := OLD.grid;
        NEW.social_grid := OLD.social_grid;
        NEW.area_code := OLD.area_code;
        NEW.area_type := OLD.area_type;
        NEW.component := OLD.component;
        NEW.component_distance := OLD.component_distance;
        NEW.class_name := OLD.class_name;
        NEW.title := OLD.title;
    END IF;
    RETURN NEW;
END $$;

-- BEFORE INSERT OR UPDATE on components and visits: their grid and division code are those of their point.
CREATE FUNCTION grid.feature_located() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    found grid.location;
BEGIN
    IF NEW.geom IS NULL OR grid.case_act() = 'import' AND NEW.area_code IS NOT NULL THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND ST_OrderingEquals(NEW.geom, OLD.geom) AND OLD.area_code IS NOT NULL THEN
        NEW.grid := OLD.grid;
        NEW.area_code := OLD.area_code;
        RETURN NEW;
    END IF;
    found := grid.locate(NEW.geom);
    NEW.grid := CASE TG_ARGV[0] WHEN 'unit' THEN found.grid ELSE coalesce(found.social_grid, found.grid) END;
    NEW.area_code := found.area_code;
    RETURN NEW;
END $$;

-- Hangs the triggers and indexes on a layer of the grid's when it is made; on another of the same id it does nothing.
CREATE FUNCTION grid.watch_layer(layer citymap.layers) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    name text;
BEGIN
    IF layer.id = 'cases' AND layer.fields @> '[{"name": "clock_round"}]' THEN
        FOREACH name IN ARRAY ARRAY['case_1_checked', 'case_2_located', 'case_3_begun', 'case_4_compared'] LOOP
            EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON city.cases FOR EACH ROW EXECUTE FUNCTION grid.%I()', name, name);
        END LOOP;
        CREATE TRIGGER case_recorded AFTER INSERT ON city.cases FOR EACH ROW EXECUTE FUNCTION grid.case_recorded();
        CREATE TRIGGER case_guarded BEFORE UPDATE ON city.cases FOR EACH ROW EXECUTE FUNCTION grid.case_guarded();
        FOREACH name IN ARRAY ARRAY['case_1_checked', 'case_2_located', 'case_3_named'] LOOP
            EXECUTE format('CREATE TRIGGER moved_%I BEFORE UPDATE ON city.cases FOR EACH ROW '
                           'WHEN (grid.case_act() = '''' AND (NEW.kind IS DISTINCT FROM OLD.kind OR NEW.scheme IS DISTINCT FROM OLD.scheme '
                           'OR NEW.class IS DISTINCT FROM OLD.class OR NOT NEW.geom ~= OLD.geom)) EXECUTE FUNCTION grid.%I()', name, name);
        END LOOP;
        CREATE INDEX cases_area ON city.cases (area_code text_pattern_ops);
        CREATE INDEX cases_department ON city.cases (department, state);
        CREATE INDEX cases_open ON city.cases (state, deadline) WHERE closed_at IS NULL;
        CREATE INDEX cases_reported ON city.cases (reported_at);
        CREATE INDEX cases_running ON city.cases (escalation, remind_at) WHERE running_since IS NOT NULL;
        CREATE INDEX cases_duplicate ON city.cases (duplicate_of) WHERE duplicate_of IS NOT NULL;
        CREATE INDEX cases_source ON city.cases (source, source_id) WHERE source_id IS NOT NULL;
    ELSIF layer.id = 'components' AND layer.fields @> '[{"name": "accuracy_class"}]' THEN
        CREATE TRIGGER feature_located BEFORE INSERT OR UPDATE ON city.components FOR EACH ROW
            EXECUTE FUNCTION grid.feature_located('unit');
        CREATE INDEX components_grid ON city.components (grid);
    ELSIF layer.id = 'visits' AND layer.fields @> '[{"name": "rectify_due"}]' THEN
        CREATE TRIGGER feature_located BEFORE INSERT OR UPDATE ON city.visits FOR EACH ROW
            EXECUTE FUNCTION grid.feature_located('grid');
        CREATE INDEX visits_grid ON city.visits (grid, visited_at);
    ELSIF layer.id = 'grid-cells' AND layer.fields @> '[{"name": "predecessors"}]' THEN
        CREATE INDEX grid_cells_parent ON city.grid_cells (parent, kind);
    END IF;
END $$;

CREATE FUNCTION grid.layer_watched() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM grid.watch_layer(NEW);
    RETURN NULL;
END $$;

-- After make_layer, by the order of their names.
CREATE TRIGGER watch_grid_layer AFTER INSERT ON citymap.layers FOR EACH ROW
    WHEN (NEW.id IN ('cases', 'components', 'visits', 'grid-cells')) EXECUTE FUNCTION grid.layer_watched();

REVOKE EXECUTE ON FUNCTION grid.case_1_checked, grid.case_2_located, grid.case_3_begun, grid.case_3_named, grid.case_4_compared,
    grid.case_recorded, grid.case_guarded, grid.feature_located, grid.watch_layer, grid.layer_watched FROM PUBLIC;
