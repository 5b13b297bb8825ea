"""A document of headings, lines, tables and one kind of curve, as PDF bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    Flowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from ops.paper import fonts

INK: Final = colors.HexColor("#14181d")
SOFT: Final = colors.HexColor("#5a6673")
LINE: Final = colors.HexColor("#c9d1d9")
ACCENT: Final = colors.HexColor("#0b63b8")
ROWS_MAX: Final = 20_000
NARROW: Final = "\u202f"  # between thousands, but for English
_WIDTH: Final = A4[0] - 32 * mm


def _style(name: str, size: float, bold: bool = False, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(
        name,
        fontName=fonts.BOLD if bold else fonts.PLAIN,
        fontSize=size,
        leading=size * 1.3,
        textColor=more.pop("color", INK),
        **more,
    )


TITLE: Final = _style("title", 18, True, spaceAfter=2 * mm)
HEAD: Final = _style(
    "head", 12, True, spaceBefore=6 * mm, spaceAfter=2 * mm, keepWithNext=1
)
TEXT: Final = _style("text", 9)
SMALL: Final = _style("small", 8, color=SOFT, keepWithNext=1)
CELL: Final = _style("cell", 8)
CELL_HEAD: Final = _style("cell_head", 8, True, color=SOFT)
NUMBER: Final = _style("number", 8, alignment=2, rightIndent=2)
NUMBER_HEAD: Final = _style(
    "number_head", 7.5, True, color=SOFT, alignment=2, rightIndent=2
)


class Curve(Flowable):  # type: ignore[misc]  # the library has no types
    """Values by step as bars, with the time under some of them.

    Args:
        values: people by step, first to last.
        marks: (number of the bar, words) under the line.
        most: the largest value as it is written above.
    """

    def __init__(
        self, values: Sequence[float], marks: Sequence[tuple[int, str]], most: str
    ):
        super().__init__()
        self.values, self.marks, self.most = list(values), list(marks), most
        self.width, self.height = _WIDTH, 42 * mm

    def draw(self) -> None:
        """Draw onto the page; called by the library."""
        canvas, base, top = self.canv, 6 * mm, self.height - 4 * mm
        most = max([*self.values, 1])
        step = self.width / len(self.values)
        gap = min(1 * mm, step * 0.15)
        canvas.setFillColor(ACCENT)
        for at, value in enumerate(self.values):
            high = (top - base) * value / most
            canvas.rect(at * step + gap / 2, base, step - gap, high, fill=1, stroke=0)
        canvas.setStrokeColor(LINE)
        canvas.line(0, base, self.width, base)
        canvas.setFillColor(SOFT)
        canvas.setFont(fonts.PLAIN, 7)
        canvas.drawString(0, top + 1 * mm, self.most)
        for bar, words in self.marks:
            canvas.drawCentredString((bar + 0.5) * step, 1 * mm, words)


class Document:
    """Parts in their order; `pdf()` makes the file."""

    def __init__(self, title: str, foot: str, language: str) -> None:
        fonts.ready()
        self._title, self._foot = title, foot
        self._thousands = "," if language == "en" else NARROW
        self._parts: list[Any] = [Paragraph(fonts.markup(title, fonts.BOLD), TITLE)]

    def head(self, text: str) -> None:
        """A heading."""
        self._parts.append(Paragraph(fonts.markup(text, fonts.BOLD), HEAD))

    def line(self, text: str, *, small: bool = False) -> None:
        """A line of text."""
        self._parts.append(Paragraph(fonts.markup(text), SMALL if small else TEXT))

    def curve(self, values: Sequence[float], marks: Sequence[tuple[int, str]]) -> None:
        """Bars over the whole width; nothing for no values."""
        if values:
            most = self._number(max(values))
            self._parts += [Curve(values, marks, most), Spacer(1, 2 * mm)]

    def _number(self, value: float) -> str:
        return f"{value:,}".replace(",", self._thousands)

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[Any]],
        widths: Sequence[float],
    ) -> None:
        """A table; numbers stand to the right. `widths` are shares of the page.

        The first row repeats on each page; beyond ROWS_MAX the rest is counted.
        """
        right = [any(_is_number(row[at]) for row in rows) for at in range(len(heads))]
        cells = [
            [
                Paragraph(
                    fonts.markup(words, fonts.BOLD),
                    NUMBER_HEAD if right[at] else CELL_HEAD,
                )
                for at, words in enumerate(heads)
            ]
        ]
        cells += [
            [self._cell(value, right=right[at]) for at, value in enumerate(row)]
            for row in rows[:ROWS_MAX]
        ]
        whole = sum(widths)
        table = Table(
            cells,
            colWidths=[_WIDTH * width / whole for width in widths],
            repeatRows=1,
            hAlign="LEFT",
        )
        table.setStyle(
            TableStyle(
                [
                    ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                    ("LEFTPADDING", (0, 0), (-1, -1), 2),
                    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
                    ("TOPPADDING", (0, 0), (-1, -1), 2),
                    ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ]
            )
        )
        self._parts.append(table)
        if len(rows) > ROWS_MAX:
            self.line(f"+ {len(rows) - ROWS_MAX}", small=True)

    def _cell(self, value: Any, *, right: bool) -> Paragraph:
        if _is_number(value):
            return Paragraph(self._number(value), NUMBER)
        text = fonts.markup("" if value is None else str(value))
        return Paragraph(text, NUMBER if right else CELL)

    def pdf(self) -> bytes:
        """The file."""
        into = io.BytesIO()
        made = SimpleDocTemplate(
            into,
            pagesize=A4,
            leftMargin=16 * mm,
            rightMargin=16 * mm,
            topMargin=16 * mm,
            bottomMargin=18 * mm,
            title=self._title,
            author="",
        )
        made.build(self._parts, onFirstPage=self._page, onLaterPages=self._page)
        return into.getvalue()

    def _page(self, canvas: Any, made: Any) -> None:
        canvas.setFillColor(SOFT)
        at = 16 * mm
        for name, part in fonts.runs(self._foot):
            canvas.setFont(name, 7)
            canvas.drawString(at, 10 * mm, part)
            at += canvas.stringWidth(part, name, 7)
        canvas.setFont(fonts.PLAIN, 7)
        canvas.drawRightString(A4[0] - 16 * mm, 10 * mm, str(made.page))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)
