"""What OpenStreetMap tags mean in the base layers: one table per question.

Meanings of the tags: the OpenStreetMap wiki's page of each key (Key:building, Key:highway, …). Land-use codes and
names: 国土空间调查、规划、用途管制用地用海分类 (2023). A tag stands in the land-use table only where it decides the
class; ``landuse=grass`` may be 草地 or 绿地 and ``landuse=construction`` anything, so both stay out.
"""

from collections.abc import Mapping

#: ``building=*``, and for plain ``building=yes`` the ``amenity``, ``shop``, … of the same element → BUILDING_USES.
BUILDING_USE = {
    "residential": (
        "residential", "apartments", "house", "detached", "semidetached_house", "semi", "terrace", "bungalow",
        "dormitory", "cabin", "villa", "farm", "houseboat", "static_caravan", "annexe", "tower_block",
    ),
    "commercial": (
        "commercial", "retail", "shop", "supermarket", "kiosk", "hotel", "mall", "restaurant", "cafe", "fast_food",
        "bar", "pub", "bank", "marketplace", "cinema", "fuel", "guest_house", "hostel", "motel", "nightclub",
    ),
    "office": ("office", "offices"),
    "industrial": ("industrial", "factory", "manufacture", "works", "digester", "power", "substation"),
    "warehouse": ("warehouse", "storage", "storage_tank", "silo", "hangar", "depot"),
    "school": ("school", "kindergarten", "college", "university"),
    "hospital": ("hospital", "clinic", "doctors", "dentist"),
    "public": (
        "public", "civic", "government", "townhall", "courthouse", "police", "fire_station", "library", "museum",
        "theatre", "arts_centre", "community_centre", "sports_hall", "sports_centre", "stadium", "grandstand",
        "post_office", "social_facility", "nursing_home", "toilets", "pavilion", "prison", "military",
    ),
    "transport": (
        "transportation", "train_station", "bus_station", "station", "terminal", "parking", "garage", "garages",
        "carport", "ferry_terminal", "toll_booth",
    ),
    "religious": (
        "religious", "church", "chapel", "cathedral", "mosque", "temple", "synagogue", "shrine", "monastery",
        "place_of_worship", "pagoda",
    ),
}  # fmt: skip

#: ``highway=*`` of everything that is driven, cycled or walked → ROAD_CLASSES.
ROAD_CLASS = {
    "motorway": "motorway", "motorway_link": "motorway",
    "trunk": "trunk", "trunk_link": "trunk",
    "primary": "primary", "primary_link": "primary",
    "secondary": "secondary", "secondary_link": "secondary",
    "tertiary": "tertiary", "tertiary_link": "tertiary", "unclassified": "tertiary",
    "residential": "residential", "living_street": "residential", "road": "residential",
    "service": "service", "busway": "service",
    "track": "track",
    "cycleway": "cycleway",
    "footway": "footway", "path": "footway", "pedestrian": "footway", "steps": "footway", "bridleway": "footway",
    "corridor": "footway",
}  # fmt: skip

ONEWAY = {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1, "no": 0, "false": 0, "0": 0}

#: Speed limits given by a word instead of a number [km/h]. China: 道路交通安全法实施条例 §45 (one lane each way) and
#: §78; the others as the OpenStreetMap wiki lists them under "Speed limits". Anything else stays empty.
IMPLICIT_SPEED = {
    "CN:urban": 50.0, "CN:rural": 70.0, "CN:motorway": 120.0,
    "DE:urban": 50.0, "DE:rural": 100.0,
    "ES:urban": 50.0, "ES:rural": 90.0, "ES:motorway": 120.0,
    "FR:urban": 50.0, "FR:rural": 80.0, "FR:motorway": 130.0,
    "GB:nsl_single": 60 * 1.609344, "GB:nsl_dual": 70 * 1.609344, "GB:motorway": 70 * 1.609344,
    "IT:urban": 50.0, "IT:rural": 90.0, "IT:motorway": 130.0,
    "RU:urban": 60.0, "RU:rural": 90.0, "RU:motorway": 110.0,
}  # fmt: skip

