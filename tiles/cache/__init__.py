"""Finished tiles, kept in memory and on disk, and dropped as soon as what they show has changed.

A tile is good as long as no change that it was not read with has touched it. What was changed is told by the dirty
boxes of ``citymap.dirty`` (``layers/change_tracking.sql``), which every worker follows by itself (:mod:`following`);
with which changes a tile was read is told by the snapshot that PostgreSQL gave with it.
"""
