"""Analysis of layers: buffer, overlay, nearest, zonal statistics, exposure, change detection.

缓冲区 buffer · 叠加 overlay · 最近 nearest · 分区统计 zonal statistics · 暴露 exposure · 变化检测 change detection.

Features come from layers by id (with a CQL2 filter and a box) or inline as GeoJSON; distances and areas are measured in
the city's projected CRS; answers are GeoJSON in degrees.
"""
