"""What the server says of errors, in Chinese: a catalogue of its English messages, with placeholders.

The code writes one English message where something goes wrong; ``messages.zh.txt`` says it in Chinese. What the
catalogue does not have is told by the kind of the error in Chinese, with the English message behind it. Codes and types
are the same in every language.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

#: What an error of each code is, for messages that the catalogue does not have.
KINDS: Mapping[str, str] = {
    "NotFound": "所请求的内容不存在",
    "NoSuchProcess": "没有这一处理",
    "NoSuchJob": "没有这一任务",
    "ResultNotReady": "任务尚未结束",
    "Unauthorized": "需要登录",
    "Forbidden": "没有此项权限",
    "MethodNotAllowed": "该地址不支持此操作",
    "TooManyRequests": "请求过于频繁",
    "PreconditionFailed": "内容已被他人修改",
    "Conflict": "与已有内容冲突",
    "Gone": "该位置已失效，请重新复制图层",
    "KeyReused": "该幂等键已用于另一请求",
    "TooLarge": "请求内容过大",
    "UnsupportedMediaType": "不接受这种媒体类型",
    "OutboundRefused": "服务器不得访问该地址",
    "NotImplemented": "该图层不支持此操作",
    "OutboundFailed": "所依赖的外部服务没有正确应答",
    "ImportRefused": "文件不能导入",
    "InvalidParameterValue": "参数不正确",
    "InvalidBody": "提交的内容不符合要求",
    "ServiceUnavailable": "服务暂时繁忙",
    "InternalError": "服务器出错",
    "NoApplicableCode": "请求未能完成",
    "WorkerLost": "执行任务的进程中断",
    "TooLong": "超过了任务的最长时间",
}
#: What is looked up again in the catalogue, once put in place.
_NESTED = ("problem", "action")
_PLACE = re.compile(r"\{(\w+)\}")
#: Characters of a message that is looked up; longer ones hold what a client sent.
_LONGEST = 1000


def in_chinese(code: str, message: str) -> str:
    """The message in Chinese; by the kind of the error where the catalogue does not have it."""
    found = translated(message)
    kind = KINDS.get(code, KINDS["NoApplicableCode"])
    return found if found is not None else f"{kind}：{message}"


def translated(message: str) -> str | None:
    """The catalogue's Chinese for a message; None where it has none."""
    if len(message) > _LONGEST:
        return None
    for pattern, chinese in _catalogue():
        if match := pattern.fullmatch(message):
            return _filled(chinese, {name: _nested(name, value) for name, value in match.groupdict().items()})
    return None


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda place: values.get(place[1], place[0]), text)


def _nested(name: str, value: str) -> str:
    return (translated(value) or value) if name in _NESTED else value


@lru_cache(maxsize=1)
def _catalogue() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Pattern of the English message and the Chinese one; those with most letters of their own first."""
    text = files("geoserver").joinpath("messages.zh.txt").read_text("utf-8")
    entries = [part.splitlines() for part in text.split("\n\n") if not part.startswith("#")]
    entries.sort(key=lambda entry: len(_PLACE.sub("", entry[0])), reverse=True)
    return tuple((_pattern(english), chinese) for english, chinese in entries)


def _pattern(english: str) -> re.Pattern[str]:
    parts = _PLACE.split(english)
    texts, names = parts[::2], parts[1::2]
    written = [re.escape(texts[0])]
    for name, after in zip(names, texts[1:], strict=True):
        written += [f"(?P<{name}>.+?)", re.escape(after)]
    return re.compile("".join(written), re.DOTALL)
