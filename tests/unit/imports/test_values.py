"""Single cells: what regions, spreadsheets and exporters make of a value."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.imports import values
from ops.imports.values import BadValue
from ops.sheets.cells import unescape

TORONTO = ZoneInfo("America/Toronto")


def escape(payload: str) -> str:
    """What the exporters do, told from their side: the oracle of `unescape`."""
    if payload and payload[0] in "@+-=|%":
        return "'" + payload.replace("|", "\\|")
    return payload


@given(st.text("@+-=|%'a 0é", max_size=12))
def test_escaping_is_undone(payload: str) -> None:
    # Two texts with the same escaped form cannot be told apart; the exporter's wins.
    if payload[:1] == "'" and payload[1:2] in tuple("@+-=|%"):
        return
    if "\\" not in payload:
        assert unescape(escape(payload)) == payload


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("'@AT-0001", "@AT-0001"),
        ("'+491701234567", "+491701234567"),
        ("'|a\\|b", "|a|b"),
        ("'=a\\|b", "=a|b"),
        ("a\\|b", "a\\|b"),
        ("'Quote First", "'Quote First"),
        ("''=two quotes", "''=two quotes"),
        ("-5.00", "-5.00"),
        ("'", "'"),
    ],
)
def test_only_what_exporters_add_is_taken_off(cell: str, text: str) -> None:
    assert unescape(cell) == text


@pytest.mark.parametrize("cell", ["a\x00b", "a\ud800b", "\udcff", "x" * 1001])
def test_what_cannot_be_kept_is_bad(cell: str) -> None:
    with pytest.raises(BadValue):
        values.text(cell)


def test_text_is_one_line_in_nfc() -> None:
    assert values.text(" Zoe\u0308  O'Brien-Łukasz\r\nJr\t") == "Zoë O'Brien-Łukasz Jr"
    assert values.text("李小龙 🎟️") == "李小龙 🎟️"
    assert values.text("محمد عبد الله") == "محمد عبد الله"


@pytest.mark.parametrize(
    ("code", "mangled"),
    [
        ("1.2E+15", True),
        ("1,23457E+16", True),
        ("1e+21", True),
        ("123456789.0", True),
        ("1E10", False),
        ("5E12AB", False),
        ("123456789012345678901", False),
        ("0042", False),
        ("12.0", False),
    ],
)
def test_codes_that_spreadsheets_broke_are_told(code: str, mangled: bool) -> None:
    assert values.is_mangled(code) is mangled


@pytest.mark.parametrize(
    ("full", "first", "last", "names"),
    [
        ("Ada Lovelace", "", "", ("Ada", "Lovelace")),
        ("Zoë", "", "", ("Zoë", "")),
        ("李小龙", "", "", ("李小龙", "")),
        ("ignored", "Ng", "", ("Ng", "")),
        ("ignored", "", "Wu", ("Wu", "")),
        ("ignored", "محمد", "عبد الله الفارسي", ("محمد", "عبد الله الفارسي")),
        ("", "", "", ("", "")),
    ],
)
def test_names_and_one_word_names(
    full: str, first: str, last: str, names: tuple[str, str]
) -> None:
    assert values.names(full, first, last) == names


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        (" Guest.272@Example.org ", "guest.272@example.org"),
        ("'+49151@example.org", "+49151@example.org"),
        ("zoe\u0308@exämple.org", "zoë@exämple.org"),
        ("no address", ""),
        ("a@b", ""),
        ("a@example.org, b@example.org", ""),
        ("", ""),
    ],
)
def test_addresses_are_compared_in_lower_case(cell: str, address: str) -> None:
    assert values.email(cell)[0] == address


def test_addresses_are_kept_as_given_too() -> None:
    assert values.email(" A@Example.ORG ") == ("a@example.org", "A@Example.ORG")
    assert values.email("no address") == ("", "no address")


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("149.00", "149"),
        ("149,00", "149"),
        ("1.249,00", "1249"),
        ("1,249.00", "1249"),
        ("1 249,50 €", "1249.5"),
        ("1\u202f249,50\u00a0€", "1249.5"),
        ("1'249.50", "1249.5"),
        ("$12.5", "12.5"),
        ("CA$25", "25"),
        ("1,249", "1249"),
        ("1.249.000", "1249000"),
        ("Free", "0"),
        ("Gratuit", "0"),
        ("0", "0"),
    ],
)
def test_prices_of_all_regions(cell: str, amount: str) -> None:
    assert values.price(cell) == Decimal(amount)


def test_no_price_is_none_and_nonsense_is_bad() -> None:
    assert values.price("") is None
    for cell in ("a lot", "-5.00", "999999999"):
        with pytest.raises(BadValue):
            values.price(cell)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("paid", "valid"),
        ("bezahlt", "valid"),
        ("Payé", "valid"),
        ("ausstehend (bestätigt)", "valid"),
        ("en attente (confirmé)", "valid"),
        ("pending", "pending"),
        ("Freigabe ausstehend", "pending"),
        ("approbation en attente", "pending"),
        ("storniert", "cancelled"),
        ("annulé", "cancelled"),
        ("storniert (bezahlte Gebühr)", "cancelled"),
        ("abgelaufen", "expired"),
        ("expiré", "expired"),
        ("Refunded", "refunded"),
        ("ACTIVE", "valid"),
        ("AWAITING_PAYMENT", "unpaid"),
        ("Attending", "valid"),
        ("Not Attending", "cancelled"),
        ("Checked In", "valid"),
        ("approved", "valid"),
        ("declined", "cancelled"),
        ("", "valid"),
    ],
)
def test_status_words_in_their_languages(word: str, state: str) -> None:
    assert values.state(word) == state


def test_an_unknown_status_is_no_guess() -> None:
    with pytest.raises(BadValue):
        values.state("perhaps")


@pytest.mark.parametrize(
    ("cell", "days_first", "local"),
    [
        ("2026-11-21 12:20", False, "2026-11-21T12:20:00"),
        ("2026-09-08 07:43:06", False, "2026-09-08T07:43:06"),
        ("21.11.2026 12:20", False, "2026-11-21T12:20:00"),
        ("11/21/2026 12:20 p.m.", False, "2026-11-21T12:20:00"),
        ("11/21/2026 12:20 a.m.", False, "2026-11-21T00:20:00"),
        ("21/11/2026 12:20", True, "2026-11-21T12:20:00"),
        ("03/04/2026", True, "2026-04-03T00:00:00"),
        ("03/04/2026", False, "2026-03-04T00:00:00"),
        ("11/29/24 22:28", False, "2024-11-29T22:28:00"),
        ("Nov 21, 2026 at 9:05 PM", False, "2026-11-21T21:05:00"),
        ("21 novembre 2026 21h05", True, "2026-11-21T21:05:00"),
        ("21. März 2026", True, "2026-03-21T00:00:00"),
    ],
)
def test_times_of_all_regions(cell: str, days_first: bool, local: str) -> None:
    found = values.moment(cell, TORONTO, days_first)
    assert found == datetime.fromisoformat(local).replace(tzinfo=TORONTO)


def test_times_with_an_offset_keep_it() -> None:
    at = datetime(2026, 11, 21, 17, 20, tzinfo=UTC)
    for cell in ("2026-11-21T17:20:00.000Z", "2026-11-21 12:20:00-05:00"):
        assert values.moment(cell, TORONTO, False) == at


@pytest.mark.parametrize("cell", ["soon", "2026-02-30", "13/13/2026", "Foo 3, 2026"])
def test_no_dates_are_bad(cell: str) -> None:
    with pytest.raises(BadValue):
        values.moment(cell, TORONTO, False)


def test_the_file_shows_which_number_is_the_day() -> None:
    assert values.day_first(["03/04/2026", "21/11/2026"], False)
    assert not values.day_first(["03/04/2026", "11/21/2026"], True)
    assert values.day_first(["03/04/2026"], True)
    assert not values.day_first(["21.11.2026"], False)


@given(st.text(max_size=30))
def test_any_cell_is_a_value_or_a_bad_value(cell: str) -> None:
    for reading in (
        values.text,
        values.email,
        values.price,
        values.currency,
        values.flag,
        values.state,
        lambda cell: values.moment(cell, TORONTO, True),
    ):
        with contextlib.suppress(BadValue):
            reading(cell)
