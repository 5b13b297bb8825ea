"""Which font draws which character, and a line of text as reportlab's markup."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from ops.paper.script import drawn

FOLDER: Final = Path(__file__).parent / "fonts"
PLAIN: Final = "OpsSans"
BOLD: Final = "OpsSansBold"
WIDE: Final = "OpsWide"
FILES: Final = {
    PLAIN: "DejaVuSans.ttf",
    BOLD: "DejaVuSans-Bold.ttf",
    WIDE: "DroidSansFallback.ttf",
}
_IGNORED: Final = frozenset("\u200b\u200c\u200d\u200e\u200f\ufe0e\ufe0f\u2060\ufeff")
"""Marks that shape a line and have no glyph."""


@cache
def _glyphs() -> dict[str, frozenset[int]]:
    """Font -> the characters that it has; registers the fonts once a process."""
    found = {}
    for name, file in FILES.items():
        font = TTFont(name, str(FOLDER / file))
        pdfmetrics.registerFont(font)
        found[name] = frozenset(font.face.charToGlyph)
    pdfmetrics.registerFontFamily(PLAIN, PLAIN, BOLD, PLAIN, BOLD)
    return found


def ready() -> None:
    """Register the fonts; may come often."""
    _glyphs()


def runs(text: str, font: str = PLAIN) -> list[tuple[str, str]]:
    """A line as (font, characters), in the order in which it is drawn.

    What no font has is spelt: a circus tent becomes "[circus tent]".
    """
    known = _glyphs()
    made: list[tuple[str, str]] = []
    for char in drawn(unicodedata.normalize("NFC", text)):
        if char in _IGNORED or unicodedata.category(char) == "Cc":
            continue
        name, said = font, char
        if ord(char) not in known[font]:
            if ord(char) in known[WIDE]:
                name = WIDE
            else:
                said = f"[{unicodedata.name(char, f'U+{ord(char):04X}').lower()}]"
        if made and made[-1][0] == name:
            made[-1] = (name, made[-1][1] + said)
        else:
            made.append((name, said))
    return made


def markup(text: str, font: str = PLAIN) -> str:
    """A line for reportlab's Paragraph; nothing in it is read as markup."""
    return "".join(
        escape(part) if name == font else f'<font name="{name}">{escape(part)}</font>'
        for name, part in runs(text, font)
    )
