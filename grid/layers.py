"""The catalogue layers of grid management: grid-cells, components, cases, grid-workers, visits, and its folders' own.

What a state, a limit or a light of a case is, :mod:`grid.model` and :mod:`grid.clock` say; clients change them by the
process ``advance-case`` only, which ``grid/cases/triggers.sql`` sees to. The area of a row is a division code, by
which the rights of an area's people find it; its department is that of the case's handlers.
"""

from grid import domains
from grid.control.layers import CONTROL_LAYERS
from grid.emergency.layers import EMERGENCY_LAYERS
from grid.fields import metres as _metres
from grid.fields import text as _text
from grid.fields import time as _time
from grid.fields import whole as _whole
from grid.hot_spots.layers import HOT_SPOT_LAYERS
from grid.social.layers import SOCIAL_LAYERS
from layers.catalogue import Field, Layer, Text

GRID_CELLS = Layer(
    id="grid-cells",
    title=Text("网格", "Grid cells"),
    description=Text(
        "基础网格、专属网格与万米单元网格，含网格员、联系方式与服务",
        "Grids and unit grid cells with worker, contact and services",
    ),
    geometry_type="MultiPolygon",
    fields=(
        _text("code", "网格编码", "Code", role="key"),
        _text("name", "名称", "Name", role="title"),
        _text("kind", "类别", "Kind", domain=domains.CELL_KINDS),
        _text("parent", "所属社区代码", "Community code", role="area"),
        _text("area_type", "区域类型", "Type of area"),
        _text("department", "主管部门", "Department"),
        _text("worker", "网格员编号", "Worker code"),
        _text("worker_name", "网格员", "Worker"),
        _text("phone", "联系电话", "Phone"),
        _text("services", "服务事项", "Services"),
        _whole("households", "户数", "Households"),
        Field("area", "number", Text("面积", "Area"), "m²"),
        _text("status", "状态", "Status", domain=domains.CELL_STATUS),
        Field("since", "date", Text("启用日期", "In use since")),
        Field("until", "date", Text("停用日期", "Out of use since")),
        Field("predecessors", "string-array", Text("前身编码", "Codes it comes from")),
        Field("successors", "string-array", Text("后继编码", "Codes that follow it")),
    ),
    order=200,
)
COMPONENTS = Layer(
    id="components",
    title=Text("部件", "Components"),
    description=Text("城市管理部件及其权属与状态", "Municipal components, their owners and state"),
    geometry_type="Point",
    fields=(
        _text("code", "部件标识码", "Code", role="key"),
        _text("name", "名称", "Name", role="title"),
        _text("scheme", "分类标准", "Scheme"),
        _text("class", "类别代码", "Class"),
        _text("authority", "主管部门代码", "Authority", role="department"),
        _text("authority_name", "主管部门名称", "Authority's name"),
        _text("owner", "权属单位", "Owner"),
        _text("maintainer", "养护单位", "Maintainer"),
        _text("grid", "所在单元网格", "Unit grid cell"),
        _text("area_code", "所属区划", "Division code", role="area"),
        _text("state", "状态", "State", domain=domains.COMPONENT_STATES),
        _text("accuracy_class", "定位精度", "Accuracy class", domain=domains.ACCURACY_CLASSES),
        Field("first_date", "date", Text("初始日期", "First recorded")),
        Field("changed_date", "date", Text("变更日期", "Changed")),
        _time("inspected_at", "最近巡检", "Last inspected"),
        _text("source", "来源", "Source"),
        _text("source_id", "来源标识", "Source id"),
    ),
    order=210,
)
CASES = Layer(
    id="cases",
    title=Text("案卷", "Cases"),
    description=Text("问题上报至结案的案卷，含时限与红黄绿灯", "Reported problems until closed, with clock and light"),
    geometry_type="Point",
    visibility="internal",
    time_field="reported_at",
    fields=(
        _text("code", "案卷编号", "Case number", role="key"),
        _text("title", "标题", "Title", role="title"),
        _text("kind", "类别", "Kind", domain=domains.CASE_KINDS),
        _text("scheme", "分类标准", "Scheme"),
        _text("class", "类别代码", "Class"),
        _text("class_name", "类别名称", "Class name"),
        _text("description", "问题描述", "Description"),
        _text("place", "位置描述", "Where"),
        _metres("accuracy", "定位精度", "Accuracy of the position"),
        _text("channel", "来源渠道", "Channel", domain=domains.CHANNELS),
        _text("reporter", "上报人", "Reporter"),
        _text("reporter_name", "联系人", "Contact", visibility="sensitive"),
        _text("reporter_phone", "联系电话", "Contact's phone", visibility="sensitive"),
        _text("state", "状态", "State", domain=domains.CASE_STATES),
        _text("light", "时限灯", "Light", domain=domains.LIGHTS),
        _text("grid", "单元网格", "Unit grid cell"),
        _text("social_grid", "网格", "Grid"),
        _text("area_code", "所属区划", "Division code", role="area"),
        _text("area_type", "区域类型", "Type of area"),
        _text("department", "处置部门", "Department", role="department"),
        _text("component", "部件标识码", "Component"),
        _metres("component_distance", "距部件", "Distance to the component"),
        _text("duplicate_of", "重复于", "Duplicate of"),
        _text("condition", "立案条件", "Condition for filing"),
        Field("found", "boolean", Text("核实属实", "Found so on verification")),
        Field("consistent", "boolean", Text("核查一致", "Found done on check")),
        _time("reported_at", "上报时间", "Reported"),
        _time("accepted_at", "受理时间", "Accepted"),
        _time("filed_at", "立案时间", "Filed"),
        _time("filing_due", "应立案时间", "To be filed by"),
        _time("dispatched_at", "派遣时间", "Dispatched"),
        _time("handled_at", "反馈时间", "Handled"),
        _time("check_due", "应核查时间", "To be checked by"),
        _time("checked_at", "核查时间", "Checked"),
        _time("closed_at", "办结时间", "Ended"),
        Field("limit_amount", "number", Text("处置时限", "Time limit")),
        _text("limit_unit", "时限单位", "Unit of the limit", domain=domains.LIMIT_UNITS),
        _whole("limit_seconds", "时限", "Limit", "s"),
        _whole("used_seconds", "已用时间", "Time used up to its last stop", "s"),
        _time("running_since", "计时起点", "Clock running since"),
        _time("remind_at", "提醒时间", "Reminder at"),
        _time("deadline", "截止时间", "Deadline"),
        _time("supervise_at", "督办时间", "Supervision at"),
        _whole("clock_round", "计时轮次", "Round of the clock"),
        _whole("escalation", "督促级别", "Level of escalation"),
        _whole("reports", "上报次数", "Reports"),
        _whole("dispatches", "派遣次数", "Dispatches"),
        _whole("returns", "回退次数", "Returns"),
        _whole("reworks", "返工次数", "Reworks"),
        _whole("extensions", "延期次数", "Extensions"),
        _whole("urges", "催办次数", "Urges"),
        Field("supervised", "boolean", Text("督办", "Supervised")),
        Field("asked_extension", "number", Text("申请延期", "Extension asked for")),
        _text("suspended_from", "挂账前状态", "State before suspension"),
        _whole("photos", "照片", "Photos"),
        _metres("photo_offset", "照片与上报位置之差", "From the photo's position to the report's"),
        _whole("satisfaction", "满意度", "Satisfaction (1–5)"),
        _text("source", "来源", "Source"),
        _text("source_id", "来源标识", "Source id"),
    ),
    style=(
        {
            "id": "cases-ended",
            "type": "circle",
            "filter": ["has", "closed_at"],
            "metadata": {"citymap:legend": {"zh": "已终结", "en": "Ended"}},
            "paint": {
                "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 1.2, 16, 4],
                "circle-color": "#9aa3ad",
                "circle-opacity": 0.5,
            },
        },
        {
            "id": "cases-light",
            "type": "circle",
            "filter": ["!", ["has", "closed_at"]],
            "metadata": {"citymap:legend": {"zh": "未计时", "en": "No clock yet"}},
            "paint": {
                "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 2, 16, 6],
                "circle-color": [
                    "match", ["get", "light"], "red", "#d7301f", "amber", "#f5a623", "green", "#2e9e4f", "#7a7f87",
                ],
                "circle-stroke-color": "#ffffff",
                "circle-stroke-width": 1,
            },
        },
    ),
    order=230,
)  # fmt: skip
GRID_WORKERS = Layer(
    id="grid-workers",
    title=Text("网格员", "Grid workers"),
    description=Text("网格员与监督员，及其岗位和网格", "Grid workers, their posts and grids"),
    geometry_type="Point",
    visibility="internal",
    fields=(
        _text("code", "编号", "Code", role="key"),
        _text("name", "姓名", "Name", role="title"),
        _text("account", "账号", "Account"),
        _text("post", "岗位", "Post"),
        _text("phone", "联系电话", "Phone"),
        _text("grid", "网格", "Grid"),
        _text("area_code", "所属区划", "Division code", role="area"),
        _text("department", "部门", "Department", role="department"),
        Field("active", "boolean", Text("在岗", "On duty")),
    ),
    order=220,
)
VISITS = Layer(
    id="visits",
    title=Text("走访与排查", "Visits and checks"),
    description=Text(
        "入户走访、隐患排查、代办服务等网格工作记录", "Visits, hidden-danger checks and services of grid workers"
    ),
    geometry_type="Point",
    visibility="internal",
    time_field="visited_at",
    fields=(
        _text("subject", "对象", "Subject", role="title"),
        _text("kind", "类别", "Kind", domain=domains.VISIT_KINDS),
        _text("household", "户", "Household"),
        _text("address", "地址", "Address"),
        _text("resident", "居民", "Resident", visibility="sensitive"),
        _text("resident_phone", "居民电话", "Resident's phone", visibility="sensitive"),
        _text("worker", "网格员编号", "Worker code"),
        _text("grid", "网格", "Grid"),
        _text("area_code", "所属区划", "Division code", role="area"),
        _time("visited_at", "时间", "When"),
        _text("content", "内容", "Content"),
        _text("result", "结果", "Result", domain=domains.VISIT_RESULTS),
        _whole("danger_level", "隐患等级", "Level of the danger"),
        _time("rectify_due", "整改期限", "To be put right by"),
        _time("rectified_at", "整改时间", "Put right"),
        _text("case_code", "案卷编号", "Case number"),
        _whole("satisfaction", "满意度", "Satisfaction (1–5)"),
    ),
    order=240,
)

#: Every layer of grid management, in drawing order.
GRID_LAYERS = (
    GRID_CELLS, COMPONENTS, GRID_WORKERS, CASES, VISITS, *SOCIAL_LAYERS, *CONTROL_LAYERS, *EMERGENCY_LAYERS,
    *HOT_SPOT_LAYERS,
)  # fmt: skip
