"""The layers of control: 违法建设 illegal buildings with what became of them, 临时建筑 temporary buildings.

An illegal building moves on by its ``stage`` alone, as ``grid/stages.sql`` says; the case that ``case_code`` names
has the clock, its conditions being 停工, 处罚 and 拆除.
"""

from grid.fields import text, time
from layers.catalogue import Field, Layer, Text

STAGES = {
    "suspected": Text("疑似", "Suspected"),
    "confirmed": Text("认定违建", "Confirmed"),
    "stop-ordered": Text("责令停工", "Ordered to stop"),
    "penalised": Text("已处罚", "Penalised"),
    "demolition-ordered": Text("限期拆除", "Ordered to be demolished"),
    "demolished": Text("已拆除", "Demolished"),
    "regularised": Text("已补办手续", "Permitted afterwards"),
    "dismissed": Text("不构成违建", "Dismissed"),
}
_COLOURS = ("suspected", "#f5a623", "confirmed", "#d7301f", "stop-ordered", "#b8189c", "penalised", "#7a5cc4",
            "demolition-ordered", "#7a1020", "demolished", "#2e9e4f", "regularised", "#3b82c4")  # fmt: skip
ILLEGAL_BUILDINGS = Layer(
    id="illegal-buildings",
    title=Text("违法建设", "Illegal buildings"),
    description=Text(
        "违法建设台账：图斑、许可比对、处罚与拆除", "Patches outside permits, and what followed: penalties, demolition"
    ),
    geometry_type="MultiPolygon",
    visibility="internal",
    time_field="found_at",
    fields=(
        text("code", "台账编号", "Code", role="key"),
        text("name", "名称", "Name", role="title"),
        text("stage", "办理阶段", "Stage", domain=STAGES),
        text("case_code", "案卷编号", "Case number"),
        text("source", "来源", "Source"),
        Field("area", "number", Text("面积", "Area"), "m²"),
        Field("permitted_share", "number", Text("许可范围内比例", "Share within permits")),
        text("permits", "相关许可", "Permits met"),
        text("owner", "当事人", "Party", visibility="sensitive"),
        text("area_code", "所属区划", "Division code", role="area"),
        text("department", "办理部门", "Department", role="department"),
        text("document", "文书号", "Document number"),
        Field("penalty", "number", Text("罚款", "Penalty"), "CNY"),
        text("permit", "补办许可证号", "Permit given afterwards"),
        text("reason", "说明", "Reason"),
        Field("demolish_by", "date", Text("拆除期限", "To be demolished by")),
        time("found_at", "发现时间", "Found"),
        time("confirmed_at", "认定时间", "Confirmed"),
        time("stopped_at", "停工时间", "Ordered to stop"),
        time("penalised_at", "处罚时间", "Penalised"),
        time("ordered_at", "限拆时间", "Demolition ordered"),
        time("ended_at", "办结时间", "Ended"),
    ),
    style=(
        {
            "id": "illegal-buildings-stage",
            "type": "fill",
            "paint": {"fill-color": ["match", ["get", "stage"], *_COLOURS, "#7a7f87"], "fill-opacity": 0.55},
        },
        {"id": "illegal-buildings-edge", "type": "line", "paint": {"line-color": "#7a1020", "line-width": 1}},
    ),
    order=232,
)
TEMPORARY_BUILDINGS = Layer(
    id="temporary-buildings",
    title=Text("临时建筑", "Temporary buildings"),
    description=Text("经批准的临时建筑及其期限", "Temporary buildings that are permitted until a day"),
    geometry_type="MultiPolygon",
    visibility="internal",
    fields=(
        text("permit", "批准文号", "Permit", role="key"),
        text("name", "名称", "Name", role="title"),
        text("use", "用途", "Use"),
        text("holder", "建设单位", "Holder"),
        text("area_code", "所属区划", "Division code", role="area"),
        text("department", "主管部门", "Department", role="department"),
        Field("approved_on", "date", Text("批准日期", "Approved")),
        Field("expires_on", "date", Text("到期日期", "Expires")),
        Field("extended_to", "date", Text("延期至", "Extended to")),
        Field("removed_on", "date", Text("拆除日期", "Removed")),
        text("case_code", "案卷编号", "Case number"),
    ),
    order=231,
)

CONTROL_LAYERS = (ILLEGAL_BUILDINGS, TEMPORARY_BUILDINGS)
