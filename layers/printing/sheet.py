"""Sheets of A4 or A3 with headings, tables and page numbers, in a font with Chinese that goes into the file."""

from collections.abc import Sequence
from typing import Literal

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from layers.printing.fonts import chinese_font

Paper = Literal["A4", "A3"]
#: Margin, height of a row of text [mm]; sizes of text [pt].
_MARGIN, _ROW = 18.0, 5.2
_SMALL, _PLAIN, _LARGE, _TITLE = 7.5, 9.0, 12.0, 18.0
_INK, _GREY, _BAND = (32, 36, 40), (110, 116, 122), (236, 240, 243)


class Sheet(FPDF):
    """A document of sheets; ``page_words`` is how pages are numbered, such as ``第 {page} 页，共 {pages} 页``."""

    def __init__(
        self, title: str, paper: Paper = "A4", page_words: str = "{page} / {pages}", *, landscape: bool = False
    ) -> None:
        super().__init__("landscape" if landscape else "portrait", format=paper)
        self._running_title = title
        self._page_words = page_words
        font = chinese_font()
        self.add_font("body", fname=font.path, collection_font_number=font.number)
        self.set_title(title)
        self.set_margin(_MARGIN)
        self.set_auto_page_break(True, _MARGIN + 4)
        self.set_text_color(*_INK)
        self.set_draw_color(*_GREY)
        self.set_line_width(0.15)

    @property
    def inner_width(self) -> float:
        """Between the margins [mm]."""
        return float(self.epw)

    def header(self) -> None:
        """The title on every sheet but the first."""
        if self.page_no() > 1:
            self._say(self._running_title, _SMALL, _GREY)
            self.ln(2)

    def footer(self) -> None:
        """The number of the sheet."""
        self.set_y(-_MARGIN + 4)
        self.set_font("body", size=_SMALL)
        self.set_text_color(*_GREY)
        self.cell(w=0, text=self._page_words.format(page=self.page_no(), pages="{nb}"), align="C")
        self.set_text_color(*_INK)

    def title_line(self, text: str) -> None:
        """The large title of a document."""
        self._say(text, _TITLE, _INK)
        self.ln(3)

    def heading(self, text: str, room: float = 30.0) -> None:
        """A heading, on the next sheet unless ``room`` [mm] is left below it."""
        if self.will_page_break(room):
            self.add_page()
        self.ln(3)
        self._say(text, _LARGE, _INK)
        self.ln(1)

    def say(self, text: str) -> None:
        """A paragraph."""
        self._say(text, _PLAIN, _INK)

    def pairs(self, rows: Sequence[tuple[str, str]], width: float = 0) -> None:
        """Names and values in two columns, over ``width`` [mm] or the whole sheet."""
        self._plain(_PLAIN)
        whole = width or self.inner_width
        with self.table(
            width=whole, col_widths=(3, 7), align="L", line_height=_ROW, padding=0.8, first_row_as_headings=False,
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        ) as table:  # fmt: skip
            for name, value in rows:
                row = table.row()
                row.cell(name, style=FontFace(color=_GREY))
                row.cell(value)

    def rows(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], align: Sequence[str]
    ) -> None:
        """A table whose headings stand again on each sheet; ``widths`` are shares, ``align`` of L, C and R."""
        self._plain(_PLAIN - 1)
        with self.table(
            col_widths=tuple(widths), text_align=tuple(align), line_height=_ROW - 0.6, padding=0.7,
            headings_style=FontFace(fill_color=_BAND, color=_INK),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        ) as table:  # fmt: skip
            for values in (headings, *rows):
                table.row(values)

    def _plain(self, size: float) -> None:
        self.set_font("body", size=size)
        self.set_fill_color(255)  # or cells have the last colour that something was filled with

    def _say(self, text: str, size: float, colour: tuple[int, int, int]) -> None:
        self.set_font("body", size=size)
        self.set_text_color(*colour)
        self.multi_cell(w=0, h=size * 0.5, text=text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_text_color(*_INK)
