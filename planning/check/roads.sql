-- Roads by which the parcel can be reached: by name and class, the nearest distance and the length beside it [m].
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p)
SELECT n.name, n.class, min(ST_Distance(n.g, p)) AS distance,
    sum(ST_Length(ST_Intersection(n.g, ST_Buffer(p, :access)))) AS length, bool_or(ST_Intersects(n.g, p)) AS crosses
FROM ({near}) AS n CROSS JOIN parcel WHERE ST_DWithin(n.g, p, :access)
GROUP BY n.name, n.class ORDER BY distance, n.name LIMIT :most
