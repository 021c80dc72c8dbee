"""Processes that make tiles ahead: archives to take along, and the cache filled before it is asked for."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.access import ANONYMOUS, Principal
from layers.catalogue import Text
from layers.database import Reader
from layers.processing import FileResult, Job, Workspace, process
from layers.raster.store import RasterStore
from tiles.archives.asking import bounded, chosen, content_of, ground, working
from tiles.archives.content import Heights, Picture
from tiles.archives.errors import ArchiveError
from tiles.archives.facts import facts_of
from tiles.archives.filling import fill
from tiles.archives.plan import Plan
from tiles.archives.seeding import Seeded, seed
from tiles.archives.site import TileSite
from tiles.archives.writing import FORMATS, GRID, write

Collections = Annotated[tuple[str, ...], Field(max_length=32)]
Zoom = Annotated[int, Field(ge=0, le=20)]
AreaCode = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z]+$")]


@process(
    sync=False,
    keywords=("瓦片包 archive", "离线包 offline pack", "PMTiles", "MBTiles"),
    example={"collections": ["roads", "water"], "area": "420704", "max_zoom": 14},
)
def export_tiles(
    conn: Connection,
    job: Job,
    workspace: Workspace,
    site: TileSite,
    rasters: RasterStore,
    principal: Principal,
    collections: Collections = (),
    format: Literal["pmtiles", "mbtiles"] = "pmtiles",
    min_zoom: Zoom = 0,
    max_zoom: Zoom = 14,
    bbox: tuple[float, float, float, float] | None = None,
    area: AreaCode | None = None,
    polygon: dict[str, Any] | None = None,
    picture: Picture = "webp",
    terrain: Heights | None = None,
) -> FileResult:
    """导出瓦片包 | Export tiles as an archive

    图层的瓦片写成一个 PMTiles 或 MBTiles 文件，供手机离线使用。中断后再执行则继续，数据更改后只重做受影响的瓦片。 |
    Tiles of layers as one PMTiles or MBTiles file, such as a phone uses without a network. Executed again after a break
    it goes on; after edits only the tiles that they touched are made anew.

    collections: 图层；若干矢量图层或一个影像，缺省为基础图层 | Layers; vectors or one coverage, or the base layers
    format: 格式 | Format
    min_zoom: 最小级别 | Lowest zoom level
    max_zoom: 最大级别 | Deepest zoom level
    bbox: 范围；西、南、东、北 [°] | Box; west, south, east, north [°]
    area: 行政区划代码；包含其下级 | Division code; with those below it
    polygon: 范围多边形；GeoJSON，CGCS2000 经纬度 | Area as a polygon; GeoJSON in CGCS2000 longitude and latitude
    picture: 影像的图片格式 | Picture format of a coverage
    terrain: 高程图层按地形编码导出 | Pack a coverage of heights as a terrain
    returns: 瓦片包文件 | The archive
    """
    content = content_of(conn, chosen(conn, collections), rasters, picture, terrain)
    plan = bounded(Plan(site.grids[GRID], min_zoom, max_zoom, *ground(conn, content, bbox, area, polygon)))
    reader = Reader(conn.connection.driver_connection, principal)  # type: ignore[arg-type] # psycopg2's
    path = Path(workspace) / f"export.{format}"
    with working(site, workspace, plan, content, principal) as work:
        fill(work, plan, content, [reader], lambda percent: job.progress(percent * 0.95))
        job.progress(97, Text("正在写瓦片包", "Writing the archive"))
        write(work, facts_of(plan, content, "zh-CN"), path)
    name = f"{content.shown[0].id if len(content.shown) == 1 else 'citymap'}.{format}"
    return FileResult(path, FORMATS[path.suffix][0], name)


@process(edits=True, sync=False, keywords=("预热 seeding", "瓦片 tiles"), example={"collections": ["roads"]})
def seed_tiles(
    conn: Connection,
    job: Job,
    site: TileSite,
    rasters: RasterStore,
    collections: Collections,
    together: bool = False,
    tile_matrix_set: str = GRID,
    min_zoom: Zoom = 0,
    max_zoom: Zoom = 14,
    bbox: tuple[float, float, float, float] | None = None,
    area: AreaCode | None = None,
) -> Seeded:
    """预热瓦片缓存 | Fill the cache of tiles

    公开图层的瓦片提前做好，放入各服务进程共用的磁盘缓存；已有的不重做。 |
    Tiles of public layers are made ahead, into the cache on disk that all workers share; those that are there stay.

    collections: 公开图层 | Public layers
    together: 合在同一瓦片；如 /tiles?collections=a,b | Together in each tile; as of /tiles?collections=a,b
    tile_matrix_set: 瓦片矩阵集 | Tile matrix set
    min_zoom: 最小级别 | Lowest zoom level
    max_zoom: 最大级别 | Deepest zoom level
    bbox: 范围；西、南、东、北 [°] | Box; west, south, east, north [°]
    area: 行政区划代码；包含其下级 | Division code; with those below it
    returns: 瓦片数与新做的数量 | How many tiles, and how many were made
    """
    if tile_matrix_set not in site.grids:
        offered = ", ".join(site.grids)
        raise ArchiveError(
            f"没有瓦片矩阵集 {tile_matrix_set}，有 {offered}", f"there is no such grid; choose {offered}"
        )
    sets = [collections] if together else [(name,) for name in collections]
    counted = Seeded(0, 0)
    with site.database.transaction(principal=ANONYMOUS) as public:
        contents = [content_of(public, chosen(public, names), rasters, None, None) for names in sets if names]
    for n, content in enumerate(contents):
        plan = bounded(Plan(site.grids[tile_matrix_set], min_zoom, max_zoom, *ground(conn, content, bbox, area, None)))
        done = seed(site, plan, content, 1, partial(_tell, job, n, len(contents)))
        counted = Seeded(counted.tiles + done.tiles, counted.rendered + done.rendered)
    return counted


def _tell(job: Job, before: int, of: int, percent: float) -> None:
    job.progress((before + percent / 100) * 99 / of)
