"""The base layers that every city has (design §5), declared once.

行政区划 admin-areas · 用地 land-use · 水域 water · 水系线 waterways · 道路 roads · 建筑 buildings ·
地址 addresses · 兴趣点 pois · 地名 places · 视频监控 cameras
"""

from layers.catalogue import Field, Layer, Text, Zooms

_KEY = Field("source_id", "string", Text("来源标识", "Source id"), role="key")
_SOURCE = Field("source", "string", Text("来源", "Source"))


def _name(title: Text = Text("名称", "Name")) -> tuple[Field, Field]:  # noqa: B008 - Text is immutable
    return Field("name", "string", title, role="title"), Field("name_en", "string", Text("英文名", "English name"))


#: Old, short and further names, by which the gazetteer finds a feature too.
_ALIAS = Field("alias", "string-array", Text("别名", "Aliases"))

ADMIN_LEVELS = {
    "city": Text("市", "City"),
    "district": Text("区县", "District"),
    "street": Text("街道(乡镇)", "Street"),
    "community": Text("社区(村)", "Community"),
}
BUILDING_USES = {
    "residential": Text("住宅", "Residential"),
    "commercial": Text("商业", "Commercial"),
    "office": Text("办公", "Office"),
    "industrial": Text("工业", "Industrial"),
    "warehouse": Text("仓储", "Warehouse"),
    "school": Text("学校", "School"),
    "hospital": Text("医院", "Hospital"),
    "public": Text("公共服务", "Public"),
    "transport": Text("交通设施", "Transport"),
    "religious": Text("宗教", "Religious"),
    "other": Text("其他", "Other"),
}
ROAD_CLASSES = {
    "motorway": Text("高速公路", "Motorway"),
    "trunk": Text("快速路", "Trunk"),
    "primary": Text("主干路", "Primary"),
    "secondary": Text("次干路", "Secondary"),
    "tertiary": Text("支路", "Tertiary"),
    "residential": Text("街坊路", "Residential"),
    "service": Text("内部路", "Service"),
    "track": Text("机耕路", "Track"),
    "cycleway": Text("自行车道", "Cycleway"),
    "footway": Text("步行道", "Footway"),
}
TURN_KINDS = {
    "no_left_turn": Text("禁止左转", "No left turn"),
    "no_right_turn": Text("禁止右转", "No right turn"),
    "no_straight_on": Text("禁止直行", "No straight on"),
    "no_u_turn": Text("禁止掉头", "No U-turn"),
    "no_entry": Text("禁止驶入", "No entry"),
    "no_exit": Text("禁止驶出", "No exit"),
    "only_left_turn": Text("只准左转", "Left turn only"),
    "only_right_turn": Text("只准右转", "Right turn only"),
    "only_straight_on": Text("只准直行", "Straight on only"),
    "only_u_turn": Text("只准掉头", "U-turn only"),
}
WATER_KINDS = {
    "river": Text("河流", "River"),
    "lake": Text("湖泊", "Lake"),
    "reservoir": Text("水库", "Reservoir"),
    "pond": Text("坑塘", "Pond"),
    "canal": Text("沟渠", "Canal"),
    "wetland": Text("湿地", "Wetland"),
    "stream": Text("溪流", "Stream"),
    "sea": Text("海域", "Sea"),
    "other": Text("其他", "Other"),
}
PLACE_KINDS = {
    "city": Text("城市", "City"),
    "district": Text("区县", "District"),
    "town": Text("城镇", "Town"),
    "suburb": Text("街区", "Suburb"),
    "neighbourhood": Text("社区", "Neighbourhood"),
    "village": Text("村庄", "Village"),
    "hamlet": Text("村组", "Hamlet"),
    "island": Text("岛屿", "Island"),
    "natural": Text("自然地物", "Natural feature"),
    "other": Text("其他", "Other"),
}
POI_CATEGORIES = {
    "government": Text("政府机构", "Government"),
    "education": Text("科教文化", "Education"),
    "health": Text("医疗卫生", "Health"),
    "food": Text("餐饮", "Food"),
    "shopping": Text("购物", "Shopping"),
    "finance": Text("金融", "Finance"),
    "lodging": Text("住宿", "Lodging"),
    "leisure": Text("休闲", "Leisure"),
    "transport": Text("交通", "Transport"),
    "tourism": Text("旅游", "Tourism"),
    "safety": Text("公共安全", "Public safety"),
    "religion": Text("宗教", "Religion"),
    "utility": Text("公用设施", "Utility"),
    "service": Text("生活服务", "Service"),
    "other": Text("其他", "Other"),
}

