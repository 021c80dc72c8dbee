-- Derived layers: worked out from others, and true to them after every edit. See layers/derived/__init__.py.
--
-- A layer with a row here is made by a recipe of its `inputs`. Of recipe buildings-3d it is a view; of others a table
-- that the server fills.

CREATE TABLE citymap.derivations (
    layer text PRIMARY KEY REFERENCES citymap.layers ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
    recipe text NOT NULL CHECK (recipe IN ('buildings-3d', 'contours')),
    parameters jsonb NOT NULL DEFAULT '{}'
);

-- Where a derived layer must be worked out anew, and because of which input. A row goes in the transaction that does it.
CREATE TABLE citymap.stale (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    layer text NOT NULL REFERENCES citymap.layers ON DELETE CASCADE ON UPDATE CASCADE,
    input text NOT NULL,
    west float8 NOT NULL, south float8 NOT NULL, east float8 NOT NULL, north float8 NOT NULL
);
CREATE INDEX stale_layer ON citymap.stale (layer, seq);

-- What elevation says of a footprint [m]: the mean and the least height of the ground along its outline, and how high
-- the surface stands above it; NULL where elevation is unknown. Of each state of the feature, told by its valid_from, so
-- that what was read of one state is never taken for another's.
CREATE TABLE citymap.ground (
    layer text NOT NULL REFERENCES citymap.layers ON DELETE CASCADE ON UPDATE CASCADE,
    id bigint NOT NULL,
    valid_from timestamptz NOT NULL,
    ground float8, lowest float8, surface float8,
    PRIMARY KEY (layer, id, valid_from)
);

-- 外壳 Walls and roofs as a city model drew them, heights [m] above the building's lowest point: of a footprint, told by its
-- very shape (md5) and height, so that a building that was moved, redrawn or raised since stands as a block.
CREATE TABLE citymap.shells (
    layer text NOT NULL REFERENCES citymap.layers ON DELETE CASCADE ON UPDATE CASCADE,
    footprint uuid NOT NULL,
    height float8 NOT NULL,
    faces geometry(MultiPolygonZ, 4490) NOT NULL,
    PRIMARY KEY (layer, footprint, height)
);

-- Whether a layer is a view. In the condition of a trigger, before the row of derivations may have gone.
CREATE FUNCTION citymap.is_view(layer_id text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM citymap.derivations d WHERE d.layer = layer_id AND d.recipe = 'buildings-3d');
END $$;

-- --- An edit of an input ---------------------------------------------------------------------------------------------

-- What is dirty in an input is dirty in its views, and stale in all that is kept of it.
CREATE FUNCTION citymap.derive_dirty() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows n JOIN citymap.layers l ON l.inputs ? n.layer
                   JOIN citymap.derivations d ON d.layer = l.id) THEN
        RETURN NULL;
    END IF;
    INSERT INTO citymap.stale (layer, input, west, south, east, north)
    SELECT d.layer, n.layer, n.west, n.south, n.east, n.north
    FROM new_rows n JOIN citymap.layers l ON l.inputs ? n.layer JOIN citymap.derivations d ON d.layer = l.id
    WHERE n.east - n.west < 360;  -- else it is the catalogue that has changed
    PERFORM pg_notify('citymap_stale', '');
    INSERT INTO citymap.dirty (layer, west, south, east, north)
    SELECT l.id, n.west, n.south, n.east, n.north
    FROM new_rows n JOIN citymap.layers l ON l.inputs ->> 0 = n.layer WHERE citymap.is_view(l.id);
    RETURN NULL;
END $$;
CREATE TRIGGER derive_dirty AFTER INSERT ON citymap.dirty REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION citymap.derive_dirty();

-- Statement trigger of an input's table; its argument is the view. Where the footprint stays, so does its ground.
CREATE FUNCTION citymap.keep_ground() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO citymap.ground (layer, id, valid_from, ground, lowest, surface)
    SELECT g.layer, g.id, n.valid_from, g.ground, g.lowest, g.surface
    FROM old_rows o JOIN new_rows n USING (id)
    JOIN citymap.ground g ON g.layer = TG_ARGV[0] AND g.id = o.id AND g.valid_from = o.valid_from
    WHERE o.geom::bytea = n.geom::bytea
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- The server has worked something out anew there [CGCS2000 degrees]: tiles that show it go.
CREATE FUNCTION citymap.worked_out(layer_id text, west float8, south float8, east float8, north float8) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    INSERT INTO citymap.dirty (layer, west, south, east, north)
    SELECT layer_id, west, south, east, north WHERE citymap.is_view(layer_id);
    SELECT pg_notify('citymap_dirty', layer_id);
