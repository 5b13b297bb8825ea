"""What can be asked at a door, and what is refused before a door reads it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ops.admission.questions import Question
from ops.crm.door_questions import OPTIONS_MAX, problems

LUNCH: dict[str, Any] = {
    "kind": "choice",
    "text": {"en": "Which lunch?", "fr": "Quel repas ?"},
    "options": [
        {"value": "v", "text": {"en": "Vegan", "fr": "Végane"}},
        {"value": "鱼", "text": {"en": "Fish 🐟"}},
    ],
}
MANY = [{"value": str(n), "text": {"en": "x"}} for n in range(OPTIONS_MAX + 1)]
BAD = (
    ({"text": {}}, "text"),
    ({"text": {"en": "  "}}, "text"),
    ({"text": {"en": 5}}, "text"),
    ({"text": {"en": {"deep": "er"}}}, "text"),
    ({"options": []}, "options"),
    ({"options": [{"text": {"en": "no value"}}]}, "options"),
    ({"options": [{"value": 5, "text": {"en": "Fish"}}]}, "options"),
    ({"options": [{"value": "v", "text": {}}]}, "options"),
    ({"options": [{"value": "v", "text": {"en": 1}}]}, "options"),
    ({"options": [{"value": "", "text": {"en": "Fish"}}]}, "options"),
    ({"options": [LUNCH["options"][0]] * 2}, "options"),
    ({"options": MANY}, "options"),
    ({"kind": "number", "minimum": 5, "maximum": 4}, "minimum"),
)


@pytest.mark.parametrize(("change", "field"), BAD)
def test_what_no_door_could_ask_is_refused(change: dict[str, Any], field: str) -> None:
    assert [one.field for one in problems({**LUNCH, **change})] == [field]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"kind": "yes_no", "options": []},
        {"kind": "text", "options": None},
        {"kind": "number", "minimum": 1, "maximum": 1},
    ],
)
def test_what_passes_is_readable_by_the_door(change: dict[str, Any]) -> None:
    row = {**LUNCH, **change}
    assert problems(row) == []
    read = {name: row.get(name) or [] for name in ("text", "options")}
    asked = {"id": None, "no": 1, "kind": row["kind"], **read}
    assert msgspec.convert(asked, Question).kind == row["kind"]
