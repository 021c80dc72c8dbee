-- Lines of a layer within the parcel, by their kind: how many and how long [m].
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p)
SELECT n.kind, count(*) AS count, sum(ST_Length(ST_Intersection(p, n.g))) AS length
FROM ({near}) AS n CROSS JOIN parcel WHERE ST_Intersects(n.g, p) GROUP BY n.kind ORDER BY n.kind LIMIT :most
