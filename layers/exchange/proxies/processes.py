"""Public operations on layers of other servers: a steward registers one, or removes it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Text, Visibility
from layers.exchange.proxies.model import LONGEST, Kind, Proxy, Upstream
from layers.exchange.proxies.store import registered, removed
from layers.processing import process

_ShortText = Annotated[str, Field(max_length=400)]
_Id = Annotated[str, Field(min_length=1, max_length=51)]


@dataclass(frozen=True, slots=True)
class Registered:
    """The collection that a layer of another server became."""

    collection: str
    kind: Kind
    extent: tuple[float, float, float, float] | None
    properties: tuple[str, ...]
    attribution: str


@process(
    edits=True,
    keywords=("服务聚合 service aggregation", "代理 proxy"),
    example={
        "collection": "county-roads",
        "kind": "wfs",
        "url": "https://gis.example.gov.cn/wfs",
        "name": "county:roads",
    },
)
def add_proxy(
    conn: Connection,
    upstream: Upstream,
    collection: _Id,
    kind: Kind,
    url: Annotated[str, Field(min_length=8, max_length=LONGEST)],
    name: Annotated[str, Field(max_length=LONGEST)] = "",
    title: _ShortText | None = None,
    title_en: _ShortText | None = None,
    description: _ShortText = "",
    visibility: Visibility = "public",
    attribution: _ShortText = "",
    licence: _ShortText = "",
    cache_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60,
) -> Registered:
    """登记外部图层 | Add a layer of another server

    把另一服务器的图层登记为本市的集合：读取时转问该服务器，短时缓存。服务器必须列在 outbound.hosts 中。 | Shows a layer
    of another server as a collection of this one: reads are handed on to that server, and kept for a short time. The
    server must be listed in outbound.hosts.

    collection: 本市集合的编号；不能与已有的相同 | Id of the collection here; of none that there is
    kind: 服务类型 | Kind of service
    url: 服务地址；不含请求参数 | Address of the service; without the parameters of requests
    name: 图层在那里的名称；ArcGIS 为图层序号 | Name of the layer there; of ArcGIS its number
    title: 中文名称 | Title in Chinese
    title_en: 英文名称 | Title in English
    description: 说明 | Description
    visibility: 可见性 | Visibility
    attribution: 署名；缺省取自服务 | Attribution; by default the service's own
    licence: 许可；缺省取自服务 | Licence; by default the service's own
    cache_seconds: 缓存时间 [s] | How long answers are kept [s]
    returns: 登记的集合 | The collection
    """
    shown = title or title_en or name or collection
    asked = Proxy(
        id=collection,
        title=Text(title or shown, title_en or shown),
        description=Text(description, description),
        kind=kind,
        url=url.rstrip("/?&"),
        name=name,
        visibility=visibility,
        attribution=attribution,
        licence=licence,
        cache_seconds=cache_seconds,
    )
    made = registered(conn, asked, upstream)
    properties = tuple(each for each, _ in made.properties)
    return Registered(made.id, made.kind, made.extent, properties, made.attribution)


@process(edits=True, keywords=("服务聚合 service aggregation", "代理 proxy"), example={"collection": "county-roads"})
def remove_proxy(conn: Connection, collection: _Id) -> dict[str, str]:
    """移除外部图层 | Remove a layer of another server

    不再转发该图层；那里的数据不受影响。 | The layer is no longer handed on; nothing changes there.

    collection: 集合的编号 | Id of the collection
    returns: 移除的集合 | The collection that was removed
    """
    removed(conn, collection)
    return {"collection": collection}
