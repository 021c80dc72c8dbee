"""The coverages that every city has (design §5): 高程 dem · 地表覆盖 land-cover · 影像 imagery · 栅格地图 drg.

Derived of dem: 山体阴影 hillshade · 坡度 slope · 坡向 aspect.
"""

from layers.catalogue import Field, Text
from layers.raster.coverage import coverage

#: Classes of ESA WorldCover v200 (product user manual, table 3), which the base takes for want of a city's own.
LAND_COVER = {
    "10": Text("林地", "Tree cover"),
    "20": Text("灌木", "Shrubland"),
    "30": Text("草地", "Grassland"),
    "40": Text("耕地", "Cropland"),
    "50": Text("建成区", "Built-up"),
    "60": Text("裸地与稀疏植被", "Bare or sparse vegetation"),
    "70": Text("冰雪", "Snow and ice"),
    "80": Text("常年水体", "Permanent water"),
    "90": Text("草本湿地", "Herbaceous wetland"),
    "95": Text("红树林", "Mangroves"),
    "100": Text("苔藓地衣", "Moss and lichen"),
}

IMAGERY = coverage(
    "imagery",
    Text("影像", "Imagery"),
    Text(
        "正射影像与卫星影像，按时间镶嵌，缺省取最新",
        "Orthophotos and satellite images as a mosaic by date, the newest by default",
    ),
    "imagery",
    order=1,
)
DRG = coverage(
    "drg",
    Text("栅格地图", "Raster maps"),
    Text("扫描与制图输出的栅格地图", "Scanned and plotted maps"),
    "imagery",
    order=2,
)
LAND_COVER_COVERAGE = coverage(
    "land-cover",
    Text("地表覆盖", "Land cover"),
    Text("地表覆盖分类，按年份", "Classes of land cover, by year"),
    "classes",
    (Field("class", "integer", Text("类别", "Class"), domain=LAND_COVER),),
    order=3,
)
DEM = coverage(
    "dem",
    Text("高程", "Elevation"),
    Text(
        "数字高程模型，多种分辨率镶嵌，细者优先",
        "Digital elevation model: several resolutions in one mosaic, the finest first",
    ),
    "elevation",
    (Field("elevation", "number", Text("高程", "Elevation"), unit="m"),),
    order=4,
)

HILLSHADE = coverage(
    "hillshade",
    Text("山体阴影", "Hillshade"),
    Text("由高程实时生成的晕渲，光自西北", "Shaded relief, made of the elevation as it is; light from the north-west"),
    "relief",
    (Field("hillshade", "integer", Text("亮度", "Brightness")),),
    order=5,
    inputs=("dem",),
)
SLOPE = coverage(
    "slope",
    Text("坡度", "Slope"),
    Text("由高程实时生成的坡度", "Steepness of the ground, made of the elevation as it is"),
    "relief",
    (Field("slope", "number", Text("坡度", "Slope"), unit="deg"),),
    order=6,
    inputs=("dem",),
)
ASPECT = coverage(
    "aspect",
    Text("坡向", "Aspect"),
    Text("由高程实时生成的坡向，自北顺时针", "Direction in which the ground descends, clockwise from north"),
    "relief",
    (Field("aspect", "number", Text("坡向", "Aspect"), unit="deg"),),
    order=7,
    inputs=("dem",),
)

#: Every base coverage, in drawing order.
BASE_COVERAGES = (IMAGERY, DRG, LAND_COVER_COVERAGE, DEM, HILLSHADE, SLOPE, ASPECT)
