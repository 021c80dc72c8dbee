"""The codes that fields of the grid's layers have, with their meaning."""

from layers.catalogue import Text

CELL_KINDS = {
    "unit": Text("单元网格", "Unit grid cell"),
    "grid": Text("基础网格", "Basic grid"),
    "special": Text("专属网格", "Special grid"),
}
CELL_STATUS = {"current": Text("现行", "Current"), "retired": Text("已停用", "Retired")}
COMPONENT_STATES = {
    "sound": Text("完好", "Sound"),
    "damaged": Text("破损", "Damaged"),
    "missing": Text("丢失", "Missing"),
    "abandoned": Text("废弃", "Abandoned"),
    "removed": Text("移除", "Removed"),
}
#: Position within 0.5, 1 and 10 m.
ACCURACY_CLASSES = {
    "A": Text("A 级 ±0.5 m", "A ±0.5 m"),
    "B": Text("B 级 ±1 m", "B ±1 m"),
    "C": Text("C 级 ±10 m", "C ±10 m"),
}
CASE_KINDS = {"event": Text("事件", "Event"), "component": Text("部件", "Component")}
CASE_STATES = {
    "reported": Text("已上报", "Reported"),
    "verified": Text("已核实", "Verified"),
    "accepted": Text("已受理", "Accepted"),
    "filed": Text("已立案", "Filed"),
    "dispatched": Text("已派遣", "Dispatched"),
    "handling": Text("处置中", "Being handled"),
    "suspended": Text("挂账", "Suspended"),
    "handled": Text("已反馈", "Handled"),
    "checked": Text("已核查", "Checked"),
    "closed": Text("已结案", "Closed"),
    "declined": Text("不予立案", "Declined"),
    "self-handled": Text("自行处置", "Handled on the spot"),
    "void": Text("作废", "Void"),
}
CHANNELS = {
    "patrol": Text("监督员上报", "Patrol"),
    "public": Text("公众举报", "The public"),
    "open311": Text("Open311", "Open311"),
    "hotline": Text("12345 热线", "12345 hotline"),
    "sms": Text("短信", "Text message"),
    "media": Text("媒体曝光", "The media"),
    "video": Text("视频发现", "Video"),
    "superior": Text("上级交办", "Superiors"),
    "import": Text("导入", "Import"),
}
LIMIT_UNITS = {
    "work-hours": Text("工作时", "Working hours"),
    "work-days": Text("工作日", "Working days"),
    "urgent-hours": Text("紧急工作时", "Hours round the clock"),
}
LIGHTS = {"green": Text("绿", "Green"), "amber": Text("黄", "Amber"), "red": Text("红", "Red")}
VISIT_KINDS = {
    "visit": Text("走访", "Visit"),
    "danger-check": Text("隐患排查", "Hidden-danger check"),
    "patrol": Text("巡查", "Patrol"),
    "service": Text("代办服务", "Service"),
    "mediation": Text("矛盾调解", "Mediation"),
}
VISIT_RESULTS = {
    "normal": Text("正常", "Normal"),
    "danger": Text("发现隐患", "Danger found"),
    "rectified": Text("已整改", "Put right"),
    "absent": Text("无人在家", "Nobody in"),
    "referred": Text("已转办", "Passed on"),
}
