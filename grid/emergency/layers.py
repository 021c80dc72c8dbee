"""The layers of emergencies: 应急资源 resources, 避难场所 shelters. ``nearest`` and ``exposure`` read them."""

from grid.fields import text, whole
from layers.catalogue import Field, Layer, Text

RESOURCE_KINDS = {
    "fire-station": Text("消防救援站", "Fire station"),
    "rescue-team": Text("救援队伍", "Rescue team"),
    "hospital": Text("医疗救护", "Medical aid"),
    "warehouse": Text("物资仓库", "Depot"),
    "pump": Text("排涝泵车", "Pump"),
    "generator": Text("应急电源", "Generator"),
    "vehicle": Text("应急车辆", "Vehicle"),
    "expert": Text("专家", "Expert"),
}
SHELTER_KINDS = {"indoor": Text("室内", "Indoor"), "outdoor": Text("室外", "Outdoor")}
EMERGENCY_RESOURCES = Layer(
    id="emergency-resources",
    title=Text("应急资源", "Emergency resources"),
    description=Text("应急队伍、物资与装备", "Teams, stores and equipment for emergencies"),
    geometry_type="Point",
    visibility="internal",
    fields=(
        text("code", "编号", "Code", role="key"),
        text("name", "名称", "Name", role="title"),
        text("kind", "类别", "Kind", domain=RESOURCE_KINDS),
        Field("quantity", "number", Text("数量", "Quantity")),
        text("unit", "单位", "Unit"),
        text("contact", "联系人", "Contact"),
        text("phone", "联系电话", "Phone"),
        text("area_code", "所属区划", "Division code", role="area"),
        text("department", "主管部门", "Department", role="department"),
        Field("ready", "boolean", Text("可调用", "Ready")),
        Field("checked_on", "date", Text("核查日期", "Checked")),
    ),
    order=250,
)
SHELTERS = Layer(
    id="shelters",
    title=Text("应急避难场所", "Shelters"),
    description=Text("应急避难场所及其容量", "Emergency shelters and whom they hold"),
    geometry_type="Point",
    fields=(
        text("code", "编号", "Code", role="key"),
        text("name", "名称", "Name", role="title"),
        text("kind", "类别", "Kind", domain=SHELTER_KINDS),
        whole("capacity", "容纳人数", "Capacity", "persons"),
        Field("area", "number", Text("有效面积", "Usable area"), "m²"),
        text("address", "地址", "Address"),
        text("phone", "联系电话", "Phone"),
        text("facilities", "设施", "Facilities"),
        text("area_code", "所属区划", "Division code"),
        Field("open", "boolean", Text("开放", "Open now")),
    ),
    order=252,
)

EMERGENCY_LAYERS = (EMERGENCY_RESOURCES, SHELTERS)
