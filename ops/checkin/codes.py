"""Ticket codes: made, read and verified. Pure.

An own code is 82 bytes in base32: one byte of format (2 bits) and key id (6 bits), the
ticket's id (16), the issue number (1), an Ed25519 signature (64) over a context string
and those 18 bytes. It holds no personal data. Every ticket has exactly one text per
issue: base32 has spellings that decode to the same bytes, and they are malformed.

A code sold elsewhere is any other text, taken exactly: case and leading zeros count.
`docs/subsystems/codes.md` shows the format and what each kind of text is read as.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from ops.ids import TicketId

CONTEXT = b"event-day-ops/ticket-code/1\0"
"""Signed before the payload, so that no other signature of ours is ever a code."""

FORMAT = 1
KEY_ID_MAX = 63  # six bits of the first byte
ISSUE_MAX = 255  # one byte
TEXT_LENGTH_MAX = 512  # of a code as read; the longest known seller's has 150
HASH_LENGTH = 16
UID_LENGTHS = (4, 7, 10)
"""Bytes of the UID of an NFC tag (ISO 14443)."""

_PAYLOAD_LENGTH = 18
_RAW_LENGTH = 82
_TEXT_LENGTH = 132  # 660 bits: 656 of the raw code, 4 that must be zero
_PADDING_BITS = 4
# A shorter stem cannot be told from a code sold elsewhere: the look-up decides.
_STEM_LENGTH_MIN = 40
_STRAY_CASE_MAX = 2

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BASE32HEX = "0123456789abcdefghijklmnopqrstuv"
# int(text, 32) reads the digits of base32hex; it is ten times faster than b32decode.
_TO_HEX = str.maketrans(_BASE32, _BASE32HEX)

# The format's two bits make the first character I to P, the zero bits the last A or Q.
_CANONICAL = re.compile(r"[I-P][A-Z2-7]{130}[AQ]")
_STEM = re.compile(r"[I-P][A-Z0-9=]*")
_ALPHABET = re.compile(r"[A-Z2-7]*")
_GAPS = re.compile(r"[\s-]+")
_URL = re.compile(r"https?://[^/\s]+/t/([^/?#]*)(?:[/?#].*)?", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_CARD = re.compile(r"(?:BEGIN:VCARD|MECARD:|BEGIN:VCALENDAR|WIFI:)", re.IGNORECASE)
_UID = re.compile(r"[0-9A-F]{2}(?:([:\-. ]?)[0-9A-F]{2})(?:\1[0-9A-F]{2})+")
_OUTER_SPACE = " \t\r\n"


class OwnCode(msgspec.Struct, frozen=True, tag="own"):
    """A code in our format. Nothing is known yet about its signature."""

    text: str
    raw: bytes

    @property
    def key_id(self) -> int:
        """The id of the key that is said to have signed."""
        return self.raw[0] & KEY_ID_MAX

    @property
    def ticket_id(self) -> TicketId:
        """The ticket that the code speaks of."""
        return TicketId(UUID(bytes=self.raw[1:17]))

    @property
    def issue_no(self) -> int:
        """0 for the first code of a ticket, one more with each reissue."""
        return self.raw[17]

    @property
    def signature(self) -> bytes:
        """64 bytes, Ed25519."""
        return self.raw[_PAYLOAD_LENGTH:]


class ForeignCode(msgspec.Struct, frozen=True, tag="foreign"):
    """Any text that may be a code sold elsewhere: exact, outer white space removed."""

    text: str


class Fault(StrEnum):
    """Why a text can be nobody's ticket code."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = "control_character"
    NOT_TEXT = "not_text"
    NOT_A_TICKET = "not_a_ticket"
    WRONG_LENGTH = "wrong_length"
    WRONG_ALPHABET = "wrong_alphabet"
    PADDING_BITS = "padding_bits"
    UNKNOWN_FORMAT = "unknown_format"


class Malformed(msgspec.Struct, frozen=True, tag="malformed"):
    """A text that is no ticket code, or one of ours that was damaged on the way."""

    why: Fault


Reading: TypeAlias = OwnCode | ForeignCode | Malformed
Verdict: TypeAlias = Literal["genuine", "forged", "unknown_key"]


