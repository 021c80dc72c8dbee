"""Tiles in files, PMTiles v3 and MBTiles 1.3: made of layers and kept up with them, or laid into a folder and served.

瓦片包 archive · 预热 seeding · 离线包 offline pack. An archive is made in a working file (:mod:`work`) that outlives a
broken run: what it has is taken over, what edits have touched since is rendered anew (:mod:`filling`), and the archive
is written of it (:mod:`pmtiles`, :mod:`mbtiles`).
"""
