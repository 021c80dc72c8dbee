"""Writes 勘测定界界址点坐标 TXT that reads back identical to the millimetre."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from planning.boundary.model import HEADER_KEYS, Header
from planning.errors import PlanningError
from planning.survey.areas import areas_of
from planning.survey.parcel import Parcel
from planning.survey.zones import PREFIX

Encoding = Literal["gbk", "utf-8"]


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written: eastings with the zone number or without, rings closed by a repeated point or not.

    ``decimals`` of coordinates; 3 is a millimetre.
    """

    prefixed: bool = True
    closed: bool = True
    decimals: int = 3


def write_boundary_points(parcels: Sequence[Parcel], header: Header, form: Form = Form()) -> str:  # noqa: B008
    """The text of a file, lines ended by CR LF. The header's zone and precision are those of the parcels.

    Raises :class:`PlanningError` for no parcels, or parcels of several zones, which one header cannot describe.
    """
    zones = {parcel.zone for parcel in parcels}
    if len(zones) != 1:
        found = ", ".join(sorted(str(zone.number) for zone in zones)) or "0"
        raise PlanningError(
            f"一个文件只能有一个带号，地块的带号是：{found}；请分开导出",
            f"a file has one zone, the parcels have: {found}; export them apart",
        )
    [zone] = zones
    values = {member: str(getattr(header, member)) for _, member in HEADER_KEYS}
    precision = f"{10.0**-form.decimals:.{form.decimals}f}"
    values |= {"zone": str(zone.number), "zone_width": str(zone.width), "precision": precision}
    lines = ["[属性描述]", *(f"{key}={_one_line(values[member])}" for key, member in HEADER_KEYS), "[地块坐标]"]
    for parcel in parcels:
        lines += _parcel_lines(parcel, form)
    return "\r\n".join(lines) + "\r\n"


def encoded(text: str, encoding: Encoding) -> bytes:
    """The bytes of a file. Raises :class:`PlanningError` for a character that GBK lacks."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        raise PlanningError(
            f"GBK 没有字符 {error.object[error.start]!r}，请用 UTF-8",
            f"GBK lacks the character {error.object[error.start]!r}; ask for UTF-8",
        ) from None


def _parcel_lines(parcel: Parcel, form: Form) -> Iterator[str]:
    count = parcel.point_count + (len(parcel.rings) if form.closed else 0)
    facts = (parcel.number, parcel.name, parcel.kind, parcel.sheet, parcel.use, parcel.land_code)
    texts = [_field(text) for text in facts]
    yield ",".join([str(count), f"{areas_of(parcel).plane / 10_000:.6f}", *texts, "@"])
    offset = parcel.zone.number * PREFIX if form.prefixed else 0
    for number, ring in enumerate(parcel.rings, 1):
        for point in (*ring, *(ring[:1] if form.closed else ())):
            east = point.east + offset
            yield f"{_field(point.name)},{number},{point.north:.{form.decimals}f},{east:.{form.decimals}f}"


def _field(text: str) -> str:
    """A comma or an @ within a field would end it."""
    return _one_line(text).replace(",", "、").replace("，", "、").replace("@", " ").strip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
