"""A question at the door that could not be asked is refused before a door reads it.

A hook of the generic API. The rules are those of `ops.admission.questions`: what stands
here must be readable there, or every device of the event would stop at its plan.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ops.admission.questions import TEXT_LENGTH_MAX, Option
from ops.crm.changes import Change, Hooks
from ops.errors import FieldProblem, Unprocessable

OPTIONS_MAX: Final = 30
VALUE_LENGTH_MAX: Final = 100


def register(hooks: Hooks) -> None:
    """Give the door its say in changes of questions."""
    hooks.before.setdefault("questions", []).append(askable)


async def askable(db: Any, change: Change) -> None:
    """Refuse a question without words, or a choice without anything to choose.

    Raises:
        Unprocessable: with the fields that are wrong.
    """
    del db
    if change.verb == "delete":
        return
    row = {**(change.before or {}), **change.values}
    found = problems(row)
    if found:
        raise Unprocessable(errors=found)


def problems(row: dict[str, Any]) -> list[FieldProblem]:
    """What keeps a row from being asked at a door. Pure."""
    found = []
    if not _texts(row.get("text")):
        said = "Say the question in at least one language, as text."
        found.append(FieldProblem("text", "missing", said))
    options, said = _options(row.get("options") or [])
    if said:
        found.append(FieldProblem("options", "bad_value", said))
    elif row.get("kind") == "choice" and not options:
        said = "A choice needs something to choose."
        found.append(FieldProblem("options", "missing", said))
    low, high = row.get("minimum"), row.get("maximum")
    if low is not None and high is not None and low > high:
        said = "The least is above the most."
        found.append(FieldProblem("minimum", "out_of_range", said))
    return found


def _texts(value: Any) -> bool:
    """Texts by language, at least one with words in it."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(
            isinstance(text, str) and 0 < len(text.strip()) <= TEXT_LENGTH_MAX
            for text in value.values()
        )
    )


def _options(value: list[Any]) -> tuple[list[Option], str]:
    """The options as a door reads them, or why it could not."""
    try:
        options = msgspec.convert(value, list[Option])
    except msgspec.ValidationError:
        return [], 'Each is {"value": "v", "text": {"en": "Vegan"}}.'
    values = [option.value for option in options]
    if len(options) > OPTIONS_MAX:
        return [], f"At most {OPTIONS_MAX} options."
    if len(set(values)) < len(values):
        return [], "Two options have the same value."
    if not all(0 < len(text) <= VALUE_LENGTH_MAX for text in values):
        return [], f"A value has 1 to {VALUE_LENGTH_MAX} characters."
    if not all(_texts(option.text) for option in options):
        return [], "Say each option in at least one language."
    return options, ""
