"""The layers of tracking: devices, positions, geofences, alarms, trajectories (design §5) and tasks of units.

设备 device · 实时位置 position, the latest of each device · 围栏 geofence · 报警 alarm · 轨迹段 trajectory, a stretch
of track of some minutes · 派遣任务 task of a unit, as the way that it was sent. Raw positions are in
``tracking.positions``, see ``tracking/tracking.sql``.
"""

from collections.abc import Container

from sqlalchemy import Connection, text

from layers.catalogue import Field, Layer, Text
from layers.registry import create_layer

KINDS = {
    "sanitation": Text("环卫车", "Sanitation truck"),
    "enforcement": Text("执法车", "Enforcement car"),
    "muck": Text("渣土车", "Muck truck"),
    "bus": Text("公交车", "Bus"),
    "emergency": Text("应急车", "Emergency vehicle"),
    "grid-worker": Text("网格员", "Grid worker"),
    "other": Text("其他", "Other"),
}
STATES = {
    "moving": Text("行驶", "Moving"),
    "idle": Text("怠速", "Idle, engine on"),
    "parked": Text("停车", "Parked"),
    "stale": Text("位置过时", "Position out of date"),
    "offline": Text("离线", "Offline"),
}
WATCHED = {
    "enter": Text("进入", "Entering"),
    "leave": Text("离开", "Leaving"),
    "inside": Text("在内停留", "Staying inside"),
    "outside": Text("在外停留", "Staying outside"),
    "cross": Text("跨越", "Crossing"),
    "overspeed": Text("区域超速", "Overspeed in it"),
    "deviation": Text("偏离路线", "Leaving the route"),
    "gathering": Text("车辆聚集", "Gathering"),
}
ALARM_KINDS = {
    **WATCHED,
    "sos": Text("紧急报警", "Emergency"),
    "terminal": Text("终端报警", "Told by the terminal"),
    "power-cut": Text("主电源掉电", "Power cut"),
    "idling": Text("长时间怠速", "Idling"),
    "over-stay": Text("超时停车", "Over-stay"),
    "off-duty": Text("非工作时间用车", "Use off duty"),
    "offline": Text("离线", "Offline"),
    "maintenance": Text("保养到期", "Maintenance due"),
}
ALARM_STATES = {
    "new": Text("待处理", "New"),
    "acknowledged": Text("已确认", "Acknowledged"),
    "assigned": Text("已指派", "Assigned"),
    "closed": Text("已处理", "Closed"),
}
TASK_STATES = {
    "assigned": Text("已派", "Assigned"),
    "under-way": Text("途中", "Under way"),
    "arrived": Text("已到达", "Arrived"),
    "done": Text("已完成", "Done"),
    "cancelled": Text("已撤销", "Cancelled"),
}

_DEPARTMENT = Field("department", "string", Text("所属部门", "Department"), role="department")
_KEY = Field("key", "string", Text("标识", "Key"), role="key")
_DEVICE = Field("device", "string", Text("设备编号", "Device code"))
_NAME = Field("name", "string", Text("名称", "Name"), role="title")
_KIND = Field("kind", "string", Text("类别", "Kind"), domain=KINDS)

