"""What a driver is told at a turn, in Chinese and English."""

from typing import Literal

from layers.base_layers import ROAD_CLASSES
from layers.catalogue import Text

Turn = Literal[
    "depart",
    "straight",
    "slight-left",
    "slight-right",
    "left",
    "right",
    "sharp-left",
    "sharp-right",
    "u-turn",
    "arrive",
]

_WORDS: dict[Turn, Text] = {
    "straight": Text("直行", "Continue straight"),
    "slight-left": Text("稍向左转", "Turn slightly left"),
    "slight-right": Text("稍向右转", "Turn slightly right"),
    "left": Text("左转", "Turn left"),
    "right": Text("右转", "Turn right"),
    "sharp-left": Text("向左急转", "Turn sharply left"),
    "sharp-right": Text("向右急转", "Turn sharply right"),
    "u-turn": Text("掉头", "Make a U-turn"),
}
_COMPASS = (
    Text("北", "north"), Text("东北", "northeast"), Text("东", "east"), Text("东南", "southeast"),
    Text("南", "south"), Text("西南", "southwest"), Text("西", "west"), Text("西北", "northwest"),
)  # fmt: skip
#: Upper bounds of the change of direction [°].
_STRAIGHT, _SLIGHT, _PLAIN, _SHARP = 20.0, 60.0, 120.0, 160.0


def turn_of(angle: float) -> Turn:
    """The turn that a change of direction is [°], to the right positive, within ±180."""
    size = abs(angle)
    if size <= _STRAIGHT:
        return "straight"
    if size > _SHARP:
        return "u-turn"
    right = angle > 0
    if size <= _SLIGHT:
        return "slight-right" if right else "slight-left"
    if size <= _PLAIN:
        return "right" if right else "left"
    return "sharp-right" if right else "sharp-left"


def road_name(name: str | None, name_en: str | None, road_class: str | None) -> Text | None:
    """How a road is called: by its name, else by its class; None when neither is known."""
    if name or name_en:
        return Text(name or name_en or "", name_en or name or "")
    kind = ROAD_CLASSES.get(road_class or "")
    return None if kind is None else Text(f"无名{kind.zh}", f"the unnamed {kind.en.lower()} road")


def depart(azimuth: float, road: Text | None) -> Text:
    """The words at the start; ``azimuth`` [°] from north by east."""
    towards = _COMPASS[round(azimuth / 45) % 8]
    if road is None:
        return Text(f"向{towards.zh}出发", f"Head {towards.en}")
    return Text(f"沿{road.zh}向{towards.zh}出发", f"Head {towards.en} on {road.en}")


def onto(turn: Turn, road: Text | None, *, same: bool) -> Text:
    """The words at a turn; ``same``: the road goes on under its name."""
    words = _WORDS[turn]
    if road is None:
        return words
    if same:
        return Text(f"{words.zh}，继续沿{road.zh}行驶", f"{words.en} to stay on {road.en}")
    return Text(f"{words.zh}，进入{road.zh}", f"{words.en} onto {road.en}")


def arrive(via: int | None) -> Text:
    """The words at the end, or at the via point of that number."""
    if via is None:
        return Text("到达终点", "Arrive at the destination")
    return Text(f"到达第 {via} 个途经点", f"Arrive at via point {via}")