$$;

-- --- Who may see it --------------------------------------------------------------------------------------------------

-- A derived layer is no more open than its inputs, and so are its fields than those of the same name.
CREATE FUNCTION citymap.as_closed_as_inputs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    input citymap.layers;
BEGIN
    FOR input IN SELECT l.* FROM citymap.layers l WHERE NEW.inputs ? l.id LOOP
        IF citymap.visibility_rank(input.visibility) > citymap.visibility_rank(NEW.visibility) THEN
            NEW.visibility := input.visibility;
        END IF;
        NEW.fields := (
            SELECT coalesce(jsonb_agg(CASE
                WHEN i IS NOT NULL AND citymap.visibility_rank(i ->> 'visibility') > citymap.visibility_rank(f ->> 'visibility')
                THEN f || jsonb_build_object('visibility', i ->> 'visibility') ELSE f END ORDER BY n), '[]')
            FROM jsonb_array_elements(NEW.fields) WITH ORDINALITY AS t (f, n)
            LEFT JOIN LATERAL (
                SELECT i FROM jsonb_array_elements(input.fields) AS i
                WHERE input.id = NEW.inputs ->> 0 AND citymap.is_view(NEW.id) AND i ->> 'name' = ANY (citymap.told_by(f ->> 'name'))
                ORDER BY citymap.visibility_rank(i ->> 'visibility') DESC LIMIT 1
            ) AS hidden (i) ON true);
    END LOOP;
    RETURN NEW;
END $$;

-- From which fields of the footprints a field of a view of buildings is worked out.
CREATE FUNCTION citymap.told_by(field text) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN CASE WHEN field IN ('height', 'height_from', 'roof') THEN '{height,floors}'::text[] ELSE ARRAY[field] END;

CREATE FUNCTION citymap.close_derived() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE citymap.layers l SET updated = now() WHERE l.inputs ? NEW.id;  -- as_closed_as_inputs does the rest
    PERFORM citymap.make_view(l) FROM citymap.layers l WHERE l.inputs ? NEW.id AND citymap.is_view(l.id);
    RETURN NULL;
END $$;

CREATE FUNCTION citymap.widen_view() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE citymap.layers l SET extent = NEW.extent, updated = NEW.updated
    WHERE l.inputs ->> 0 = NEW.id AND citymap.is_view(l.id) AND l.extent IS DISTINCT FROM NEW.extent;
    RETURN NULL;
END $$;

-- --- Buildings in three dimensions -----------------------------------------------------------------------------------

