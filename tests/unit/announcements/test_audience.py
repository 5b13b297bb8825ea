"""Segments: what narrows, what is refused."""

from __future__ import annotations

import msgspec
import pytest

from ops.announcements import statements
from ops.announcements.audience import (
    Segments,
    is_public,
    parameters,
    segments_of,
)
from ops.ids import uuid7


def test_a_list_must_name_something() -> None:
    assert Segments(flags=[]).problems() == {"flags": "Give 1 to 200, or leave it out."}
    assert Segments(flags=["press"]).problems() == {}
    assert "gate_ids" in Segments(gate_ids=[uuid7()]).problems()
    assert Segments(gate_ids=[uuid7()], devices=True).problems() == {}


def test_unknown_words_are_refused_and_defaults_narrow_nothing() -> None:
    with pytest.raises(msgspec.ValidationError):
        segments_of({"mood": "good"})
    assert not segments_of(None).restricted
    assert not segments_of(msgspec.to_builtins(Segments())).restricted
    assert segments_of({"checked_in": False}).restricted


def test_the_statement_has_a_place_for_each_parameter() -> None:
    given = parameters(uuid7(), "all", Segments(), commercial=False)
    places = {n for n in range(1, 20) if f"${n}" in statements.GUESTS}
    assert places == set(range(1, len(given) + 1))


def test_public_is_what_is_said_to_all_on_the_website() -> None:
    assert is_public("all", Segments(), ["website"])
    assert not is_public("all", Segments(), ["in_app"])
    assert not is_public("vip", Segments(), ["website"])
    assert not is_public("all", Segments(checked_in=True), ["website"])
