"""Facts keep their shape: what was written yesterday is read tomorrow."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from ops import facts

ID = UUID("01938f00-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
COMMON = {"event_id": ID, "ticket_id": ID, "scope_id": ID, "scan_id": ID, "at": AT}


@pytest.mark.parametrize(
    ("fact", "word"),
    [
        (facts.Admitted(**COMMON), "admitted"),
        (facts.Exited(**COMMON, assumed=True), "exited"),
        (facts.Undone(**COMMON, undone_scan_id=ID, reason="wrong guest"), "undone"),
    ],
)
def test_a_fact_comes_back_as_it_was_written(fact: facts.Fact, word: str) -> None:
    assert facts.decode(facts.encode(fact)) == fact
    assert facts.kind(fact) == word
    assert msgspec.json.decode(facts.encode(fact))["kind"] == word


def test_a_fact_cannot_be_altered() -> None:
    fact = facts.Admitted(**COMMON)
    with pytest.raises(AttributeError):
        fact.pass_no = 2


def test_a_field_of_the_next_release_is_passed_over() -> None:
    raw = msgspec.json.decode(facts.encode(facts.Admitted(**COMMON)))
    assert facts.decode(msgspec.json.encode({**raw, "colour": "green"})) == (
        facts.Admitted(**COMMON)
    )


def test_an_unknown_kind_is_an_error() -> None:
    raw = msgspec.json.decode(facts.encode(facts.Admitted(**COMMON)))
    with pytest.raises(msgspec.ValidationError):
        facts.decode(msgspec.json.encode({**raw, "kind": "guessed"}))