CAMERA_KINDS = {
    "fixed": Text("固定枪机", "Fixed"),
    "dome": Text("半球", "Dome"),
    "ptz": Text("云台球机", "Pan, tilt and zoom"),
    "checkpoint": Text("卡口", "Checkpoint"),
    "other": Text("其他", "Other"),
}
CAMERA_STATUSES = {
    "online": Text("在线", "Online"),
    "offline": Text("离线", "Offline"),
    "fault": Text("故障", "Faulty"),
    "removed": Text("拆除", "Removed"),
}

ADMIN_AREAS = Layer(
    id="admin-areas",
    title=Text("行政区划", "Administrative areas"),
    description=Text("市、区县、街道(乡镇)、社区(村)四级区划", "City, districts, streets and communities"),
    geometry_type="MultiPolygon",
    fields=(
        *_name(),
        Field("code", "string", Text("区划代码", "Division code")),
        Field("level", "string", Text("级别", "Level"), domain=ADMIN_LEVELS),
        Field("parent", "string", Text("上级代码", "Parent code")),
        Field("population", "integer", Text("人口", "Population"), unit="人"),
        _SOURCE,
        _KEY,
    ),
    order=10,
)
LAND_USE = Layer(
    id="land-use",
    title=Text("用地现状", "Land use"),
    description=Text("用地用海分类(2023)的现状图斑", "Present land use by the 2023 classification"),
    geometry_type="MultiPolygon",
    fields=(
        *_name(),
        Field("code", "string", Text("地类编码", "Land-use code"), role="class"),
        Field("kind", "string", Text("地类名称", "Land-use class")),
        _SOURCE,
        _KEY,
    ),
    order=20,
)
WATER = Layer(
    id="water",
    title=Text("水域", "Water"),
    description=Text("河流、湖泊、水库、坑塘等水面", "Rivers, lakes, reservoirs and ponds as areas"),
    geometry_type="MultiPolygon",
    fields=(
        *_name(),
        Field("kind", "string", Text("类别", "Kind"), domain=WATER_KINDS),
        _SOURCE,
        _KEY,
    ),
    order=30,
)
WATERWAYS = Layer(
    id="waterways",
    title=Text("水系线", "Waterways"),
    description=Text("河流、溪流与沟渠的中心线", "Centre lines of rivers, streams and canals"),
    geometry_type="LineString",
    fields=(
        *_name(),
        Field("kind", "string", Text("类别", "Kind"), domain=WATER_KINDS),
        _SOURCE,
        _KEY,
    ),
    order=31,
)
ROADS = Layer(
    id="roads",
    title=Text("道路", "Roads"),
    description=Text("道路中心线，相交处断开并共用端点", "Road centre lines, split at junctions"),
    geometry_type="LineString",
    fields=(
        *_name(),
        Field("class", "string", Text("等级", "Class"), domain=ROAD_CLASSES),
        Field("oneway", "integer", Text("单行", "One way"), domain={
            "0": Text("双向", "Both ways"),
            "1": Text("顺向", "Forward"),
            "-1": Text("逆向", "Backward"),
        }),
        Field("lanes", "integer", Text("车道数", "Lanes")),
        Field("maxspeed", "number", Text("限速", "Speed limit"), unit="km/h"),
        Field("bridge", "boolean", Text("桥梁", "Bridge")),
        Field("tunnel", "boolean", Text("隧道", "Tunnel")),
        _SOURCE,
        _KEY,
    ),
    zooms=Zooms(by="class", begin={
        "primary": 8, "secondary": 9, "tertiary": 11, "residential": 12, "service": 14,
        "track": 14, "cycleway": 14, "footway": 14,
    }),
    order=40,
)
TURN_RESTRICTIONS = Layer(
    id="turn-restrictions",
    title=Text("转向限制", "Turn restrictions"),
    description=Text("路口的禁止与只准转向；道路以来源标识指明", "Banned and mandatory turns; roads by source id"),
    geometry_type="Point",
    fields=(
        Field("kind", "string", Text("类别", "Kind"), domain=TURN_KINDS),
        Field("from_road", "string", Text("驶来道路", "From road")),
        Field("to_road", "string", Text("驶向道路", "To road")),
        _SOURCE,
        _KEY,
    ),
    order=41,
)
BUILDINGS = Layer(
    id="buildings",
    title=Text("建筑", "Buildings"),
    description=Text("建筑轮廓，含用途、层数与高度", "Building footprints with use, floors and height"),
    geometry_type="MultiPolygon",
    fields=(
        *_name(),
        Field("use", "string", Text("用途", "Use"), domain=BUILDING_USES),
        Field("floors", "integer", Text("层数", "Floors")),
        Field("height", "number", Text("高度", "Height"), unit="m"),
        Field("min_height", "number", Text("底高", "Base height"), unit="m"),
        Field("year_built", "integer", Text("建成年份", "Year built")),
        Field("address", "string", Text("地址", "Address")),
        Field("admin_code", "string", Text("所属社区", "Community code")),
        _SOURCE,
        _KEY,
    ),
    order=50,
)
ADDRESSES = Layer(
    id="addresses",
    title=Text("地址", "Addresses"),
    description=Text("门牌地址点", "House-number address points"),
    geometry_type="Point",
    fields=(
        Field("address", "string", Text("地址", "Address"), role="title"),
        Field("road", "string", Text("道路", "Road")),
        Field("number", "string", Text("门牌号", "House number")),
        Field("place", "string", Text("小区/地名", "Place")),
        Field("postcode", "string", Text("邮政编码", "Postcode")),
        Field("admin_code", "string", Text("所属社区", "Community code")),
        _SOURCE,
        _KEY,
    ),
    order=60,
)
POIS = Layer(
    id="pois",
    title=Text("兴趣点", "Points of interest"),
    description=Text("机关、学校、医院、商业等兴趣点", "Offices, schools, hospitals, shops and the like"),
    geometry_type="Point",
    fields=(
        *_name(),
        Field("category", "string", Text("大类", "Category"), domain=POI_CATEGORIES),
        Field("kind", "string", Text("小类", "Kind")),
        Field("address", "string", Text("地址", "Address")),
        Field("phone", "string", Text("电话", "Phone")),
        _SOURCE,
        _KEY,
        _ALIAS,
    ),
    order=70,
)
PLACES = Layer(
    id="places",
    title=Text("地名", "Places"),
    description=Text("居民地与自然地物名称", "Names of settlements and natural features"),
    geometry_type="Point",
    fields=(
        *_name(),
        Field("kind", "string", Text("类别", "Kind"), domain=PLACE_KINDS),
        Field("pinyin", "string", Text("拼音", "Pinyin")),
        Field("population", "integer", Text("人口", "Population"), unit="人"),
        Field("admin_code", "string", Text("所属区划", "Division code")),
        _SOURCE,
        _KEY,
        _ALIAS,
    ),
    order=80,
)
CAMERAS = Layer(
    id="cameras",
    title=Text("视频监控", "Cameras"),
    description=Text("视频监控点：位置、朝向与视场", "Surveillance cameras: place, direction and field of view"),
    geometry_type="Point",
    fields=(
        *_name(),
        Field("code", "string", Text("设备编码", "Device code")),
        Field("kind", "string", Text("类别", "Kind"), domain=CAMERA_KINDS),
        Field("direction", "number", Text("朝向", "Direction"), unit="deg"),
        Field("view_angle", "number", Text("视场角", "Angle of view"), unit="deg"),
        Field("reach", "number", Text("可视距离", "Reach"), unit="m"),
        Field("mount_height", "number", Text("安装高度", "Height of mount"), unit="m"),
        Field("status", "string", Text("状态", "Status"), domain=CAMERA_STATUSES),
        Field("road", "string", Text("所在道路", "Road")),
        Field("department", "string", Text("管理部门", "Department"), role="department"),
        _SOURCE,
        _KEY,
    ),
    visibility="internal",
    order=95,
)

#: Every base layer, in drawing order.
BASE_LAYERS = (ADMIN_AREAS, LAND_USE, WATER, WATERWAYS, ROADS, BUILDINGS, ADDRESSES, POIS, PLACES, CAMERAS)
#: Layers that say how the base layers hang together; every city has them, and no map draws them.
NETWORK_LAYERS = (TURN_RESTRICTIONS,)
