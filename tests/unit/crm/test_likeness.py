"""Who is taken for whom."""

from __future__ import annotations

import pytest

from ops.crm.likeness import Known, compare, mailbox, name_ratio, phone_of, plain_name


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("(416) 555-0199", "Canada", "+14165550199"),
        ("+1 416 555 0199", "France", "+14165550199"),
        ("06 12 34 56 78", "France", "+33612345678"),
        ("0151 23456789", "DE", "+4915123456789"),
        ("416.555.0199", "Atlantis", "+14165550199"),
        ("call me", "Canada", ""),
        ("12", "Canada", ""),
        (None, None, ""),
    ],
)
def test_numbers_are_read_with_their_country(
    text: str | None, country: str | None, number: str
) -> None:
    assert phone_of(text, country) == number


def test_names_are_compared_without_accents_case_and_order() -> None:
    assert plain_name("Łukasz O'Brien") == plain_name("O’BRIEN  lukasz")
    assert name_ratio("Zoë Ngũgĩ", "ngugi, zoe") == 1
    assert name_ratio("李小龙", "李小龙") == 1
    assert name_ratio("", "李小龙") == 0
    assert name_ratio("Jonathan Smyth", "Jonathon Smith") > 0.82
    assert name_ratio("Anna Smith", "Peter Jones") < 0.6


def test_a_tag_of_a_mailbox_does_not_count() -> None:
    assert mailbox("Ana+shop@Example.org") == "ana@example.org"


def person(**more: str) -> Known:
    base = {
        "name": "Ana Tremblay",
        "email": "ana@example.org",
        "phone": "",
        "company": "",
        "city": "",
    }
    return Known(**{**base, **more})


def test_what_speaks_for_one_person() -> None:
    def score(**other: str) -> tuple[float, list[str]]:
        found = compare(
            person(phone="+14165550199", company="Acme", city="Laval"), person(**other)
        )
        return found.score, list(found.reasons)

    assert score(email="ana+x@example.org") == (1.0, ["email", "name"])
    assert score(email="b@x.org", phone="+14165550199") == (1.0, ["phone", "name"])
    # A family's number is no proof.
    shared = score(email="b@x.org", phone="+14165550199", name="Luc Gagnon")
    assert shared == (0.6, ["phone"])
    alone = score(email="b@x.org")
    assert alone[0] < 0.65
    assert alone[1] == ["name"]
    at_work = score(email="b@x.org", company="ACME", city="laval")
    assert at_work[0] > 0.9
    assert score(email="b@x.org", name="Peter Jones") == (0.0, [])
