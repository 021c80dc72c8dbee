"""The layers of planning.

控制线 control lines, as areas and as lines · 控制区 control zones · 控规 control plan · 用地红线 red lines · 公示
notices.

道路红线 road · 绿线 green · 蓝线 blue · 紫线 purple · 黄线 yellow · 橙线 orange · 城镇开发边界 urban-boundary ·
永久基本农田 farmland · 生态保护红线 ecology. What a kind means for a red line is data: planning/data/rules.csv.
"""

from layers.catalogue import Field, Layer, Text
from planning.massing.layers import SCHEME_BUILDINGS
from planning.publicity.layers import PUBLICITY_LAYERS

LINE_KINDS = {
    "road": Text("道路红线", "Road red line"),
    "green": Text("城市绿线", "Green line"),
    "blue": Text("城市蓝线", "Blue line"),
    "purple": Text("城市紫线", "Purple line"),
    "yellow": Text("城市黄线", "Yellow line"),
    "orange": Text("橙线", "Orange line"),
}
ZONE_KINDS = {
    "urban-boundary": Text("城镇开发边界", "Urban development boundary"),
    "farmland": Text("永久基本农田", "Permanent basic farmland"),
    "ecology": Text("生态保护红线", "Ecological protection red line"),
    "strict-protection": Text("严格保护区", "Strictly protected zone"),
    "controlled-use": Text("控制性保护利用区", "Zone of controlled use"),
    "guided-development": Text("引导性开发建设区", "Zone of guided development"),
    "flood-hazard": Text("洪涝风险区", "Flood hazard"),
    "geological-hazard": Text("地质灾害易发区", "Geological hazard"),
    "airport-surface": Text("机场净空限制面", "Airport obstacle surface"),
    "view-corridor": Text("视线走廊", "View corridor"),
}
#: 版本 a version is drafted, approved, and superseded by the approval of the next.
PLAN_STATES = {
    "draft": Text("草案", "Draft"),
    "approved": Text("已批准", "Approved"),
    "superseded": Text("已被替代", "Superseded"),
}
REDLINE_STATES = {
    "applied": Text("申请", "Applied for"),
    "examined": Text("预审", "Examined"),
    "conditions": Text("选址意见书/规划条件", "Site opinion and conditions"),
    "publicised": Text("公示", "Publicised"),
    "approved": Text("批准", "Approved"),
    "land-permit": Text("建设用地规划许可", "Land permit"),
    "works-permit": Text("建设工程规划许可", "Works permit"),
    "verified": Text("规划核实", "Verified"),
    "archived": Text("归档", "Archived"),
    "returned": Text("退回", "Returned"),
    "withdrawn": Text("撤回", "Withdrawn"),
    "revoked": Text("撤销", "Revoked"),
    "expired": Text("到期", "Expired"),
    "replaced": Text("已变更", "Replaced"),
}
SUPPLY_KINDS = {"allocation": Text("划拨", "Allocation"), "grant": Text("出让", "Grant")}
NOTICE_KINDS = {
    "red-line": Text("用地红线公示", "Red line"),
    "plan": Text("规划草案公示", "Draft plan"),
    "permit": Text("批后公布", "Permit"),
}

_KEY = Field("code", "string", Text("编号", "Code"), role="key")
_NAME = Field("name", "string", Text("名称", "Name"), role="title")
_SCHEME = Field(
    "scheme",
    "string",
    Text("用地分类", "Land-code scheme"),
    domain={
        "2023": Text("用地用海分类(2023)", "Land and sea use 2023"),
        "2011": Text("GB 50137-2011", "GB 50137-2011"),
    },
)
_LAND_CODE = Field("land_code", "string", Text("用地代码", "Land code"), role="class")
_VERSION = (
    Field("plan", "string", Text("规划", "Plan")),
    Field("version", "string", Text("版本", "Version")),
    Field("status", "string", Text("状态", "Status"), domain=PLAN_STATES),
    Field("approved_on", "date", Text("批准日期", "Approved on")),
    Field("superseded_on", "date", Text("替代日期", "Superseded on")),
    Field("basis", "string", Text("批准文号", "Decision")),
)
_SOURCE = Field("source", "string", Text("来源", "Source"))


