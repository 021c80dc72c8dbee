"""Layers drawn small: simplified shapes, merged polygons and clustered points, kept per zoom band and true to edits.

制图综合 generalisation · 概化级别 band · 聚合 merging · 聚类 clustering.

Below street level a tile of a large public layer shows pieces made for its scale (``citymap.generalised``). They are
worked out cell by cell, as of a snapshot of the database (``citymap.generalised_layers``). A tile takes the pieces of
cells that nothing has touched since that snapshot, told by the log of dirty boxes, and draws the features themselves in
the others: so it is never older than the data, and an edit does not wait.
:func:`tiles.generalised.keeping.generaliser` works touched cells out anew, at once.
"""
