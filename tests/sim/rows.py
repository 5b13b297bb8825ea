"""The tables of the model of PostgreSQL, and what is read from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.from_database import DatabaseFacts, DatabaseRead
from ops.admission.plan import Plan
from ops.admission.scan_facts import ScanFacts, Stored
from ops.cache.entry import DeviceEntry, Phase, TicketEntry, Visit
from tests.sim.guards import Guards

Place = tuple[UUID, UUID, int]
"""Ticket, scope, person."""

_DAY_STARTS = timedelta(hours=time(4).hour)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Row(msgspec.Struct):
    """A row of check_ins; `out_ms` 0: the person is inside."""

    k: UUID
    sc: UUID
    n: int
    p: int
    scan: UUID
    at_ms: int
    gate_no: int
    device_no: int
    mode: str
    confirmed: bool = False
    out_ms: int = 0
    exit_scan: UUID | None = None
    exit_gate_no: int = 0
    assumed: bool = False
    day: int = 0

    @property
    def open(self) -> bool:
        """Whether the person is inside."""
        return self.out_ms == 0

    @property
    def place(self) -> Place:
        """Who is where."""
        return self.k, self.sc, self.n


class Rows:
    """Tickets, visits, the log, conflicts, facts and counters."""

    def __init__(
        self, plan: Plan, tickets: dict[UUID, TicketEntry], guards: Guards
    ) -> None:
        self.plan, self.tickets, self.guards = plan, dict(tickets), guards
        self.devices: dict[UUID, DeviceEntry] = {}
        self.codes: dict[bytes, UUID] = {}
        self.places: dict[Place, list[Row]] = {}
        self.by_ticket: defaultdict[UUID, list[Row]] = defaultdict(list)
        self.log: dict[UUID, dict[str, Any]] = {}
        self.superseded: dict[UUID, UUID] = {}
        self.taken_over: set[UUID] = set()
        """Scans whose place a steward gave to another."""
        self.conflicts: list[tuple[str, UUID | None, UUID | None, UUID | None]] = []
        """Kind, ticket, winner, loser."""
        self.facts: list[tuple[str, UUID | None, UUID, UUID, int, int]] = []
        """Kind, scan, ticket, scope, person, pass."""
        self.inside: Counter[UUID] = Counter()
        self.disputed: Counter[UUID] = Counter()
        """People of conflicts, by area: they are inside without a row."""
        self.line_passes: dict[tuple[UUID, UUID], int] = {}
        """The pass that lines mean, by scan and scope, if it was placed on a later."""
        self.overfilled = 0

    @property
    def rows(self) -> list[Row]:
        """All rows."""
        return [row for rows in self.by_ticket.values() for row in rows]

    def at(self, place: Place) -> list[Row]:
        """The rows of a person in a scope."""
        return self.places.get(place, [])

    def of_scan(self, ticket_id: UUID | None, scan: UUID) -> list[Row]:
        """The rows that a scan made."""
        if ticket_id is None:
            return []
        return [row for row in self.by_ticket.get(ticket_id, ()) if row.scan == scan]

    def line_pass(self, row: Row) -> int:
        """`ops.line_pass_v1`: the pass that lines of the journal mean by a row."""
        return self.line_passes.get((row.scan, row.sc), row.p)

    def add(self, row: Row) -> None:
        """Insert."""
        self.by_ticket[row.k].append(row)
        self.places.setdefault(row.place, []).append(row)

    def remove(self, row: Row) -> None:
        """Take an insert back."""
        self.by_ticket[row.k].remove(row)
        self.places[row.place].remove(row)

    def free(self, row: Row) -> bool:
        """The unique keys of check_ins, those of entries."""
        if not self.guards.key:
            return True
        return not any(
            other.p == row.p or (other.open and row.open) or other.scan == row.scan
            for other in self.at(row.place)
        )

    # reading

    def newest(self, ticket_id: UUID) -> Iterable[Row]:
        """The newest pass of each person in each scope."""
        found: dict[Place, Row] = {}
        for row in self.by_ticket.get(ticket_id, ()):
            before = found.get(row.place)
            if before is None or row.p > before.p:
                found[row.place] = row
        return found.values()

    def visit(self, row: Row) -> Visit:
        """The row as the cache has it."""
        day, passes = row.day, 1
        if row.p > 1:
            days = Counter(one.day for one in self.at(row.place))
            day = max(days)
            passes = days[day]
        return Visit(
            row.p,
            Phase.OPEN if row.open else Phase.CLOSED,
            row.confirmed or not self.guards.amber,
            0,
            row.assumed,
            row.at_ms,
            row.gate_no,
            row.device_no,
            row.out_ms,
            row.exit_gate_no,
            row.scan.bytes,
            day,
            passes,
        )

    def passes(self, ticket_id: UUID) -> list[tuple[tuple[int, int], Visit]]:
        """All passes of a ticket in their order, as the drain reads them."""
        rows = sorted(self.by_ticket.get(ticket_id, ()), key=lambda one: one.p)
        return [((self.plan.scopes[row.sc].no, row.n), self.visit(row)) for row in rows]

    def visits(self, ticket_id: UUID) -> dict[tuple[int, int], Visit]:
        """The newest, by scope number and person."""
        return {
            (self.plan.scopes[row.sc].no, row.n): self.visit(row)
            for row in self.newest(ticket_id)
        }

    def read(self, reads: list[DatabaseRead]) -> DatabaseFacts:
        """`ops.read_facts_v1`."""
        scopes = {scope.id for one in reads for scope in one.scopes}
        areas = {self.plan.scopes[scope].area_id for scope in scopes}
        people = {scope: self.inside[scope] for scope in scopes}
        people |= {area: self.people_in(area) for area in areas}
        facts = []
        for one in reads:
            found = ScanFacts(self.devices.get(one.device_id), people=people)
            ticket_id = self.codes.get(one.code)
            if ticket_id is not None:
                found.ticket_id, found.ticket = ticket_id, self.tickets[ticket_id]
                asked = {scope.no for scope in one.scopes}
                found.visits = {
                    place: visit
                    for place, visit in self.visits(ticket_id).items()
                    if place[0] in asked
                }
            if self.guards.idempotency:
                found.stored = self.stored(one.scan_id)
            facts.append(found)
        return DatabaseFacts(self.plan.version, facts)

    def stored(self, scan_id: UUID) -> Stored | None:
        """The answer of the scan log."""
        row = self.log.get(scan_id)
        if row is None:
            return None
        return Stored(
            self.plan.event.id,
            row["d"],
            row["ch"],
            row["ve"],
            row["re"],
            row["ar"],
            row["at"],
            row["di"],
            row["k"],
            row["sc"],
            row["g"],
            row["p"],
            row["pe"],
            row["durable"],
            None,
            self.superseded.get(scan_id),
        )

    def people_in(self, area: UUID) -> int:
        """Who is in an area, those of conflicts too."""
        return self.disputed[area] + sum(
            self.inside[scope.id]
            for scope in self.plan.scopes.values()
            if scope.area_id == area
        )

    # writing

    def gate_no(self, gate_id: str | UUID | None) -> int:
        """The number of a gate, 0 for none."""
        return self.plan.gates[UUID(str(gate_id))].no if gate_id else 0

    def keep(self, row: dict[str, Any], at: datetime, durable: str) -> bool:
        """A row of the scan log, unless its scan has one."""
        scan = UUID(row["s"])
        if scan in self.log:
            return False
        found = {name: uuid(row[name]) for name in ("k", "sc", "g", "d")}
        self.log[scan] = row | found | {"at": at, "durable": durable}
        return True

    def confirm(self, scan_ids: list[UUID]) -> None:
        """The greens of these scans were shown."""
        wanted = set(scan_ids)
        for scan in wanted:
            kept = self.log.get(scan)
            tickets = [kept["k"]] if kept and kept["k"] else list(self.by_ticket)
            for ticket_id in tickets:
                for row in self.of_scan(ticket_id, scan):
                    row.confirmed = True


def uuid(text: str | None) -> UUID | None:
    """An id of a request."""
    return UUID(text) if text else None


def event_day(at: datetime) -> int:
    """Days since 1970; the day begins at four."""
    return (at - _DAY_STARTS - _EPOCH).days


def by_item(text: str) -> dict[int, list[dict[str, Any]]]:
    """Rows of a request by the scan they belong to."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in msgspec.json.decode(text):
        found.setdefault(row["i"], []).append(row)
    return found
