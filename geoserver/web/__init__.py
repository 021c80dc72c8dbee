"""The web client: pages, their static files, and the map style made from the catalogue."""
