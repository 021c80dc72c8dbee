-- Present land use of the parcel by class [m²].
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p)
SELECT n.code, min(n.kind) AS kind, sum(ST_Area(ST_Intersection(p, n.g))) AS area
FROM ({near}) AS n CROSS JOIN parcel WHERE ST_Intersects(n.g, p) GROUP BY n.code ORDER BY area DESC, n.code LIMIT :most
