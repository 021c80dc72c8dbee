"""Kinds of inputs that several processes of the grid take: bounded, and such as the database can hold."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _storable(text: str) -> str:
    """Text without U+0000, which PostgreSQL cannot hold, and without halves of characters."""
    if "\0" in text:
        raise ValueError("text cannot contain U+0000")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("text contains half of a character (a lone surrogate)") from None
    return text


Storable = AfterValidator(_storable)
#: A name or code, a few words, and many.
Name = Annotated[str, Field(min_length=1, max_length=80), Storable]
CaseCode = Annotated[str, Field(min_length=1, max_length=60), Storable]
Words = Annotated[str, Field(max_length=2000), Storable]
LongWords = Annotated[str, Field(max_length=4000), Storable]
#: Digits of a division or a cell.
Digits = Annotated[str, Field(pattern=r"^[0-9]{1,40}$")]
#: One coordinate of any system, and longitude with latitude [°].
Ordinate = Annotated[float, Field(ge=-1e9, le=1e9)]
Position = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]
