"""三维瓦片 3D Tiles 1.1 (OGC 22-025r4) of buildings, made of the layer as it is when they are asked for.

A layer's earth is cut as CGCS2000Quad cuts it. Each cell of level 13 (2.4 km) that has buildings is an implicit
quadtree of four levels; a building is in the one tile in which the middle of its box lies, of the level that its size
decides, so that small ones come as the viewer nears (refinement by addition). Tiles are GLB with EXT_mesh_features and
EXT_structural_metadata: each building is a feature with its attributes.
"""
