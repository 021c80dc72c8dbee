"""Vector, raster, terrain and 3D tiles of the shared layers."""
