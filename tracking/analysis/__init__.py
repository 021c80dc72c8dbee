"""What tracks tell: stops, trips, mileage, the roads that were driven, coverage, heat maps and replay.

停留 stop · 行程 trip · 里程 mileage · 路网匹配 map matching · 偏离 deviation · 热力 heat map · 巡查覆盖 patrol coverage
· 回放 replay. All of it is arrays in, arrays out; only :mod:`tracking.analysis.reading` and the processes know the
database.
"""
