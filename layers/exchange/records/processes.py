"""The public operation on metadata: a steward says what a layer is."""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.exchange.records.model import Metadata, Prose, Statement, Words, as_json
from layers.exchange.records.queries import describe, metadata_of
from layers.processing import process
from layers.registry import LayerNotFound, load_layers

_ShortText = Annotated[str, Field(min_length=1, max_length=200)]
_Keywords = Annotated[tuple[Words, ...], Field(max_length=100)]


@process(
    edits=True,
    keywords=("元数据 metadata", "目录 catalogue"),
    example={
        "layer": "roads",
        "title": {"zh": "道路", "en": "Roads"},
        "metadata": {"topics": ["transportation"], "classification": ["420000"], "scale": 500, "frequency": "monthly"},
    },
)
def describe_layer(
    conn: Connection,
    layer: _ShortText,
    title: Statement | None = None,
    description: Statement | None = None,
    keywords: _Keywords | None = None,
    source: Prose | None = None,
    licence: Prose | None = None,
    metadata: Metadata | None = None,
) -> dict[str, Any]:
    """登记元数据 | Describe a layer

    修改图层在目录中的名称、说明和元数据；没有给出的保持不变。 | Changes what the catalogue says of a layer; what is not
    given stays as it is.

    layer: 图层的编号 | Id of the layer
    title: 名称；中文与英文 | Title; in Chinese and English
    description: 说明；中文与英文 | Description; in Chinese and English
    keywords: 关键词；不分语言 | Keywords; of no language
    source: 数据来源 | Source
    licence: 许可 | Licence
    metadata: 元数据；整体替换（ISO 19115 的核心要素） | Metadata; as a whole (the core of ISO 19115)
    returns: 现在的元数据 | The metadata as they are now
    """
    known = load_layers(conn, (layer,)).get(layer)
    if known is None:
        raise LayerNotFound(f"there is no layer {layer[:80]!r}")
    given = {"keywords": keywords, "source": source, "licence": licence, "metadata": metadata}
    said: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    said |= {"title": asdict(_merged(known.title, title))} if title else {}
    said |= {"description": asdict(_merged(known.description, description))} if description else {}
    describe(conn, layer, said)
    return as_json(metadata_of(conn, layer))


def _merged(known: Text, said: Statement) -> Text:
    return Text(said.zh or known.zh, said.en or known.en)
