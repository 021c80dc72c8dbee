"""Surveillance cameras at the crossings of the sample city's main streets."""

from typing import Any

import numpy as np
import shapely

from layers.sample_city.arterials import PRIMARY, SECONDARY
from layers.sample_city.roads import Roads
from layers.sample_city.streets import Streets

#: Device code (GB/T 28181, 20 digits): division, industry, kind 132 (network camera), network; then a sequence.
_CODE = "4207000000132{:07d}"


def make_cameras(streets: Streets, roads: Roads, names: list[str | None], seed: int) -> dict[str, Any]:
    """Columns of cameras, with ``places`` in metres: one on each crossing that a main street leads over."""
    rng = np.random.default_rng([seed, 12])
    main = np.isin(roads.road, (PRIMARY, SECONDARY))[streets.road]
    met: dict[int, list[str]] = {}
    for s in np.flatnonzero(main).tolist():
        for node in (int(streets.tail[s]), int(streets.head[s])):
            name = names[int(streets.road[s])]
            if streets.arms[node] > 2 and name and name not in met.setdefault(node, []):
                met[node].append(name)
    columns: dict[str, Any] = {}
    for number, (node, at) in enumerate(sorted(met.items()), 1):
        wide = rng.random() < 0.4
        values = {
            "places": shapely.Point(streets.at[node] + 7.0),
            "name": f"{'与'.join(at[:2])}路口",
            "code": _CODE.format(number),
            "kind": "ptz" if wide else "fixed",
            "direction": float(rng.integers(0, 360)),
            "view_angle": 60.0 if wide else 45.0,
            "reach": 200.0 if wide else 80.0,
            "mount_height": 6.5,
            "status": "online" if rng.random() < 0.96 else "offline",
            "road": at[0] if at else None,
        }
        for key, value in values.items():
            columns.setdefault(key, []).append(value)
    return columns
