"""Tokens, short codes and PINs, and what is stored of them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from uuid import UUID

SESSION_COOKIE = "ops_session"
CSRF_COOKIE = "ops_csrf"
CSRF_HEADER = "x-csrf-token"

STAFF_PREFIX = "staff"
DEVICE_PREFIX = "dev"
ATTENDEE_PREFIX = "att"

TOKEN_LENGTH_MAX = 160
"""A longer header value is not a token of ours and is not hashed."""

CODE_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
"""Letters and digits that a person reads from paper without doubt."""
PAIRING_CODE_LENGTH = 12
"""30 symbols: 58 bits, for codes that may live for the whole event."""
PIN_LENGTH = 6


def token_hash(token: str) -> bytes:
    """What is stored of a token; 256 random bits need no salt and no stretching."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def pairing_code() -> str:
    """A new code in groups of four, for reading aloud and typing."""
    text = "".join(secrets.choice(CODE_ALPHABET) for _ in range(PAIRING_CODE_LENGTH))
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def pin() -> str:
    """A new PIN; uniqueness within an event is the caller's business."""
    return f"{secrets.randbelow(10**PIN_LENGTH):0{PIN_LENGTH}d}"


def canonical_code(text: str) -> str:
    """A typed code without the spaces, hyphens and case of the one who typed it."""
    return "".join(text.split()).replace("-", "").upper()


def short_hash(secret_key: str, purpose: str, text: str) -> bytes:
    """What is stored of a short code: an HMAC, useless without the key.

    A plain hash of 58 bits (or of a PIN) could be searched by whoever copies the
    table; `purpose` keeps codes of different kinds and events apart.
    """
    message = f"{purpose}\x00{text}".encode("utf-8", "surrogatepass")
    return hmac.new(secret_key.encode(), message, hashlib.sha256).digest()


def pairing_hash(secret_key: str, code: str) -> bytes:
    """The stored form of a pairing or enrolment code."""
    return short_hash(secret_key, "pairing", canonical_code(code))


def pin_hash(secret_key: str, event_id: UUID, pin_text: str) -> bytes:
    """The stored form of an operator's PIN within an event."""
    return short_hash(secret_key, f"pin:{event_id}", pin_text.strip())


def badge_hash(secret_key: str, event_id: UUID, badge_code: str) -> bytes:
    """The stored form of an operator's badge code within an event."""
    return short_hash(secret_key, f"badge:{event_id}", badge_code.strip())
