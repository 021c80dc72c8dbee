"""The gateway: terminals' connections, what they say, and the commits after which they are answered.

A frame goes from :mod:`~tracking.gateway.server` (sockets) to :mod:`~tracking.gateway.session` (what it means) to
:mod:`~tracking.gateway.committing` (one transaction of many), and its answer back by the same way.
"""
