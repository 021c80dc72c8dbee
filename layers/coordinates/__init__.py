"""坐标转换 between the coordinate systems that a Chinese city meets: national, old, local, of map services."""
