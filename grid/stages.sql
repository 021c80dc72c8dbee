-- What moves on in stages without a clock: service requests of residents, illegal buildings. Clients change the field that
-- says the stage; which stage may follow, what must be said with it, and which time it sets stands in one table.

CREATE TABLE grid.stages (
    layer text NOT NULL,
    from_stage text NOT NULL,
    to_stage text NOT NULL,
    stamp text NOT NULL,
    needs text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (layer, from_stage, to_stage)
);
INSERT INTO grid.stages (layer, from_stage, to_stage, stamp, needs) VALUES
    ('service-requests', '', 'open', 'opened_at', '{}'),
    ('service-requests', 'open', 'handling', 'accepted_at', '{worker}'),
    ('service-requests', 'open', 'withdrawn', 'closed_at', '{}'),
    ('service-requests', 'handling', 'withdrawn', 'closed_at', '{}'),
    ('service-requests', 'handling', 'handled', 'handled_at', '{result}'),
    ('service-requests', 'handled', 'handling', 'reopened_at', '{}'),
    ('service-requests', 'handled', 'closed', 'closed_at', '{satisfaction}'),
    ('illegal-buildings', '', 'suspected', 'found_at', '{}'),
    ('illegal-buildings', 'suspected', 'confirmed', 'confirmed_at', '{}'),
    ('illegal-buildings', 'suspected', 'dismissed', 'ended_at', '{reason}'),
    ('illegal-buildings', 'confirmed', 'stop-ordered', 'stopped_at', '{document}'),
    ('illegal-buildings', 'confirmed', 'penalised', 'penalised_at', '{document,penalty}'),
    ('illegal-buildings', 'confirmed', 'demolition-ordered', 'ordered_at', '{document,demolish_by}'),
    ('illegal-buildings', 'stop-ordered', 'penalised', 'penalised_at', '{document,penalty}'),
    ('illegal-buildings', 'stop-ordered', 'demolition-ordered', 'ordered_at', '{document,demolish_by}'),
    ('illegal-buildings', 'penalised', 'demolition-ordered', 'ordered_at', '{document,demolish_by}'),
    ('illegal-buildings', 'penalised', 'regularised', 'ended_at', '{permit}'),
    ('illegal-buildings', 'demolition-ordered', 'demolished', 'ended_at', '{}');
GRANT SELECT ON grid.stages TO citymap_app;

-- BEFORE INSERT OR UPDATE; arguments are the layer and its field. Times of stages are the database's, never a client's;
-- citymap.case_act = 'import' keeps what is said of a past that is known.
CREATE FUNCTION grid.stage_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    own jsonb := to_jsonb(NEW) - 'geom';
    former jsonb := CASE TG_OP WHEN 'UPDATE' THEN to_jsonb(OLD) - 'geom' ELSE '{}' END;
    was text := coalesce(former ->> TG_ARGV[1], '');
    becomes text;
    row grid.stages;
    missing text;
BEGIN
    IF grid.case_act() = 'import' THEN
        RETURN NEW;
    END IF;
    IF (own ->> 'satisfaction')::numeric NOT BETWEEN 1 AND 5 THEN
        PERFORM grid.refuse('CM400', 'satisfaction is 1 to 5', '满意度为 1 至 5');
    END IF;
    SELECT own || jsonb_object_agg(s.stamp, former -> s.stamp) INTO own
    FROM (SELECT DISTINCT stamp FROM grid.stages WHERE layer = TG_ARGV[0]) s;
    IF was = '' AND own ->> TG_ARGV[1] IS NULL THEN
        own := own || jsonb_build_object(TG_ARGV[1],
            (SELECT to_stage FROM grid.stages WHERE layer = TG_ARGV[0] AND from_stage = ''));
    END IF;
    becomes := coalesce(own ->> TG_ARGV[1], '');
    IF becomes <> was THEN
        SELECT * INTO row FROM grid.stages s WHERE (s.layer, s.from_stage, s.to_stage) = (TG_ARGV[0], was, becomes);
        IF row IS NULL THEN
            SELECT string_agg(to_stage, ', ') INTO missing FROM grid.stages WHERE layer = TG_ARGV[0] AND from_stage = was;
            PERFORM grid.refuse('CM409',
                format('%s: %L cannot follow %L; next may be %s', TG_ARGV[1], left(becomes, 40), was, coalesce(missing, 'nothing')),
                format('%s：%s 之后不能是 %s，可以是 %s', TG_ARGV[1], was, left(becomes, 40), coalesce(missing, '无')));
        END IF;
        SELECT string_agg(n, ', ') INTO missing FROM unnest(row.needs) n WHERE coalesce(own ->> n, '') = '';
        IF missing IS NOT NULL THEN
            PERFORM grid.refuse('CM400', format('%s %s needs %s', TG_ARGV[1], becomes, missing),
                                format('%s 为 %s 时须填 %s', TG_ARGV[1], becomes, missing));
        END IF;
        own := own || jsonb_build_object(row.stamp, now());
    END IF;
    RETURN jsonb_populate_record(NEW, own);
END $$;

-- Which layers these are, and what else happens beside every write to them.
CREATE FUNCTION grid.watch_stages() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.id = 'service-requests' AND NEW.fields @> '[{"name": "reopened_at"}]' THEN
        CREATE TRIGGER feature_located BEFORE INSERT OR UPDATE ON city.service_requests FOR EACH ROW
            EXECUTE FUNCTION grid.feature_located('grid');
        CREATE TRIGGER stage_moved BEFORE INSERT OR UPDATE ON city.service_requests FOR EACH ROW
            EXECUTE FUNCTION grid.stage_moved('service-requests', 'state');
        CREATE INDEX service_requests_grid ON city.service_requests (grid, opened_at);
    ELSIF NEW.id = 'illegal-buildings' AND NEW.fields @> '[{"name": "demolish_by"}]' THEN
        CREATE TRIGGER building_located BEFORE INSERT OR UPDATE ON city.illegal_buildings FOR EACH ROW
            EXECUTE FUNCTION grid.surface_located();
        CREATE TRIGGER stage_moved BEFORE INSERT OR UPDATE ON city.illegal_buildings FOR EACH ROW
            EXECUTE FUNCTION grid.stage_moved('illegal-buildings', 'stage');
        CREATE INDEX illegal_buildings_case ON city.illegal_buildings (case_code);
    ELSIF NEW.id = 'temporary-buildings' AND NEW.fields @> '[{"name": "extended_to"}]' THEN
        CREATE TRIGGER building_located BEFORE INSERT OR UPDATE ON city.temporary_buildings FOR EACH ROW
            EXECUTE FUNCTION grid.surface_located();
    END IF;
    RETURN NULL;
END $$;

-- The division code of a surface is that of a point on it.
CREATE FUNCTION grid.surface_located() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.geom IS NULL OR ST_IsEmpty(NEW.geom) THEN
        PERFORM grid.refuse('CM400', 'a building needs its outline', '建筑必须有轮廓');
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.geom::bytea = OLD.geom::bytea AND OLD.area_code IS NOT NULL THEN
        NEW.area_code := OLD.area_code;
    ELSE
        NEW.area_code := (grid.locate(ST_PointOnSurface(NEW.geom))).area_code;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER watch_stages AFTER INSERT ON citymap.layers FOR EACH ROW
    WHEN (NEW.id IN ('service-requests', 'illegal-buildings', 'temporary-buildings'))
    EXECUTE FUNCTION grid.watch_stages();

REVOKE EXECUTE ON FUNCTION grid.stage_moved, grid.watch_stages, grid.surface_located FROM PUBLIC;
