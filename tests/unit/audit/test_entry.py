"""What of an entry lies in the clear, what is sealed, what is not kept."""

from __future__ import annotations

from uuid import UUID

from ops.audit.entry import SYSTEM, UNSAID, Entry, Person, changed, split

ANNA = Person("contact", UUID(int=7))


def test_only_what_differs_is_kept() -> None:
    old, new = changed(
        {"first_name": "Anna", "status": "active", "phone": "1"},
        {"first_name": "Änne", "status": "active"},
    )
    assert (old, new) == ({"first_name": "Anna"}, {"first_name": "Änne"})
    assert changed(None, {"a": 1}) == ({}, {"a": 1})
    assert changed({"a": 1}, None) == ({"a": 1}, {})


def test_personal_values_are_sealed_and_others_are_not() -> None:
    parts = split(
        Entry(
            SYSTEM,
            "contacts.update",
            before={"first_name": "李小龙", "status": "active", "company_id": None},
            after={"first_name": "Łukasz", "status": "blocked", "company_id": 3},
            person=ANNA,
        )
    )
    assert parts.personal == {
        "before": {"first_name": "李小龙"},
        "after": {"first_name": "Łukasz"},
    }
    assert parts.plain == {
        "before": {"status": "active", "company_id": None},
        "after": {"status": "blocked", "company_id": 3},
    }


def test_without_a_person_a_value_is_only_told_as_changed() -> None:
    parts = split(
        Entry(SYSTEM, "notes.create", after={"content": "call O'Brien", "title": None})
    )
    assert parts.personal == {}
    assert parts.plain == {"after": {"content": UNSAID, "title": None}}


def test_secrets_are_never_kept() -> None:
    parts = split(
        Entry(SYSTEM, "users.update", after={"password_hash": "x"}, person=ANNA)
    )
    assert parts.personal == {}
    assert parts.plain == {"after": {"password_hash": UNSAID}}


def test_a_long_text_is_cut() -> None:
    parts = split(Entry(SYSTEM, "x", after={"content": "é" * 9_000}, person=ANNA))
    assert len(parts.personal["after"]["content"]) == 4_001
