"""The layers of schemes: 拟建建筑 proposed buildings, and the same as they stand in three dimensions."""

from dataclasses import replace

from layers.catalogue import Field, Layer, Text
from layers.derived.layers import standing
from layers.derived.model import Derivation

#: As proposed: a colour that no building of the present has.
PROPOSED = "#2f80ed"
_EXTRUDED = {
    "id": "proposed",
    "type": "fill-extrusion",
    "minzoom": 12,
    "paint": {
        "fill-extrusion-color": PROPOSED,
        "fill-extrusion-height": ["to-number", ["get", "height"], 0],
        "fill-extrusion-base": ["to-number", ["get", "min_height"], 0],
        "fill-extrusion-opacity": 0.75,
    },
}
OUTLINED = (
    {"id": "ground", "type": "fill", "paint": {"fill-color": PROPOSED, "fill-opacity": 0.3}},
    {"id": "outline", "type": "line", "paint": {"line-color": PROPOSED, "line-width": 1.5, "line-dasharray": [3, 1.5]}},
)
MASSING_FIELDS = (
    Field("name", "string", Text("名称", "Name"), role="title"),
    Field("use", "string", Text("用途", "Use")),
    Field("height", "number", Text("高度", "Height"), unit="m"),
    Field("min_height", "number", Text("底高", "Base height"), unit="m"),
    Field("floors", "integer", Text("层数", "Floors")),
)
SCHEME_BUILDINGS = Layer(
    id="scheme-buildings",
    title=Text("拟建建筑", "Proposed buildings"),
    description=Text(
        "方案的建筑轮廓、高度与层数；可绘制，也可由 CityJSON、IFC、glTF 导入",
        "Footprints, heights and storeys of schemes; drawn, or imported of CityJSON, IFC and glTF",
    ),
    geometry_type="MultiPolygon",
    fields=(
        *MASSING_FIELDS,
        Field("scheme", "string", Text("方案", "Scheme")),
        Field("redline", "string", Text("红线编号", "Red line")),
        Field("source", "string", Text("来源", "Source")),
        Field("source_id", "string", Text("来源编号", "Id in the source")),
    ),
    visibility="internal",
    style=OUTLINED,
    order=115,
)
#: Heights from ``dem``: the proposed buildings stand on the ground as those of ``buildings-3d`` do.
SCHEMES_3D = Derivation(
    replace(
        standing(SCHEME_BUILDINGS, "schemes-3d", Text("三维方案", "Schemes in 3D"), 116),
        description=Text(
            "拟建建筑立于地面高程之上，与三维建筑同看",
            "Proposed buildings on the ground's elevation, beside buildings-3d",
        ),
        style=(_EXTRUDED,),
        keywords=("as-proposed",),  # its tiles are painted as what is not there yet
    ),
    "buildings-3d",
    {"floor_height": 3.0, "assumed_height": 3.0, "surface_quantile": 0.7},
)


def extruded(id: str) -> dict[str, object]:
    """The style of proposed buildings that stand up, with a name of its own."""
    return {**_EXTRUDED, "id": id}