#: Lines: ``waterway=*`` → WATER_KINDS. Areas: ``water=*`` of ``natural=water``, then the keys that say it alone.
WATERWAY_KIND = {
    "river": "river", "stream": "stream", "tidal_channel": "stream",
    "canal": "canal", "drain": "canal", "ditch": "canal",
}  # fmt: skip
WATER_KIND = {
    "river": "river", "stream": "stream", "rapids": "river", "oxbow": "lake", "lake": "lake", "lagoon": "lake",
    "reservoir": "reservoir", "pond": "pond", "basin": "pond", "fishpond": "pond", "canal": "canal", "ditch": "canal",
    "drain": "canal", "moat": "canal", "lock": "canal", "harbour": "sea", "fjord": "sea", "bay": "sea",
}  # fmt: skip
WATER_AREA = {
    ("landuse", "reservoir"): "reservoir",
    ("landuse", "basin"): "pond",
    ("waterway", "riverbank"): "river",
    ("waterway", "dock"): "other",
    ("natural", "wetland"): "wetland",
}

#: (key, value) → (code, name) of the 2023 land-use classification, the more telling tags first.
LAND_USE = {
    ("wetland", "mangrove"): ("0507", "红树林地"),
    ("wetland", "tidalflat"): ("0505", "沿海滩涂"),
    ("water", "river"): ("1701", "河流水面"),
    ("water", "lake"): ("1702", "湖泊水面"),
    ("water", "reservoir"): ("1703", "水库水面"),
    ("water", "pond"): ("1704", "坑塘水面"),
    ("water", "canal"): ("1705", "沟渠"),
    ("residential", "rural"): ("0703", "农村宅基地"),
    ("amenity", "kindergarten"): ("080404", "幼儿园用地"),
    ("amenity", "school"): ("080403", "中小学用地"),
    ("amenity", "university"): ("080401", "高等教育用地"),
    ("amenity", "college"): ("0804", "教育用地"),
    ("amenity", "hospital"): ("080601", "医院用地"),
    ("amenity", "clinic"): ("0806", "医疗卫生用地"),
    ("amenity", "social_facility"): ("0807", "社会福利用地"),
    ("amenity", "library"): ("080301", "图书与展览用地"),
    ("amenity", "townhall"): ("0801", "机关团体用地"),
    ("amenity", "place_of_worship"): ("1503", "宗教用地"),
    ("amenity", "grave_yard"): ("1506", "殡葬用地"),
    ("amenity", "prison"): ("1505", "监教场所用地"),
    ("amenity", "fire_station"): ("1310", "消防用地"),
    ("amenity", "fuel"): ("090105", "公用设施营业网点用地"),
    ("amenity", "bus_station"): ("1208", "交通场站用地"),
    ("amenity", "parking"): ("120803", "社会停车场用地"),
    ("leisure", "park"): ("1401", "公园绿地"),
    ("leisure", "stadium"): ("080501", "体育场馆用地"),
    ("leisure", "sports_centre"): ("080501", "体育场馆用地"),
    ("place", "square"): ("1403", "广场用地"),
    ("aeroway", "aerodrome"): ("1203", "机场用地"),
    ("power", "substation"): ("1303", "供电用地"),
    ("power", "plant"): ("1303", "供电用地"),
    ("man_made", "wastewater_plant"): ("1302", "排水用地"),
    ("man_made", "water_works"): ("1301", "供水用地"),
    ("landuse", "farmland"): ("01", "耕地"),
    ("landuse", "orchard"): ("0201", "果园"),
    ("landuse", "vineyard"): ("0201", "果园"),
    ("landuse", "forest"): ("03", "林地"),
    ("landuse", "meadow"): ("04", "草地"),
    ("landuse", "greenhouse_horticulture"): ("060201", "种植设施建设用地"),
    ("landuse", "animal_keeping"): ("060202", "畜禽养殖设施建设用地"),
    ("landuse", "residential"): ("07", "居住用地"),
    ("landuse", "education"): ("0804", "教育用地"),
    ("landuse", "commercial"): ("09", "商业服务业用地"),
    ("landuse", "retail"): ("0901", "商业用地"),
    ("landuse", "industrial"): ("1001", "工业用地"),
    ("landuse", "quarry"): ("1002", "采矿用地"),
    ("landuse", "salt_pond"): ("1003", "盐田"),
    ("landuse", "railway"): ("1201", "铁路用地"),
    ("landuse", "port"): ("1204", "港口码头用地"),
    ("landuse", "landfill"): ("1309", "环卫用地"),
    ("landuse", "recreation_ground"): ("14", "绿地与开敞空间用地"),
    ("landuse", "village_green"): ("14", "绿地与开敞空间用地"),
    ("landuse", "military"): ("1501", "军事设施用地"),
    ("landuse", "religious"): ("1503", "宗教用地"),
    ("landuse", "cemetery"): ("1506", "殡葬用地"),
    ("landuse", "reservoir"): ("1703", "水库水面"),
    ("landuse", "basin"): ("17", "陆地水域"),
    ("natural", "wood"): ("03", "林地"),
    ("natural", "scrub"): ("0303", "灌木林地"),
    ("natural", "grassland"): ("04", "草地"),
    ("natural", "wetland"): ("05", "湿地"),
    ("natural", "water"): ("17", "陆地水域"),
    ("natural", "glacier"): ("1706", "冰川及常年积雪"),
    ("natural", "sand"): ("2305", "沙地"),
    ("natural", "bare_rock"): ("2307", "裸岩石砾地"),
    ("natural", "scree"): ("2307", "裸岩石砾地"),
}