-- SQL of one field. A height is the feature's own, or its floors' times a floor's, or that of the surface, or assumed.
CREATE FUNCTION citymap.building_field(field text, input jsonb, parameters jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    has_height boolean := input @> '[{"name": "height"}]';
    has_floors boolean := input @> '[{"name": "floors"}]';
    choice text;
BEGIN
    -- what is higher than any building is a mistake
    choice := 'CASE'
        || CASE WHEN has_height THEN ' WHEN b.height > 0 AND b.height <= 2000 THEN %1$s' ELSE '' END
        || CASE WHEN has_floors THEN ' WHEN b.floors > 0 AND b.floors <= 400 THEN %2$s' ELSE '' END
        || ' WHEN g.surface > 0 THEN %3$s' || CASE WHEN parameters ? 'assumed_height' THEN ' ELSE %4$s' ELSE '' END || ' END';
    RETURN CASE field
        WHEN 'height' THEN format(choice, 'b.height', format('b.floors * %s::float8', (parameters ->> 'floor_height')::float8),
                                  'g.surface', (parameters ->> 'assumed_height')::float8)
        WHEN 'height_from' THEN format(choice, '''height''', '''floors''', '''surface''', '''assumed''')
        WHEN 'ground' THEN 'g.ground'
        WHEN 'ground_low' THEN 'g.lowest'
        WHEN 'roof' THEN 'g.ground + ' || citymap.building_field('height', input, parameters)
        WHEN 'min_height' THEN CASE WHEN input @> '[{"name": "min_height"}]' THEN 'b.min_height' ELSE 'NULL::float8' END
        ELSE format('b.%I', field)
    END;
END $$;

-- The view of a layer, present and past. Its rows are those of the input that the reader may see, if it may see the
-- layer itself: conditions as those of the policies, since a view reads with its owner's rights.
CREATE FUNCTION citymap.make_view(layer citymap.layers) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    input citymap.layers;
    parameters jsonb := (SELECT d.parameters FROM citymap.derivations d WHERE d.layer = make_view.layer.id);
    columns text;
    condition text;
    options text := '';
BEGIN
    SELECT l.* INTO input FROM citymap.layers l WHERE l.id = layer.inputs ->> 0;
    IF input.id IS NULL OR input.srid <> layer.srid OR input.geometry_type <> layer.geometry_type THEN
        RAISE EXCEPTION 'layer % needs an input of its geometry type and CRS, not %', layer.id, layer.inputs ->> 0;
    END IF;
    SELECT string_agg(format('%s AS %I', citymap.building_field(f ->> 'name', input.fields, parameters), f ->> 'name'), ', '
                      ORDER BY n)
    INTO columns FROM jsonb_array_elements(layer.fields) WITH ORDINALITY AS t (f, n);
    condition := format('(%s) AND (%s)', citymap.row_condition(input, 'read'), citymap.row_condition(layer, 'read'));
    IF condition = '(true) AND (true)' THEN
        condition := 'true';
    ELSE
        condition := format('(current_user <> ''citymap_app'' OR %s)', condition);
        options := ' WITH (security_barrier)';
    END IF;
    EXECUTE format('CREATE OR REPLACE VIEW city.%I%s AS SELECT b.id, b.geom, %s, b.revision, b.valid_from, b.actor '
                   'FROM city.%I b LEFT JOIN citymap.ground g '
                   'ON g.layer = %L AND g.id = b.id AND g.valid_from = b.valid_from WHERE %s',
                   layer.table_name, options, columns, input.table_name, layer.id, condition);
    EXECUTE format('CREATE OR REPLACE VIEW history.%I%s AS SELECT b.valid_to, b.ended_by, b.operation, b.id, b.geom, %s, '
                   'b.revision, b.valid_from, b.actor FROM history.%I b '
                   'LEFT JOIN citymap.ground g ON g.layer = %L AND g.id = b.id AND g.valid_from = b.valid_from WHERE %s',
                   layer.table_name, options, columns, input.table_name, layer.id, condition);
    IF options = '' THEN
        EXECUTE format('ALTER VIEW city.%1$I RESET (security_barrier); ALTER VIEW history.%1$I RESET (security_barrier)',
                       layer.table_name);
    END IF;
    EXECUTE format('GRANT SELECT ON city.%1$I, history.%1$I TO citymap_app', layer.table_name);
END $$;

CREATE FUNCTION citymap.view_made() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    input text := (SELECT l.table_name FROM citymap.layers l WHERE l.id = NEW.inputs ->> 0);
BEGIN
    PERFORM citymap.make_view(NEW);
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON city.%I REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
                   'FOR EACH STATEMENT EXECUTE FUNCTION citymap.keep_ground(%L)',
                   left('keep_ground_' || NEW.table_name, 63), input, NEW.id);
    UPDATE citymap.layers l SET extent = i.extent FROM citymap.layers i WHERE l.id = NEW.id AND i.id = NEW.inputs ->> 0;
    RETURN NULL;
END $$;

CREATE FUNCTION citymap.view_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM citymap.make_view(NEW);
    RETURN NULL;
END $$;

-- Before a layer goes, the views of it do, and after it what was derived from it.
CREATE FUNCTION citymap.drop_views() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    view citymap.layers;
BEGIN
    FOR view IN SELECT l.* FROM citymap.layers l WHERE (l.id = OLD.id OR l.inputs ->> 0 = OLD.id) AND citymap.is_view(l.id) LOOP
        EXECUTE format('DROP VIEW IF EXISTS city.%1$I, history.%1$I', view.table_name);
        EXECUTE (
            SELECT coalesce(string_agg(format('DROP TRIGGER IF EXISTS %I ON %s', t.tgname, t.tgrelid::regclass), '; '), '')
            FROM pg_trigger t WHERE t.tgfoid = 'citymap.keep_ground'::regproc
            AND t.tgargs = convert_to(view.id, 'UTF8') || '\x00'::bytea);
    END LOOP;
    RETURN OLD;
END $$;

