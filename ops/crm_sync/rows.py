"""Rows of PostgreSQL as entries of the cache. Pure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from ops.cache.entry import (
    CodeState,
    DeviceEntry,
    Phase,
    TicketEntry,
    Visit,
    pack_code,
    pack_device,
    pack_ticket,
)

Row = Any
"""A record of asyncpg or a dict with the columns of the view."""


_ticket_decoder = msgspec.json.Decoder(TicketEntry)
_CODE_STATES = {int(state): state for state in CodeState}


def ticket(row: Row) -> bytes:
    """A row of `statements.TICKETS`, packed."""
    return pack_ticket(_ticket_decoder.decode(row["entry"]))


def device(row: Row) -> bytes:
    """A row of `ops.device_entries_v1`, packed."""
    session_id: UUID | None = row["session_id"]
    operator_id: UUID | None = row["operator_id"]
    return pack_device(
        DeviceEntry(
            row["version"],
            row["no"],
            row["state"],
            row["profile"],
            row["name"],
            row["gate_no"],
            row["direction"],
            session_id.bytes if session_id else b"",
            operator_id.bytes if operator_id else b"",
            row["operator_name"],
            row["operator_role"],
            row["operator_language"],
            row["operator_no"],
            row["skew_ms"],
        )
    )


def code(row: Row) -> bytes:
    """A row of the codes, packed."""
    return pack_code(row["ticket_id"], _CODE_STATES[row["state"]])


def visit(row: Row) -> Visit:
    """A row of the visits."""
    return Visit(
        row["p"],
        Phase(row["ph"]),
        row["cf"],
        row["un"],
        row["xa"],
        row["in_ms"],
        row["g"],
        row["d"],
        row["out_ms"],
        row["xg"],
        row["s"].bytes,
        row["dy"],
        row["du"],
    )
