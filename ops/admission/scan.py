"""A scan as a client sends it (design: api.md). Unknown fields are ignored there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

CODE_LENGTH_MAX = 16_384
"""Longer than any symbol holds; what is longer than a ticket code is malformed."""
ADMIT_MAX = 500
SHOWN_MAX = 1000

Instant = Annotated[datetime, Meta(tz=True)]
Direction = Literal["in", "out"]
Method = Literal["qr_code", "manual", "nfc", "app", "kiosk"]
WhyText = Annotated[str, Meta(min_length=1, max_length=500)]


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """A supervisor's act: let in what the rules would not.

    It is a decision about one known state: `saw` is the reason that the screen gave,
    `previous` the scan in the way by it (`previous.scan_id` of that answer). If
    something else is in the way by now, that is answered instead.
    """

    reason: WhyText
    saw: Annotated[str, Meta(max_length=64)] | None = None
    previous: UUID | None = None


class DoorDecision(msgspec.Struct, frozen=True):
    """What a device decided and showed without the server (data, never an order)."""

    verdict: Literal["admitted", "exited", "hold", "refused"]
    reason: Annotated[str, Meta(max_length=64)] = ""
    at: Instant | None = None
    package: Annotated[str, Meta(max_length=128)] | None = None
    lease: Annotated[str, Meta(max_length=128)] | None = None
    people: Annotated[int, Meta(ge=0, le=ADMIT_MAX)] | None = None
    gate_id: UUID | None = None


class ScanRequest(msgspec.Struct, frozen=True):
    """One reading of a code by one device. `id` (UUIDv7) is the idempotency key."""

    id: UUID
    code: Annotated[str, Meta(max_length=CODE_LENGTH_MAX)]
    direction: Direction | None = None
    gate_id: UUID | None = None
    area_id: UUID | None = None
    session_id: UUID | None = None
    item_id: UUID | None = None
    scanned_at: Instant | None = None
    admit: Annotated[int, Meta(ge=1, le=ADMIT_MAX)] | None = None
    whole_order: bool = False
    method: Method = "qr_code"
    dry_run: bool = False
    offline: bool = False
    door: DoorDecision | None = None
    override: Override | None = None
    answers: dict[str, Any] | None = None
    take_over: UUID | None = None
    shown: Annotated[list[UUID], Meta(max_length=SHOWN_MAX)] = []
    seq: int | None = None


KNOWN_FIELDS = frozenset(ScanRequest.__struct_fields__)

_content = msgspec.json.Encoder()


def content_key(scan: ScanRequest) -> bytes:
    """The fields that make two scans with one id the same, as bytes to hash.

    code, direction, gate, area, session, item, admit, override, take_over and
    answers *as sent* (api.md); the others may differ on a retry.
    """
    return _content.encode(
        (
            scan.code,
            scan.direction,
            scan.gate_id,
            scan.area_id,
            scan.session_id,
            scan.item_id,
            scan.admit,
            scan.override,
            scan.take_over,
            scan.answers,
        )
    )
