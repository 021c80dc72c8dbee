-- Where a point lies in the city's own terms: grid, area, road and crossing, component, reports of the same problem.
-- Points are EPSG:4490, distances geodesic [m]. All run with the caller's rights.

-- Half a box of so many metres, as a degree box around a point.
CREATE FUNCTION grid.around(p geometry, metres float8) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ST_SetSRID(ST_Expand(p, metres / (110000 * greatest(cos(radians(ST_Y(p))), 0.01)), metres / 110000), ST_SRID(p));

CREATE TYPE grid.location AS (grid text, social_grid text, area_code text, area_type text);

-- The unit grid cell, the grid, and the smallest administrative area at a point. Where cells touch, the lower code.
CREATE FUNCTION grid.locate(p geometry) RETURNS grid.location LANGUAGE plpgsql STABLE AS $$
DECLARE
    found grid.location;
    community text;
    kind_of_area text;
BEGIN
    IF to_regclass('city.grid_cells') IS NOT NULL THEN
        SELECT c.code, c.parent, c.area_type INTO found.grid, found.area_code, found.area_type FROM city.grid_cells c
        WHERE ST_Intersects(c.geom, p) AND c.kind = 'unit' AND c.status IS DISTINCT FROM 'retired'
        ORDER BY c.code LIMIT 1;
        SELECT c.code, c.parent, c.area_type INTO found.social_grid, community, kind_of_area FROM city.grid_cells c
        WHERE ST_Intersects(c.geom, p) AND c.kind IN ('special', 'grid') AND c.status IS DISTINCT FROM 'retired'
        ORDER BY c.kind DESC, c.code LIMIT 1;
        found.area_code := coalesce(found.area_code, community);
        found.area_type := coalesce(found.area_type, kind_of_area);
    END IF;
    IF found.area_code IS NULL AND to_regclass('city.admin_areas') IS NOT NULL THEN
        found.area_code := (SELECT a.code FROM city.admin_areas a WHERE ST_Intersects(a.geom, p) AND a.code IS NOT NULL
                            ORDER BY length(a.code) DESC, a.code LIMIT 1);
    END IF;
    RETURN found;
END $$;

-- The direction from one point to another as Chinese addresses name it; at a crossing the corners are 角.
CREATE FUNCTION grid.direction(origin geometry, p geometry, corner boolean) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (ARRAY['北', '东北', '东', '东南', '南', '西南', '西', '西北'])[
           1 + (floor((degrees(ST_Azimuth(origin::geography, p::geography)) + 22.5) / 45)::int % 8)]
    || CASE WHEN corner AND (floor((degrees(ST_Azimuth(origin::geography, p::geography)) + 22.5) / 45)::int % 2) = 1
            THEN '角' ELSE '侧' END;

-- The nearest crossing of two roads of different names within so many metres, as "XX路与YY路交叉口东北角".
-- The crossing of two divided roads is the middle of the points at which they meet.
CREATE FUNCTION grid.crossing_at(p geometry, metres float8) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    found record;
BEGIN
    WITH road AS (
        SELECT r.name, r.geom,
               coalesce(array_position(ARRAY['motorway', 'trunk', 'primary', 'secondary', 'tertiary'], r.class), 9) AS rank
        FROM city.roads r WHERE r.geom && grid.around(p, 2 * metres) AND r.name <> ''
    ), tip AS (
        SELECT name, rank, ST_StartPoint(geom) AS at FROM road UNION ALL SELECT name, rank, ST_EndPoint(geom) FROM road
    ), named AS (
        SELECT at, name, min(rank) AS rank FROM tip WHERE at && grid.around(p, 2 * metres) GROUP BY at, name
    ), met AS (
        SELECT at, (array_agg(name ORDER BY rank, name))[1:2] AS names FROM named GROUP BY at HAVING count(*) > 1
    )
    SELECT names, ST_Centroid(ST_Collect(at)) AS centre INTO found FROM met
    GROUP BY names
    HAVING ST_Distance(ST_Centroid(ST_Collect(at))::geography, p::geography) <= metres
    ORDER BY ST_Distance(ST_Centroid(ST_Collect(at))::geography, p::geography), names LIMIT 1;
    IF found.names IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN found.names[1] || '与' || found.names[2] || '交叉口'
        || CASE WHEN ST_Distance(found.centre::geography, p::geography) < 5 THEN ''
                ELSE grid.direction(found.centre, p, true) END;
