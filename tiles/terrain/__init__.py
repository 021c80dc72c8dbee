"""地形 terrain: heights as tiles that three-dimensional maps stand on.

:mod:`~tiles.terrain.rgb` packs heights into pixels (Terrain-RGB, terrarium), :mod:`~tiles.terrain.mesh` makes triangles
of them (quantized-mesh 1.0), :mod:`~tiles.terrain.documents` describes both.
"""
