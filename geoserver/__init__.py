"""Composition root: application, command line, configuration, access and the pygeoapi seam."""