#: ``place=*`` → PLACE_KINDS; countries, provinces and the like are no places of a city.
PLACE_KIND = {
    "city": "city", "county": "district", "district": "district", "borough": "district", "municipality": "district",
    "town": "town", "suburb": "suburb", "quarter": "suburb", "neighbourhood": "neighbourhood",
    "city_block": "neighbourhood", "village": "village", "hamlet": "hamlet", "isolated_dwelling": "hamlet",
    "farm": "hamlet", "island": "island", "islet": "island", "peninsula": "natural",
    "locality": "other", "square": "other",
}  # fmt: skip
#: Named ``natural=*`` that are places on a map.
NATURAL_PLACES = frozenset((
    "peak", "volcano", "hill", "ridge", "saddle", "valley", "bay", "cape", "peninsula", "beach", "strait", "spring",
    "hot_spring", "cave_entrance", "cliff", "mountain_range", "geyser", "rock", "gorge",
))  # fmt: skip

#: ``admin_level`` → ADMIN_LEVELS as China uses it (4 province, 5 prefecture, 6 county, 8 township, 10 village; 7 and 9
#: stand between and go with the level below 6 and below 8). 4 counts as a city only for the four 直辖市.
ADMIN_LEVEL = {
    "5": "city", "6": "district", "7": "district", "8": "street", "9": "community", "10": "community",
}  # fmt: skip
MUNICIPALITIES = frozenset(("北京市", "天津市", "上海市", "重庆市"))
#: Keys of the division code, best first (wiki: Key:ref:admin:CN; ``mca`` 民政部, ``nbs`` 国家统计局).
DIVISION_CODE_KEYS = ("ref:admin:CN", "ref:admin:CN:mca", "ref:admin:CN:nbs", "ref:gb2260")


