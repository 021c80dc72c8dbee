"""Alarms: what is watched for stands as one list in :mod:`tracking.alarms.handlers`.

A handler looks at one fix of one device and names conditions; :mod:`~tracking.alarms.engine` remembers since when each
holds and makes an alarm of it when that is long enough. An alarm's key follows from device, rule and beginning, so the
same fixes make the same alarms however often they are looked at.
"""
