"""Ticket codes: one text a ticket and issue, and nothing else passes for it."""

from __future__ import annotations

import base64
import json
import string
import timeit
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from ops.checkin import codes
from ops.checkin.codes import Fault, ForeignCode, Keyring, Malformed, OwnCode

SEED = bytes(range(32))
OTHER_SEED = bytes(range(1, 33))
KEYS = Keyring({1: bytes(SigningKey(SEED).verify_key)})
TICKET = UUID("0193a5c0-0000-7000-8000-00000000002a")
CODE = codes.sign(SEED, 1, TICKET, 0)
ALPHABET = string.ascii_uppercase + "234567"

tickets = st.uuids()
key_ids = st.integers(0, codes.KEY_ID_MAX)
issues = st.integers(0, codes.ISSUE_MAX)
positions = st.integers(0, len(CODE) - 1)


def decoded(text: str) -> bytes | None:
    """What a lenient decoder makes of a text, whatever our reader says."""
    try:
        return base64.b32decode(text + "====", casefold=True)
    except ValueError:
        return None


@given(tickets, key_ids, issues)
def test_a_code_tells_what_was_signed(ticket: UUID, key_id: int, issue: int) -> None:
    text = codes.sign(SEED, key_id, ticket, issue)
    own = codes.read(text)
    assert isinstance(own, OwnCode)
    assert (own.ticket_id, own.key_id, own.issue_no) == (ticket, key_id, issue)
    assert own.text == text == codes.spell(own.raw)
    keyring = Keyring.from_rows([(key_id, bytes(SigningKey(SEED).verify_key))])
    assert codes.verify(own, keyring) == "genuine"


def test_the_code_fits_the_alphanumeric_mode_of_a_qr_code() -> None:
    assert len(CODE) == 132
    assert set(CODE) <= set(ALPHABET)


@given(
    st.booleans(),
    st.lists(st.tuples(positions, st.sampled_from([" ", "-", "  ", "\u2009"]))),
    st.sampled_from(["", "HTTPS://EVENT.EXAMPLE/T/", "http://localhost:8000/t/"]),
    st.sampled_from(["", "\r\n", " ", "\t"]),
)
def test_case_gaps_and_addresses_are_normalised(
    lower: bool, gaps: list[tuple[int, str]], address: str, tail: str
) -> None:
    text = CODE.lower() if lower else CODE
    if not address:
        for place, gap in gaps:
            text = text[:place] + gap + text[place:]
    own = codes.read(address + text + tail)
    assert isinstance(own, OwnCode)
    assert own.text == CODE
    assert codes.code_hash(own.text) == codes.code_hash(CODE)


@given(positions, st.characters(min_codepoint=1, max_codepoint=0x2FFF))
def test_no_other_spelling_of_the_same_bytes_is_a_code(
    place: int, character: str
) -> None:
    """Any one character replaced: the same text again, or no code with these bytes."""
    text = CODE[:place] + character + CODE[place + 1 :]
    reading = codes.read(text)
    if isinstance(reading, OwnCode) and reading.text != CODE:
        assert reading.raw != base64.b32decode(CODE + "====")
        assert codes.verify(reading, KEYS) in ("forged", "unknown_key")
    if decoded(text) == decoded(CODE) and text.upper() != CODE:
        assert isinstance(reading, Malformed)


def test_a_lenient_decoder_would_take_sixteen_spellings() -> None:
    """The negative control of the test above: the danger is real."""
    spellings = [CODE[:-1] + last for last in ALPHABET]
    same = [text for text in spellings if decoded(text) == decoded(CODE)]
    assert len(same) == 16
    readings = [codes.read(text) for text in same]
    assert sum(isinstance(reading, OwnCode) for reading in readings) == 1
    assert readings.count(Malformed(Fault.PADDING_BITS)) == 15


