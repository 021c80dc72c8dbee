-- Features of any layer of areas, and what of the parcel lies in each.
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p)
SELECT n.id, n.revision, n.valid_from, n.title, ST_Area(ST_Intersection(p, n.g)) AS area, ST_Area(n.g) AS whole
FROM ({near}) AS n CROSS JOIN parcel WHERE ST_Intersects(n.g, p) ORDER BY area DESC, n.id LIMIT :most
