-- What the catalogue says of a layer decides who sees which rows and fields of it. When that changes, everything that was
-- drawn of the layer is dirty: also what was read by the old catalogue after the change, and would seem good again after
-- the next.

CREATE FUNCTION citymap.dirty_layer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO citymap.dirty (layer, west, south, east, north) VALUES (NEW.id, -180, -90, 180, 90);
    PERFORM pg_notify('citymap_dirty', NEW.id);
    RETURN NULL;
END $$;

REVOKE EXECUTE ON FUNCTION citymap.dirty_layer() FROM PUBLIC;

CREATE TRIGGER dirty_layer AFTER UPDATE ON citymap.layers FOR EACH ROW
    WHEN ((OLD.visibility, OLD.fields, OLD.style, OLD.time_field, OLD.kind)
        IS DISTINCT FROM (NEW.visibility, NEW.fields, NEW.style, NEW.time_field, NEW.kind))
    EXECUTE FUNCTION citymap.dirty_layer();