@given(st.integers(0, 655))
def test_any_flipped_bit_is_forged(bit: int) -> None:
    raw = bytearray(base64.b32decode(CODE + "===="))
    raw[bit // 8] ^= 1 << bit % 8
    reading = codes.read(codes.spell(bytes(raw)))
    if bit // 8 == 0 and bit % 8 >= 6:
        assert reading == Malformed(Fault.UNKNOWN_FORMAT)
        return
    assert isinstance(reading, OwnCode)
    expected = "unknown_key" if bit // 8 == 0 else "forged"
    assert codes.verify(reading, KEYS) == expected


def test_an_untouched_code_is_genuine() -> None:
    own = codes.read(CODE)
    assert isinstance(own, OwnCode)
    assert codes.verify(own, KEYS) == "genuine"


def test_another_key_and_another_context_are_forged() -> None:
    other = codes.read(codes.sign(OTHER_SEED, 1, TICKET, 0))
    assert isinstance(other, OwnCode)
    assert codes.verify(other, KEYS) == "forged"
    payload = base64.b32decode(CODE + "====")[:18]
    bare = SigningKey(SEED).sign(payload).signature
    reading = codes.read(codes.spell(payload + bare))
    assert isinstance(reading, OwnCode)
    assert codes.verify(reading, KEYS) == "forged"


def test_rotation_keeps_old_codes_genuine() -> None:
    rotated = Keyring(
        {
            1: bytes(SigningKey(SEED).verify_key),
            2: bytes(SigningKey(OTHER_SEED).verify_key),
        }
    )
    new = codes.read(codes.sign(OTHER_SEED, 2, TICKET, 1))
    old = codes.read(CODE)
    assert isinstance(new, OwnCode)
    assert isinstance(old, OwnCode)
    assert codes.verify(new, rotated) == codes.verify(old, rotated) == "genuine"
    assert codes.verify(new, KEYS) == "unknown_key"
    assert codes.code_hash(new.text) != codes.code_hash(old.text)


def test_a_signature_with_a_second_form_is_forged() -> None:
    """S + L verifies in lenient libraries: a second text for the same ticket."""
    raw = base64.b32decode(CODE + "====")
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(raw[50:], "little") + order
    reading = codes.read(codes.spell(raw[:50] + scalar.to_bytes(32, "little")))
    assert isinstance(reading, OwnCode)
    assert codes.verify(reading, KEYS) == "forged"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", Fault.EMPTY),
        (" \r\n", Fault.EMPTY),
        ("x" * 513, Fault.TOO_LONG),
        ("BEGIN:VCARD\nVERSION:3.0\nFN:李小龙\nEND:VCARD", Fault.CONTROL_CHARACTER),
        ("BEGIN:VCARD VERSION:3.0", Fault.NOT_A_TICKET),
        ("MECARD:N:O'Brien-Łukasz;;", Fault.NOT_A_TICKET),
        ("AB\x00CD", Fault.CONTROL_CHARACTER),
        ("AB\x1dCD", Fault.CONTROL_CHARACTER),
        ("AB\x9cCD", Fault.CONTROL_CHARACTER),
        ("AB\ud800CD", Fault.NOT_TEXT),
        (CODE[:-1], Fault.WRONG_LENGTH),
        (CODE[:66], Fault.WRONG_LENGTH),
        (CODE + "A", Fault.WRONG_LENGTH),
        (CODE + "====", Fault.WRONG_ALPHABET),
        (CODE[:60] + "0" + CODE[61:], Fault.WRONG_ALPHABET),
        (CODE[:-1] + "B", Fault.PADDING_BITS),
        (CODE[:-1] + "b", Fault.PADDING_BITS),
        ("A" + CODE[1:], Fault.UNKNOWN_FORMAT),
        ("https://event.example/t/" + CODE[:-2], Fault.WRONG_LENGTH),
    ],
)
def test_what_can_be_nobodys_code_is_malformed(text: str, why: Fault) -> None:
    assert codes.read(text) == Malformed(why)


@pytest.mark.parametrize(
    "text",
    [
        "hello world",
        "0042",
        "rt8j32bq3t8m3u8h28w7fynmspfb4n44",
        "https://shop.example/ticket/RRYVC/1/",
        "https://shop.example/t/RRYVC",
        "==QCh5F8AdRJdQoqPOVwmr4F4cbO1dBRwkpdwFuYKViG3KtMCDRuWGLu49togVZ2fp5A1esKvX2",
        "Lq5F8AdRJdQoqPOVwmr4F4cbO1dBRwkpdwFuYKViG3KtMCDRuWGLu49togVZ2fp5A1esKvX2th05",
        "a" * 128,
        "0123456789abcdef" * 8,
        "🎟️-42",
        "李小龙",
    ],
)
def test_everything_else_may_be_sold_elsewhere_and_is_exact(text: str) -> None:
    assert codes.read(text) == ForeignCode(text)
    assert codes.read(f"  {text}\r\n") == ForeignCode(text)


def test_case_and_leading_zeros_of_foreign_codes_count() -> None:
    texts = ["ab12", "AB12", "0042", "42"]
    assert len({codes.code_hash(text) for text in texts}) == 4


@given(st.text(alphabet=st.characters(categories=None), max_size=600))
def test_any_text_is_read_and_what_is_a_code_can_be_hashed(text: str) -> None:
    reading = codes.read(text)
    if not isinstance(reading, Malformed):
        assert len(codes.code_hash(reading.text)) == codes.HASH_LENGTH
        assert codes.read(reading.text) == reading


def test_hints_show_the_end_only() -> None:
    assert codes.hint(CODE) == "…" + CODE[-4:]
    assert codes.hint("AB12") == "…12"
    assert codes.hint("7") == "…7"


@pytest.mark.parametrize(("key_id", "issue"), [(64, 0), (-1, 0), (1, 256), (1, -1)])
def test_numbers_that_do_not_fit_are_refused(key_id: int, issue: int) -> None:
    with pytest.raises(ValueError):
        codes.sign(SEED, key_id, TICKET, issue)


def test_keys_and_codes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError):
        Keyring({64: bytes(32)})
    with pytest.raises(ValueError):
        codes.spell(b"short")
    assert len(KEYS) == 1


def test_reading_a_plain_code_takes_microseconds() -> None:
    """A loose bound that only a change of algorithm breaks; 2 us where it was made."""
    seconds = min(
        timeit.repeat(
            lambda: codes.code_hash(codes.read(CODE).text),  # type: ignore[union-attr]
            number=1000,
            repeat=5,
        )
    )
    assert seconds / 1000 < 100e-6


UIDS = json.loads((Path(__file__).parents[2] / "contract" / "uids.json").read_text())


@pytest.mark.parametrize(("text", "wanted"), UIDS)
def test_a_tag_has_one_uid_whatever_reader_spelled_it(
    text: str, wanted: str | None
) -> None:
    """The device's JavaScript reads the same list (`tests/js/codes.test.mjs`)."""
    assert codes.uid(text) == wanted
    key = codes.key(text)
    assert key[:16] == codes.code_hash(text), "the exact text comes first"
    assert key[16:] == (codes.uid_hash(wanted) if wanted else b"")


def test_a_tag_is_no_sellers_code() -> None:
    """A code that differs from another one by case alone stays another one."""
    assert codes.code_hash("DEADBEEF") != codes.code_hash("deadbeef")
    assert codes.uid_hash("DEADBEEF") not in (
        codes.code_hash("DEADBEEF"),
        codes.code_hash("deadbeef"),
    )
