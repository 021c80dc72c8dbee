"""Points of interest and place names of the plan."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

from layers.sample_city.addresses import Addresses
from layers.sample_city.admin import Admin
from layers.sample_city.arterials import SECONDARY, TRUNK
from layers.sample_city.axes import Floats
from layers.sample_city.buildings import LABELS, USES, Buildings
from layers.sample_city.kinds import NAMES, ORDINAL
from layers.sample_city.land_use import LandUse
from layers.sample_city.names import NameBook
from layers.sample_city.parcels import Parcels
from layers.sample_city.plan import Plan
from layers.sample_city.water import Water

#: Category and kind of the POI of a premises, by kind of parcel.
_PREMISES = {
    "school": ("education", "中小学"), "hospital": ("health", "医院"), "government": ("government", "政府机关"),
    "temple": ("religion", "寺庙"), "university": ("education", "高等院校"), "research": ("education", "科研机构"),
    "factory": ("other", "工业企业"), "warehouse": ("transport", "物流仓储"), "slab18": ("other", "住宅小区"),
    "tower33": ("other", "住宅小区"), "slab6": ("other", "住宅小区"), "villa": ("other", "住宅小区"),
}
_LABELS = {
    "大厦": ("service", "写字楼"), "购物中心": ("shopping", "购物中心"), "国际中心": ("service", "写字楼"),
    "百货": ("shopping", "百货商场"), "金融中心": ("finance", "金融机构"), "万象城": ("shopping", "购物中心"),
    "商场": ("shopping", "百货商场"), "大酒店": ("lodging", "酒店"), "博物馆": ("tourism", "博物馆"),
    "图书馆": ("education", "图书馆"), "大剧院": ("leisure", "剧院"), "体育馆": ("leisure", "体育场馆"),
    "幼儿园": ("education", "幼儿园"), "社区卫生服务中心": ("health", "社区卫生服务中心"),
    "党群服务中心": ("government", "社区党群服务中心"), "生鲜市场": ("shopping", "农贸市场"),
    "客运站": ("transport", "客运站"), "泵房": ("utility", "泵站"),
}


@dataclass(slots=True)
class Pois:
    """Columns of points of interest; ``at`` [m]."""

    at: list[tuple[float, float]]
    name: list[str]
    category: list[str]
    kind: list[str]
    address: list[str | None]
    phone: list[str | None]


def make_pois(plan: Plan, parcels: Parcels, buildings: Buildings, addresses: Addresses, land: LandUse, book: NameBook,
              seed: int) -> Pois:
    """Institutions, estates, shops, parks and bus stops."""
    rng, pois, names = np.random.default_rng([seed, 7]), Pois([], [], [], [], [], []), plan.network.names

    def add(
        at: Floats, name: str, category: str, kind: str, premises: int | None = None, *, phone: bool = False
    ) -> None:
        pois.at.append((float(at[0]), float(at[1])))
        pois.name.append(name)
        pois.category.append(category)
        pois.kind.append(kind)
        pois.address.append(None if premises is None else addresses.text(premises, names))
        # 0000 is no area code, so these numbers ring nowhere
        pois.phone.append(f"0000-8{rng.integers(10**6):06d}" if phone else None)

    for premises, (kind, place) in enumerate(zip(addresses.kind.tolist(), addresses.place, strict=True)):
        if NAMES[kind] in _PREMISES and place and addresses.road[premises] >= 0:
            add(addresses.gate[premises], place, *_PREMISES[NAMES[kind]], premises, phone=NAMES[kind] in (
                "school", "hospital", "government", "factory"))
    shop = (buildings.side >= 0) | (np.array(USES)[buildings.use] == "commercial")
    for index in np.flatnonzero(shop | (buildings.label > 0)).tolist():
        label, premises = LABELS[buildings.label[index]], int(addresses.premises[index])
        place = addresses.place[premises]
        if label in _LABELS and NAMES[addresses.kind[premises]] not in _PREMISES:
            add(buildings.centre[index], place, *_LABELS[label], premises, phone=True)
        elif buildings.side[index] >= 0 and rng.random() < 0.75:
            name, category, sort = book.shop()
            add(buildings.centre[index], name, category, sort, premises, phone=rng.random() < 0.6)
    parks = np.flatnonzero(land.kind == ORDINAL["park"])
    for point in shapely.get_coordinates(shapely.point_on_surface(land.shapes[parks])):
        add(point, book.pair("park") + "公园", "leisure", "公园")
    _bus_stops(plan, parcels, rng, add)
    return pois


def _bus_stops(plan: Plan, parcels: Parcels, rng: np.random.Generator, add: Callable[..., None]) -> None:
    """Stops on the kerb of main roads in town, every few parcels."""
    road = parcels.road[:, 0]
    town = np.array(plan.town)[parcels.community]
    of = np.flatnonzero((road > TRUNK) & (road <= SECONDARY) & town & parcels.buildable & (rng.random(len(road)) < 0.3))
    start, end = parcels.corners[of, 0], parcels.corners[of, 1]
    normal = np.stack([start[:, 1] - end[:, 1], end[:, 0] - start[:, 0]], 1)
    normal /= np.hypot(*normal.T)[:, None]
    at = (start + end) / 2 + normal * (parcels.keep[of, 0] - 3)[:, None]
    for point, name in zip(at, parcels.name[of, 0], strict=True):
        add(point, f"{plan.network.names[name]}站" if name >= 0 else "公交站", "transport", "公交站")


@dataclass(slots=True)
class Places:
    """Columns of place names; ``at`` [m]."""

    at: list[tuple[float, float]]
    name: list[str]
    kind: list[str]
    population: list[int | None]
    admin_code: list[str | None]


def make_places(addresses: Addresses, parcels: Parcels, admin: Admin, water: Water) -> Places:
    """Names of areas, villages, lakes and the island."""
    places = Places([], [], [], [], [])

    def add(at: Floats, name: str, kind: str, code: str | None, population: int | None = None) -> None:
        places.at.append((float(at[0]), float(at[1])))
        places.name.append(name)
        places.kind.append(kind)
        places.admin_code.append(code)
        places.population.append(population)

    for area in admin.areas:
        sort = {"city": "city", "district": "district", "street": "town" if area.name.endswith("镇") else "suburb",
                "community": "neighbourhood"}[area.level]
        if not (area.level == "community" and area.name.endswith("村")):
            inside = shapely.get_coordinates(shapely.point_on_surface(area.polygon))[0]
            name = area.name.removesuffix("社区").removesuffix("街道")
            add(np.zeros(2) if area.level == "city" else inside, name, sort, area.code, area.population)
    seen: dict[str, list[int]] = {}
    for premises in np.flatnonzero(addresses.road < 0).tolist():
        seen.setdefault(f"{addresses.place[premises]}{parcels.block[addresses.parcel[premises]]}", []).append(premises)
    for members in seen.values():
        code = str(admin.codes[parcels.community[addresses.parcel[members[0]]]])
        kind = "village" if len(members) > 25 else "hamlet"
        add(addresses.gate[members].mean(axis=0), addresses.place[members[0]], kind, code, 3 * len(members))
    for lake, lake_name, sort in water.areas:
        if lake_name and sort == "lake":
            add(shapely.get_coordinates(shapely.point_on_surface(lake))[0], lake_name, "natural", None)
    if water.island is not None:
        add(shapely.get_coordinates(water.island.centroid)[0], water.island_name, "island", None)
    return places



