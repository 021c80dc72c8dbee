"""The sample city from the first line to the last frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree

from layers import base_layers
from layers.pipes.layers import PIPE_NODES, PIPELINES
from layers.sample_city.addresses import Addresses, make_addresses
from layers.sample_city.admin import Admin, make_admin
from layers.sample_city.arterials import CLASS_NAMES
from layers.sample_city.axes import Ints, city_size
from layers.sample_city.buildings import LABELS, USES, Buildings, choose_buildings, place_buildings
from layers.sample_city.cameras import make_cameras
from layers.sample_city.footprints import footprints
from layers.sample_city.frames import Framer
from layers.sample_city.kinds import LAND_USE_CLASSES
from layers.sample_city.land_use import make_land_use
from layers.sample_city.lattice import build_lattice
from layers.sample_city.names import NameBook, english, pinyin
from layers.sample_city.parcels import Parcels, make_parcels
from layers.sample_city.pipes import make_pipes
from layers.sample_city.plan import Plan, make_plan
from layers.sample_city.points import make_places, make_pois
from layers.sample_city.roads import SPEED, Roads, lanes, make_roads
from layers.sample_city.streets import make_streets
from layers.sample_city.water import Water, make_water

#: Buildings in one frame, and buildings of one city at most.
BATCH = 50_000
MOST = 2_000_000
#: Half extent of a built-up city of one building, and the least there is [m].
_URBAN_PER_ROOT, _URBAN_LEAST = 28.0, 1500.0

Report = Callable[[str, float], None]
Named = tuple[str, Any]


class SampleCityError(ValueError):
    """The sample city asked for cannot be made."""


def generate(buildings: int = 20_000, seed: int = 1, progress: Report | None = None) -> Iterator[Named]:
    """Yield (base layer id, GeoDataFrame) of a fictitious city in drawing order; buildings and addresses in batches.

    Frames are in EPSG:4490 (x longitude, y latitude), with exactly the fields of the base layer and ``geom``. The
    same ``buildings`` (1 … 2 000 000) and ``seed`` give the same bytes. ``progress`` is called with what is being
    made and the share done, 0 … 1. Raises SampleCityError if ``buildings`` is out of range or ``seed`` negative.
    """
    if not 1 <= buildings <= MOST or seed < 0:
        raise SampleCityError(
            f"buildings={buildings}, seed={seed}: ask for 1 to {MOST} buildings and a seed of 0 or more"
        )
    return _City(buildings, seed, progress or (lambda text, share: None)).frames()


@dataclass(frozen=True, slots=True)
class _Built:
    plan: Plan
    parcels: Parcels
    buildings: Buildings


def _build(wanted: int, seed: int) -> _Built:
    """A city with room for ``wanted`` buildings and little to spare."""
    urban = max(_URBAN_LEAST, _URBAN_PER_ROOT * wanted**0.5)
    while True:
        size = city_size(urban, np.random.default_rng([seed, 0]))
        plan = make_plan(build_lattice(size, seed), NameBook(seed), seed)
        parcels = make_parcels(plan)
        placed = place_buildings(plan, parcels, seed)
        if len(placed.parcel) >= wanted:
            return _Built(plan, parcels, choose_buildings(placed, wanted, urban, seed))
        urban *= max(1.01, min(1.2, (wanted / len(placed.parcel)) ** 0.5))


class _City:
    def __init__(self, wanted: int, seed: int, report: Report) -> None:
        self.wanted, self.seed, self.report = wanted, seed, report
        self.framer, self.book = Framer(), NameBook(seed + 10**6)

    def frames(self) -> Iterator[Named]:
        """The layers, one after the other."""
        self.report("plan", 0.0)
        built = _build(self.wanted, self.seed)
        plan, parcels, houses = built.plan, built.parcels, built.buildings
        self.report("admin-areas", 0.15)
        admin = make_admin(plan, _population(plan, parcels, houses), self.book)
        yield "admin-areas", self._admin(admin)
        self.report("land-use", 0.2)
        water = make_water(plan, parcels, self.book, self.seed)
        land = make_land_use(plan, parcels, water)
        yield "land-use", self.framer.frame(base_layers.LAND_USE, land.shapes, "u", code=land.codes,
                                            kind=[LAND_USE_CLASSES[code] for code in land.codes])
        self.report("water", 0.3)
        yield from self._water(water)
        self.report("roads", 0.35)
        roads = make_roads(plan)
        yield "roads", self._roads(plan, roads)
        addresses = make_addresses(plan, parcels, houses, self.book)
        codes = admin.codes[parcels.community[houses.parcel]]
        texts, places = _texts(plan, addresses), _estates(addresses)
        for first in range(0, self.wanted, BATCH):
            self.report("buildings", 0.4 + 0.35 * first / self.wanted)
            yield "buildings", self._buildings(houses, addresses, codes, texts, places, slice(first, first + BATCH))
        for first in range(0, self.wanted, BATCH):
            self.report("addresses", 0.75 + 0.2 * first / self.wanted)
            yield "addresses", self._addresses(plan, houses, addresses, codes, texts, slice(first, first + BATCH))
        self.report("pois", 0.95)
        pois = make_pois(plan, parcels, houses, addresses, land, self.book, self.seed)
        yield "pois", self.framer.frame(
            base_layers.POIS, shapely.points(pois.at), "p", name=pois.name, category=pois.category, kind=pois.kind,
            address=pois.address, phone=pois.phone)
        places_ = make_places(addresses, parcels, admin, water)
        yield "places", self.framer.frame(
            base_layers.PLACES, shapely.points(places_.at), "n", name=places_.name, name_en=_english(places_.name),
            kind=places_.kind, pinyin=[pinyin(name) for name in places_.name], population=places_.population,
            admin_code=places_.admin_code)
        yield from self._under_and_over_streets(plan, roads, houses)
        self.report("done", 1.0)

    def _admin(self, admin: Admin) -> Any:
        areas = admin.areas
        names = [area.name for area in areas]
        return self.framer.frame(
            base_layers.ADMIN_AREAS, [a.polygon for a in areas], "a", name=names, name_en=_english(names),
            code=[a.code for a in areas], level=[a.level for a in areas], parent=[a.parent for a in areas],
            population=[a.population for a in areas])

    def _water(self, water: Water) -> Iterator[Named]:
        for layer, prefix, rows in ((base_layers.WATER, "w", water.areas), (base_layers.WATERWAYS, "l", water.lines)):
            names = [name for _, name, _ in rows]
            yield layer.id, self.framer.frame(layer, [shape for shape, _, _ in rows], prefix, name=names,
                                              name_en=_english(names), kind=[kind for _, _, kind in rows])

    def _under_and_over_streets(self, plan: Plan, roads: Roads, houses: Buildings) -> Iterator[Named]:
        """Cameras at the crossings, and pipes."""
        streets = make_streets(roads)
        names = [plan.network.names[name] if name >= 0 else None for name in roads.name.tolist()]
        cameras = make_cameras(streets, roads, names, self.seed)
        self.report("pipelines", 0.97)
        yield "cameras", self.framer.frame(base_layers.CAMERAS, cameras.pop("places"), "c", **cameras)
        nearest = cKDTree(streets.at).query(houses.centre)[1]
        flats = np.where(np.array(USES)[houses.use] == "residential", 2 * houses.floors, 1)
        households = np.bincount(nearest, flats, len(streets.at)).astype(np.int64)
        pipes = make_pipes(streets, roads, names, households, self.seed)
        yield PIPELINES.id, self.framer.frame(PIPELINES, pipes.shapes, "g", **pipes.pipes)
        yield PIPE_NODES.id, self.framer.frame(PIPE_NODES, pipes.places, "", **pipes.nodes)

    def _roads(self, plan: Plan, roads: Roads) -> Any:
        names = [plan.network.names[name] if name >= 0 else None for name in roads.name.tolist()]
        classes: dict[str, Any] = {"class": [CLASS_NAMES[road] for road in roads.road.tolist()]}
        return self.framer.frame(
            base_layers.ROADS, roads.lines, "r", name=names, name_en=_english(names),
            oneway=roads.oneway, lanes=lanes(roads), maxspeed=SPEED[roads.road], bridge=roads.bridge,
            tunnel=np.zeros(len(names), bool), **classes)

    def _buildings(self, houses: Buildings, addresses: Addresses, codes: Any, texts: list[str],
                   estates: list[tuple[str | None, str | None]], part: slice) -> Any:
        some = houses.take(np.arange(len(houses.parcel))[part])
        premises, house = addresses.premises[part].tolist(), addresses.house[part].tolist()
        named = [_house_name(estates[p], h, LABELS[mark]) for p, h, mark in
                 zip(premises, house, some.label.tolist(), strict=True)]
        return self.framer.frame(
            base_layers.BUILDINGS, footprints(some.shape, some.centre, some.size, some.turn), "b", part.start + 1,
            name=[name for name, _ in named], name_en=[name for _, name in named],
            use=[USES[use] for use in some.use.tolist()], floors=some.floors,
            height=np.round(some.floors * some.storey, 1), min_height=np.zeros(len(premises)),
            year_built=some.year, address=[_within(texts[p], h) for p, h in zip(premises, house, strict=True)],
            admin_code=codes[part])

    def _addresses(self, plan: Plan, houses: Buildings, addresses: Addresses, codes: Any, texts: list[str],
                   part: slice) -> Any:
        premises, house = addresses.premises[part].tolist(), addresses.house[part].tolist()
        names = plan.network.names
        roads = addresses.road[premises].tolist()
        return self.framer.frame(
            base_layers.ADDRESSES, shapely.points(houses.centre[part]), "d", part.start + 1,
            address=[_within(texts[p], h) for p, h in zip(premises, house, strict=True)],
            road=[names[road] if road >= 0 else None for road in roads],
            number=[f"{number}号" for number in addresses.number[premises].tolist()],
            place=[addresses.place[p] or None for p in premises],
            postcode=[f"43{code[4:6]}{code[6:8]}" for code in codes[part]], admin_code=codes[part])


def _population(plan: Plan, parcels: Parcels, houses: Buildings) -> Ints:
    """Residents of each community: 2.6 to a flat of 110 m² gross."""
    home = np.array(USES)[houses.use] == "residential"
    people = np.where(home, houses.size.prod(axis=1) * 0.8 * houses.floors / 110 * 2.6, 0)
    return np.bincount(parcels.community[houses.parcel], people, len(plan.town)).astype(np.int64)


def _texts(plan: Plan, addresses: Addresses) -> list[str]:
    return [addresses.text(premises, plan.network.names) for premises in range(len(addresses.road))]


def _estates(addresses: Addresses) -> list[tuple[str | None, str | None]]:
    """Chinese and English name of each premises that names its buildings; villages do not."""
    return [(place, english(place)) if place and road >= 0 else (None, None)
            for place, road in zip(addresses.place, addresses.road.tolist(), strict=True)]


def _house_name(names: tuple[str | None, str | None], house: int, label: str) -> tuple[str | None, str | None]:
    place, place_en = names
    if place is None or not house:
        return place, place_en
    return f"{place}{label or f'{house}栋'}", f"{place_en} Building {house}"


def _within(text: str, house: int) -> str:
    return f"{text}{house}栋" if house else text


def _english(names: Sequence[str | None]) -> list[str | None]:
    return [english(name) if name else None for name in names]
