"""The layer case-hot-spots: each grid with its cases of the last days, their density, and what of it is significant."""

from grid.fields import text, time, whole
from layers.catalogue import Field, Layer, Text

CLASSES = {
    "hot-99": Text("热点（99%）", "Hot (99 %)"),
    "hot-95": Text("热点（95%）", "Hot (95 %)"),
    "hot-90": Text("热点（90%）", "Hot (90 %)"),
    "none": Text("不显著", "Not significant"),
    "cold-90": Text("冷点（90%）", "Cold (90 %)"),
    "cold-95": Text("冷点（95%）", "Cold (95 %)"),
    "cold-99": Text("冷点（99%）", "Cold (99 %)"),
}
_COLOURS = (
    "hot-99", "#b2182b", "hot-95", "#ef6548", "hot-90", "#fdbb84", "none", "#d9dde2",
    "cold-90", "#c6dbef", "cold-95", "#6baed6", "cold-99", "#2166ac",
)  # fmt: skip
CASE_HOT_SPOTS = Layer(
    id="case-hot-spots",
    title=Text("案件热点", "Hot spots of cases"),
    description=Text(
        "各网格近期案卷数、密度与 Getis-Ord Gi* 显著性，随案卷更新",
        "Recent cases of each grid, their density, and where Getis-Ord Gi* finds more than chance; kept current",
    ),
    geometry_type="MultiPolygon",
    visibility="internal",
    editable=False,
    fields=(
        text("grid", "网格编码", "Grid", role="key"),
        text("name", "名称", "Name", role="title"),
        text("area_code", "所属区划", "Division code", role="area"),
        whole("cases", "案卷数", "Cases"),
        whole("days", "统计天数", "Days counted", "d"),
        Field("density", "number", Text("密度", "Density"), "1/km²"),
        Field("z", "number", Text("Gi* z 值", "z of Gi*")),
        Field("p", "number", Text("Gi* p 值", "p of Gi*")),
        text("class", "显著性", "Significance", domain=CLASSES),
        time("computed_at", "计算时间", "Worked out"),
    ),
    style=(
        {
            "id": "case-hot-spots-class",
            "type": "fill",
            "paint": {"fill-color": ["match", ["get", "class"], *_COLOURS, "#d9dde2"], "fill-opacity": 0.55},
        },
        {"id": "case-hot-spots-edge", "type": "line", "paint": {"line-color": "#6a7683", "line-width": 0.4}},
    ),
    order=198,
)

HOT_SPOT_LAYERS = (CASE_HOT_SPOTS,)
