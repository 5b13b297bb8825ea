"""The day report's own rules: curves without holes, one number a row, safe cells."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from ops.admission.figures import Figures
from ops.pages_dir import find
from ops.paper.document import Document
from ops.reports.day import (
    Conflict,
    ConflictLine,
    DayReport,
    Gate,
    Incident,
    Kind,
    Minute,
    Refusal,
    points,
    rows,
    step_of,
)
from ops.reports.files import as_csv, as_pdf
from ops.texts import Texts

AT = datetime(2026, 11, 22, 18, tzinfo=UTC)
TEXTS = Texts(find().web / "i18n")


def report(**fields: object) -> DayReport:
    known: dict[str, object] = {
        "event": "Sélection 李小龙 🎪",
        "timezone": "America/Toronto",
        "starts_at": AT,
        "ends_at": AT + timedelta(hours=6),
        "capacity": 100,
        "at": AT,
        "figures": Figures(100, 90, 80, 80, 12, 2, 3, 70, 10, 5, 4),
        "peak_inside": 77,
        "days": [],
        "curve": [],
        "gates": [],
        "types": [],
        "sessions": [],
        "refusals": [],
        "conflicts": [],
        "conflict_list": [],
        "announcements": [],
        "incidents": [],
    }
    return DayReport(**{**known, **fields})  # type: ignore[arg-type]


def minute(n: int, people: int) -> Minute:
    return Minute(AT + timedelta(minutes=n), people)


def test_a_curve_has_no_holes_and_loses_nobody() -> None:
    curve = [minute(0, 2), minute(4, 3), minute(5, 1), minute(23, 7)]
    assert points(curve) == [5, 1, 0, 0, 7]
    assert points([]) == []
    # Over before the second five minutes: by the minute, or it had no shape.
    assert step_of(curve) == timedelta(minutes=1)
    assert points(curve, step_of(curve))[:6] == [2, 0, 0, 0, 3, 1]
    assert step_of([minute(0, 1), minute(91, 1)]) == timedelta(minutes=5)
    assert len(points([minute(0, 1), minute(60 * 24 * 30, 1)])) == 2_000


def test_one_number_a_row() -> None:
    gate = Gate("=HYPERLINK(1)", "Hall", 5, 4, 1, 0, AT, None)
    made = report(gates=[gate], types=[Kind("VIP 李", "guest", 9, 8, 6)])
    found = {(section, item, name): value for section, item, name, value in rows(made)}
    assert found["figures", "", "entered"] == 80
    assert found["figures", "", "peak_inside"] == 77
    assert found["gates", "=HYPERLINK(1)", "entered"] == 5
    assert found["types", "VIP 李", "missed"] == 2
    lines = list(csv.reader(io.StringIO(as_csv(made).decode("utf-8-sig"))))
    assert lines[0] == ["section", "item", "figure", "value"]
    cells = [cell for line in lines for cell in line]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith("=")]
    assert "" in cells  # what is not known is empty


def test_paper_has_words_and_no_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    cells: list[object] = []

    def kept(_: Document, heads: object, rows: list[list[object]], __: object) -> None:
        cells.extend(cell for row in rows for cell in row)

    monkeypatch.setattr(Document, "table", kept)
    made = report(
        refusals=[Refusal("already_inside", 2, 1)],
        conflicts=[Conflict("double_entry", 1, 0, 1)],
        conflict_list=[ConflictLine(AT, "double_entry", 1, "left", "李小龙")],
        incidents=[Incident("lost_child", 1, 0), Incident("of_tomorrow", 1, 0)],
    )
    as_pdf(made, TEXTS, "fr")
    assert {"Entré deux fois", "Parti", "Enfant perdu"} <= set(cells)
    assert not {"already_inside", "double_entry", "left", "lost_child"} & set(cells)
    assert "of_tomorrow" in cells  # what the catalogue does not know is still told


def test_paper_in_both_languages() -> None:
    gate = Gate("Gate 李", "Hall", 5, 4, 1, 0, AT, AT)
    made = report(gates=[gate], curve=[minute(0, 2), minute(30, 9)])
    for language in ("en", "fr"):
        assert as_pdf(made, TEXTS, language).startswith(b"%PDF-")
    assert as_pdf(report(), TEXTS, "en").startswith(b"%PDF-")


def test_a_quiet_evening_says_so_and_one_bar_has_one_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An empty table looks like one that was cut off; six equal times like a fault."""
    said: list[str] = []
    marks: list[int] = []
    line = Document.line

    def kept(self: Document, words: str, *, small: bool = False) -> None:
        said.append(words)
        line(self, words, small=small)

    monkeypatch.setattr(Document, "line", kept)
    monkeypatch.setattr(Document, "curve", lambda _, __, at: marks.append(len(at)))
    as_pdf(report(curve=[minute(0, 9)]), TEXTS, "fr")
    assert said.count("Néant.") == 3
    as_pdf(report(curve=[minute(0, 2), minute(30, 9)]), TEXTS, "en")
    assert marks == [1, 6]
