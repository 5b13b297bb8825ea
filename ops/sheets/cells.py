"""Single cells: what exporters and spreadsheets do to them, undone. Pure."""

from __future__ import annotations

from typing import Final

FORMULA_STARTS: Final = frozenset("=+-@%|\t\r")
"""A cell that begins so would be run by a spreadsheet."""


def escape(cell: str) -> str:
    """A text as a cell that no spreadsheet runs: `'` before what looks like it."""
    return f"'{cell}" if cell[:1] in FORMULA_STARTS else cell


def unescape(cell: str) -> str:
    """Undo what exporters do to cells that a spreadsheet would take for a formula.

    They put `'` before a cell that begins with `= + - @ % |`, and a backslash before
    each `|` in such a cell. A quote before anything else belongs to the text.
    """
    if cell[:1] == "'" and (cell[1:2] in FORMULA_STARTS or cell[1:3] == "\\|"):
        return cell[1:].replace("\\|", "|")
    return cell
