"""The format of a package: what goes in comes out, and nothing else can be read."""

from __future__ import annotations

import json
import struct
import zlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from ops.ids import uuid7
from ops.offline.cursor import Cursor, parse
from ops.offline.package import (
    VISIT_COLUMNS,
    CodeRow,
    Contents,
    Signing,
    TicketRow,
    VisitRow,
    json_section,
    read,
    signed_part,
    write,
)
from ops.offline.sealing import ShiftKey

KEY = SigningKey(bytes(range(32)))
SIGNING = Signing(3, lambda message: bytes(KEY.sign(message).signature))
NOW = datetime(2026, 6, 12, 9, tzinfo=UTC)


def row(ticket: UUID, name: str) -> TicketRow:
    """A ticket as PostgreSQL tells it."""
    people = [name, "", "", [], ["Give the blue lanyard"], "fr"]
    return TicketRow(ticket, '{"admits": 1, "state": "valid"}', json.dumps(people))


def test_what_goes_in_comes_out() -> None:
    shift = ShiftKey(uuid7(), bytes(32), NOW)
    tickets = sorted(uuid7() for _ in range(2_500))
    contents = Contents(shift.seal)
    rows = [row(ticket, f"李小龙 {n}") for n, ticket in enumerate(tickets)]
    contents.add_tickets(rows[:700])
    contents.add_tickets(rows[700:])
    contents.add_codes([CodeRow(bytes([7]) * 16, tickets[2_400], 1)])
    contents.add_codes([CodeRow(bytes([8]) * 16, uuid7(), 0)])  # no such ticket
    numbers = (9, 2, 3, 37, 1_700_000_123, 8, 7, 5, 4, 1)
    contents.add_visits([VisitRow(tickets[5], *numbers)])
    head, found = read(
        write(
            {"kind": "full"},
            [*contents.sections(), json_section("plan", b"{}")],
            SIGNING,
        )
    )
    assert (head["kind"], head["signed_by"]) == ("full", 3)
    assert found["ids"] == b"".join(ticket.bytes for ticket in tickets)
    [shape] = msgspec.json.decode(found["shapes"])
    assert shape == {"admits": 1, "state": "valid"}
    assert found["code_hashes"] == bytes([7]) * 12
    assert struct.unpack("<I", found["code_tickets"]) == (2_400,)
    values = struct.unpack(f"<{len(VISIT_COLUMNS)}I", found["visits"])
    assert values == (5, *numbers)
    blocks, at = [], 0
    while at < len(found["names"]):
        size = int.from_bytes(found["names"][at : at + 4], "little")
        blocks.append(found["names"][at + 4 : at + 4 + size])
        at += 4 + size
    assert len(blocks) == 3
    people = msgspec.json.decode(zlib.decompress(shift.open(blocks[2])))
    assert people[0][:2] == ["李小龙 2000", ""]
    assert "李小龙".encode() not in found["names"]
    with pytest.raises(InvalidTag):
        ShiftKey(shift.id, bytes([1]) * 32, NOW).open(blocks[0])


def test_a_changed_byte_is_not_signed() -> None:
    package = write({"kind": "full"}, [json_section("plan", b"{}")], SIGNING)
    message, signature = signed_part(package)
    KEY.verify_key.verify(message, signature)
    for at in (0, 12, len(package) // 2, len(package) - 65):
        changed = bytearray(package)
        changed[at] ^= 1
        message, signature = signed_part(bytes(changed))
        with pytest.raises(BadSignatureError):
            KEY.verify_key.verify(message, signature)


def test_another_version_is_refused() -> None:
    package = bytearray(write({}, [], SIGNING))
    package[4] = 9
    with pytest.raises(ValueError, match="not an offline package"):
        read(bytes(package))


def cursor(**change: object) -> Cursor:
    made = Cursor("7", 1, 500, int(NOW.timestamp() * 1000))
    return msgspec.structs.replace(made, **change)


def test_a_cursor_of_another_history_reaches_nothing() -> None:
    later = int((NOW + timedelta(minutes=1)).timestamp() * 1000)
    now = cursor(xmin=900, made_ms=later)
    assert cursor().reaches(now, 905)
    assert not cursor(system="8").reaches(now, 905), "another database"
    assert not cursor(timeline=2).reaches(now, 905), "restored to an earlier time"
    assert not cursor(xmin=906).reaches(now, 905), "from the future"
    old = int((NOW - timedelta(hours=40)).timestamp() * 1000)
    assert not cursor(made_ms=old).reaches(now, 905), "its changes may be gone"
    assert parse(cursor().text) == cursor()


@given(st.text(max_size=60))
def test_rubbish_is_no_cursor(text: str) -> None:
    found = parse(text)
    assert found is None or found.text
