"""Processes of publicity: what is put before the public, and what becomes of what it says."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.access import Principal
from layers.processing import UploadedFile, process
from layers.terrain.geojson import Area
from planning.errors import StepNotAllowed
from planning.options import PlanningOptions
from planning.publicity.drawings import Drawing
from planning.publicity.moderating import Moderated, Verdict
from planning.publicity.summary import CommentSummary, Published
from planning.publicity.writing import Publicity

_Number = Annotated[str, Field(min_length=1, max_length=100)]
_EXAMPLE = "示字第420700202600001号"


@dataclass(frozen=True, slots=True)
class NoticeDetails:
    """A notice as the public sees it. ``page`` is its page and ``id`` its feature in the layer ``notices``; ``counts``
    are of its published comments, ``buildings`` of what stands in the layer ``notice-buildings`` for it."""

    id: int
    number: str
    title: str
    kind: str
    text: str
    begins: date
    ends: date
    state: Literal["upcoming", "open", "ended"]
    contact: str
    summary: str
    page: str
    drawings: tuple[Drawing, ...]
    buildings: int
    counts: CommentSummary
    comments: tuple[Published, ...]


@process(keywords=("规划公示 notice", "公众意见 comments"), example={"notice": _EXAMPLE})
def notice_details(conn: Connection, options: PlanningOptions, notice: _Number) -> NoticeDetails:
    """公示详情 | A notice

    公示的内容、期限、图纸、方案建筑与已公布的意见。 | What a notice says and until when, its drawings, buildings and
    published comments.

    notice: 公示编号 | Number of the notice
    returns: 公示 | The notice
    """
    from planning.publicity.details import details
    from planning.publicity.reading import find_notice

    return details(conn, find_notice(conn, notice), options.today())


@process(
    edits=True,
    keywords=("规划公示 notice", "控规草案 draft plan"),
    example={
        "kind": "plan", "plan": "示范市中心城区控规", "version": "2026",
        "publicity": {"title": "控规草案公示", "text": "现予公示", "begins": "2026-12-01", "ends": "2026-12-30"},
    },
)  # fmt: skip
def publish_notice(
    conn: Connection,
    options: PlanningOptions,
    principal: Principal,
    publicity: Publicity,
    kind: Literal["plan", "permit"] = "plan",
    plan: Annotated[str, Field(max_length=200)] = "",
    version: Annotated[str, Field(max_length=200)] = "",
    geometry: Area | None = None,
) -> NoticeDetails:
    """发布公示 | Publish a notice

    发布规划草案或许可的公示；用地红线的公示用 advance-redline 的 publicise。 | Publishes a notice of a draft plan or of
    a permit. A red line is put before the public by its step publicise (advance-redline).

    publicity: 公示；标题、内容与起止日期 | Publicity; title, text and period
    kind: 类别；plan 规划草案，permit 批后公布 | Kind; a draft plan, or a permit
    plan: 规划；范围取自该版本的地块，或给出 geometry | Plan; the ground is that of its plots, or give geometry
    version: 版本 | Version of the plan
    geometry: 范围；GeoJSON，经度和纬度 [°] | Ground; GeoJSON, longitude and latitude [°]
    returns: 公示 | The notice
    """
    from planning.publicity.details import details, ground_of
    from planning.publicity.reading import find_notice
    from planning.publicity.writing import publish_area

    _account(principal)
    shape = ground_of(conn, plan, version, geometry)
    number = publish_area(conn, options, kind, shape, publicity)
    return details(conn, find_notice(conn, number), options.today())


@process(
    edits=True,
    keywords=("规划公示 notice", "图纸 drawing"),
    example={"notice": _EXAMPLE, "title": "总平面图", "upload": "00000000-0000-0000-0000-000000000000"},
)
def add_drawing(
    conn: Connection,
    principal: Principal,
    notice: _Number,
    title: Annotated[str, Field(min_length=1, max_length=200)],
    upload: UploadedFile,
) -> Drawing:
    """添加公示图纸 | Add a drawing to a notice

    为公示附上图纸（PDF、PNG 或 JPEG，20 MB 以内）。 | Puts a drawing before the public with a notice: PDF, PNG or JPEG
    of at most 20 MB.

    notice: 公示编号 | Number of the notice
    title: 图名 | Title
    upload: 上传文件的编号 | Id of the uploaded file
    returns: 图纸 | The drawing
    """
    from planning.publicity.drawings import add
    from planning.publicity.reading import find_notice

    _account(principal)
    return add(conn, find_notice(conn, notice).number, upload.path, upload.name, title)


@process(edits=True, keywords=("规划公示 notice", "图纸 drawing"), example={"notice": _EXAMPLE, "drawing": 1})
def remove_drawing(
    conn: Connection, principal: Principal, notice: _Number, drawing: Annotated[int, Field(ge=1)]
) -> tuple[Drawing, ...]:
    """撤下公示图纸 | Remove a drawing of a notice

    撤下误附的图纸。 | Takes back a drawing that was put there by mistake.

    notice: 公示编号 | Number of the notice
    drawing: 图纸的编号 | Id of the drawing
    returns: 余下的图纸 | The drawings that are left
    """
    from planning.publicity.drawings import drawings_of, remove
    from planning.publicity.reading import find_notice

    _account(principal)
    number = find_notice(conn, notice).number
    remove(conn, number, drawing)
    return drawings_of(conn, number)


@process(
    edits=True,
    keywords=("公众意见 comments", "审核 moderation"),
    example={"verdicts": [{"comment": "意字第420700202600001号", "publish": True, "reply": "已采纳"}]},
)
def moderate_comments(
    conn: Connection,
    principal: Principal,
    verdicts: Annotated[tuple[Verdict, ...], Field(min_length=1, max_length=200)],
) -> tuple[Moderated, ...]:
    """审核公众意见 | Decide on comments

    公布意见（可附答复）或不予公布（须写明理由）；待审核的在 notice-comments 图层，status 为 pending。公布的只有内容与
    位置，不含个人信息。 | Publishes comments, with a reply perhaps, or not, with the reason. Those that wait are in the
    layer notice-comments with status pending. Words and place become public, nothing of the person.

    verdicts: 审核结果；意见编号、是否公布、理由、答复 | Verdicts; number, whether to publish, reason, reply
    returns: 各意见的状态 | What became of them
    """
    from planning.publicity.moderating import moderate

    account = _account(principal)
    return tuple(moderate(conn, account, verdict) for verdict in verdicts)


@process(keywords=("公众意见 comments", "汇总 summary"), example={"notice": _EXAMPLE})
def comment_summary(conn: Connection, notice: _Number) -> CommentSummary:
    """公众意见汇总 | Summary of comments

    按态度、审核状态与区划统计意见；无权查看审核队列者得到已公布意见的统计。 | Counts comments by stance, by what became
    of them and by division; of the published ones for who may not see the queue.

    notice: 公示编号 | Number of the notice
    returns: 汇总 | The summary
    """
    from layers.registry import load_layers, note_reads
    from planning.publicity.reading import find_notice
    from planning.publicity.summary import summarise

    number = find_notice(conn, notice).number
    queue = load_layers(conn, ["notice-comments"])
    note_reads(conn, *queue.values())
    return summarise(conn, number, "notice_comments" if queue else "published_comments")


@process(
    edits=True,
    keywords=("规划公示 notice", "公众意见 comments", "汇总 summary"),
    example={"notice": _EXAMPLE, "words": "已据意见调整方案。"},
)
def close_notice(
    conn: Connection,
    options: PlanningOptions,
    principal: Principal,
    notice: _Number,
    words: Annotated[str, Field(max_length=5000)] = "",
) -> CommentSummary:
    """结束公示 | Close a notice

    公示期满且意见全部审核后，把汇总写入公示。 | After its period, when every comment was decided on, the summary is
    written into the notice.

    notice: 公示编号 | Number of the notice
    words: 采纳情况；附在汇总之后 | What was made of the comments; follows the counts
    returns: 汇总 | The summary
    """
    from planning.publicity.reading import find_notice
    from planning.publicity.summary import close

    _account(principal)
    return close(conn, find_notice(conn, notice, lock=True), options.today(), words)


def _account(principal: Principal) -> str:
    if principal.account is None:
        raise StepNotAllowed("请先登录", "sign in first")
    return principal.account
