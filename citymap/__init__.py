"""The Python client of a CityMap server: layers as GeoDataFrames, edits, uploads, processes, maps in notebooks.

It knows the server by HTTP only: OGC API – Features (17-069r4, 19-079r2), Processes (18-062r2), and our uploads.
"""

from citymap.city import City
from citymap.collection import Collection
from citymap.errors import CityError, EditConflict, NotFound, PositionGone, ProcessFailed, Refused, Unreachable
from citymap.processes import Job, Process
from citymap.query import Query

__all__ = [
    "City",
    "CityError",
    "Collection",
    "EditConflict",
    "Job",
    "NotFound",
    "PositionGone",
    "Process",
    "ProcessFailed",
    "Query",
    "Refused",
    "Unreachable",
]
