"""The catalogue of texts: both languages say the same things with the same words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
I18N = ROOT / "web" / "i18n"
PARAMETER = re.compile(r"\{(\w+)\}")

# The verdicts and reasons of the door, as its table of rules lists them.
REASONS = {
    "admitted": "ok welcome_back",
    "exited": "ok not_inside",
    "hold": "unconfirmed unpaid payment_due blocked area_full needs_answers "
    "needs_supervisor needs_count choose_session other_door unassigned_medium id_check",
    "refused": "unknown_code malformed_code forged_code other_event cancelled "
    "refunded reissued exchanged banned wrong_area too_early too_late "
    "not_registered seat_released already_inside re_entry_not_allowed "
    "passes_used already_used under_age nothing_left admission_stopped doors_closed",
}
# What the guest may not read on the screen: the cause stays behind a touch.
NEUTRAL = {"unpaid", "payment_due", "blocked", "forged_code", "banned"}


def catalogue(language: str) -> dict[str, str]:
    text = (I18N / f"{language}.json").read_text(encoding="utf-8")
    pairs: list[tuple[str, str]] = json.loads(text, object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs), "a key stands twice"
    return dict(pairs)


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("en").keys() == catalogue("fr").keys()


def test_both_languages_have_the_same_parameters() -> None:
    english, french = catalogue("en"), catalogue("fr")
    for key, text in english.items():
        assert set(PARAMETER.findall(text)) == set(PARAMETER.findall(french[key])), key


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_reason_has_its_sentences(language: str) -> None:
    texts = catalogue(language)
    for verdict, reasons in REASONS.items():
        for reason in reasons.split():
            for form in ("message", "guest", "action"):
                assert texts[f"verdict.{verdict}.{reason}.{form}"].strip()


def test_no_reason_is_made_up() -> None:
    known = {(v, r) for v, reasons in REASONS.items() for r in reasons.split()}
    for key in catalogue("en"):
        if key.startswith("verdict."):
            _, verdict, reason, _ = key.split(".")
            assert (verdict, reason) in known, key


def test_every_parameter_of_a_verdict_has_a_word_for_unknown() -> None:
    texts = catalogue("en")
    for key, text in texts.items():
        if key.startswith("verdict."):
            for parameter in PARAMETER.findall(text):
                assert f"default.{parameter}" in texts, key


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_guest_never_reads_a_delicate_cause(language: str) -> None:
    texts = catalogue(language)
    neutral = texts["verdict.hold.unpaid.guest"]
    for key, text in texts.items():
        if key.endswith(".guest") and key.split(".")[2] in NEUTRAL:
            assert text == neutral, key
