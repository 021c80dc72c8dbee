"""The layers of the work of social grids: 居民诉求 service requests of residents, 巡查计划 patrol plans.

A request is opened by whoever hears of it and moves on by its ``state`` alone: ``grid/stages.sql`` says which may
follow, what each needs and which time it sets. Its history is the layer's.
"""

from grid.fields import metres, text, time, whole
from layers.catalogue import Field, Layer, Text

SERVICE_KINDS = {
    "paperwork": Text("代办证照", "Paperwork"),
    "care": Text("助老助残", "Care"),
    "repair": Text("便民维修", "Repair"),
    "dispute": Text("矛盾纠纷", "Dispute"),
    "policy": Text("政策咨询", "Advice on policy"),
    "other": Text("其他", "Other"),
}
SERVICE_STATES = {
    "open": Text("已登记", "Open"),
    "handling": Text("办理中", "Being handled"),
    "handled": Text("已办理", "Handled"),
    "closed": Text("已办结", "Closed"),
    "withdrawn": Text("已撤回", "Withdrawn"),
}
PLAN_PERIODS = {
    "day": Text("每日", "A day"),
    "week": Text("每周", "A week"),
    "month": Text("每月", "A month"),
}
SERVICE_REQUESTS = Layer(
    id="service-requests",
    title=Text("居民诉求", "Service requests"),
    description=Text(
        "居民的诉求：登记、办理、回访满意度", "What residents ask for: opened, handled, closed with their satisfaction"
    ),
    geometry_type="Point",
    visibility="internal",
    time_field="opened_at",
    fields=(
        text("subject", "事项", "Subject", role="title"),
        text("kind", "类别", "Kind", domain=SERVICE_KINDS),
        text("content", "内容", "Content"),
        text("resident", "居民", "Resident", visibility="sensitive"),
        text("resident_phone", "居民电话", "Resident's phone", visibility="sensitive"),
        text("address", "地址", "Address"),
        text("household", "户", "Household"),
        text("grid", "网格", "Grid"),
        text("area_code", "所属区划", "Division code", role="area"),
        text("worker", "网格员编号", "Worker code"),
        text("department", "转办部门", "Passed on to", role="department"),
        text("state", "状态", "State", domain=SERVICE_STATES),
        time("due", "办理期限", "To be handled by"),
        text("result", "办理结果", "Result"),
        text("case_code", "案卷编号", "Case number"),
        time("opened_at", "登记时间", "Opened"),
        time("accepted_at", "接办时间", "Taken up"),
        time("handled_at", "办理时间", "Handled"),
        time("reopened_at", "重办时间", "Opened again"),
        time("closed_at", "办结时间", "Ended"),
        whole("satisfaction", "满意度", "Satisfaction (1–5)"),
    ),
    style=(
        {
            "id": "service-requests-state",
            "type": "circle",
            "paint": {
                "circle-radius": 5,
                "circle-color": [
                    "match", ["get", "state"], "open", "#d7301f", "handling", "#f5a623", "handled", "#3b82c4",
                    "closed", "#2e9e4f", "#7a7f87",
                ],
                "circle-stroke-color": "#ffffff",
                "circle-stroke-width": 1,
            },
        },
    ),
    order=242,
)  # fmt: skip
PATROL_PLANS = Layer(
    id="patrol-plans",
    title=Text("巡查计划", "Patrol plans"),
    description=Text(
        "谁按何频次巡查哪些网格或路线；完成情况由轨迹算出",
        "Who walks which grids or route how often; what was done is told by the tracks",
    ),
    geometry_type="MultiLineString",
    visibility="internal",
    fields=(
        text("code", "计划编号", "Code", role="key"),
        text("name", "名称", "Name", role="title"),
        text("worker", "网格员编号", "Worker code"),
        text("device", "定位终端编号", "Device code"),
        Field("grids", "string-array", Text("巡查网格", "Grids")),
        text("area_code", "所属区划", "Division code", role="area"),
        whole("times", "次数", "Times"),
        text("every", "周期", "In each", domain=PLAN_PERIODS),
        Field("least_share", "number", Text("达标覆盖率", "Share that counts as walked")),
        metres("width", "覆盖宽度", "Width of the swath"),
        Field("begins", "date", Text("开始日期", "From")),
        Field("ends", "date", Text("结束日期", "Until")),
        Field("active", "boolean", Text("启用", "Active")),
    ),
    order=244,
)

SOCIAL_LAYERS = (SERVICE_REQUESTS, PATROL_PLANS)
