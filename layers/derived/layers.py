"""The derived layers that every city has: 三维建筑 buildings-3d · 等高线 contours; and an input, 地表模型 dsm."""

from dataclasses import replace

from layers.base_layers import BUILDINGS
from layers.catalogue import Field, Layer, Text, Zooms
from layers.derived.model import Derivation
from layers.raster.coverage import coverage

HEIGHT_SOURCES = {
    "height": Text("建筑高度", "The building's height"),
    "floors": Text("层数", "Its floors"),
    "surface": Text("地表模型", "The surface above the ground"),
    "assumed": Text("假定", "Assumed"),
}
#: What footprints in three dimensions have beside their own fields.
STANDING = (
    Field("height_from", "string", Text("高度来源", "Height from"), domain=HEIGHT_SOURCES),
    Field("ground", "number", Text("地面高程", "Ground"), unit="m"),
    Field("ground_low", "number", Text("最低地面高程", "Lowest ground"), unit="m"),
    Field("roof", "number", Text("屋顶高程", "Roof"), unit="m"),
)


def standing(footprints: Layer, id: str, title: Text, order: int) -> Layer:
    """The layer of footprints as they stand on the ground of ``dem``, below the surface ``dsm``."""
    own = tuple(replace(f, role=None) if f.role == "key" else f for f in footprints.fields)
    missing = tuple(
        Field(name, "number", text, unit="m")
        for name, text in (("height", Text("高度", "Height")), ("min_height", Text("底高", "Base height")))
        if not footprints.field(name)
    )
    return Layer(
        id=id,
        title=title,
        description=Text(
            "由建筑轮廓、高度（或层数、地表模型）与地面高程实时得出",
            "Made of footprints, heights (or floors, or the surface) and the ground's elevation as they are",
        ),
        geometry_type=footprints.geometry_type,
        srid=footprints.srid,
        fields=(*own, *missing, *STANDING),
        visibility=footprints.visibility,
        editable=False,
        inputs=(footprints.id, "dem", "dsm"),
        order=order,
        zooms=Zooms(first=15),  # its tiles hold every footprint as it is: with all other layers half a megabyte at 14
        style=(
            {
                "id": "standing",
                "type": "fill-extrusion",
                "minzoom": 15,
                "paint": {
                    "fill-extrusion-color": "#c9c4bb",
                    "fill-extrusion-height": ["to-number", ["get", "height"], 0],
                    "fill-extrusion-base": ["to-number", ["get", "min_height"], 0],
                    "fill-extrusion-opacity": 0.9,
                },
            },
        ),
    )


DSM = coverage(
    "dsm",
    Text("地表模型", "Surface model"),
    Text("含建筑与植被的数字表面模型", "Elevation of the surface, with buildings and trees"),
    "elevation",
    (Field("elevation", "number", Text("高程", "Elevation"), unit="m"),),
    order=8,
)
BUILDINGS_3D = Derivation(
    standing(BUILDINGS, "buildings-3d", Text("三维建筑", "Buildings in 3D"), 51),
    "buildings-3d",
    {"floor_height": 3.0, "assumed_height": 3.0, "surface_quantile": 0.7},
)
CONTOURS = Derivation(
    Layer(
        id="contours",
        title=Text("等高线", "Contours"),
        description=Text(
            "由高程实时生成，每第五条为计曲线", "Made of the elevation as it is; every fifth is an index contour"
        ),
        geometry_type="LineString",
        fields=(
            Field("elevation", "number", Text("高程", "Elevation"), unit="m", role=None),
            Field("index", "boolean", Text("计曲线", "Index contour")),
            Field("cell", "string", Text("计算格", "Cell")),
        ),
        editable=False,
        inputs=("dem",),
        order=25,
        zooms=Zooms(first=10, by="index", begin={"false": 12}),
        style=(
            {
                "id": "contour",
                "type": "line",
                "minzoom": 12,
                "filter": ["!", ["to-boolean", ["get", "index"]]],
                "paint": {"line-color": "#b58a5a", "line-width": 0.5, "line-opacity": 0.7},
            },
            {
                "id": "index-contour",
                "type": "line",
                "minzoom": 10,
                "filter": ["to-boolean", ["get", "index"]],
                "paint": {"line-color": "#a0713c", "line-width": 1.1, "line-opacity": 0.85},
            },
        ),
    ),
    "contours",
    {"interval": 5.0, "index_every": 5},
)

#: Coverages that derived layers read beside the base ones.
SURFACES = (DSM,)
#: Every derived layer.
DERIVED_LAYERS = (BUILDINGS_3D, CONTOURS)
