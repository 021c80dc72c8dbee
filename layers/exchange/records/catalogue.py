"""The catalogue of records as a collection of its own, described as a layer is; it has no table."""

from layers.catalogue import Field, Layer, Text

#: Its id, which no layer may have.
RECORDS = "records"
CATALOGUE = Layer(
    id=RECORDS,
    title=Text("数据目录", "Catalogue of data"),
    description=Text("每个图层一条元数据记录，供检索与采集", "A record of every layer, to search and to harvest"),
    geometry_type="Polygon",
    fields=(
        Field("title", "string", Text("名称", "Title"), role="title"),
        Field("description", "string", Text("说明", "Description")),
        Field("type", "string", Text("类型", "Type")),
        Field("keywords", "string-array", Text("关键词", "Keywords")),
        Field("topics", "string-array", Text("ISO 专题类别", "ISO topic categories")),
        Field("classification", "string-array", Text("GB/T 13923 分类代码", "Codes of GB/T 13923")),
        Field("created", "date-time", Text("建立时间", "Created")),
        Field("updated", "date-time", Text("更新时间", "Updated")),
    ),
    editable=False,
)
