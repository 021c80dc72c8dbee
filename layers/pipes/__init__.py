"""Underground pipelines 地下管线: a topological network of ``pipelines`` and ``pipe-nodes``, kept current with edits.

管线 pipe · 管点 pipe node · 检查井 manhole · 阀门 valve · 排放口 outfall · 管底高程 invert [m] · 埋深 depth [m] ·
覆土 cover [m] · 净距 clearance [m] · 追踪 trace · 爆管 burst · 横断面 cross section · 纵断面 long section.

Kinds and colours are those of CJJ 61-2017 appendix B (``kinds.csv``), clearances those of ``clearances.csv``; both are
loaded into tables that a city edits. A pipe joins the nodes that it names (``from_node``, ``to_node``); an end that
names none joins what lies within :data:`layers.pipes.topology.TOLERANCE` and belongs to the same major kind.
:func:`layers.pipes.current.current_pipes` gives the network as of the last committed edit.
"""
