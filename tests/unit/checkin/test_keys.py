"""Sealing: what was sealed opens with the same secret key, and only with it."""

from __future__ import annotations

import pytest

from ops.checkin.keys import Seal, sealing_key
from ops.errors import SettingsError

SECRET = "a-secret-key-of-a-test-with-32-chars"


@pytest.mark.parametrize("text", ["0042", "O'Brien-Łukasz", "李小龙 🎟️"])
def test_a_sealed_code_opens(text: str) -> None:
    sealed = Seal(SECRET).close(text)
    assert Seal(SECRET).open(sealed) == text
    assert text.encode() not in sealed


def test_another_secret_key_and_a_changed_byte_do_not_open() -> None:
    sealed = Seal(SECRET).close("0042")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for seal, data in ((Seal(SECRET + "x"), sealed), (Seal(SECRET), changed)):
        with pytest.raises(SettingsError, match="OPS_SECRET_KEY"):
            seal.open(data)


def test_each_purpose_has_a_key_of_its_own() -> None:
    purposes = (b"ops.signing_keys", b"ops.ticket_codes")
    assert len({sealing_key(SECRET, purpose) for purpose in purposes}) == 2
