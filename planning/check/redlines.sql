-- Other red lines that are applied for or given out, and what of the parcel lies in each.
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p)
SELECT n.id, n.revision, n.valid_from, n.number, n.name, n.status, planning.is_allocated(n.status) AS allocated,
    ST_AsBinary(ST_Intersection(p, n.g)) AS piece
FROM ({near}) AS n CROSS JOIN parcel
WHERE n.status NOT IN ('returned', 'withdrawn', 'revoked', 'expired', 'replaced')
  AND n.number IS DISTINCT FROM :number AND n.number <> ALL (CAST(:parents AS text[])) AND ST_Intersects(n.g, p)
ORDER BY n.id LIMIT :most
