"""Derived layers: what is worked out from other layers, declared once with its inputs and kept true to them.

派生图层 derived layer · 输入 input · 三维建筑 buildings-3d · 等高线 contours · 地面高程 ground · 屋顶高程 roof.

A layer that names ``inputs`` and has a row in ``citymap.derivations`` is made by a recipe. ``buildings-3d`` is a view:
its rows are the footprints' own, so an edit of them is an edit of it. ``contours`` is a table. What a recipe must read
from rasters is worked out by :func:`layers.derived.keeping.keeper` as soon as an input has changed: the trigger on the
dirty log notes where (``citymap.stale``), in the transaction of the change itself, and the note goes in the transaction
that has worked it out. So nothing is missed, whoever stops when. A derived layer is seen by those who see its inputs.
"""
