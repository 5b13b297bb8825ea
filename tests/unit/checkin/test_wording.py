"""Sentences tell the nearest cause, in the event's zone, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ops.admission.questions import Option, Question, age_check
from ops.checkin.wording import Wording, option, printable, variant
from ops.pages_dir import find
from ops.texts import Texts
from tests.golden_cases import TABLE, decided

WORDING = Wording(Texts(find().web / "i18n"))
NOW = datetime(2026, 6, 12, 16, 0, tzinfo=UTC)


def said(case: dict[str, Any], language: str, kind: Any = "message") -> str:
    one = decided(case)
    which = "just_now" if one.just_now else variant(one.reason, one.args)
    args = printable(one.args, "America/Toronto", NOW)
    return WORDING.say(language, one.verdict, one.reason, kind, args, which)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_every_case_has_three_sentences(case: dict[str, Any], language: str) -> None:
    for kind in ("message", "guest", "action"):
        text = said(case, language, kind)
        assert text
        assert "verdict." not in text, "a key that the catalogue lacks"
        assert "{" not in text


def case(name: str) -> dict[str, Any]:
    return next(one for one in TABLE["cases"] if one["name"] == name)


@pytest.mark.parametrize(
    ("name", "en"),
    [
        (
            "two passes a day say when the next begins",
            "All 2 entries of today are used; the next is from 2026-06-13 06:00",
        ),
        (
            "too soon after the last entry",
            "Too soon after the last entry: again from 05:30",
        ),
        ("a closed gate names the gate to use instead", None),
        ("three want in and two fit", "Only 2 places free in Venue"),
        (
            "a group leaves: how many?",
            "Group ticket, 2 people inside: how many leave now?",
        ),
        ("admission is stopped at the gate", "Admission is stopped at this gate"),
        ("nineteen tomorrow", "Too young for Venue: 19 or over"),
        (
            "the name and the date of birth of somebody banned",
            "李小龙 has the name and date of birth of somebody banned:"
            " call a supervisor",
        ),
    ],
)
def test_the_nearest_cause(name: str, en: str | None) -> None:
    text = said(case(name), "en")
    assert text == en if en else "Main gate" in text


def test_the_guest_reads_no_cause_that_is_not_theirs() -> None:
    for name in (
        "somebody banned",
        "the name and the date of birth of somebody banned",
    ):
        assert said(case(name), "en", "guest") == "One moment, please"
        assert said(case(name), "fr", "guest") == "Un instant, s’il vous plaît"


def test_questions_in_the_operators_language() -> None:
    asked = Question(UUID(int=1), 1, "text", {"en": "Meal?", "fr": "Repas ?"})
    assert WORDING.ask("fr-CA", asked) == "Repas ?"
    assert WORDING.ask("de", asked) == "Meal?"
    assert WORDING.ask("en", age_check(19)) == "ID seen, 19 or over?"
    fish = Option("fish", {"fr": "Poisson"})
    assert option(fish.text, "fr", fish.value) == "Poisson"
    assert option({}, "fr", fish.value) == "fish"


@pytest.mark.parametrize(("language", "sends"), [("en", "Send"), ("fr", "Envoyez")])
def test_a_closed_gate_sends_guests_to_the_one_to_use_instead(
    language: str, sends: str
) -> None:
    args: dict[str, Any] = {"gate": "Gate B"}
    which = variant("doors_closed", args)
    for kind in ("message", "guest", "action"):
        text = WORDING.say(language, "refused", "doors_closed", kind, args, which)
        assert "Gate B" in text, kind
    assert text.startswith(sends), "not: wait, while the guest is sent away"
