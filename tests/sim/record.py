"""A model of PostgreSQL as the door uses it: the functions of ops/db/sql, in memory.

It takes the requests that the server sends (their JSON) and gives the replies that the
server reads. `tests/sim/test_conformance.py` holds it to the real functions.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.admission import merge
from ops.admission.commit import CommitReply, CommitRequest, Full
from ops.admission.from_database import DatabaseFacts, DatabaseRead, VisitRow
from ops.admission.plan import Plan
from ops.admission.scan_facts import ScanFacts, Stored
from ops.cache.entry import DeviceEntry, Phase, TicketEntry, Visit, ms

Place = tuple[UUID, UUID, int]
"""Ticket, scope, person."""

NOBODY = UUID(int=0)
"""Ends a pass that must have ended: a later one was merged before it."""


class Row(msgspec.Struct):
    """A row of check_ins."""

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
    line_pass: int = 0
    """The pass that lines mean by it, if it was placed on a later one."""

    @property
    def lp(self) -> int:
        """The pass that lines mean by it."""
        return self.line_pass or self.p

    @property
    def open(self) -> bool:
        """Whether the person is inside."""
        return self.exit_scan is None

    @property
    def place(self) -> Place:
        """Who is where."""
        return self.k, self.sc, self.n


class Guards(msgspec.Struct, frozen=True):
    """What holds the promises; a negative control takes one away."""

    fence: bool = True
    key: bool = True
    journal: bool = True
    epoch: bool = True
    idempotency: bool = True
    look: bool = True


class Record:
    """Tickets, visits, the log, conflicts, facts and counters."""

    def __init__(
        self, plan: Plan, tickets: dict[UUID, TicketEntry], guards: Guards
    ) -> None:
        self.plan, self.tickets, self.guards = plan, dict(tickets), guards
        self.devices: dict[UUID, DeviceEntry] = {}
        self.codes: dict[bytes, UUID] = {}
        self.rows: list[Row] = []
        self.log: dict[UUID, dict[str, Any]] = {}
        self.superseded: dict[UUID, UUID] = {}
        self.conflicts: list[tuple[str, UUID, UUID | None, UUID | None]] = []
        self.facts: list[tuple[str, UUID, UUID, UUID, int, int]] = []
        self.inside: Counter[UUID] = Counter()
        self.overfilled = 0

    # reading

    def newest(self, ticket_id: UUID) -> dict[tuple[UUID, int], Row]:
        """The newest pass of each person in each scope."""
        found: dict[tuple[UUID, int], Row] = {}
        for row in self.rows:
            if row.k == ticket_id:
                before = found.get((row.sc, row.n))
                if before is None or row.p > before.p:
                    found[row.sc, row.n] = row
        return found

    def visit(self, row: Row) -> Visit:
        """The row as the cache has it."""
        return Visit(
            row.p,
            Phase.OPEN if row.open else Phase.CLOSED,
            row.confirmed,
            0,
            row.assumed,
            row.at_ms,
            row.gate_no,
            row.device_no,
            row.out_ms,
            row.exit_gate_no,
            row.scan.bytes,
        )

    def passes(self, ticket_id: UUID) -> list[tuple[tuple[int, int], Visit]]:
        """All passes of a ticket in their order, as the drain reads them."""
        rows = sorted(
            (row for row in self.rows if row.k == ticket_id), key=lambda one: one.p
        )
        return [((self.plan.scopes[row.sc].no, row.n), self.visit(row)) for row in rows]

    def visits(self, ticket_id: UUID) -> dict[tuple[int, int], Visit]:
        """The newest, by scope number and person."""
        return {
            (self.plan.scopes[scope].no, person): self.visit(row)
            for (scope, person), row in self.newest(ticket_id).items()
        }

    def read(self, reads: list[DatabaseRead]) -> DatabaseFacts:
        """`ops.read_facts_v1`."""
        facts = []
        for one in reads:
            found = ScanFacts(self.devices.get(one.device_id))
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
            "committed",
            None,
            self.superseded.get(scan_id),
        )

    # writing

    def commit(self, request: CommitRequest) -> CommitReply:
        """`ops.commit_scans_v1`: each scan whole or not at all."""
        items = msgspec.json.decode(request.items)
        opens, closes = _by_item(request.opens), _by_item(request.closes)
        needs = _by_item(request.needs)
        lost: list[int] = []
        full: list[Full] = []
        closed: list[VisitRow] = []
        for item in items:
            index, scan = item["i"], UUID(item["s"])
            fits = self._fits(needs.get(index, []))
            if fits is not None:
                full.append(Full(index, fits))
                continue
            ended = self._end(item, closes.get(index, []), request.now)
            taken = self._enter(item, opens.get(index, []), request)
            musts = sum(close["must"] for close in closes.get(index, []))
            got = sum(must for _, must in ended)
            known = scan in self.log and self.guards.idempotency
            if known or taken is None or got < musts:
                for row, _ in ended:
                    row.exit_scan, row.out_ms, row.exit_gate_no = None, 0, 0
                    row.assumed = False
                lost.append(index)
                continue
            for row, _ in ended:
                self.inside[row.sc] -= 1
                self.facts.append(("exited", scan, row.k, row.sc, row.n, row.p))
                closed.append(self._closed(index, row))
            for row in taken:
                self.rows.append(row)
                self.inside[row.sc] += 1
                self.facts.append(("admitted", scan, row.k, row.sc, row.n, row.p))
                if self._limit_broken(row.sc):
                    self.overfilled += 1
        skipped = {*lost, *(one.i for one in full)}
        self._write_logs(request, skipped)
        self.confirm(request.confirms)
        return CommitReply(lost, full, closed, {})

    def _fits(self, needs: list[dict[str, Any]]) -> int | None:
        """The places left if one limit has no room; None: they fit."""
        rooms = [(self._room(UUID(need["c"])), need["n"]) for need in needs]
        if all(room >= people for room, people in rooms):
            return None
        return max(0, min(room for room, _ in rooms))

    def _room(self, place: UUID) -> int:
        scope = self.plan.scopes.get(place)
        if scope is not None:
            return (scope.capacity or 0) - self.inside[place]
        inside = sum(
            self.inside[one.id]
            for one in self.plan.scopes.values()
            if one.area_id == place
        )
        return (self.plan.areas[place].capacity or 0) - inside

    def _limit_broken(self, scope: UUID) -> bool:
        area = self.plan.areas[self.plan.scopes[scope].area_id]
        return area.capacity is not None and self._room(area.id) < 0

    def _end(
        self, item: dict[str, Any], closes: list[dict[str, Any]], now: datetime
    ) -> list[tuple[Row, bool]]:
        ended = []
        for close in closes:
            for row in self.rows:
                place = UUID(item["k"]), UUID(close["sc"]), close["n"]
                if row.place == place and row.open:
                    row.exit_scan, row.out_ms = UUID(item["s"]), ms(now)
                    row.exit_gate_no = self._gate(item["g"])
                    row.assumed = close["as"]
                    ended.append((row, close["must"]))
        return ended

    def _enter(
        self, item: dict[str, Any], opens: list[dict[str, Any]], request: CommitRequest
    ) -> list[Row] | None:
        """The rows of a scan, or None if a key or the ticket's version refuses one."""
        ticket_id = UUID(item["k"])
        if self.tickets[ticket_id].version != item["v"] and opens:
            return None
        made = []
        for one in opens:
            row = Row(
                ticket_id,
                UUID(one["sc"]),
                one["n"],
                one["p"],
                UUID(item["s"]),
                ms(request.now),
                self._gate(item["g"]),
                self.devices[UUID(item["d"])].no,
                request.mode,
            )
            if self.guards.key and not self._free(row):
                return None
            made.append(row)
        return made

    def _free(self, row: Row) -> bool:
        """The unique keys of check_ins."""
        return not any(
            other.place == row.place
            and (
                other.p == row.p or (other.open and row.open) or other.scan == row.scan
            )
            for other in self.rows
        )

    def _gate(self, gate_id: str | None) -> int:
        return self.plan.gates[UUID(gate_id)].no if gate_id else 0

    def _closed(self, index: int, row: Row) -> VisitRow:
        return VisitRow(
            sc=self.plan.scopes[row.sc].no,
            n=row.n,
            p=row.p,
            ph=1,
            cf=row.confirmed,
            un=0,
            xa=row.assumed,
            in_ms=row.at_ms,
            out_ms=row.out_ms,
            g=row.gate_no,
            d=row.device_no,
            xg=row.exit_gate_no,
            s=row.scan,
            i=index,
            k=row.k,
        )

    def _write_logs(self, request: CommitRequest, skipped: set[int]) -> None:
        for row in msgspec.json.decode(request.logs):
            if row["i"] is None or row["i"] not in skipped:
                self.keep(row, request.now)

    def keep(self, row: dict[str, Any], at: datetime) -> bool:
        """A row of the scan log, unless its scan has one."""
        scan = UUID(row["s"])
        if scan in self.log:
            return False
        ids = {name: _uuid(row[name]) for name in ("k", "sc", "g", "d")}
        self.log[scan] = row | ids | {"at": at}
        return True

    def confirm(self, scan_ids: list[UUID]) -> None:
        """The greens of these scans were shown."""
        for row in self.rows:
            if row.scan in scan_ids:
                row.confirmed = True

    # the merge

    def rivals(self, opens: str) -> list[UUID]:
        """`ops.merge_rivals_v1`."""
        found = set()
        for one in msgspec.json.decode(opens):
            for row in self._at(one["k"], one["sc"], one["n"]):
                mine = row.scan == UUID(one["s"])
                if row.p == one["p"] and not mine and not row.confirmed:
                    found.add(row.scan)
        return sorted(found)

    def merge(self, command: merge.Merge) -> merge.Merged:
        """`ops.merge_lines_v1`."""
        merged, conflicts, tickets = 0, len(self.conflicts), set()
        waiting: list[UUID] = []
        for line in _lines(command.rows):
            scan = UUID(line["s"])
            if self._merged(scan, line):
                continue
            hasty = scan in command.hasty
            if not hasty and self._must_wait(line):
                waiting.append(scan)
                continue
            self.log.pop(scan, None)
            self.superseded.pop(scan, None)
            merged += 1
            at = datetime.fromisoformat(line["at"])
            self._merge_ends(line, at)
            if hasty:
                self._assume_ends(line, at)
            loser_to = self._merge_entries(line, at, command.stale, tickets)
            places = bool(line["opens"] or line["closes"])
            self.keep(line["log"] | {"durable": places and "journal"}, at)
            if loser_to is not None:
                self.superseded[scan] = loser_to
        self.confirm(command.shown)
        return merge.Merged(
            merged, len(self.conflicts) - conflicts, sorted(tickets), waiting
        )

    def _merged(self, scan: UUID, line: dict[str, Any]) -> bool:
        row = self.log.get(scan)
        return row is not None and (
            row.get("durable") == "journal"
            or any(
                kind == "merge" and one == scan for kind, _, _, one in self.conflicts
            )
            or not (line["opens"] or line["closes"])
            or any(one.exit_scan == scan for one in self.rows)
            or any(row.scan == scan and row.p == p for row, p in self._places(line))
        )

    def _places(self, line: dict[str, Any]) -> list[tuple[Row, int]]:
        """Rows at the places of a line's entries, with the pass of the line."""
        return [
            (row, one["p"])
            for one in line["opens"]
            for row in self._at(line["k"], one["sc"], one["n"])
        ]

    def _must_wait(self, line: dict[str, Any]) -> bool:
        """An exit before its entry, or an entry before the exit that must precede.

        Or a scan whose commit, seen by nobody, has another pass than its line.
        """
        if any(
            row.scan == UUID(line["s"]) and row.p != p for row, p in self._places(line)
        ):
            return True
        ended = {(close["sc"], close["n"]) for close in line["closes"]}
        return any(
            row.open
            and row.scan != UUID(line["s"])
            and row.lp < one["p"]
            and (one["sc"], one["n"]) not in ended
            for one in line["opens"]
            for row in self._at(line["k"], one["sc"], one["n"])
        ) or any(
            close["must"]
            and close["p"]
            and not any(
                row.lp == close["p"]
                for row in self._at(line["k"], close["sc"], close["n"])
            )
            for close in line["closes"]
        )

    def _at(self, ticket: str | None, scope_no: int, person: int) -> list[Row]:
        scope = self.plan.scopes_by_no[scope_no].id
        return [
            row
            for row in self.rows
            if ticket and row.place == (UUID(ticket), scope, person)
        ]

    def _merge_ends(self, line: dict[str, Any], at: datetime) -> None:
        scan, gate_no = UUID(line["s"]), self._gate(line["log"]["g"])
        for close in line["closes"]:
            wanted = [
                row
                for row in self._at(line["k"], close["sc"], close["n"])
                if self._ends(close["p"], row)
            ]
            for row in sorted(wanted, key=lambda one: (not one.open, one.p))[:1]:
                if row.open:
                    self.inside[row.sc] -= 1
                    self.facts.append(("exited", scan, row.k, row.sc, row.n, row.p))
                row.exit_scan, row.out_ms = scan, ms(at)
                row.exit_gate_no, row.assumed = gate_no, close["as"]

    def _ends(self, pass_no: int, row: Row) -> bool:
        """Whether a line that ends this pass (0: whichever is open) may end the row."""
        if not pass_no:
            return row.open
        return row.lp == pass_no and row.exit_scan in (None, NOBODY)

    def _assume_ends(self, line: dict[str, Any], at: datetime) -> None:
        for one in line["opens"]:
            for row in self._at(line["k"], one["sc"], one["n"]):
                if row.open and row.lp < one["p"]:
                    row.exit_scan, row.out_ms, row.assumed = NOBODY, ms(at), True
                    self.inside[row.sc] -= 1
                    self.facts.append(("exited", NOBODY, row.k, row.sc, row.n, row.p))

    def _merge_entries(
        self,
        line: dict[str, Any],
        at: datetime,
        stale: list[UUID],
        tickets: set[UUID],
    ) -> UUID | None:
        """Enter; the scan that holds a place of this line, if one does."""
        scan, lost_to = UUID(line["s"]), None
        for one in line["opens"]:
            scope = self.plan.scopes_by_no[one["sc"]]
            row = Row(
                UUID(line["k"]),
                scope.id,
                one["n"],
                one["p"],
                scan,
                ms(at),
                self._gate(line["log"]["g"]),
                self.devices[UUID(line["log"]["d"])].no,
                line["md"],
            )
            later = [
                other.at_ms
                for other in self._at(line["k"], one["sc"], one["n"])
                if other.lp > row.p
            ]
            if later:
                row.exit_scan, row.out_ms, row.assumed = NOBODY, min(later), True
            if self._free(row):
                self.rows.append(row)
                self.facts.append(("admitted", scan, row.k, row.sc, row.n, row.p))
                if later:
                    self.facts.append(("exited", scan, row.k, row.sc, row.n, row.p))
                else:
                    self.inside[row.sc] += 1
                continue
            there = self._at(line["k"], one["sc"], one["n"])
            if any(other.scan == scan for other in there):
                continue
            same = [other for other in there if other.p == one["p"]]
            tickets.add(row.k)
            if same and not same[0].confirmed and same[0].scan in stale:
                was, same[0].scan = same[0].scan, scan
                self.conflicts.append(("superseded", row.k, scan, was))
                if not any(other.scan == was for other in self.rows):
                    self.superseded[was] = scan
                continue
            inside = [other for other in there if other.open]
            winner = (same or inside)[0].scan
            self.conflicts.append(("merge", row.k, winner, scan))
            if inside:
                lost_to = winner
                continue
            # Nobody of that number is inside: a row of its own, on the next pass.
            row.line_pass, row.p = row.p, max(other.p for other in there) + 1
            row.exit_scan, row.out_ms, row.assumed = None, 0, False
            self.rows.append(row)
            self.facts.append(("admitted", scan, row.k, row.sc, row.n, row.p))
            self.inside[row.sc] += 1
        return lost_to


def _lines(rows: merge.Rows) -> list[dict[str, Any]]:
    """The lines with their opens and closes."""
    lines = msgspec.json.decode(rows.lines)
    for name in ("opens", "closes"):
        by_scan: dict[str, list[Any]] = {}
        for one in msgspec.json.decode(getattr(rows, name)):
            by_scan.setdefault(one["s"], []).append(one)
        for line in lines:
            line[name] = by_scan.get(line["s"], [])
            line["k"] = next((one["k"] for one in line[name]), line.get("k"))
    return lines


def _by_item(text: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in msgspec.json.decode(text):
        found.setdefault(row["i"], []).append(row)
    return found


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
