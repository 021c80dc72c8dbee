"""Checks a parcel against everything: the rule sets in order, then what is in it and beside it."""

from collections.abc import Mapping
from typing import Any

import shapely
from sqlalchemy import Connection

from layers.catalogue import Layer, Text
from layers.raster.store import RasterStore
from layers.registry import load_layers, note_reads
from planning.check.answers import Checked
from planning.check.queries import farthest_rule
from planning.check.rule_sets import Found, check_lines, check_open_lines, check_plan, check_redlines
from planning.check.subject import Subject, Wishes
from planning.check.surroundings import access_to, buildings_in, crossed, ground_of, holdings_in, land_use_of
from planning.plan.land_codes import load_land_codes
from planning.survey.areas import areas_of, zone_shares
from planning.survey.parcel import Parcel, parcel_of

#: What collides, in the order in which it is told: a layer, and how it is asked.
RULE_SETS = (
    ("control-zones", check_lines),
    ("control-lines", check_lines),
    ("open-control-lines", check_open_lines),
    ("control-plan", check_plan),
    ("redlines", check_redlines),
)
_SEVERITIES = {"blocking": 0, "warning": 1, "info": 2}


def check(conn: Connection, store: RasterStore | None, subject: Subject, wishes: Wishes) -> Checked:
    """Check one parcel with the rights of the connection's principal; layers that it may not see are told."""
    wanted = [name for name, _ in RULE_SETS]
    wanted += [
        "land-use",
        "buildings",
        "roads",
        "pipelines",
        "cameras",
        *([wishes.ownership] if wishes.ownership else []),
    ]
    layers = load_layers(conn, wanted)
    used = {name: layers[name] for name in wanted if name in layers and layers[name].kind == "vector"}
    note_reads(conn, *used.values())
    found = Found(subject, load_land_codes(conn), farthest_rule(conn))
    found.unknown += [_missing(name) for name in wanted if name not in used]
    for name, rule_set in RULE_SETS:
        if name in used:
            rule_set(conn, used[name], found)
    found.conflicts = found.located()
    found.conflicts.sort(key=lambda c: (_SEVERITIES[c.severity], c.subject, c.kind, -c.area, -c.length))
    ground = ground_of(conn, store, wishes.dem, subject) if store is not None and wishes.dem else None
    remarks = (ground,) if isinstance(ground, Text) else ()
    ground = None if isinstance(ground, Text) else ground
    seen = (*used, *([wishes.dem] if ground is not None and wishes.dem else ()))
    return _answer(found, _surroundings(conn, used, subject, wishes) | {"ground": ground, "remarks": remarks}, seen)


def _surroundings(conn: Connection, used: Mapping[str, Layer], subject: Subject, wishes: Wishes) -> dict[str, Any]:
    def of(name: str | None, ask: Any, *more: Any, none: Any = ()) -> Any:
        return ask(conn, used[name], subject, *more) if name is not None and name in used else none

    return {
        "land_use": of("land-use", land_use_of),
        "buildings": of("buildings", buildings_in, wishes.floor_area_per_person, none=None),
        "crossed": of("pipelines", crossed) + of("cameras", crossed),
        "access": of("roads", access_to, wishes.access),
        "holdings": of(wishes.ownership, holdings_in),
    }


def _answer(found: Found, surroundings: dict[str, Any], layers: tuple[str, ...]) -> Checked:
    subject = found.subject
    blocking = sum(conflict.severity == "blocking" for conflict in found.conflicts)
    warned = any(conflict.severity == "warning" for conflict in found.conflicts) or found.unknown
    parcels = [parcel_of(part, subject.zone) for part in shapely.get_parts(subject.shape)]
    return Checked(
        areas=_whole(parcels),
        zones=zone_shares(parcels[0]) if len(parcels) == 1 else (),
        crs=f"EPSG:{subject.zone.srid}",
        tolerance=subject.tolerance,
        on=subject.on.isoformat(),
        conflicts=tuple(found.conflicts),
        plots=tuple(sorted(found.plots, key=lambda plot: -plot.area)),
        slivers=found.slivers,
        sliver_area=round(found.sliver_area, 2),
        unknown=tuple(dict.fromkeys(found.unknown)),
        layers=layers,
        blocking=blocking,
        verdict="blocked" if blocking else "warnings" if warned else "clear",
        **surroundings,
    )


def _whole(parcels: list[Parcel]) -> Any:
    from planning.survey.areas import Areas

    found = [areas_of(parcel) for parcel in parcels]
    total = {name: sum(getattr(areas, name) for areas in found) for name in Areas.__dataclass_fields__}
    digits = {"plane": 2, "ellipsoidal": 2, "hectares": 4, "mu": 2, "perimeter": 3}
    return Areas(**{name: round(value, digits[name]) for name, value in total.items()})


def _missing(name: str) -> Text:
    return Text(f"没有图层 {name} 或无权查看，未检查", f"layer {name} is absent or not yours to see; not checked")