CREATE FUNCTION citymap.drop_derived() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM citymap.layers l USING citymap.derivations d WHERE d.layer = l.id AND l.inputs ? OLD.id;
    INSERT INTO citymap.dirty (layer, west, south, east, north)
    SELECT OLD.id, -180, -90, 180, 90 WHERE TG_ARGV[0] = 'view';
    RETURN NULL;
END $$;

-- A view has the features of its input.
CREATE OR REPLACE FUNCTION citymap.row_count(layer_id text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    counted text := layer_id;
BEGIN
    IF citymap.is_view(layer_id) THEN
        counted := (SELECT l.inputs ->> 0 FROM citymap.layers l WHERE l.id = layer_id);
    END IF;
    RETURN (SELECT coalesce(sum(delta), 0)::bigint FROM citymap.row_deltas d WHERE d.layer = counted);
END $$;

-- --- The catalogue's triggers ----------------------------------------------------------------------------------------

DROP TRIGGER make_layer ON citymap.layers;
DROP TRIGGER drop_layer ON citymap.layers;
DROP TRIGGER change_policies ON citymap.layers;
CREATE TRIGGER make_layer AFTER INSERT ON citymap.layers FOR EACH ROW
    WHEN (NOT citymap.is_view(NEW.id)) EXECUTE FUNCTION citymap.make_layer();
CREATE TRIGGER drop_layer AFTER DELETE ON citymap.layers FOR EACH ROW
    WHEN (NOT citymap.is_view(OLD.id)) EXECUTE FUNCTION citymap.drop_layer();
CREATE TRIGGER change_policies AFTER UPDATE ON citymap.layers FOR EACH ROW
    WHEN ((OLD.visibility <> NEW.visibility OR OLD.fields <> NEW.fields) AND NOT citymap.is_view(NEW.id))
    EXECUTE FUNCTION citymap.change_policies();

CREATE TRIGGER as_closed_as_inputs BEFORE INSERT OR UPDATE ON citymap.layers FOR EACH ROW
    WHEN (NEW.inputs <> '[]') EXECUTE FUNCTION citymap.as_closed_as_inputs();
CREATE TRIGGER close_derived AFTER UPDATE ON citymap.layers FOR EACH ROW
    WHEN (OLD.visibility <> NEW.visibility OR OLD.fields <> NEW.fields) EXECUTE FUNCTION citymap.close_derived();
CREATE TRIGGER widen_view AFTER UPDATE ON citymap.layers FOR EACH ROW
    WHEN (OLD.extent IS DISTINCT FROM NEW.extent) EXECUTE FUNCTION citymap.widen_view();
CREATE TRIGGER view_changed AFTER UPDATE ON citymap.layers FOR EACH ROW
    WHEN ((OLD.visibility <> NEW.visibility OR OLD.fields <> NEW.fields) AND citymap.is_view(NEW.id))
    EXECUTE FUNCTION citymap.view_changed();
-- last in the alphabet: others hang what they watch with on tables, and find none
CREATE TRIGGER z_make_view AFTER INSERT ON citymap.layers FOR EACH ROW
    WHEN (citymap.is_view(NEW.id)) EXECUTE FUNCTION citymap.view_made();
CREATE TRIGGER drop_views BEFORE DELETE ON citymap.layers FOR EACH ROW EXECUTE FUNCTION citymap.drop_views();
CREATE TRIGGER drop_derived AFTER DELETE ON citymap.layers FOR EACH ROW
    WHEN (NOT citymap.is_view(OLD.id)) EXECUTE FUNCTION citymap.drop_derived('table');
CREATE TRIGGER drop_derived_view AFTER DELETE ON citymap.layers FOR EACH ROW
    WHEN (citymap.is_view(OLD.id)) EXECUTE FUNCTION citymap.drop_derived('view');

REVOKE EXECUTE ON FUNCTION citymap.derive_dirty(), citymap.keep_ground(), citymap.as_closed_as_inputs(),
    citymap.close_derived(), citymap.widen_view(), citymap.make_view(citymap.layers), citymap.view_made(),
    citymap.view_changed(), citymap.drop_views(), citymap.drop_derived(), citymap.worked_out FROM PUBLIC;
GRANT EXECUTE ON FUNCTION citymap.worked_out TO citymap_app;
GRANT SELECT ON citymap.derivations TO citymap_app, citymap_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON citymap.stale, citymap.ground TO citymap_app;
GRANT INSERT ON citymap.derivations TO citymap_app;
GRANT SELECT, INSERT, UPDATE ON citymap.shells TO citymap_app;
