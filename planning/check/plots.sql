-- Plots of the control plan that hold on the day, and what of the parcel lies in each.
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p)
SELECT n.id, n.revision, n.valid_from, n.plot, n.scheme, n.land_code, n.land_use, n.plan, n.version, n.far_max,
    n.density_max, n.green_min, n.height_max, ST_AsBinary(ST_Intersection(p, n.g)) AS piece,
    ST_AsBinary(n.g) AS whole
FROM ({near}) AS n CROSS JOIN parcel
WHERE {in_force} AND ST_Intersects(n.g, p)
ORDER BY n.id LIMIT :most
