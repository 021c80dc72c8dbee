"""OGC API – Environmental Data Retrieval 1.1 (19-086r6) over coverages: values at positions, along lines, within areas.

A value is that of the pixel in which a place lies, as it is stored; nothing is interpolated.
"""
