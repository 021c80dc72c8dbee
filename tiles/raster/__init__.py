"""Raster tiles: what coverages look like, in any grid, size and picture format.

:mod:`~tiles.raster.look` says what may be asked of a picture, :mod:`~tiles.raster.sources` finds the images,
:mod:`~tiles.raster.drawing` turns values into colours, :mod:`~tiles.raster.pictures` encodes them.
"""
