"""调度 dispatch: which unit is soonest at a place by road, sending it there, and following it until it has arrived.

单元 unit, a device that can be sent · 任务 task, one sending of one unit, a feature of the layer ``unit-tasks`` ·
到达 arrived. What a task may become stands as one table in :mod:`tracking.dispatching.model`.
"""
