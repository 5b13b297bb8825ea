"""The packed entries of the cache: how a ticket, a visit and a device look in Redis.

A fixed header in front of each entry is what the Lua scripts read (they hold no
rules and never unpack the rest). Sizes matter: 1,000,000 tickets lie in one hash.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from uuid import UUID

import msgspec


class CodeState(IntEnum):
    """Whether a code still opens its ticket."""

    LIVE = 0
    REISSUED = 1
    EXCHANGED = 2
    LOST = 3


class Phase(IntEnum):
    """Where a visit stands; phases only go up."""

    OPEN = 0
    CLOSED = 1
    UNDONE = 2


class Exemption(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What one ticket may at one scope (0: at all), instead of what its type may.

    None, 0 and "" leave the rule as it is; a window replaces all windows of the rule.
    """

    scope_no: int
    allowed: bool | None = None
    opens_ms: int = 0
    closes_ms: int = 0
    passes_total: int = 0
    passes_per_day: int = 0
    re_entry: str = ""


class Special(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What few tickets have; None in the entry of all others.

    `ban`: "" | banned | perhaps (the name and the date of birth of somebody banned),
    until `ban_until_ms` (0: without end). `born`: local date, or "". `age_seen`: an
    operator saw an ID of that age. `due`: what is still to pay, as a person reads it.
    `answered`: numbers of the questions that were answered. `released`: scope number
    and time of each seat that was given away.
    """

    exemptions: tuple[Exemption, ...] = ()
    ban: str = ""
    ban_until_ms: int = 0
    born: str = ""
    age_seen: int = 0
    due: str = ""
    answered: tuple[int, ...] = ()
    released: tuple[tuple[int, int], ...] = ()


NOTHING_SPECIAL = Special()


class TicketEntry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a decision and an answer need of a ticket.

    `registered` holds the scope numbers of the sessions the ticket is registered
    for; times are milliseconds since 1970, 0 for none.
    """

    version: int
    admits: int
    state: str
    type_no: int
    access_class: str
    name: str = ""
    company: str = ""
    seat: str = ""
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    valid_from_ms: int = 0
    valid_to_ms: int = 0
    registered: tuple[int, ...] = ()
    language: str = ""
    special: Special | None = None


class DeviceEntry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The state of a device that a scan needs; ids as 16 bytes, b'' for none."""

    version: int
    no: int
    state: str
    profile: str
    name: str
    gate_no: int = 0
    direction: str = ""
    session_id: bytes = b""
    operator_id: bytes = b""
    operator_name: str = ""
    operator_role: str = ""
    operator_language: str = ""
    operator_no: int = 0
    skew_ms: int = 0
    """How far its clock is ahead of ours."""


class Visit(msgspec.Struct, frozen=True, gc=False):
    """The newest pass of one person of a ticket in one scope.

    `undone` counts the passes taken back so far (they keep their number), so the
    passes used are `pass_no - undone`. Times are milliseconds since 1970. `day` is the
    latest event day with a pass that counts (days since 1970), `day_used` its passes.
    """

    pass_no: int
    phase: Phase
    confirmed: bool
    undone: int
    exit_assumed: bool
    entered_ms: int
    gate_no: int
    device_no: int
    left_ms: int
    exit_gate_no: int
    scan_id: bytes
    day: int = 0
    day_used: int = 0
    provisional: bool = False
    """Taken in mode D and not yet merged: PostgreSQL does not know it."""

    @property
    def used(self) -> int:
        """Passes used up."""
        return self.pass_no - self.undone

    @property
    def inside(self) -> bool:
        """Whether the person is present."""
        return self.phase is Phase.OPEN


# pass u16, phase u8, confirmed u8 | undone u8, flags u8, entered u64, gate u32,
# device u32, left u64, exit gate u32, scan id, day u16, passes of that day u16
_VISIT = struct.Struct(">HBBBBQIIQI16sHH")
_TICKET = struct.Struct(">HI")  # admits, version
_VERSION = struct.Struct(">I")
_VISIT_KEY = struct.Struct(">16sIH")
_FLAGS = 5
_EXIT_ASSUMED = 1
_PROVISIONAL = 2

_ticket_encoder = msgspec.msgpack.Encoder()
_ticket_decoder = msgspec.msgpack.Decoder(TicketEntry)
_device_decoder = msgspec.msgpack.Decoder(DeviceEntry)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def ms(at: datetime | None) -> int:
    """A time as whole milliseconds since 1970, as SQL's floor; None is 0."""
    return 0 if at is None else (at - _EPOCH) // _MS


def from_ms(value: int) -> datetime:
    """The time of `ms`, aware, in UTC."""
    return datetime.fromtimestamp(value / 1000, UTC)


def pack_ticket(entry: TicketEntry) -> bytes:
    """Header (admits u16, version u32) and the entry as a msgpack array."""
    return _TICKET.pack(
        entry.admits, entry.version & 0xFFFFFFFF
    ) + _ticket_encoder.encode(entry)


def unpack_ticket(data: bytes) -> TicketEntry:
    """The entry of `pack_ticket`."""
    return _ticket_decoder.decode(memoryview(data)[_TICKET.size :])


def pack_device(entry: DeviceEntry) -> bytes:
    """Header (version u32) and the entry as a msgpack array."""
    return _VERSION.pack(entry.version & 0xFFFFFFFF) + _ticket_encoder.encode(entry)


def unpack_device(data: bytes) -> DeviceEntry:
    """The entry of `pack_device`."""
    return _device_decoder.decode(memoryview(data)[_VERSION.size :])


def visit_key(ticket_id: UUID | bytes, scope_no: int, person_no: int) -> bytes:
    """The field of a visit in the hash of visits."""
    ticket = ticket_id if isinstance(ticket_id, bytes) else ticket_id.bytes
    return _VISIT_KEY.pack(ticket, scope_no, person_no)


def pack_visit(visit: Visit) -> bytes:
    """A visit as 54 bytes; byte order is the order in which writes win."""
    return _VISIT.pack(
        visit.pass_no,
        visit.phase,
        visit.confirmed,
        visit.undone,
        (_EXIT_ASSUMED if visit.exit_assumed else 0)
        | (_PROVISIONAL if visit.provisional else 0),
        visit.entered_ms,
        visit.gate_no,
        visit.device_no,
        visit.left_ms,
        visit.exit_gate_no,
        visit.scan_id,
        visit.day,
        visit.day_used,
    )


def unpack_visit(data: bytes) -> Visit:
    """The visit of `pack_visit`."""
    fields = _VISIT.unpack(data)
    return Visit(
        fields[0],
        Phase(fields[1]),
        bool(fields[2]),
        fields[3],
        bool(fields[4] & _EXIT_ASSUMED),
        fields[5],
        fields[6],
        fields[7],
        fields[8],
        fields[9],
        fields[10],
        fields[11],
        fields[12],
        bool(fields[4] & _PROVISIONAL),
    )


def provisional_ticket(key: bytes, packed: bytes) -> UUID | None:
    """The ticket of a packed visit if that is provisional; reads no more than that."""
    return UUID(bytes=key[:16]) if packed[_FLAGS] & _PROVISIONAL else None


def pack_code(ticket_id: UUID, state: CodeState) -> bytes:
    """The value of a code: its ticket and whether it still opens it."""
    return ticket_id.bytes + bytes((state,))
