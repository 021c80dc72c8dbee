"""Processes of dispatch: what devices are told, and what they answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from layers.processing import process
from tracking.commands import Command, enqueue, read_commands
from tracking.tracks import read_device

_Code = Annotated[str, Field(min_length=1, max_length=64)]
_Words = Annotated[str, Field(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True)
class Queued:
    """A command that waits to be sent."""

    id: int


@process(edits=True, keywords=("tracking",), example={"device": "13900000001", "text": "请到人民路清扫"})
def send_text(conn: Connection, device: _Code, text: _Words, emergency: bool = False) -> Queued:
    """下发文本 | Send a text to a terminal

    文本进入下发队列，终端在线时发送并播报；结果见 device-commands。 | The text waits until the terminal is
    connected, is then shown and spoken there; device-commands tells the result.

    device: 设备编号 | Code of the device
    text: 文本 | The text
    emergency: 是否紧急 | Whether it is urgent
    returns: 队列编号 | Its id in the queue
    """
    return Queued(enqueue(conn, read_device(conn, device), "text", {"text": text, "emergency": emergency}))


@process(edits=True, keywords=("tracking",), example={"device": "13900000001"})
def locate_device(conn: Connection, device: _Code) -> Queued:
    """立即定位 | Ask a terminal where it is

    要求终端立即上报位置。 | Asks the terminal for its position now.

    device: 设备编号 | Code of the device
    returns: 队列编号 | Its id in the queue
    """
    return Queued(enqueue(conn, read_device(conn, device), "locate", {}))


@process(edits=True, keywords=("tracking",), example={"device": "13900000001", "kind": "follow",
                                                      "words": {"interval": 5, "seconds": 600}})  # fmt: skip
def command_device(conn: Connection, device: _Code, kind: _Code, words: Mapping[str, Any]) -> Queued:
    """下发指令 | Send a command to a terminal

    区域、路线、参数、临时跟踪等指令，见 dispatcher.md。 | Areas, routes, parameters, temporary tracking: see
    dispatcher.md.

    device: 设备编号 | Code of the device
    kind: 指令 | text, locate, follow, parameters, ask-parameters, circle, rectangle, polygon, route or forget-areas
    words: 内容 | What it says
    returns: 队列编号 | Its id in the queue
    """
    return Queued(enqueue(conn, read_device(conn, device), kind, words))


@process(keywords=("tracking",), example={"device": "13900000001"})
def device_commands(conn: Connection, device: _Code) -> tuple[Command, ...]:
    """指令记录 | Commands of a terminal

    最近下发的指令及终端的应答。 | The latest commands, and what the terminal answered.

    device: 设备编号 | Code of the device
    returns: 指令，最新的在前 | Commands, newest first
    """
    return tuple(read_commands(conn, read_device(conn, device)))
