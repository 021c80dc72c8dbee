"""The road network: a routable graph of the layer ``roads``, kept current with its edits.

路网 network · 边 edge (one road feature) · 结点 node (where ends of edges meet) · 单行 one-way · 转向限制 turn
restriction · 吸附 snapping a point to the nearest edge · 服务区 service area · 连通性 connectivity.

Edges meet where their ends lie within :data:`layers.network.topology.TOLERANCE`, and nowhere else: a bridge over a road
and a barrier between two dead ends part them, as the survey says. Lengths are geodesic on the CGCS2000 ellipsoid [m],
right in every zone. :func:`layers.network.current.current_network` gives the graph as of the last committed edit.
"""