DEVICES = Layer(
    id="devices",
    title=Text("定位设备", "Devices"),
    description=Text("车载终端与手持设备；位置为驻地", "Terminals and handhelds; the place is where they are kept"),
    geometry_type="Point",
    fields=(
        Field("code", "string", Text("设备编号", "Device code"), role="key"),
        _NAME,
        _KIND,
        _DEPARTMENT,
        Field("plate", "string", Text("车牌号", "Plate")),
        Field("terminal", "string", Text("终端ID", "Terminal id")),
        Field("maker", "string", Text("制造商", "Maker")),
        Field("model", "string", Text("型号", "Model")),
        Field("person", "boolean", Text("个人携带", "Carried by one person")),
        Field("duty", "string", Text("工作时间", "Duty hours")),
        Field("enabled", "boolean", Text("启用", "Enabled")),
        Field("speed_limit", "number", Text("限速", "Speed limit"), unit="km/h"),
        Field("skills", "string-array", Text("技能", "Skills")),
        Field("capacity", "integer", Text("可同时承担任务数", "Tasks at once")),
        Field("maintenance", "number", Text("保养里程间隔", "Maintenance every"), unit="km"),
        Field("note", "string", Text("备注", "Note")),
    ),
    visibility="internal",
    order=300,
)
POSITIONS = Layer(
    id="positions",
    title=Text("实时位置", "Live positions"),
    description=Text("每台设备的最新位置与状态", "The latest position and state of each device"),
    geometry_type="Point",
    fields=(
        Field("device", "string", Text("设备编号", "Device code"), role="key"),
        _NAME,
        _KIND,
        _DEPARTMENT,
        Field("state", "string", Text("状态", "State"), domain=STATES),
        Field("time", "date-time", Text("定位时间", "Time of the fix")),
        Field("heard", "date-time", Text("最后通信", "Last heard of")),
        Field("speed", "number", Text("速度", "Speed"), unit="km/h"),
        Field("heading", "integer", Text("方向", "Heading"), unit="°"),
        Field("altitude", "integer", Text("高程", "Altitude"), unit="m"),
        Field("acc", "boolean", Text("点火", "Ignition")),
        Field("alarms", "integer", Text("报警位", "Alarm bits")),
        Field("status", "integer", Text("状态位", "Status bits")),
        Field("mileage", "number", Text("里程", "Mileage"), unit="km"),
    ),
    visibility="internal",
    editable=False,
    time_field="time",
    order=301,
    style=(
        {
            "id": "vehicles",
            "type": "circle",
            "paint": {
                "circle-radius": 5,
                "circle-stroke-width": 1,
                "circle-stroke-color": "#ffffff",
                "circle-color": [
                    "match", ["get", "state"],
                    "moving", "#2e9e4f", "idle", "#e8a33d", "parked", "#3d7de8", "stale", "#9c6fb5", "#8a8a8a",
                ],
            },
        },
    ),
)  # fmt: skip
GEOFENCES = Layer(
    id="geofences",
    title=Text("电子围栏与线路", "Geofences and routes"),
    description=Text("区域围栏、规定线路及其报警规则", "Areas and prescribed routes with their alarm rules"),
    geometry_type="Geometry",
    fields=(
        _NAME,
        _DEPARTMENT,
        Field("watch", "string-array", Text("报警规则", "Watched for")),
        Field("kinds", "string-array", Text("适用类别", "Kinds of vehicle")),
        Field("devices", "string-array", Text("适用设备", "Device codes")),
        Field("calendar", "string", Text("生效时间", "Calendar")),
        Field("width", "number", Text("半宽", "Half width"), unit="m"),
        Field("hysteresis", "number", Text("缓冲距离", "Hysteresis"), unit="m"),
        Field("dwell", "number", Text("确认时长", "Dwell"), unit="s"),
        Field("stay", "number", Text("停留时限", "Longest stay"), unit="s"),
        Field("speed_limit", "number", Text("限速", "Speed limit"), unit="km/h"),
        Field("most", "integer", Text("最多车辆数", "Most vehicles inside")),
        Field("enabled", "boolean", Text("启用", "Enabled")),
    ),
    visibility="internal",
    order=302,
)
ALARMS = Layer(
    id="alarms",
    title=Text("车辆报警", "Vehicle alarms"),
    description=Text("围栏、超速、终端等报警及其处理", "Alarms of fences, speed and terminals, and their handling"),
    geometry_type="Point",
    fields=(
        _KEY,
        Field("kind", "string", Text("报警类型", "Kind of alarm"), domain=ALARM_KINDS, role="title"),
        _DEVICE,
        Field("name", "string", Text("车辆", "Vehicle")),
        _DEPARTMENT,
        Field("began", "date-time", Text("开始时间", "Began")),
        Field("ended", "date-time", Text("结束时间", "Ended")),
        Field("fence", "integer", Text("围栏", "Geofence")),
        Field("value", "number", Text("数值", "Value")),
        Field("most", "number", Text("限值", "Limit")),
        Field("detail", "string", Text("说明", "Detail")),
        Field("late", "boolean", Text("补传", "Of a late report")),
        Field("state", "string", Text("处理状态", "State"), domain=ALARM_STATES),
        Field("assignee", "string", Text("处理人", "Assigned to")),
        Field("handled", "date-time", Text("处理时间", "Handled")),
        Field("note", "string", Text("处理意见", "Note")),
        Field("case_id", "string", Text("案卷", "Case")),
    ),
    visibility="internal",
    time_field="began",
    order=303,
)
TRAJECTORIES = Layer(
    id="trajectories",
    title=Text("轨迹段", "Trajectories"),
    description=Text("每台设备每 15 分钟的轨迹", "The track of each device, by quarters of an hour"),
    geometry_type="LineString",
    fields=(
        _KEY,
        _DEVICE,
        _NAME,
        _DEPARTMENT,
        Field("began", "date-time", Text("开始时间", "Began")),
        Field("ended", "date-time", Text("结束时间", "Ended")),
        Field("points", "integer", Text("点数", "Points")),
        Field("length", "number", Text("长度", "Length"), unit="m"),
        Field("speed_mean", "number", Text("平均速度", "Mean speed"), unit="km/h"),
        Field("speed_most", "number", Text("最高速度", "Highest speed"), unit="km/h"),
    ),
    visibility="internal",
    editable=False,
    time_field="began",
    order=304,
)
UNIT_TASKS = Layer(
    id="unit-tasks",
    title=Text("派遣任务", "Tasks of units"),
    description=Text(
        "派往某处的车辆与人员、路线及到达情况", "Units that were sent somewhere: the way there, and when they arrived"
    ),
    geometry_type="LineString",
    fields=(
        Field("code", "string", Text("任务编号", "Number"), role="key"),
        Field("title", "string", Text("任务", "Task"), role="title"),
        _DEVICE,
        Field("name", "string", Text("车辆", "Vehicle")),
        _DEPARTMENT,
        Field("case_id", "string", Text("案卷", "Case")),
        Field("state", "string", Text("状态", "State"), domain=TASK_STATES),
        Field("assigned", "date-time", Text("派遣时间", "Assigned")),
        Field("assigned_by", "string", Text("派遣人", "Assigned by")),
        Field("eta", "date-time", Text("预计到达", "Expected there")),
        Field("seconds", "number", Text("预计行驶时间", "Expected time on the road"), unit="s"),
        Field("length", "number", Text("路线长度", "Length of the way"), unit="m"),
        Field("within", "number", Text("到达判定距离", "Arrived within"), unit="m"),
        Field("under_way", "date-time", Text("出发时间", "Set off")),
        Field("arrived", "date-time", Text("到达时间", "Arrived")),
        Field("ended", "date-time", Text("结束时间", "Ended")),
        Field("command", "integer", Text("下发指令", "Command")),
        Field("note", "string", Text("备注", "Note")),
    ),
    visibility="internal",
    editable=False,
    time_field="assigned",
    order=305,
)

#: Every layer of tracking, in drawing order.
TRACKING_LAYERS = (DEVICES, POSITIONS, GEOFENCES, ALARMS, TRAJECTORIES, UNIT_TASKS)
#: Those of which ``tracking.positions`` is the history: their tables keep none.
_FLEETING = (POSITIONS, TRAJECTORIES)


def make_layers(conn: Connection, present: Container[str]) -> None:
    """Make the layers that are missing from ``present``, and the partitions of these days, as the database's owner."""
    for layer in TRACKING_LAYERS:
        if layer.id not in present:
            create_layer(conn, layer)
            if layer in _FLEETING:
                conn.execute(text("SELECT tracking.keep_no_history(:layer)"), {"layer": layer.id})
            if layer is ALARMS:
                conn.execute(text("CREATE INDEX ON city.alarms (device, began)"))
            if layer is UNIT_TASKS:
                conn.execute(text("CREATE INDEX ON city.unit_tasks (device) WHERE ended IS NULL"))
    conn.execute(
        text("SELECT tracking.make_days(ARRAY(SELECT tracking.day_of(now()) + n FROM generate_series(-1, 2) n))")
    )
