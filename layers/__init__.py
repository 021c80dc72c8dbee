"""The shared base: database, catalogue, geometry and CRS, queries, import and export. Knows no domain."""
