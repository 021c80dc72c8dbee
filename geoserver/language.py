"""Which of the offered languages a reader gets."""

from collections.abc import Sequence

from starlette.requests import Request


def choose_language(asked: str | None, accepted: str, offered: Sequence[str]) -> str:
    """The asked language if it is offered, else the most acceptable one, else the first.

    ``accepted`` is an Accept-Language header (RFC 9110 §12.5.4); unknown languages in it are passed over. Languages
    agree when their first two letters do.
    """
    weighted = []
    for position, part in enumerate(accepted.split(",")[:20]):
        tag, _, weight = part.partition(";q=")
        try:
            weighted.append((-float(weight or 1), position, tag.strip()))
        except ValueError:
            continue
    for tag in [asked or "", *(tag for weight, _, tag in sorted(weighted) if weight < 0)]:
        for language in offered:
            if tag.lower()[:2] == language[:2]:
                return language
    return offered[0]


def message_language(request: Request) -> str:
    """What errors are told in: ``zh`` where the reader asks for it (``lang``, else Accept-Language), else ``en``."""
    accepted = request.headers.get("accept-language", "")
    return choose_language(request.query_params.get("lang"), accepted, ("en", "zh"))
