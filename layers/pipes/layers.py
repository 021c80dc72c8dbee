"""The layers of underground pipelines, which only those read whom the city trusts with them (敏感)."""

from layers.catalogue import Field, Layer, Text
from layers.pipes.standards import shipped_kinds

NODE_KINDS = {
    "joint": Text("接点", "Joint"),
    "bend": Text("弯头", "Bend"),
    "tee": Text("三通", "Tee"),
    "cross": Text("四通", "Cross"),
    "reducer": Text("变径", "Reducer"),
    "cap": Text("预留口", "Cap"),
    "manhole": Text("检查井", "Manhole"),
    "inlet": Text("雨水口", "Inlet"),
    "outfall": Text("排放口", "Outfall"),
    "valve": Text("阀门", "Valve"),
    "hydrant": Text("消防栓", "Hydrant"),
    "meter": Text("水表", "Meter"),
    "pump": Text("泵站", "Pump"),
    "tank": Text("水池水塔", "Tank"),
    "source": Text("水源/气源/热源", "Source"),
    "regulator": Text("调压设施", "Regulator"),
    "plant": Text("处理厂", "Treatment plant"),
    "cabinet": Text("箱柜", "Cabinet"),
    "other": Text("其他", "Other"),
}
STATUSES = {
    "in_use": Text("在用", "In use"),
    "reserved": Text("预留", "Reserved"),
    "abandoned": Text("废弃", "Abandoned"),
}
LAYING = {
    "buried": Text("直埋", "Buried"),
    "channel": Text("管沟", "Channel"),
    "duct": Text("管块", "Duct"),
    "tunnel": Text("综合管廊", "Utility tunnel"),
    "overhead": Text("架空", "Overhead"),
    "trenchless": Text("顶管/定向钻", "Trenchless"),
}
_DIRECTIONS = {
    "0": Text("双向或不定", "Either way"),
    "1": Text("起点至终点", "From start to end"),
    "-1": Text("终点至起点", "From end to start"),
}
_KINDS = {kind.code: Text(kind.zh, kind.en) for kind in shipped_kinds()}
_KEY = Field("source_id", "string", Text("来源标识", "Source id"), role="key")
_SOURCE = Field("source", "string", Text("来源", "Source"))
_DEPARTMENT = Field("department", "string", Text("管理部门", "Department"), role="department")
_COLOURS = [part for kind in shipped_kinds() for part in (kind.code, kind.colour)]
_COLOUR = ["match", ["get", "kind"], *_COLOURS, "#6600cc"]

PIPELINES = Layer(
    id="pipelines",
    title=Text("管线", "Pipelines"),
    description=Text(
        "地下管线，种类与颜色依 CJJ 61-2017；高程为管内底，规格为管径或断面",
        "Underground pipelines by CJJ 61-2017; levels are of the bottom of their inside",
    ),
    geometry_type="LineString",
    fields=(
        Field("name", "string", Text("名称", "Name"), role="title"),
        Field("kind", "string", Text("种类", "Kind"), domain=_KINDS),
        Field("from_node", "string", Text("起点点号", "Node at its start")),
        Field("to_node", "string", Text("终点点号", "Node at its end")),
        Field("diameter", "number", Text("管径", "Diameter"), unit="mm"),
        Field("width", "number", Text("断面宽", "Width"), unit="mm"),
        Field("height", "number", Text("断面高", "Height"), unit="mm"),
        Field("material", "string", Text("材质", "Material")),
        Field("start_invert", "number", Text("起点管底高程", "Invert at its start"), unit="m"),
        Field("end_invert", "number", Text("终点管底高程", "Invert at its end"), unit="m"),
        Field("start_depth", "number", Text("起点埋深", "Depth at its start"), unit="m"),
        Field("end_depth", "number", Text("终点埋深", "Depth at its end"), unit="m"),
        Field("flow", "integer", Text("流向", "Direction of flow"), domain=_DIRECTIONS),
        Field("pressure", "string", Text("压力等级", "Pressure class")),
        Field("voltage", "number", Text("电压", "Voltage"), unit="kV"),
        Field("ducts", "integer", Text("孔数", "Ducts")),
        Field("laying", "string", Text("埋设方式", "Way of laying"), domain=LAYING),
        Field("status", "string", Text("使用状况", "Status"), domain=STATUSES),
        Field("year_built", "integer", Text("建设年代", "Year built")),
        Field("owner", "string", Text("权属单位", "Owner")),
        Field("road", "string", Text("所在道路", "Road")),
        _DEPARTMENT,
        _SOURCE,
        _KEY,
    ),
    style=({"id": "line", "type": "line", "paint": {"line-color": _COLOUR, "line-width": 2}},),
    visibility="sensitive",
    order=90,
)
PIPE_NODES = Layer(
    id="pipe-nodes",
    title=Text("管点", "Pipe nodes"),
    description=Text(
        "管线点：检查井、阀门、排放口等，点号即来源标识",
        "Points of pipelines: manholes, valves, outfalls and the like; their number is the source id",
    ),
    geometry_type="Point",
    fields=(
        Field("name", "string", Text("名称", "Name"), role="title"),
        Field("kind", "string", Text("种类", "Kind"), domain=_KINDS),
        Field("fitting", "string", Text("特征或附属物", "Fitting"), domain=NODE_KINDS),
        Field("ground", "number", Text("地面高程", "Ground level"), unit="m"),
        Field("bottom", "number", Text("井底或管点高程", "Bottom level"), unit="m"),
        Field("closed", "boolean", Text("阀门关闭", "Valve closed")),
        Field("customers", "integer", Text("用户数", "Customers"), unit="户"),
        Field("demand", "number", Text("需水量", "Demand"), unit="m3/d"),
        Field("status", "string", Text("使用状况", "Status"), domain=STATUSES),
        Field("owner", "string", Text("权属单位", "Owner")),
        Field("road", "string", Text("所在道路", "Road")),
        _DEPARTMENT,
        _SOURCE,
        _KEY,
    ),
    style=({"id": "dot", "type": "circle", "paint": {"circle-color": _COLOUR, "circle-radius": 3}},),
    visibility="sensitive",
    order=91,
)

#: The layers of pipelines, in drawing order.
PIPE_LAYERS = (PIPELINES, PIPE_NODES)
