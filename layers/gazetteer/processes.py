"""Processes on names and addresses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Layer
from layers.gazetteer.geocoding import geocode as find
from layers.gazetteer.model import LAYERS, Answer, Place, Point, SearchedLayer
from layers.gazetteer.reverse import reverse_geocode as locate
from layers.processing import process
from layers.registry import load_layers, note_reads

_Query = Annotated[str, Field(min_length=1, max_length=200)]
_Limit = Annotated[int, Field(ge=1, le=50)]
_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
_Layers = Annotated[tuple[SearchedLayer, ...], Field(min_length=1, max_length=3)]


@dataclass(frozen=True, slots=True)
class Geocoded:
    """What a query may mean, the likeliest first."""

    query: str
    answers: tuple[Answer, ...]


@process(
    keywords=("地理编码 geocoding", "地名地址 names and addresses"),
    example={"query": "云泽市人民医院", "limit": 5},
)
def geocode(
    conn: Connection,
    query: _Query,
    limit: _Limit = 10,
    layers: _Layers = LAYERS,
    near: tuple[_Longitude, _Latitude] | None = None,
) -> Geocoded:
    """地理编码 | Geocode

    按名称、地址、拼音、首字母或英文名查找地名、门牌与兴趣点，容许错字，可带行政区划；每条结果说明依据。 | Finds
    places, addresses and points of interest by name, address, pinyin, initials or English name, with mistakes and
    administrative prefixes; every answer says why.

    query: 名称或地址；如 鄂州市鄂城区武昌大道12号 | Name or address; such as 鄂州市鄂城区武昌大道12号
    limit: 结果数上限 | Answers at most
    layers: 查找的图层 | Layers to search
    near: 优先的位置；经度、纬度 [°]，同等结果近者在前 | Point to prefer; longitude, latitude [°], the nearer of equally
     good answers first
    returns: 结果；按可信度排列 | Answers; the likeliest first
    """
    point = Point(*near) if near else None
    return Geocoded(query, tuple(find(conn, _readable(conn, layers), query, limit, layers, point)))


@process(
    keywords=("逆地理编码 reverse geocoding", "位置描述 place description"),
    example={"lon": 114.9, "lat": 30.4},
)
def reverse_geocode(
    conn: Connection,
    lon: _Longitude,
    lat: _Latitude,
    radius: Annotated[float, Field(gt=0, le=5000)] = 200.0,
    limit: _Limit = 5,
    layers: _Layers = LAYERS,
) -> Place:
    """逆地理编码 | Reverse geocode

    点所在的行政区划、单元网格，及附近的门牌、地名与兴趣点。 | The administrative areas and the unit grid cell that
    a point lies in, and the addresses, places and points of interest near it.

    lon: 经度 [°] | Longitude [°]
    lat: 纬度 [°] | Latitude [°]
    radius: 半径 [m] | Radius [m]
    limit: 每个图层的结果数上限 | Features of each layer at most
    layers: 查找的图层 | Layers to search
    returns: 位置；区划由大到小，附近要素由近到远 | Place; areas from the largest, features from the nearest
    """
    return locate(conn, _readable(conn, layers), Point(lon, lat), radius, limit, layers)


def _readable(conn: Connection, asked: Iterable[str]) -> dict[str, Layer]:
    """The layers that may be read; that those asked for are, is audited of sensitive ones."""
    found = load_layers(conn)
    note_reads(conn, *(found[name] for name in asked if name in found))
    return found
