"""A model of PostgreSQL as the door uses it: the functions of ops/db/sql, in memory.

It takes the requests that the server sends (their JSON) and gives the replies that the
server reads; each function goes the steps of its SQL in their order, because they see
what the steps before have written. `tests/sim/test_conformance_record.py` holds it to
the real functions.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.admission import merge
from ops.cache.entry import ms
from tests.sim.commits import Commits
from tests.sim.rows import Place, Row, event_day

Line = dict[str, Any]


class Record(Commits):
    """PostgreSQL."""

    def rivals(self, opens: str) -> list[tuple[UUID, bool]]:
        """`ops.merge_rivals_v1`."""
        sure: dict[UUID, bool] = {}
        for one in msgspec.json.decode(opens):
            for row in self.at(self._place(one)):
                mine = row.scan == UUID(one["s"])
                if row.p == self.line_pass(row) == one["p"] and not mine:
                    sure[row.scan] = sure.get(row.scan, False) or row.confirmed
        return sorted(sure.items())

    def merge(self, command: merge.Merge, now: datetime) -> merge.Merged:
        """`ops.merge_lines_v1`; at most one line of a ticket, so line by line."""
        lines = lines_of(command.rows)
        merged, waiting, tickets = 0, [], set()
        conflicts = len(self.conflicts)
        for line in lines:
            scan = UUID(line["s"])
            given = scan in self.taken_over and scan not in command.shown
            unseen = scan in command.unseen and scan not in command.shown
            given = given or (unseen and scan in self._superseded())
            if scan in self.log and (given or self._is_merged(scan, line)):
                row = self.log[scan]
                if line["pl"] and line["md"] == "D" and row["durable"] == "committed":
                    tickets |= {row["k"]} - {None}
                continue
            hasty = scan in command.hasty
            if self._unweighed(scan, line, command) or (
                not hasty and self._must_wait(scan, line)
            ):
                waiting.append(scan)
                continue
            merged += 1
            self._end_places(scan, line, hasty=hasty)
            if hasty:
                self._assume_ends(line)
            took = self._take_rows(scan, line, command.stale, command.astray)
            lost = self._enter_places(scan, line)
            self._log_line(scan, line, lost, took)
            self._report(scan, lost, took)
            tickets |= {place[0] for place, *_ in (*lost, *took)}
        for line in lines:
            if UUID(line["s"]) in command.shown:
                self._confirm_line(line)
        conflicts = len(self.conflicts) - conflicts
        return merge.Merged(merged, conflicts, sorted(tickets), sorted(waiting))

    def _place(self, one: dict[str, Any]) -> Place:
        return UUID(one["k"]), self.plan.scopes_by_no[one["sc"]].id, one["n"]

    def _superseded(self) -> set[UUID | None]:
        return {one for kind, _, _, one in self.conflicts if kind == "superseded"}

    def _is_merged(self, scan: UUID, line: Line) -> bool:
        row = self.log.get(scan)
        if row is None:
            return False
        return (
            row["durable"] == "journal"
            or not line["pl"]
            or any(
                kind == "merge" and one == scan for kind, _, _, one in self.conflicts
            )
            or any(
                r.scan == scan and r.p == one["p"]
                for one in line["opens"]
                for r in self.at(self._place(one))
            )
            or any(
                r.exit_scan == scan
                for one in line["closes"]
                for r in self.by_ticket.get(UUID(one["k"]), ())
            )
        )

    def _unweighed(self, scan: UUID, line: Line, command: merge.Merge) -> bool:
        """Whether a row came to its place after the look, or was confirmed since."""
        return any(
            row.p == self.line_pass(row) == one["p"]
            and row.scan != scan
            and (
                row.scan not in command.weighed
                or (
                    row.confirmed
                    and row.scan in command.stale
                    and row.scan not in command.astray
                )
            )
            for one in line["opens"]
            for row in self.at(self._place(one))
        )

    def _must_wait(self, scan: UUID, line: Line) -> bool:
        """An exit before its entry, or an entry before the exit that must precede.

        Or a scan whose commit, seen by nobody, has another pass than its line.
        """
        ended = {(close["sc"], close["n"]) for close in line["closes"]}
        return (
            any(
                (row.scan == scan and row.p != one["p"])
                or (
                    row.open
                    and row.scan != scan
                    and self.line_pass(row) < one["p"]
                    and (one["sc"], one["n"]) not in ended
                )
                for one in line["opens"]
                for row in self.at(self._place(one))
            )
            and self.guards.ends
        ) or any(
            close["p"]
            and self.guards.ends
            and not any(
                self.line_pass(row) == close["p"] for row in self.at(self._place(close))
            )
            for close in line["closes"]
        )

    def _end_places(self, scan: UUID, line: Line, *, hasty: bool) -> None:
        for close in line["closes"]:
            at = datetime.fromisoformat(close["at"])
            wanted = [
                row
                for row in self.at(self._place(close))
                if self._ends(row, close, hasty=hasty)
            ]
            for row in sorted(wanted, key=lambda one: (not one.open, one.p))[:1]:
                if row.open:
                    self.inside[row.sc] -= 1
                    self.facts.append(("exited", scan, row.k, row.sc, row.n, row.p))
                row.out_ms, row.exit_scan = max(ms(at), row.at_ms), scan
                row.exit_gate_no, row.assumed = self.gate_no(close["g"]), close["as"]

    def _ends(self, row: Row, close: Line, *, hasty: bool) -> bool:
        if not close["p"]:
            return row.open
        pass_no = self.line_pass(row)
        before = hasty and not close["must"] and row.open and pass_no < close["p"]
        return row.exit_scan is None and (pass_no == close["p"] or before)

    def _assume_ends(self, line: Line) -> None:
        for one in line["opens"]:
            at = datetime.fromisoformat(one["at"])
            for row in self.at(self._place(one)):
                if row.open and self.line_pass(row) < one["p"]:
                    row.out_ms, row.assumed = max(ms(at), row.at_ms), True
                    self.inside[row.sc] -= 1
                    self.facts.append(("exited", None, row.k, row.sc, row.n, row.p))

    def _take_rows(
        self, scan: UUID, line: Line, stale: list[UUID], astray: list[UUID]
    ) -> list[tuple[Place, UUID]]:
        """Rows that a steward took over, or that nobody can have seen green."""
        took = []
        for one in line["opens"]:
            for row in self.at(self._place(one)):
                taken = str(row.scan) == one["ta"] or row.scan in stale
                fixed = row.confirmed and row.scan not in astray
                there = row.p == self.line_pass(row) == one["p"]
                if not there or row.scan == scan or fixed or not taken:
                    continue
                took.append((row.place, row.scan))
                if str(row.scan) == one["ta"]:
                    self.taken_over.add(row.scan)
                row.scan, row.mode, row.confirmed = scan, one["md"], False
                row.at_ms = ms(datetime.fromisoformat(one["at"]))
                row.gate_no = self.gate_no(one["g"])
                row.device_no = self.devices[UUID(one["d"])].no
        return took

    def _enter_places(
        self, scan: UUID, line: Line
    ) -> list[tuple[Place, UUID | None, int, bool]]:
        """Enter; whose pass is another's: place, holder, pass, anybody inside."""
        made = [
            self._row(scan, one)
            for one in line["opens"]
            if not any(row.scan == scan for row in self.at(self._place(one)))
        ]
        lost = []
        for row in sorted(made, key=lambda one: one.place):
            there = self.at(row.place)
            later = [other.at_ms for other in there if self.line_pass(other) > row.p]
            if later:
                row.out_ms, row.assumed = min(later), True
            if self.free(row):
                self._write(row)
                continue
            same = [other for other in there if other.p == row.p]
            inside = [other for other in there if other.open]
            holder = (same or inside)[0].scan if same or inside else None
            lost.append((row.place, holder, row.p, bool(inside)))
        for place, holder, _, inside in lost:
            if holder is None or inside:
                continue
            # Nobody of that number is inside: a row of its own, on the next pass.
            row = next(one for one in made if one.place == place)
            row.p = max(other.p for other in self.at(place)) + 1
            row.out_ms, row.assumed = 0, False
            self._write(row)
        return lost

    def _row(self, scan: UUID, one: dict[str, Any]) -> Row:
        at = datetime.fromisoformat(one["at"])
        return Row(
            *self._place(one),
            one["p"],
            scan,
            ms(at),
            self.gate_no(one["g"]),
            self.devices[UUID(one["d"])].no,
            one["md"],
            day=event_day(at),
        )

    def _write(self, row: Row) -> None:
        self.add(row)
        self.facts.append(("admitted", row.scan, row.k, row.sc, row.n, row.p))
        self.inside[row.sc] += row.open
        if not row.open:
            self.facts.append(("exited", None, row.k, row.sc, row.n, row.p))

    def _log_line(
        self,
        scan: UUID,
        line: Line,
        lost: list[tuple[Place, UUID | None, int, bool]],
        took: list[tuple[Place, UUID]],
    ) -> None:
        losers = [h or scan for _, h, _, inside in lost if inside or h is None]
        at = datetime.fromisoformat(line["at"])
        before = self.log.pop(scan, None)
        self.keep(line["log"], at, "journal" if line["pl"] else "none")
        if before is not None:
            names = ("ve", "re", "ar", "sc", "p", "pe", "at", "durable")
            self.log[scan] = before | {name: self.log[scan][name] for name in names}
        self.superseded.pop(scan, None)
        if losers:
            self.superseded[scan] = losers[0]
        for place, was in took:
            if was not in self.log:
                continue
            row = self.log[was]
            left = [
                r for r in self.of_scan(place[0], was) if r.sc == (row["sc"] or r.sc)
            ]
            if left:
                row["pe"] = min(row["pe"], len(left))
            else:
                self.superseded[was] = scan

    def _report(
        self,
        scan: UUID,
        lost: list[tuple[Place, UUID | None, int, bool]],
        took: list[tuple[Place, UUID]],
    ) -> None:
        if not self.guards.report:
            return
        told: dict[tuple[str, UUID, UUID, UUID | None, UUID], int] = {}
        for place, holder, pass_no, inside in lost:
            key = "merge", place[0], place[1], holder, scan
            told[key] = told.get(key, 0) + inside
            known = self.line_passes.get((scan, place[1]), pass_no)
            self.line_passes[scan, place[1]] = min(known, pass_no)
        for place, was in took:
            told["superseded", place[0], place[1], scan, was] = 0
        for (kind, ticket, scope, winner, loser), people in told.items():
            self.conflicts.append((kind, ticket, winner, loser))
            self.disputed[self.plan.scopes[scope].area_id] += people

    def _confirm_line(self, line: Line) -> None:
        """Only the places of the line: an earlier commit may have others."""
        for one in line["opens"]:
            for row in self.at(self._place(one)):
                mine = row.scan == UUID(line["s"])
                row.confirmed |= mine and self.line_pass(row) == one["p"]


def lines_of(rows: merge.Rows) -> list[Line]:
    """The lines with their entries and ends."""
    lines = {line["s"]: line for line in msgspec.json.decode(rows.lines)}
    for line in lines.values():
        line["opens"], line["closes"] = [], []
    for name in ("opens", "closes"):
        for one in msgspec.json.decode(getattr(rows, name)):
            lines[one["s"]][name].append(one)
    return list(lines.values())
