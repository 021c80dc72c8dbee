"""The layers of publicity: 公众意见 comments in their queue, those that were published, and what is proposed.

What the public sees is what an officer put before it: of a comment its words without the person, of a scheme its
buildings as they were then. So each has a public layer beside the internal one.
"""

from layers.catalogue import Field, Layer, Text
from planning.massing.layers import MASSING_FIELDS, OUTLINED, extruded

STANCES = {
    "support": Text("支持", "Support"),
    "suggest": Text("建议", "Suggestion"),
    "oppose": Text("反对", "Objection"),
}
COMMENT_STATES = {
    "pending": Text("待审核", "Waiting"),
    "published": Text("已公布", "Published"),
    "rejected": Text("不予公布", "Not published"),
}
_COLOURS = ["match", ["get", "stance"], "support", "#2e8b57", "oppose", "#c0392b", "#b7791f"]
_DOTS = (
    {"id": "area", "type": "fill", "filter": ["==", ["geometry-type"], "Polygon"],
     "paint": {"fill-color": _COLOURS, "fill-opacity": 0.15}},
    {"id": "outline", "type": "line", "filter": ["==", ["geometry-type"], "Polygon"],
     "paint": {"line-color": _COLOURS, "line-width": 1.5}},
    {"id": "dot", "type": "circle", "filter": ["==", ["geometry-type"], "Point"],
     "paint": {"circle-color": _COLOURS, "circle-radius": 6, "circle-stroke-color": "#ffffff",
               "circle-stroke-width": 1.5}},
)  # fmt: skip
_SAID = (
    Field("notice", "string", Text("公示编号", "Notice")),
    Field("stance", "string", Text("态度", "Stance"), domain=STANCES),
    Field("comment", "string", Text("意见", "Comment"), role="title"),
    Field("reply", "string", Text("答复", "Reply")),
    Field("area_code", "string", Text("所在区划", "Division")),
    Field("area_name", "string", Text("所在区划名称", "Name of the division")),
    Field("received_on", "date", Text("收到日期", "Received on")),
)
NOTICE_COMMENTS = Layer(
    id="notice-comments",
    title=Text("公众意见", "Comments of the public"),
    description=Text("公示期内收到的意见与其审核", "Comments on notices as they came in, and what became of them"),
    geometry_type="Geometry",
    fields=(
        *_SAID,
        Field("status", "string", Text("审核状态", "State"), domain=COMMENT_STATES),
        Field("person", "string", Text("姓名", "Name of the person"), visibility="sensitive"),
        Field("phone", "string", Text("联系电话", "Telephone"), visibility="sensitive"),
        Field("reason", "string", Text("审核说明", "Why so")),
        Field("moderated_by", "string", Text("审核人", "Moderated by")),
        Field("moderated_at", "date-time", Text("审核时间", "Moderated at")),
        Field("number", "string", Text("编号", "Number"), role="key"),
    ),
    visibility="internal",
    editable=False,
    style=_DOTS,
    order=117,
)
PUBLISHED_COMMENTS = Layer(
    id="published-comments",
    title=Text("已公布的公众意见", "Published comments"),
    description=Text("公示中经审核公布的意见与答复", "Comments on notices that were published, with replies"),
    geometry_type="Geometry",
    fields=(*_SAID, Field("number", "string", Text("编号", "Number"), role="key")),
    editable=False,
    style=_DOTS,
    order=118,
)
NOTICE_BUILDINGS = Layer(
    id="notice-buildings",
    title=Text("公示方案建筑", "Publicised buildings"),
    description=Text("公示时的方案建筑体量", "Proposed buildings as they were when the notice was published"),
    geometry_type="MultiPolygon",
    fields=(*MASSING_FIELDS, Field("notice", "string", Text("公示编号", "Notice"))),
    editable=False,
    style=(*OUTLINED, extruded("publicised")),
    order=119,
)
PUBLICITY_LAYERS = (NOTICE_COMMENTS, PUBLISHED_COMMENTS, NOTICE_BUILDINGS)
