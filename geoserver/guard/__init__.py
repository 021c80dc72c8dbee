"""What every request passes before its handler, and every answer after: bounds, rates, headers, log.

The order, from the socket inwards: :mod:`connection` (bounds of the head, slow clients) · :mod:`envelope` (request id,
headers, access log) · CORS · :mod:`gate` (what is refused before any work) · the application.
"""
