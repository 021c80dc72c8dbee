-- Control lines or zones that the parcel meets, by the rules of their kinds: what of the parcel is in conflict.
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p),
rule AS MATERIALIZED (SELECT * FROM planning.rules WHERE layer = :layer),
near AS MATERIALIZED (
    SELECT * FROM ({near}) AS n
    WHERE {in_force}
),
touching AS (
    SELECT r.kind, r.place, r.rule, r.severity, r.zh, r.en, r.distance, r.allowed, r.scheme, true AS known,
        n.id, n.revision, n.valid_from, n.code, n.name, n.plan, n.version,
        ST_AsBinary(CASE r.rule
            WHEN 'keep-distance' THEN ST_Intersection(p, ST_Buffer(
                CASE WHEN ST_NPoints(n.g) > 2000 THEN ST_ClipByBox2D(n.g, ST_Expand(p, 2 * r.distance + 1)) ELSE n.g END,
                r.distance, 'quad_segs=32'))
            ELSE ST_Intersection(p, n.g) END) AS piece
    FROM near n JOIN rule r USING (kind) CROSS JOIN parcel
    WHERE r.rule <> 'must-lie-inside'
      AND CASE r.rule WHEN 'keep-distance' THEN ST_DWithin(n.g, p, r.distance) ELSE ST_Intersects(n.g, p) END
),
outside AS (
    SELECT r.kind, r.place, r.rule, r.severity, r.zh, r.en, r.distance, r.allowed, r.scheme,
        u.g IS NOT NULL OR EXISTS (
            SELECT FROM {all} AS n WHERE n.kind = r.kind AND {in_force}) AS known,
        NULL::bigint AS id, NULL::bigint AS revision, u.since AS valid_from, NULL::text AS code, NULL::text AS name,
        u.plan, u.version,
        ST_AsBinary(CASE WHEN u.g IS NULL THEN p ELSE ST_Difference(p, u.g) END) AS piece
    FROM rule r CROSS JOIN parcel, LATERAL (
        SELECT ST_Union(n.g) AS g, max(n.valid_from) AS since, max(n.plan) AS plan, max(n.version) AS version
        FROM near n WHERE n.kind = r.kind AND ST_Intersects(n.g, p)) AS u
    WHERE r.rule = 'must-lie-inside'
)
SELECT * FROM touching UNION ALL SELECT * FROM outside ORDER BY kind, place, id LIMIT :most
