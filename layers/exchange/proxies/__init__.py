"""代理图层 proxies: layers of other servers (OGC API – Features, WFS, WMS, WMTS, ArcGIS REST) as collections of ours.

Here stand the languages of those servers, without I/O: which address to ask, and what the answer says. Whoever calls
gives an :class:`~layers.exchange.proxies.model.Upstream`, which bounds time and size and knows whom it may ask.
"""