def _fill(colours: dict[str, str], opacity: float) -> dict[str, object]:
    matches = [part for kind, colour in colours.items() for part in (kind, colour)]
    return {
        "type": "fill",
        "paint": {"fill-color": ["match", ["get", "kind"], *matches, "#888888"], "fill-opacity": opacity},
    }


def _outline(colours: dict[str, str], width: float) -> dict[str, object]:
    matches = [part for kind, colour in colours.items() for part in (kind, colour)]
    return {
        "type": "line",
        "paint": {"line-color": ["match", ["get", "kind"], *matches, "#888888"], "line-width": width},
    }


_LINE_COLOURS = {"road": "#e60000", "green": "#38a800", "blue": "#0070ff", "purple": "#a900e6", "yellow": "#e6b800",
                 "orange": "#ff8c00"}  # fmt: skip
_ZONE_COLOURS = {"urban-boundary": "#7a3b00", "farmland": "#d7b000", "ecology": "#007a3d"}

CONTROL_LINES = Layer(
    id="control-lines",
    title=Text("城市控制线", "Control lines"),
    description=Text(
        "道路红线、绿线、蓝线、紫线、黄线、橙线的范围",
        "Ground within road, green, blue, purple, yellow and orange lines",
    ),
    geometry_type="MultiPolygon",
    fields=(_NAME, Field("kind", "string", Text("类别", "Kind"), domain=LINE_KINDS), *_VERSION, _SOURCE, _KEY),
    style=(_fill(_LINE_COLOURS, 0.12), _outline(_LINE_COLOURS, 1.2)),
    order=110,
)
#: A line has no inside: what it asks is not to be crossed, and the distance of its rule.
OPEN_CONTROL_LINES = Layer(
    id="open-control-lines",
    title=Text("规划边线", "Control lines, open"),
    description=Text(
        "以线而非范围划定的道路红线等；红线不得穿越，并按规则保持距离",
        "Control lines that are drawn as lines, not as areas: a parcel does not cross them, and keeps their distance",
    ),
    geometry_type="MultiLineString",
    fields=CONTROL_LINES.fields,
    style=(_outline(_LINE_COLOURS, 2),),
    order=110,
)
CONTROL_ZONES = Layer(
    id="control-zones",
    title=Text("控制区", "Control zones"),
    description=Text(
        "三区三线、环境三区、灾害风险区、净空与视线走廊",
        "Three zones and lines, environmental zones, hazards, limits of height",
    ),
    geometry_type="MultiPolygon",
    fields=(
        _NAME,
        Field("kind", "string", Text("类别", "Kind"), domain=ZONE_KINDS),
        Field("limit_height", "number", Text("限制高程", "Limit of elevation"), unit="m"),
        Field("limit_slope", "number", Text("限制面坡度", "Slope of the surface"), unit="m/m"),
        Field("origin_lon", "number", Text("限制面起点经度", "Origin of the surface, longitude"), unit="°"),
        Field("origin_lat", "number", Text("限制面起点纬度", "Origin of the surface, latitude"), unit="°"),
        *_VERSION,
        _SOURCE,
        _KEY,
    ),
    style=(_fill(_ZONE_COLOURS, 0.08), _outline(_ZONE_COLOURS, 1.5)),
    order=111,
)
CONTROL_PLAN = Layer(
    id="control-plan",
    title=Text("控制性详细规划", "Control plan"),
    description=Text("控规地块与指标，按批准版本", "Plots of the control plan and their indices, by approved version"),
    geometry_type="MultiPolygon",
    fields=(
        Field("plot", "string", Text("地块编号", "Plot"), role="title"),
        _SCHEME,
        _LAND_CODE,
        Field("land_use", "string", Text("用地性质", "Land use")),
        Field("far_max", "number", Text("容积率上限", "Floor area ratio, at most")),
        Field("far_min", "number", Text("容积率下限", "Floor area ratio, at least")),
        Field("density_max", "number", Text("建筑密度上限", "Building density, at most"), unit="%"),
        Field("green_min", "number", Text("绿地率下限", "Green ratio, at least"), unit="%"),
        Field("height_max", "number", Text("建筑限高", "Height, at most"), unit="m"),
        Field("setback_road", "number", Text("临道路退让", "Setback from roads"), unit="m"),
        Field("setback_green", "number", Text("临绿地退让", "Setback from green"), unit="m"),
        Field("setback_water", "number", Text("临水退让", "Setback from water"), unit="m"),
        Field("setback_plot", "number", Text("临地块退让", "Setback from other plots"), unit="m"),
        Field("parking_min", "number", Text("停车配建下限", "Parking spaces, at least"), unit="个/100m²"),
        *_VERSION,
        _SOURCE,
        _KEY,
    ),
    order=112,
)
REDLINES = Layer(
    id="redlines",
    title=Text("用地红线", "Land red lines"),
    description=Text("建设用地的红线，从申请到归档", "Red lines of building land, from application to archive"),
    geometry_type="MultiPolygon",
    fields=(
        Field("number", "string", Text("编号", "Number"), role="key"),
        Field("name", "string", Text("项目名称", "Project"), role="title"),
        Field("applicant", "string", Text("申请单位", "Applicant")),
        Field("supply", "string", Text("供地方式", "Supply"), domain=SUPPLY_KINDS),
        _SCHEME,
        _LAND_CODE,
        Field("status", "string", Text("状态", "Status"), domain=REDLINE_STATES),
        Field("area", "number", Text("平面面积", "Plane area"), unit="m²"),
        Field("ellipsoidal_area", "number", Text("椭球面积", "Ellipsoidal area"), unit="m²"),
        Field("zone", "integer", Text("3°带带号", "3° zone")),
        Field("conditions", "string", Text("规划条件", "Conditions")),
        Field("applied_on", "date", Text("申请日期", "Applied on")),
        Field("approved_on", "date", Text("批准日期", "Approved on")),
        Field("expires_on", "date", Text("有效期至", "Valid until")),
        Field("parents", "string-array", Text("变更自", "Made of")),
    ),
    visibility="internal",
    editable=False,  # a red line moves by the steps of planning/redline/transitions.py only
    style=(
        {"type": "fill", "paint": {"fill-color": "#ff0000", "fill-opacity": 0.06}},
        {"type": "line", "paint": {"line-color": "#e00000", "line-width": 2}},
    ),
    order=113,
)
NOTICES = Layer(
    id="notices",
    title=Text("规划公示", "Public notices"),
    description=Text("公示中的规划与红线，及其期限", "Plans and red lines put before the public, and until when"),
    geometry_type="MultiPolygon",
    fields=(
        Field("title", "string", Text("标题", "Title"), role="title"),
        Field("kind", "string", Text("类别", "Kind"), domain=NOTICE_KINDS),
        Field("text", "string", Text("内容", "Text")),
        Field("redline", "string", Text("红线编号", "Red line")),
        Field("begins", "date", Text("开始日期", "Begins")),
        Field("ends", "date", Text("截止日期", "Ends")),
        Field("contact", "string", Text("联系方式", "Contact")),
        Field("summary", "string", Text("意见汇总", "Summary of comments")),
        Field("number", "string", Text("编号", "Number"), role="key"),
    ),
    editable=False,
    order=114,
)
#: Every layer of planning, in drawing order.
PLANNING_LAYERS = (
    CONTROL_LINES, OPEN_CONTROL_LINES, CONTROL_ZONES, CONTROL_PLAN, REDLINES, NOTICES, SCHEME_BUILDINGS,
    *PUBLICITY_LAYERS,
)  # fmt: skip