END $$;

-- The nearest named road within so many metres and on which side of it: "XX路北侧".
CREATE FUNCTION grid.roadside_at(p geometry, metres float8) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    found record;
BEGIN
    SELECT r.name, ST_ClosestPoint(r.geom, p) AS foot, ST_Distance(r.geom::geography, p::geography) AS away
    INTO found FROM city.roads r WHERE r.geom && grid.around(p, metres) AND r.name <> ''
    ORDER BY ST_Distance(r.geom::geography, p::geography), r.name, r.id LIMIT 1;
    IF found.name IS NULL OR found.away > metres THEN
        RETURN NULL;
    END IF;
    RETURN found.name || CASE WHEN found.away < 3 THEN '路面' ELSE grid.direction(found.foot, p, false) END;
END $$;

-- The nearest house number within so many metres: "XX路12号附近".
CREATE FUNCTION grid.address_near(p geometry, metres float8) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT a.address || '附近' FROM city.addresses a
            WHERE a.geom && grid.around(p, metres) AND a.address <> ''
              AND ST_Distance(a.geom::geography, p::geography) <= metres
            ORDER BY ST_Distance(a.geom::geography, p::geography), a.id LIMIT 1);
END $$;

-- Where a point is, as people say it: a crossing, else a house number, else a road; NULL far from all.
CREATE FUNCTION grid.place_at(p geometry) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    said text;
BEGIN
    IF to_regclass('city.roads') IS NOT NULL THEN
        said := grid.crossing_at(p, 50);
    END IF;
    IF said IS NULL AND to_regclass('city.addresses') IS NOT NULL THEN
        said := grid.address_near(p, 30);
    END IF;
    IF said IS NULL AND to_regclass('city.roads') IS NOT NULL THEN
        said := grid.roadside_at(p, 100);
    END IF;
    RETURN said;
END $$;

-- The nearest component within so many metres: of the class if there is one, else of any.
CREATE FUNCTION grid.component_near(p geometry, of_scheme text, of_class text, metres float8, OUT code text, OUT distance float8)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT c.code, ST_Distance(c.geom::geography, p::geography) INTO component_near.code, component_near.distance
    FROM city.components c
    WHERE c.geom && grid.around(p, metres) AND c.state IS DISTINCT FROM 'removed'
      AND ST_Distance(c.geom::geography, p::geography) <= metres
    ORDER BY (c.scheme = of_scheme AND c.class = of_class) IS TRUE DESC,
             ST_Distance(c.geom::geography, p::geography), c.code LIMIT 1;
END $$;

-- Cases that may be the same problem: same class, near in space and time, no duplicates themselves; the likeliest first.
CREATE FUNCTION grid.similar_cases(
    p geometry, of_kind text, of_scheme text, of_class text, at timestamptz, metres float8, hours float8
) RETURNS TABLE (id bigint, code text, state text, title text, open boolean, distance float8, hours_apart float8)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT c.id, c.code, c.state, c.title, c.closed_at IS NULL, d.metres, abs(extract(epoch FROM at - c.reported_at))::float8 / 3600
    FROM city.cases c, LATERAL (SELECT ST_Distance(c.geom::geography, p::geography) AS metres) d
    WHERE c.geom && grid.around(p, similar_cases.metres) AND c.kind = of_kind AND c.scheme = of_scheme AND c.class = of_class
      AND c.duplicate_of IS NULL
      AND c.reported_at BETWEEN at - similar_cases.hours * interval '1 hour' AND at + similar_cases.hours * interval '1 hour'
      AND d.metres <= similar_cases.metres
    ORDER BY c.closed_at IS NULL DESC, d.metres, c.id
    LIMIT 20;
END $$;
