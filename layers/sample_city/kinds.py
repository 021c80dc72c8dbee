"""What a piece of the sample city can be: its land-use class, and how buildings stand on it.

Codes and class names: 国土空间调查、规划、用途管制用地用海分类指南 (2023), the few of them used here.
"""

from dataclasses import dataclass

#: Code → class name, classification of 2023.
LAND_USE_CLASSES = {
    "0101": "水田",
    "0103": "旱地",
    "0201": "果园",
    "0301": "乔木林地",
    "060201": "种植设施建设用地",
    "070101": "一类城镇住宅用地",
    "070102": "二类城镇住宅用地",
    "070103": "三类城镇住宅用地",
    "0702": "城镇社区服务设施用地",
    "0703": "农村宅基地",
    "0801": "机关团体用地",
    "0802": "科研用地",
    "080302": "文化活动用地",
    "080401": "高等教育用地",
    "080403": "中小学用地",
    "080501": "体育场馆用地",
    "080601": "医院用地",
    "0901": "商业用地",
    "0902": "商务金融用地",
    "100102": "二类工业用地",
    "110101": "一类物流仓储用地",
    "120801": "对外交通场站用地",
    "1302": "排水用地",
    "1303": "供电用地",
    "1401": "公园绿地",
    "1402": "防护绿地",
    "1403": "广场用地",
    "1503": "宗教用地",
    "16": "留白用地",
    "1701": "河流水面",
    "1702": "湖泊水面",
    "1704": "坑塘水面",
    "1705": "沟渠",
}

Span = tuple[float, float]
RECT, SLAB, ELL, COURT, CROSS, OCTAGON, AISLE, OVAL = range(8)


@dataclass(frozen=True, slots=True)
class Rows:
    """Buildings of one sort in parallel rows.

    ``width`` along the row, ``depth`` across it, ``gap`` between neighbours in a row, ``alley`` the least distance
    of rows [m]; ``sun`` adds that share of the height to it, as 日照间距 asks; ``south`` turns the rows to face
    south whatever the street does; ``fill`` is the share of places built.
    """

    use: str
    width: Span
    depth: Span
    floors: tuple[int, int]
    gap: Span
    alley: float
    shapes: tuple[int, ...]
    sun: float = 0.0
    storey: float = 3.0
    south: bool = False
    fill: float = 0.95
    wobble: float = 0.0