def _by_value(groups: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {value: group for group, values in groups.items() for value in values}


USE_OF_BUILDING = _by_value(BUILDING_USE)

#: Key → value → POI_CATEGORIES; the first key that says something wins.
POI_CATEGORY: dict[str, dict[str, str]] = {
    "amenity": _by_value({
        "government": ("townhall", "courthouse", "embassy", "public_building", "customs", "prison"),
        "education": (
            "school", "kindergarten", "college", "university", "library", "language_school", "music_school",
            "driving_school", "research_institute", "training", "childcare", "prep_school",
        ),
        "health": ("hospital", "clinic", "doctors", "dentist", "pharmacy", "veterinary", "nursing_home"),
        "food": ("restaurant", "cafe", "fast_food", "bar", "pub", "food_court", "ice_cream", "biergarten"),
        "shopping": ("marketplace",),
        "finance": ("bank", "atm", "bureau_de_change", "money_transfer", "payment_terminal"),
        "leisure": (
            "cinema", "theatre", "nightclub", "arts_centre", "casino", "gambling", "karaoke_box", "internet_cafe",
        ),
        "transport": (
            "bus_station", "parking", "fuel", "charging_station", "taxi", "ferry_terminal", "bicycle_rental",
            "car_rental", "bicycle_parking", "motorcycle_parking",
        ),
        "safety": ("police", "fire_station", "rescue_station"),
        "religion": ("place_of_worship", "monastery"),
        "utility": (
            "toilets", "drinking_water", "recycling", "waste_disposal", "waste_transfer_station", "telephone",
            "post_box",
        ),
        "service": (
            "post_office", "community_centre", "social_facility", "social_centre", "car_wash", "grave_yard",
            "crematorium", "funeral_hall", "conference_centre", "events_venue", "studio",
        ),
    }),
    "shop": _by_value({
        "service": (
            "hairdresser", "beauty", "laundry", "dry_cleaning", "travel_agency", "estate_agent", "car_repair",
            "funeral_directors", "tailor", "copyshop", "massage", "tattoo", "pet_grooming", "motorcycle_repair",
        ),
        "finance": ("money_lender", "pawnbroker"),
    }),
    "tourism": _by_value({
        "lodging": (
            "hotel", "hostel", "guest_house", "motel", "apartment", "chalet", "camp_site", "caravan_site", "alpine_hut",
            "wilderness_hut",
        ),
        "tourism": (
            "attraction", "museum", "viewpoint", "artwork", "gallery", "zoo", "theme_park", "aquarium", "information",
        ),
    }),
    "healthcare": {},
    "office": {
        "government": "government", "administrative": "government", "diplomatic": "government",
        "insurance": "finance", "financial": "finance", "research": "education", "educational_institution": "education",
    },
    "leisure": {},
    "emergency": {
        "fire_hydrant": "safety", "defibrillator": "safety", "phone": "safety", "assembly_point": "safety",
        "ambulance_station": "safety", "fire_extinguisher": "safety", "siren": "safety", "lifeguard": "safety",
        "water_tank": "safety", "landing_site": "safety",
    },
    "craft": {},
    "historic": {},
    "aeroway": {"aerodrome": "transport", "terminal": "transport", "heliport": "transport"},
    "railway": {
        "station": "transport", "halt": "transport", "tram_stop": "transport", "subway_entrance": "transport",
    },
    "highway": {"bus_stop": "transport"},
    "public_transport": {"station": "transport"},
}  # fmt: skip
#: The category of a value that the table above does not name: for any shop, for the others only if it has a name.
POI_DEFAULT = {
    "amenity": "other", "shop": "shopping", "tourism": "tourism", "healthcare": "health", "office": "service",
    "leisure": "leisure", "craft": "service", "historic": "tourism",
}  # fmt: skip
#: Values of ``building`` that no building stands for, and of the keys above that say there is nothing (any more).
NOT_BUILT = frozenset(("no", "construction", "proposed", "demolished", "razed"))
NOTHING = frozenset(("no", "vacant", "disused", "abandoned", "none", "construction", "proposed"))

#: Keys of further names; several in one are separated by semicolons.
ALIAS_KEYS = ("alt_name", "short_name", "old_name", "official_name", "loc_name")
