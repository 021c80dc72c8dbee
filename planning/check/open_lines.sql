-- Control lines drawn as lines that the parcel crosses or comes near to, by the rules of their kinds.
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p),
rule AS MATERIALIZED (SELECT * FROM planning.rules WHERE layer = 'control-lines' AND rule <> 'must-lie-inside')
SELECT r.kind, r.rule, r.severity, r.zh, r.en, r.allowed, r.scheme, n.id, n.revision, n.valid_from, n.code, n.name, n.plan,
    n.version, ST_AsBinary(CASE r.rule
        WHEN 'keep-distance' THEN ST_Intersection(p, ST_Buffer(
            CASE WHEN ST_NPoints(n.g) > 2000 THEN ST_ClipByBox2D(n.g, ST_Expand(p, 2 * r.distance + 1)) ELSE n.g END,
            r.distance, 'quad_segs=32'))
        ELSE ST_Intersection(p, n.g) END) AS piece
FROM ({near}) AS n JOIN rule r ON r.kind = n.kind CROSS JOIN parcel
WHERE {in_force}
  AND CASE r.rule WHEN 'keep-distance' THEN ST_DWithin(n.g, p, r.distance) ELSE ST_Intersects(n.g, p) END
ORDER BY r.kind, r.place, n.id LIMIT :most
