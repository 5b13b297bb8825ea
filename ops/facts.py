"""Facts: what happened at the door, in the past tense, never altered.

A fact is a row of `ops.facts`, written in the transaction of what it tells; effects
in the CRM, figures and reports are computed from nothing else. It carries ids, never
names, so that it may outlive the person. New fields get defaults, no field is renamed;
readers understand `v` and the version before it.

"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

VERSION = 1


class DoorFact(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all facts of the door tell: which scan, of which ticket, where, by whom."""

    v: int = VERSION
    event_id: UUID
    ticket_id: UUID
    scope_id: UUID
    person_no: int = 1
    pass_no: int = 1
    scan_id: UUID
    gate_id: UUID | None = None
    device_id: UUID | None = None
    operator_id: UUID | None = None
    at: datetime


class Admitted(DoorFact, frozen=True, kw_only=True, tag="admitted"):
    """One person entered one scope."""


class Exited(DoorFact, frozen=True, kw_only=True, tag="exited"):
    """One person left one scope; `assumed` where nobody saw it."""

    assumed: bool = False


class Undone(DoorFact, frozen=True, kw_only=True, tag="undone"):
    """One admission, by `undone_scan_id`, was taken back by the undo `scan_id`."""

    undone_scan_id: UUID
    reason: str | None = None


class Alert(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="alert"):
    """Something that a person should hear of: `name` says what, `args` carries ids.

    vip_arrived {attendee_id, contact_id, owner_id, task_id}, relay_behind {rows,
    seconds}, cache_differs {counters}, check_in_opened and check_in_closed
    {session_id}.
    """

    v: int = VERSION
    event_id: UUID
    name: str
    args: dict[str, Any] = {}
    at: datetime


Fact = Admitted | Exited | Undone | Alert

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def kind(fact: Fact) -> str:
    """The stable word of the column `kind`, the same as in the payload."""
    return str(type(fact).__struct_config__.tag)


def encode_object(fact: Fact) -> dict[str, Any]:
    """The payload of a fact as the object that a jsonb parameter takes."""
    found: dict[str, Any] = msgspec.to_builtins(fact)
    return found


def encode(fact: Fact) -> str:
    """The payload of a fact as the text of a JSON object."""
    return _encoder.encode(fact).decode()


def decode(payload: str | bytes) -> Fact:
    """A fact from its payload; fields that this release does not know are passed over.

    Raises:
        msgspec.ValidationError: not a fact of a known kind.
    """
    return _decoder.decode(payload)