@dataclass(frozen=True, slots=True)
class Slot:
    """One building at a fixed place of a parcel.

    ``at`` is the centre in the parcel's own frame, -0.5 … 0.5 both ways; ``share`` the size as part of the parcel,
    ``most`` its limit [m].
    """

    use: str
    at: tuple[float, float]
    share: tuple[float, float]
    most: tuple[float, float]
    floors: tuple[int, int]
    shape: int = RECT
    storey: float = 3.6
    name: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of parcel: land-use ``code``, ``layouts`` to choose from, years of construction, floor-space share."""

    code: str
    layouts: tuple[Rows | tuple[Slot, ...], ...] = ()
    built: tuple[int, int] = (1985, 2022)
    shops: float = 0.0
    service_roads: float = 0.0
    estate: str = ""


_OFFICE = (
    (Slot("office", (-0.2, 0.18), (0.5, 0.48), (46, 42), (30, 62), OCTAGON, 4.0, "大厦"),
     Slot("commercial", (0.29, -0.02), (0.32, 0.8), (34, 80), (3, 6), RECT, 4.8, "购物中心"),
     Slot("office", (-0.2, -0.3), (0.48, 0.3), (44, 26), (8, 16), RECT, 4.0, "商务楼")),
    (Slot("office", (-0.25, 0.24), (0.36, 0.36), (38, 38), (24, 48), RECT, 4.0, "国际中心"),
     Slot("office", (0.25, 0.24), (0.36, 0.36), (38, 38), (22, 44), CROSS, 4.0, "广场写字楼"),
     Slot("commercial", (0, -0.27), (0.86, 0.3), (90, 30), (2, 5), RECT, 4.8, "百货")),
    (Slot("office", (0, 0.05), (0.5, 0.5), (48, 48), (40, 75), OCTAGON, 4.2, "金融中心"),
     Slot("public", (0, -0.4), (0.5, 0.14), (50, 12), (1, 2), RECT, 4.5, "会客厅")),
)
_MALL = (
    (Slot("commercial", (-0.12, 0), (0.64, 0.84), (84, 90), (4, 7), COURT, 5.0, "万象城"),
     Slot("office", (0.36, 0.2), (0.2, 0.36), (28, 34), (16, 28), RECT, 4.0, "写字楼")),
    (Slot("commercial", (0, -0.24), (0.88, 0.4), (95, 40), (3, 6), RECT, 5.0, "商场"),
     Slot("commercial", (-0.25, 0.28), (0.36, 0.34), (34, 32), (12, 25), CROSS, 3.6, "大酒店"),
     Slot("residential", (0.25, 0.28), (0.36, 0.3), (32, 20), (20, 31), CROSS, 3.0, "公寓")),
)
_SCHOOL = (
    (Slot("school", (-0.22, 0.2), (0.5, 0.5), (50, 46), (4, 5), COURT, 3.6, "教学楼"),
     Slot("school", (-0.25, -0.3), (0.42, 0.2), (42, 18), (4, 5), RECT, 3.6, "综合楼"),
     Slot("school", (0.3, -0.36), (0.32, 0.2), (30, 20), (1, 2), RECT, 6.0, "体育馆")),
    (Slot("school", (-0.27, 0.3), (0.4, 0.16), (44, 13), (4, 5), SLAB, 3.6, "教学楼"),
     Slot("school", (-0.27, 0.02), (0.4, 0.16), (44, 13), (4, 5), SLAB, 3.6, "实验楼"),
     Slot("school", (-0.27, -0.3), (0.4, 0.22), (40, 20), (2, 3), ELL, 4.2, "食堂")),
)
_HOSPITAL = (
    (Slot("hospital", (0, 0.24), (0.8, 0.3), (78, 26), (12, 22), SLAB, 3.9, "住院部"),
     Slot("hospital", (-0.18, -0.24), (0.5, 0.38), (52, 36), (4, 6), COURT, 4.0, "门诊楼"),
     Slot("hospital", (0.32, -0.24), (0.24, 0.3), (26, 24), (3, 7), RECT, 4.0, "医技楼")),
)
_GOVERNMENT = (
    (Slot("public", (0, 0.2), (0.7, 0.26), (72, 24), (6, 12), AISLE, 3.8, "办公楼"),
     Slot("public", (-0.34, -0.2), (0.18, 0.4), (16, 40), (3, 5), RECT, 3.6, "西配楼"),
     Slot("public", (0.34, -0.2), (0.18, 0.4), (16, 40), (3, 5), RECT, 3.6, "政务服务中心")),
)
_CULTURE = (
    (Slot("public", (-0.2, 0.1), (0.5, 0.6), (55, 60), (2, 4), OCTAGON, 6.0, "博物馆"),
     Slot("public", (0.32, 0), (0.26, 0.7), (28, 70), (3, 5), RECT, 5.0, "图书馆")),
    (Slot("public", (0, 0), (0.72, 0.6), (80, 62), (2, 4), OVAL, 7.0, "大剧院"),),
)
_SPORTS = (
    (Slot("public", (0, 0), (0.86, 0.86), (150, 120), (2, 4), OVAL, 8.0, "体育馆"),),
)
_COMMUNITY = (
    (Slot("school", (-0.2, 0.2), (0.44, 0.32), (44, 26), (3, 3), ELL, 3.6, "幼儿园"),
     Slot("hospital", (0.3, 0.26), (0.28, 0.24), (26, 18), (3, 5), RECT, 3.6, "社区卫生服务中心"),
     Slot("public", (0.28, -0.24), (0.32, 0.22), (30, 18), (2, 4), RECT, 3.6, "党群服务中心"),
     Slot("commercial", (-0.24, -0.3), (0.44, 0.22), (44, 22), (2, 3), RECT, 4.2, "生鲜市场")),
)
_STATION = (
    (Slot("transport", (0, 0.05), (0.84, 0.3), (110, 36), (2, 3), RECT, 8.0, "客运站"),
     Slot("transport", (0, -0.36), (0.5, 0.14), (60, 14), (1, 1), RECT, 6.0, "候车廊")),
)
_UTILITY = (
    (Slot("other", (-0.2, 0.2), (0.3, 0.26), (26, 20), (1, 2), RECT, 5.0, "泵房"),
     Slot("other", (0.24, -0.1), (0.26, 0.26), (22, 22), (1, 1), OVAL, 6.0, "水池")),
)
_TEMPLE = (
    (Slot("religious", (0, 0.3), (0.4, 0.2), (30, 18), (1, 2), RECT, 7.0, "大雄宝殿"),
     Slot("religious", (0, 0), (0.3, 0.16), (22, 14), (1, 1), RECT, 6.0, "天王殿"),
     Slot("religious", (0, -0.28), (0.24, 0.12), (18, 9), (1, 1), RECT, 5.0, "山门")),
)

KINDS = {
    "old_town": Kind("070103", (
        Rows("residential", (13, 24), (9, 12), (2, 6), (3, 7), 6, (RECT, RECT, ELL), 0.2, 3.0, False, 0.93),),
        (1972, 1999), 0.55, 0.0, "里"),
    "slab6": Kind("070102", (
        Rows("residential", (34, 52), (11, 13), (5, 7), (7, 10), 4, (SLAB,), 0.95, 2.9, True),),
        (1983, 2004), 0.4, 0.5, "小区"),
    "slab18": Kind("070102", (
        Rows("residential", (28, 42), (13, 16), (11, 18), (13, 18), 8, (SLAB, AISLE), 0.62, 2.95, True),),
        (2003, 2018), 0.35, 0.7, "花园"),
    "tower33": Kind("070102", (
        Rows("residential", (25, 33), (16, 20), (25, 34), (18, 26), 12, (CROSS, AISLE), 0.34, 3.0, True),),
        (2010, 2024), 0.3, 0.7, "府"),
    "villa": Kind("070101", (
        Rows("residential", (12, 16), (11, 14), (2, 3), (7, 11), 10, (ELL, RECT), 0.3, 3.2, True, 0.92),),
        (2002, 2020), 0.0, 0.9, "山庄"),
    "town": Kind("070103", (
        Rows("residential", (11, 22), (10, 13), (2, 5), (2, 8), 9, (RECT, ELL), 0.3, 3.2, False, 0.85),),
        (1980, 2019), 0.7),
    "village": Kind("0703", (
        Rows("residential", (9, 13.5), (8, 11), (1, 3), (5, 9), 8, (RECT, RECT, ELL), 0.3, 3.2, True, 0.72, 1.6),),
        (1975, 2022)),
    "factory": Kind("100102", (
        Rows("industrial", (34, 62), (22, 36), (1, 3), (9, 14), 11, (RECT, RECT, ELL), 0.2, 6.0, False, 0.9),
        Rows("industrial", (40, 74), (17, 22), (2, 5), (9, 14), 11, (RECT, COURT), 0.3, 4.8, False, 0.9)),
        (1992, 2023), 0.0, 0.5),
    "warehouse": Kind("110101", (
        Rows("warehouse", (46, 80), (26, 34), (1, 1), (12, 18), 16, (RECT,), 0.0, 9.0, False, 0.95),),
        (2004, 2023), 0.0, 0.4),
    "university": Kind("080401", (
        Rows("school", (46, 72), (15, 22), (4, 9), (16, 28), 16, (ELL, COURT, SLAB, AISLE), 0.7, 3.8, True, 0.75),),
        (1958, 2016), 0.0, 0.9),
    "research": Kind("0802", (
        Rows("office", (40, 64), (18, 24), (5, 12), (14, 22), 14, (RECT, ELL, COURT), 0.5, 4.0, False, 0.85),),
        (2008, 2023), 0.0, 0.6),
    "office": Kind("0902", _OFFICE, (1998, 2024), 0.25),
    "mall": Kind("0901", _MALL, (1995, 2023), 0.2),
    "school": Kind("080403", _SCHOOL, (1962, 2021)),
    "hospital": Kind("080601", _HOSPITAL, (1975, 2020)),
    "government": Kind("0801", _GOVERNMENT, (1978, 2015)),
    "culture": Kind("080302", _CULTURE, (1995, 2022)),
    "sports": Kind("080501", _SPORTS, (1985, 2020)),
    "community": Kind("0702", _COMMUNITY, (1995, 2022)),
    "station": Kind("120801", _STATION, (1990, 2018)),
    "utility": Kind("1303", _UTILITY, (1990, 2018)),
    "sewage": Kind("1302", _UTILITY, (1996, 2018)),
    "temple": Kind("1503", _TEMPLE, (1620, 1930)),
    "park": Kind("1401", service_roads=0.8),
    "lake": Kind("1401"),
    "square": Kind("1403"),
    "green": Kind("1402"),
    "vacant": Kind("16"),
    "paddy": Kind("0101"),
    "dry_field": Kind("0103"),
    "orchard": Kind("0201"),
    "forest": Kind("0301"),
    "greenhouse": Kind("060201"),
}
NAMES = tuple(KINDS)
ORDINAL = {name: index for index, name in enumerate(NAMES)}
FARMLAND = ("paddy", "dry_field", "orchard", "forest", "greenhouse")
HOUSING = ("old_town", "slab6", "slab18", "tower33", "villa")
