"""地图 maps: layers drawn on the server, by the same styles that the map client draws them with.

Features come from the same query as vector tiles (:mod:`~tiles.maps.features`), styles are MapLibre style layers
(:mod:`~tiles.maps.expressions`), painted by Agg (:mod:`~tiles.maps.painting`) and named by Pillow
(:mod:`~tiles.maps.labels`). Coverages are drawn as their tiles are.
"""
