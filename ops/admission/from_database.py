"""Facts from PostgreSQL: the question and reply of `ops.read_facts_v1`, decoded."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from ops.admission.plan import ScopePlan
from ops.admission.scan_facts import OtherEvent, ScanFacts, Stored
from ops.cache.entry import (
    CodeState,
    DeviceEntry,
    Phase,
    Special,
    TicketEntry,
    Visit,
)


class DatabaseRead(msgspec.Struct, frozen=True):
    """One scan's question; `code` as in `CacheRead`."""

    scan_id: UUID
    code: bytes
    scopes: tuple[ScopePlan, ...]
    device_id: UUID
    uploaded: datetime | None = None
    """The door's time of an upload."""
    leaves: bool = False
    """An upload of an exit: later entries count, for entries later exits do."""


class DatabaseFacts(msgspec.Struct, frozen=True):
    """The reply, in the order of the reads."""

    plan_version: int
    facts: list[ScanFacts]


class _Query(msgspec.Struct, frozen=True, omit_defaults=True):
    i: int
    s: UUID
    sc: list[UUID]
    h: str | None = None
    t: UUID | None = None
    o: datetime | None = None
    ou: bool = False


class VisitRow(msgspec.Struct, frozen=True):
    """A visit as the SQL functions return it (`sc`, `tt` number scope and type)."""

    sc: int
    n: int
    p: int
    ph: int
    cf: bool
    un: int
    xa: bool
    in_ms: int
    out_ms: int
    g: int
    d: int
    xg: int
    s: UUID
    dy: int = 0
    du: int = 0
    dn: str | None = None
    on: str | None = None
    i: int = 0
    k: UUID | None = None
    tt: int = 0

    def visit(self) -> Visit:
        """The visit in the cache's shape."""
        return Visit(
            self.p,
            Phase(self.ph),
            self.cf,
            self.un,
            self.xa,
            self.in_ms,
            self.g,
            self.d,
            self.out_ms,
            self.xg,
            self.s.bytes,
            self.dy,
            self.du,
        )


class TicketRow(msgspec.Struct, frozen=True):
    """A row of `ops.ticket_entries_v1`."""

    id: UUID
    version: int
    admits: int
    state: str
    type_no: int
    access_class: str
    name: str
    company: str
    seat: str
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    valid_from_ms: int
    valid_to_ms: int
    registered: tuple[int, ...]
    language: str
    special: Special | None = None

    def entry(self) -> TicketEntry:
        """The ticket in the cache's shape."""
        return TicketEntry(
            self.version,
            self.admits,
            self.state,
            self.type_no,
            self.access_class,
            self.name,
            self.company,
            self.seat,
            self.flags,
            self.notes,
            self.valid_from_ms,
            self.valid_to_ms,
            self.registered,
            self.language,
            self.special,
        )


class DeviceRow(msgspec.Struct, frozen=True):
    """A row of `ops.device_entries_v1`."""

    id: UUID
    version: int
    no: int
    state: str
    profile: str
    name: str
    gate_no: int
    direction: str
    session_id: UUID | None
    operator_id: UUID | None
    operator_name: str
    operator_role: str
    operator_language: str
    operator_no: int
    skew_ms: int = 0

    def entry(self) -> DeviceEntry:
        """The device in the cache's shape."""
        return DeviceEntry(
            self.version,
            self.no,
            self.state,
            self.profile,
            self.name,
            self.gate_no,
            self.direction,
            self.session_id.bytes if self.session_id else b"",
            self.operator_id.bytes if self.operator_id else b"",
            self.operator_name,
            self.operator_role,
            self.operator_language,
            self.operator_no,
            self.skew_ms,
        )


class _ScanRow(msgspec.Struct, frozen=True):
    i: int
    ticket_id: UUID | None
    code_state: int
    ticket: TicketRow | None
    visits: list[VisitRow] | None
    stored: Stored | None
    other: OtherEvent | None
    unbound: bool = False
    later: bool = False
    covered: list[tuple[int, int]] | None = None


class _Reply(msgspec.Struct, frozen=True):
    plan: int
    devices: list[DeviceRow]
    scans: list[_ScanRow]
    people: dict[UUID, int] = {}
    kept: dict[UUID, int] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Reply)


def arguments(reads: list[DatabaseRead]) -> tuple[list[UUID], str]:
    """Device ids and the JSON of the scans, as `ops.read_facts_v1` takes them."""
    queries = []
    for index, read in enumerate(reads):
        scopes = [scope.id for scope in read.scopes]
        query = _Query(index, read.scan_id, scopes, o=read.uploaded, ou=read.leaves)
        if len(read.code) == 17:
            query = msgspec.structs.replace(query, t=UUID(bytes=read.code[1:]))
        else:
            query = msgspec.structs.replace(query, h=read.code.hex())
        queries.append(query)
    devices = list(dict.fromkeys(read.device_id for read in reads))
    return devices, _encoder.encode(queries).decode()


def parse(reads: list[DatabaseRead], reply: str) -> DatabaseFacts:
    """Decode the reply of `ops.read_facts_v1`."""
    answer = _decoder.decode(reply)
    devices = {row.id: row.entry() for row in answer.devices}
    facts = [
        ScanFacts(devices.get(read.device_id), people=answer.people, kept=answer.kept)
        for read in reads
    ]
    for row in answer.scans:
        one = facts[row.i]
        one.ticket_id = row.ticket_id
        one.code_state = CodeState(row.code_state)
        one.ticket = row.ticket.entry() if row.ticket else None
        one.stored = row.stored
        one.other_event = row.other
        one.unbound = row.unbound
        one.later = row.later
        one.covered = frozenset(row.covered or ())
        one.visits = {(v.sc, v.n): v.visit() for v in row.visits or ()}
        one.device_names = {v.d: v.dn for v in row.visits or () if v.dn}
        one.operators = {v.s.bytes: v.on for v in row.visits or () if v.on}
    return DatabaseFacts(answer.plan, facts)
