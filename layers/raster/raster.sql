-- Beside a layer of footprints, what its pixels are.
CREATE TABLE citymap.coverages (
    layer text PRIMARY KEY REFERENCES citymap.layers ON DELETE CASCADE ON UPDATE CASCADE,
    nature text NOT NULL CHECK (nature IN ('imagery', 'elevation', 'classes', 'relief')),
    bands jsonb NOT NULL DEFAULT '[]'
);
GRANT SELECT, INSERT ON citymap.coverages TO citymap_app;

-- The folders of images that the present, or a past that ended after `since`, needs: of every coverage, whoever asks,
-- because a file that the asker may not see must not go for it.
CREATE FUNCTION citymap.raster_folders(since timestamptz) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    place text;
BEGIN
    FOR place IN SELECT l.table_name FROM citymap.layers l WHERE l.kind = 'coverage' LOOP
        RETURN QUERY EXECUTE format('SELECT folder FROM city.%I UNION SELECT folder FROM history.%I WHERE valid_to >= $1',
                                    place, place) USING since;
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION citymap.raster_folders FROM PUBLIC;
GRANT EXECUTE ON FUNCTION citymap.raster_folders TO citymap_app;
