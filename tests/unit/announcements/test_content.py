"""Words in the reader's language, within limits."""

from __future__ import annotations

from ops.announcements.content import Words, words

FRENCH = {"fr": {"title": "Portes ouvertes", "content": "Entrez."}}


def test_a_reader_gets_his_language_or_the_announcements_own() -> None:
    assert words("Doors open", "Come in.", FRENCH, "fr-CA").title == "Portes ouvertes"
    assert words("Doors open", "Come in.", FRENCH, "en").title == "Doors open"
    assert words("Doors open", "Come in.", {}, None).content == "Come in."


def test_what_is_empty_or_endless_is_refused() -> None:
    assert Words("A", "B").problems() == {}
    assert set(Words(" ", "x" * 2001).problems()) == {"title", "content"}
    assert set(Words("x" * 121, "B").problems()) == {"title"}
