"""GPS/BeiDou devices, alarms, trajectories and dispatch, as processes on the shared layers.

终端 terminal, device · 定位 fix, position · 鉴权码 authentication code · 补传 blind-zone report · 围栏 geofence
报警 alarm · 轨迹 track, trajectory · 应答 acknowledgement. A fix is stored before it is acknowledged, by every road in:
see :mod:`tracking.storing`.
"""
