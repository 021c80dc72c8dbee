"""The plan as data: versions, land codes, comparison of versions."""
