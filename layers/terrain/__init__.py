"""Terrain analysis: what an elevation grid says about relief, sight, earthwork and sunlight.

The modules compute with arrays and geometries and read nothing; :mod:`layers.terrain.sources` reads the ``dem`` and
``buildings`` layers, and :mod:`layers.terrain.processes` is what clients call.

高程 elevation · 坡度 slope · 坡向 aspect · 山体阴影 hillshade · 等高线 contour · 计曲线 index contour ·
通视 line of sight · 可视域 viewshed · 填挖方 cut and fill · 日照 sunlight.
"""
