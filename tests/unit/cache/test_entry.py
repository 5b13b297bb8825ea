"""The packed entries: what is packed comes back, and their bytes sort as they must."""

from __future__ import annotations

import struct
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ops.cache import entry
from ops.cache.entry import (
    CodeState,
    DeviceEntry,
    Phase,
    TicketEntry,
    Visit,
    pack_code,
    pack_device,
    pack_ticket,
    pack_visit,
    unpack_device,
    unpack_ticket,
    unpack_visit,
    visit_key,
)

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
BYTES_16 = st.binary(min_size=16, max_size=16)

TICKETS = st.builds(
    TicketEntry,
    version=st.integers(0, 2**53),
    admits=U16,
    state=TEXT,
    type_no=U32,
    access_class=TEXT,
    name=TEXT,
    company=TEXT,
    seat=TEXT,
    flags=TEXTS,
    notes=TEXTS,
    valid_from_ms=st.integers(0, 2**53),
    valid_to_ms=st.integers(0, 2**53),
    registered=st.lists(U32, max_size=5).map(tuple),
    language=TEXT,
)
DEVICES = st.builds(
    DeviceEntry,
    version=st.integers(0, 2**53),
    no=U32,
    state=TEXT,
    profile=TEXT,
    name=TEXT,
    gate_no=U32,
    direction=TEXT,
    session_id=st.one_of(st.just(b""), BYTES_16),
    operator_id=st.one_of(st.just(b""), BYTES_16),
    operator_name=TEXT,
    operator_role=TEXT,
    operator_language=TEXT,
    operator_no=U32,
)
VISITS = st.builds(
    Visit,
    pass_no=U16,
    phase=st.sampled_from(Phase),
    confirmed=st.booleans(),
    undone=U8,
    exit_assumed=st.booleans(),
    entered_ms=U64,
    gate_no=U32,
    device_no=U32,
    left_ms=U64,
    exit_gate_no=U32,
    scan_id=BYTES_16,
)


@given(TICKETS)
def test_a_ticket_comes_back(ticket: TicketEntry) -> None:
    assert unpack_ticket(pack_ticket(ticket)) == ticket


@given(TICKETS)
def test_a_tickets_header_is_what_the_scripts_read(ticket: TicketEntry) -> None:
    """read_facts.lua: bytes 1-2 admits; put.lua: bytes 3-6 version."""
    admits, version = struct.unpack(">HI", pack_ticket(ticket)[:6])
    assert (admits, version) == (ticket.admits, ticket.version % 2**32)


@given(DEVICES)
def test_a_device_comes_back(device: DeviceEntry) -> None:
    packed = pack_device(device)
    assert unpack_device(packed) == device
    assert struct.unpack(">I", packed[:4]) == (device.version % 2**32,)


@given(VISITS)
def test_a_visit_comes_back(visit: Visit) -> None:
    packed = pack_visit(visit)
    assert len(packed) == 54
    assert unpack_visit(packed) == visit


@given(VISITS, VISITS)
def test_the_bytes_of_a_visit_sort_as_its_story_goes(a: Visit, b: Visit) -> None:
    """finish.lua keeps the greater of two headers (4 bytes)."""
    story = [(visit.pass_no, visit.phase, visit.confirmed) for visit in (a, b)]
    headers = [pack_visit(visit)[:4] for visit in (a, b)]
    assert (headers[0] < headers[1]) == (story[0] < story[1])
    assert (headers[0] == headers[1]) == (story[0] == story[1])


def test_each_step_of_a_visit_raises_its_header() -> None:
    fields = (0, False, 1_000, 1, 1, 0, 0, bytes(16))
    story = [
        Visit(1, Phase.OPEN, False, *fields),
        Visit(1, Phase.OPEN, True, *fields),
        Visit(1, Phase.CLOSED, True, *fields),
        Visit(1, Phase.UNDONE, True, *fields),
        Visit(2, Phase.OPEN, False, *fields),
    ]
    headers = [pack_visit(visit)[:4] for visit in story]
    assert headers == sorted(headers)
    assert len(set(headers)) == len(headers)


@given(VISITS)
def test_the_fields_that_finish_lua_reads_stand_where_it_reads_them(
    visit: Visit,
) -> None:
    packed = pack_visit(visit)
    # Lua counts from 1: u32(s, 15) is packed[14:18].
    assert int.from_bytes(packed[14:18], "big") == visit.gate_no
    assert int.from_bytes(packed[30:34], "big") == visit.exit_gate_no
    assert packed[4] == visit.undone
    assert packed[5] % 2 == visit.exit_assumed


@given(st.uuids(), U32, U16)
def test_the_key_of_a_visit(ticket: UUID, scope_no: int, person_no: int) -> None:
    key = visit_key(ticket, scope_no, person_no)
    assert key == visit_key(ticket.bytes, scope_no, person_no)
    assert len(key) == 22
    assert int.from_bytes(key[16:20], "big") == scope_no


@given(st.uuids(), st.sampled_from(CodeState))
def test_a_code(ticket: UUID, state: CodeState) -> None:
    packed = pack_code(ticket, state)
    assert (UUID(bytes=packed[:16]), packed[16]) == (ticket, state)


@given(st.integers(1, 7_000_000_000_000))
def test_times_keep_their_millisecond(value: int) -> None:
    assert abs(entry.ms(entry.from_ms(value)) - value) <= 1