class Keyring:
    """The public keys that codes may be signed with, by key id."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        """Take 32-byte public keys by id.

        Raises:
            ValueError: an id outside 0..63 or a key of another length.
        """
        for key_id in keys:
            _check_key_id(key_id)
        self._keys = {key_id: VerifyKey(bytes(key)) for key_id, key in keys.items()}

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[int, bytes]]) -> Keyring:
        """Make a keyring from rows of (key_id, public_key), as `ops.signing_keys`."""
        return cls(dict(rows))

    def get(self, key_id: int) -> VerifyKey | None:
        """The key of that id, or None."""
        return self._keys.get(key_id)

    def public(self) -> dict[int, bytes]:
        """The public keys by id, 32 bytes each."""
        return {key_id: bytes(key) for key_id, key in self._keys.items()}

    def __len__(self) -> int:
        return len(self._keys)


def _check_key_id(key_id: int) -> None:
    if not 0 <= key_id <= KEY_ID_MAX:
        raise ValueError(f"a key id is 0 to {KEY_ID_MAX}, not {key_id}")


def sign(private_key: bytes, key_id: int, ticket_id: UUID, issue_no: int) -> str:
    """Make the code of one issue of a ticket: 132 characters.

    Ed25519 is deterministic: the same arguments give the same text.

    Args:
        private_key: the 32-byte seed.
        issue_no: 0 for the first code, one more with each reissue, at most 255.

    Raises:
        ValueError: a key id or issue number that does not fit.
    """
    _check_key_id(key_id)
    if not 0 <= issue_no <= ISSUE_MAX:
        raise ValueError(f"an issue number is 0 to {ISSUE_MAX}, not {issue_no}")
    payload = bytes([FORMAT << 6 | key_id]) + ticket_id.bytes + bytes([issue_no])
    return spell(payload + SigningKey(private_key).sign(CONTEXT + payload).signature)


def spell(raw: bytes) -> str:
    """Write the 82 bytes of a code as its canonical text."""
    if len(raw) != _RAW_LENGTH:
        raise ValueError(f"a code has {_RAW_LENGTH} bytes, not {len(raw)}")
    return base64.b32encode(raw).decode().rstrip("=")


def read(text: str) -> Reading:
    """Say what a text is, as scanned, typed, pasted or imported.

    Never raises. Own codes come back in their canonical form, whatever case, spaces,
    hyphens or address they came with.
    """
    if _CANONICAL.fullmatch(text):
        return _own(text)
    if len(text) > TEXT_LENGTH_MAX:
        return Malformed(Fault.TOO_LONG)
    exact = text.strip(_OUTER_SPACE)
    if not exact:
        return Malformed(Fault.EMPTY)
    address = _URL.fullmatch(exact)
    own = _read_own(address.group(1) if address else exact)
    if own is not None:
        return own
    if _CONTROL.search(exact):
        return Malformed(Fault.CONTROL_CHARACTER)
    if _CARD.match(exact):
        return Malformed(Fault.NOT_A_TICKET)
    try:
        exact.encode()
    except UnicodeEncodeError:
        return Malformed(Fault.NOT_TEXT)
    return ForeignCode(exact)


def _read_own(spelled: str) -> OwnCode | Malformed | None:
    """Read a text as an own code; None if nothing says that it is one."""
    squeezed = _GAPS.sub("", spelled)
    if not squeezed.isascii():  # some letters of other scripts have A to Z above them
        return None
    text = squeezed.upper()
    if _CANONICAL.fullmatch(text):
        return _own(text)
    if len(text) == _TEXT_LENGTH and _ALPHABET.fullmatch(text):
        ours = "I" <= text[0] <= "P"
        return Malformed(Fault.PADDING_BITS if ours else Fault.UNKNOWN_FORMAT)
    if len(text) < _STEM_LENGTH_MIN or not _STEM.fullmatch(text):
        return None
    # Ours are read in one case, but for a damaged letter; others' base64 mixes cases.
    lower = sum(map(str.islower, spelled))
    upper = sum(map(str.isupper, spelled))
    if min(lower, upper) > _STRAY_CASE_MAX:
        return None
    if not _ALPHABET.fullmatch(text):
        return Malformed(Fault.WRONG_ALPHABET)
    return Malformed(Fault.WRONG_LENGTH)


def _own(text: str) -> OwnCode:
    number = int(text.translate(_TO_HEX), 32) >> _PADDING_BITS
    return OwnCode(text, number.to_bytes(_RAW_LENGTH, "big"))


def verify(own: OwnCode, keyring: Keyring) -> Verdict:
    """Check the signature, about 50 us. Needed only where a code's hash is not found:
    a hash that is found proves the exact text, signature included.
    """
    key = keyring.get(own.key_id)
    if key is None:
        return "unknown_key"
    try:
        key.verify(CONTEXT + own.raw[:_PAYLOAD_LENGTH], own.signature)
    except BadSignatureError:
        return "forged"
    return "genuine"


def code_hash(text: str) -> bytes:
    """The 16 bytes by which a code is looked up, from the text that `read` gave.

    Raises:
        UnicodeEncodeError: a lone surrogate, which `read` calls malformed.
    """
    return hashlib.sha256(text.encode()).digest()[:HASH_LENGTH]


def uid(text: str) -> str | None:
    """The one form of an NFC tag's UID, whatever reader spelled it: `04A2B9C1D2E380`.

    Readers write pairs of hexadecimal digits with colons, hyphens, dots, spaces or
    nothing between, in capitals or not. None: this is no UID.
    """
    found = text.strip(_OUTER_SPACE).upper()
    if not found.isascii() or not _UID.fullmatch(found):
        return None
    digits = re.sub(r"[^0-9A-F]", "", found)
    return digits if len(digits) // 2 in UID_LENGTHS else None


def uid_hash(digits: str) -> bytes:
    """The 16 bytes by which a tag is looked up. No seller's code has them: those are
    exact, so a tag is never what differs from one by case alone."""
    return code_hash(f"nfc-uid/{digits}")


def key(text: str) -> bytes:
    """What a read text is looked up by: the hash of the exact text and, where it may be
    a tag's UID, behind it the hash of that. The first that is known counts."""
    digits = uid(text)
    return code_hash(text) + (uid_hash(digits) if digits else b"")


def hint(text: str) -> str:
    """The last characters of a code, for people to compare: enough to tell two
    tickets apart at a desk, too little to make a code from.
    """
    return "…" + text[-4:] if len(text) >= 8 else "…" + text[len(text) // 2 :]
