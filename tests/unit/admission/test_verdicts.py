"""The registry of reasons: the door's words, each with sentences in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops.admission.verdicts import REASONS, SENSITIVE, verdict_of

ROOT = Path(__file__).parents[3]

DOOR = {
    "admitted": "ok welcome_back",
    "exited": "not_inside",  # and ok of an exit
    "hold": "unconfirmed unpaid payment_due blocked area_full needs_answers"
    " needs_supervisor needs_count choose_session other_door unassigned_medium"
    " id_check",
    "refused": "unknown_code malformed_code forged_code other_event cancelled refunded"
    " reissued exchanged banned wrong_area too_early too_late not_registered"
    " seat_released already_inside re_entry_not_allowed passes_used already_used"
    " under_age nothing_left admission_stopped doors_closed",
}
"""Each verdict with its reasons; clients rely on these words."""


def test_the_registry_is_the_list_of_the_door() -> None:
    found: dict[str, set[str]] = {}
    for reason, rule in REASONS.items():
        found.setdefault(rule.verdict, set()).add(reason)
    assert found == {verdict: set(words.split()) for verdict, words in DOOR.items()}


def test_what_nobody_may_clear() -> None:
    never = {reason for reason, rule in REASONS.items() if rule.clear_by == "nobody"}
    fixed = {"forged_code", "other_event", "under_age", "admission_stopped"}
    good = {"ok", "welcome_back", "not_inside"}
    assert never == fixed | good | {"nothing_left"}


def test_an_ok_exit_is_not_green() -> None:
    assert verdict_of("ok", "out") == "exited"
    assert verdict_of("ok", "in") == "admitted"
    assert verdict_of("unknown_code", "out") == "refused"


def test_what_the_guest_must_not_read_is_a_reason() -> None:
    assert set(REASONS) >= SENSITIVE


def sentences() -> list[str]:
    """The keys that the pages and the answers look up for every reason."""
    pairs = [(rule.verdict, reason) for reason, rule in REASONS.items()]
    pairs.append(("exited", "ok"))
    return [
        f"verdict.{verdict}.{reason}.{word}"
        for verdict, reason in pairs
        for word in ("message", "guest", "action")
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_reason_has_its_sentences(language: str) -> None:
    catalogue = json.loads((ROOT / f"web/i18n/{language}.json").read_text())
    assert [key for key in sentences() if key not in catalogue] == []
    spoken = {
        tuple(key.split(".")[1:3]) for key in catalogue if key.startswith("verdict.")
    }
    known = {tuple(key.split(".")[1:3]) for key in sentences()}
    assert spoken - known == set()
