-- Buildings in the parcel: how many, how many of them the boundary cuts, and their floor area within it [m²].
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p),
inside AS (
    SELECT n.use, ST_Area(n.g) AS whole, ST_Area(ST_Intersection(p, n.g)) AS part,
        greatest(1, coalesce(n.floors::float8, round(n.height::float8 / 3), 1)) AS floors
    FROM ({near}) AS n CROSS JOIN parcel WHERE ST_Intersects(n.g, p)
)
SELECT count(*) AS count, count(*) FILTER (WHERE whole - part > :sliver) AS cut, coalesce(sum(part), 0) AS footprint,
    coalesce(sum(part * floors), 0) AS floor_area,
    coalesce(sum(part * floors) FILTER (WHERE use = 'residential'), 0) AS homes
FROM inside WHERE part > :sliver
