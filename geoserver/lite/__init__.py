"""``/lite``: the city's map for browsers without WebGL 2, drawn by the server, with a list twin of what it shows."""
