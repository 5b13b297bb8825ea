"""The model of `ops.commit_scans_v1` and `ops.take_over_v1`, step by step as there."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.commit import CommitReply, CommitRequest, Full
from ops.admission.from_database import VisitRow
from ops.cache.entry import ms
from tests.sim.rows import Row, Rows, by_item

_EPOCH = date(1970, 1, 1)
Item = dict[str, Any]


class Commits(Rows):
    """What a desk writes."""

    def commit(self, request: CommitRequest) -> CommitReply:
        """Each scan whole or not at all; ends of presence first, as the keys want."""
        items: dict[int, Item] = {
            item["i"]: item for item in msgspec.json.decode(request.items)
        }
        full = self._refused(request.needs)
        fresh = {
            index: item
            for index, item in items.items()
            if index not in full and not self._answered(UUID(item["s"]))
        }
        ended = self._end(fresh, request)
        entered = self._enter(fresh, request)
        lost = [
            index
            for index, item in items.items()
            if index not in full
            and (
                item["no"] != sum(i == index for i, _ in entered)
                or item["mu"] > sum(i == index and must for i, _, must in ended)
            )
        ]
        for index, row in entered:
            if index in lost:
                self.remove(row)
        for index, row, _ in ended:
            if index in lost:
                row.out_ms, row.exit_scan, row.exit_gate_no = 0, None, 0
                row.assumed = False
        entered = [(i, row) for i, row in entered if i not in lost]
        ended = [one for one in ended if one[0] not in lost]
        self._count(items, entered, ended)
        for row in msgspec.json.decode(request.logs):
            if row["i"] is None or not (row["i"] in lost or row["i"] in full):
                green = row["ve"] in ("admitted", "exited")
                self.keep(row, request.now, "committed" if green else "none")
        # The function tells of an exit before it confirms what was shown meanwhile.
        closed = [self._closed(i, row) for i, row, _ in ended]
        self.confirm(request.confirms)
        return CommitReply(
            lost, [Full(i, fits) for i, fits in full.items()], closed, {}
        )

    def _answered(self, scan: UUID) -> bool:
        return scan in self.log and self.guards.idempotency

    def _refused(self, text: str) -> dict[int, int]:
        """Scans for which a limit has no room, in the order of their arrival."""
        needs = by_item(text)
        if not self.guards.limits:
            return {}
        left: dict[str, int] = {}
        for need in (need for one in needs.values() for need in one):
            place = UUID(need["c"])
            scope = self.plan.scopes.get(place)
            if scope is not None:
                left[need["c"]] = (scope.capacity or 0) - self.inside[place]
            else:
                area = self.plan.areas[place]
                left[need["c"]] = (area.capacity or 0) - self.people_in(place)
        refused: dict[int, int] = {}
        for index in sorted(needs):
            fits = min(left[need["c"]] for need in needs[index])
            if fits < max(need["n"] for need in needs[index]):
                refused[index] = max(0, fits)
                continue
            for need in needs[index]:
                left[need["c"]] -= need["n"]
        return refused

    def _end(
        self, fresh: dict[int, Item], request: CommitRequest
    ) -> list[tuple[int, Row, bool]]:
        ended = []
        for close in msgspec.json.decode(request.closes):
            item = fresh.get(close["i"])
            if item is None:
                continue
            for row in self.at((UUID(item["k"]), UUID(close["sc"]), close["n"])):
                if row.open:
                    row.exit_scan, row.out_ms = UUID(item["s"]), ms(request.now)
                    row.exit_gate_no = self.gate_no(item["g"])
                    row.assumed = close["as"]
                    ended.append((close["i"], row, close["must"]))
        return ended

    def _enter(
        self, fresh: dict[int, Item], request: CommitRequest
    ) -> list[tuple[int, Row]]:
        entered = []
        for one in msgspec.json.decode(request.opens):
            item = fresh.get(one["i"])
            if item is None:
                continue
            ticket_id, device = UUID(item["k"]), self.devices[UUID(item["d"])]
            ticket = self.tickets[ticket_id]
            if ticket.version != item["v"] and self.guards.version:
                continue
            row = Row(
                ticket_id,
                UUID(one["sc"]),
                one["n"],
                one["p"],
                UUID(item["s"]),
                ms(request.now),
                self.gate_no(item["g"]),
                device.no,
                request.mode,
                day=(date.fromisoformat(one["ed"]) - _EPOCH).days,
            )
            if device.state == "active" and self.free(row):
                self.add(row)
                entered.append((one["i"], row))
        return entered

    def _count(
        self,
        items: dict[int, Item],
        entered: list[tuple[int, Row]],
        ended: list[tuple[int, Row, bool]],
    ) -> None:
        for _, row, _ in ended:
            self.inside[row.sc] -= 1
            self.facts.append(("exited", row.exit_scan, row.k, row.sc, row.n, row.p))
        for _, row in entered:
            self.inside[row.sc] += 1
            self.facts.append(("admitted", row.scan, row.k, row.sc, row.n, row.p))
        for _, row in entered:
            area = self.plan.areas[self.plan.scopes[row.sc].area_id]
            if area.capacity is not None and self.people_in(area.id) > area.capacity:
                self.overfilled += 1

    def _closed(self, index: int, row: Row) -> VisitRow:
        visit = self.visit(row)
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
            dy=visit.day,
            du=visit.day_used,
            i=index,
            k=row.k,
        )

    def take_over(self, request: CommitRequest) -> CommitReply:
        """`ops.take_over_v1`: an unconfirmed admission becomes another scan's."""
        took: list[tuple[int, UUID, UUID, Row]] = []
        items = msgspec.json.decode(request.items)
        changed: list[int] = []
        for item in items:
            ticket_id, scan = UUID(item["k"]), UUID(item["s"])
            current = self.tickets[ticket_id].version == item["v"]
            device = self.devices[UUID(item["d"])]
            if not current or device.state != "active" or scan in self.log:
                continue
            for row in self.of_scan(ticket_id, UUID(item["to"])):
                if row.confirmed or not row.open or id(row) in changed:
                    continue
                took.append((item["i"], scan, row.scan, row))
                changed.append(id(row))
                row.scan, row.at_ms, row.mode = scan, ms(request.now), request.mode
                row.gate_no, row.device_no = self.gate_no(item["g"]), device.no
        taken = {index for index, *_ in took}
        lost = [item["i"] for item in items if item["i"] not in taken]
        for _, scan, was, _ in took:
            self.taken_over.add(was)
            if was in self.log:
                self.superseded[was] = scan
        for told in dict.fromkeys((r.k, r.sc, scan, was) for _, scan, was, r in took):
            self.conflicts.append(("superseded", told[0], told[2], told[3]))
        for _, scan, _, row in took:
            self.facts.append(("taken_over", scan, row.k, row.sc, row.n, row.p))
        for row in msgspec.json.decode(request.logs):
            if row["i"] not in lost:
                self.keep(row, request.now, "committed")
        return CommitReply(lost, [], [], {})
