"""``citymap doctor``: is this installation well, and if not, what helps?"""

from typing import Annotated

import typer

from geoserver.cli.console import ConfigOption, Exit, JsonOption, print_json
from geoserver.cli.session import load_settings, open_database

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red"), "skipped": ("–", None)}
LanguageOption = Annotated[
    str,
    typer.Option("--lang", metavar="zh|en", help="Language of the report; default: zh in a Chinese locale."),
]


def doctor(config: ConfigOption = None, as_json: JsonOption = False, lang: LanguageOption = "") -> None:
    """Check configuration, database, coordinates, disk, clock, fonts and TLS; each fault comes with its cure."""
    from geoserver.config import interface_language
    from geoserver.doctor import examine

    language = lang or interface_language()
    answers = []
    for check, finding in examine(lambda: load_settings(config), open_database):
        answer = {
            "id": check.id,
            "title": check.title[language],
            "status": finding.status,
            "detail": finding.detail[language],
            "cure": finding.cure[language] if finding.cure else None,
        }
        answers.append(answer)
        if not as_json:
            _print(answer, language)
    well = all(answer["status"] != "failed" for answer in answers)
    if as_json:
        print_json({"well": well, "checks": answers})
    if not well:
        raise typer.Exit(Exit.FAILED)


def _print(answer: dict[str, str | None], language: str) -> None:
    mark, colour = _MARKS[str(answer["status"])]
    detail = str(answer["detail"])
    if answer["status"] == "skipped":
        detail = (f"skipped, because of: {detail}") if language.startswith("en") else f"跳过,因为:{detail}"
    first, *rest = detail.splitlines() or [""]
    typer.secho(f"{mark} {answer['title']}: {first}", fg=colour)
    for line in rest:
        typer.echo(f"    {line}")
    if answer["cure"]:
        typer.echo(f"    {'cure:' if language.startswith('en') else '解决:'} {answer['cure']}")
