-- Layers drawn small: see tiles/generalised/__init__.py.

-- A piece of a layer in one zoom band: a feature of its own shape (`feature` is its id), or several as one (of a class,
-- with the count where points were clustered). It belongs to the cell cx, cy; pieces wider than a cell are `wide`.
CREATE TABLE citymap.generalised (
    layer text NOT NULL REFERENCES citymap.layers ON DELETE CASCADE ON UPDATE CASCADE,
    band smallint NOT NULL,
    wide boolean NOT NULL,
    cx int NOT NULL, cy int NOT NULL,
    feature bigint,
    class text,
    name text,
    point_count int,
    geom geometry(Geometry, 4490) NOT NULL
);
CREATE INDEX generalised_band ON citymap.generalised (layer, band, wide, cx, cy);
CREATE INDEX generalised_cell ON citymap.generalised (layer, cx, cy);

-- The state of the data that a layer's pieces show; without a row it has none.
CREATE TABLE citymap.generalised_layers (
    layer text PRIMARY KEY REFERENCES citymap.layers ON DELETE CASCADE ON UPDATE CASCADE,
    snapshot pg_snapshot NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, DELETE ON citymap.generalised TO citymap_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON citymap.generalised_layers TO citymap_app;

-- Pieces do not tell who may see the rows that they show, so there are some of public layers only. They go with a change
-- of the catalogue, in its transaction; the lock is the one under which they are made.
CREATE FUNCTION citymap.forget_generalised() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('citymap generalised ' || NEW.id, 0));
    DELETE FROM citymap.generalised_layers WHERE layer = NEW.id;
    DELETE FROM citymap.generalised WHERE layer = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_generalised AFTER UPDATE ON citymap.layers FOR EACH ROW
    WHEN ((OLD.visibility, OLD.fields, OLD.style, OLD.srid, OLD.geometry_type) IS DISTINCT FROM (NEW.visibility, NEW.fields, NEW.style, NEW.srid, NEW.geometry_type))
    EXECUTE FUNCTION citymap.forget_generalised();

-- Tiles that were drawn before there were pieces go.
CREATE FUNCTION citymap.draw_generalised() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO citymap.dirty (layer, west, south, east, north) VALUES (NEW.layer, -180, -90, 180, 90);
    PERFORM pg_notify('citymap_dirty', NEW.layer);
    RETURN NULL;
END $$;
CREATE TRIGGER draw_generalised AFTER INSERT ON citymap.generalised_layers FOR EACH ROW EXECUTE FUNCTION citymap.draw_generalised();

REVOKE EXECUTE ON FUNCTION citymap.forget_generalised, citymap.draw_generalised FROM PUBLIC;
