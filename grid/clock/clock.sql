-- The clock of cases in SQL; grid/clock/model.py does the same. Times are whole seconds.

-- The reading of the city's time line at an instant [s]; for urgent hours that of the clock on the wall.
CREATE FUNCTION grid.clock_position(unit text, at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    IF unit = 'urgent-hours' THEN
        RETURN floor(extract(epoch FROM at));
    END IF;
    RETURN coalesce((
        SELECT w.seconds_before + floor(extract(epoch FROM least(at, w.ends) - w.begins))::bigint
        FROM grid.working_time w WHERE w.begins <= at ORDER BY w.begins DESC LIMIT 1), 0);
END $$;

-- The first instant at which the time line reads so; NULL beyond the calendar.
CREATE FUNCTION grid.clock_instant(unit text, reading bigint) RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    IF unit = 'urgent-hours' THEN
        RETURN to_timestamp(reading);
    END IF;
    RETURN (
        SELECT CASE WHEN reading - w.seconds_before <= extract(epoch FROM w.ends - w.begins)
               THEN w.begins + (reading - w.seconds_before) * interval '1 second' END
        FROM grid.working_time w
        WHERE w.seconds_before < reading OR w.seconds_before = 0
        ORDER BY w.seconds_before DESC LIMIT 1
    );
END $$;

-- Seconds of a limit that are used at an instant.
CREATE FUNCTION grid.clock_spent(unit text, used bigint, running_since timestamptz, at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    IF running_since IS NULL THEN
        RETURN used;
    END IF;
    RETURN used + greatest(0, grid.clock_position(unit, at) - grid.clock_position(unit, running_since));
END $$;

-- A share of a limit [s], rounded up to a whole second.
CREATE FUNCTION grid.clock_share(whole bigint, share float8) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (whole * round(share * 1000000)::bigint + 999999) / 1000000;

-- The light at an instant: green, amber from the reminder on, red beyond the limit; NULL without a limit.
CREATE FUNCTION grid.clock_light(
    unit text, whole bigint, used bigint, running_since timestamptz, at timestamptz, remind_share float8
) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    spent bigint;
BEGIN
    IF whole IS NULL THEN
        RETURN NULL;
    END IF;
    spent := grid.clock_spent(unit, used, running_since, at);
    RETURN CASE WHEN spent > whole THEN 'red' WHEN spent >= grid.clock_share(whole, remind_share) THEN 'amber' ELSE 'green' END;
END $$;
