"""Coverages: dated images in one store, read as one mosaic.

覆盖 coverage (a layer of images) · 影像 image (one file, a dated footprint) · 波段 band · 镶嵌 mosaic ·
高程基准 vertical datum.

:mod:`~layers.raster.mosaic` reads, :mod:`~layers.raster.sampling` reads at points, :mod:`~layers.raster.ingest` takes
files in, :mod:`~layers.raster.store` keeps them. rasterio is imported by those that open files only.
"""
