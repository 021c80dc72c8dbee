-- Points of a layer within the parcel.
WITH parcel AS MATERIALIZED (SELECT ST_GeomFromEWKB(:parcel) AS p)
SELECT count(*) AS count FROM ({near}) AS n CROSS JOIN parcel WHERE ST_Intersects(n.g, p)
