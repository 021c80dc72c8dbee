-- A derived coverage (hillshade of dem) is worked out from its inputs when it is read: it lies where they lie.

ALTER TABLE citymap.layers ADD COLUMN IF NOT EXISTS inputs jsonb NOT NULL DEFAULT '[]';

CREATE FUNCTION citymap.take_extent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    SELECT l.extent INTO NEW.extent FROM citymap.layers l WHERE l.id = NEW.inputs ->> 0;
    RETURN NEW;
END $$;

CREATE FUNCTION citymap.hand_on_extent() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE citymap.layers SET extent = NEW.extent, updated = NEW.updated
    WHERE kind = 'coverage' AND inputs ->> 0 = NEW.id AND extent IS DISTINCT FROM NEW.extent;
    RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION citymap.take_extent(), citymap.hand_on_extent() FROM PUBLIC;
CREATE TRIGGER take_extent BEFORE INSERT ON citymap.layers FOR EACH ROW
    WHEN (NEW.kind = 'coverage' AND NEW.inputs <> '[]') EXECUTE FUNCTION citymap.take_extent();
CREATE TRIGGER hand_on_extent AFTER UPDATE ON citymap.layers FOR EACH ROW
    WHEN (OLD.extent IS DISTINCT FROM NEW.extent) EXECUTE FUNCTION citymap.hand_on_extent();
