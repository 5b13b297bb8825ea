"""A model of Redis as the door uses it: the scripts of ops/cache/lua, in memory.

It takes the arguments that the server sends. `tests/sim/test_conformance.py` holds it
to the real scripts. Counters are those of who is inside: the others are for screens.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import Any
from uuid import UUID

from ops.cache.entry import TicketEntry, pack_ticket
from ops.cache.keys import LAYOUT_VERSION
from tests.sim.guards import Guards

OPEN, CLOSED = 0, 1
_HEADER = struct.Struct(">I")


class CacheModel:
    """One event. `ready` and `run` say whether it is cold."""

    def __init__(self, guards: Guards) -> None:
        self.guards = guards
        self.mode, self.epoch = "N", 0
        self.ready, self.run = False, 1
        self.tickets: dict[bytes, bytes] = {}
        self.codes: dict[bytes, bytes] = {}
        self.visits: dict[bytes, bytes] = {}
        self.devices: dict[bytes, bytes] = {}
        self.counters: Counter[str] = Counter()

    def flush(self) -> None:
        """FLUSHALL, or the loss of the process."""
        self.__init__(self.guards)  # type: ignore[misc]

    def begin(self, epoch: int) -> bool:
        """`warm_begin.lua`: empty, and closed to every finish of before."""
        if self.epoch > epoch:
            return False
        self.flush()
        self.epoch = epoch
        return True

    def put_ticket(self, ticket_id: UUID, entry: TicketEntry) -> None:
        """`put.lua`: the higher version wins."""
        packed = pack_ticket(entry)
        before = self.tickets.get(ticket_id.bytes)
        if before is None or before[2:6] <= packed[2:6]:
            self.tickets[ticket_id.bytes] = packed

    def read(self, args: list[Any]) -> list[Any]:
        """`read_facts.lua`."""
        if not self.ready:
            return [args[0], b"cold", b"warming"]
        count = args[2]
        devices = [self.devices.get(one, b"") for one in args[3 : 3 + count]]
        scans = [
            self._facts(args[at], args[at + 1]) for at in range(3 + count, len(args), 2)
        ]
        mode, epoch = self.mode.encode(), str(self.epoch).encode()
        return [args[0], b"warm", mode, epoch, b"1", b"run", devices, scans]

    def _facts(self, code: bytes, scopes: bytes) -> list[Any]:
        value = self.codes.get(code)
        if value is None:
            return []
        ticket_id = value[:16]
        ticket = self.tickets.get(ticket_id)
        visits = []
        if ticket is not None:
            for at in range(0, len(scopes), 4):
                for person in range(1, int.from_bytes(ticket[:2], "big") + 1):
                    field = ticket_id + scopes[at : at + 4] + person.to_bytes(2, "big")
                    visits.append(self.visits.get(field, b""))
        return [value, ticket or b"", visits]

    def finish(self, args: list[Any]) -> list[Any]:
        """`finish.lua`."""
        assert args[1] == LAYOUT_VERSION
        echo, epoch = args[0], args[2]
        if not self.ready and not (epoch == "" and self.epoch):
            return [echo, b"cold"]
        if self.guards.fence and epoch != "" and epoch != self.epoch:
            return [echo, b"moved"]
        at, changed, settle = 9, 0, args[8] == "1"
        for _ in range(args[3]):
            field, visit = args[at], args[at + 1]
            at += 6
            before = self.visits.get(field)
            gap = epoch != "" and _gap(visit, before)
            if self._wins(visit, before, settle) and not gap:
                self._set(field, visit or None)
                changed += 1
        for _ in range(args[7]):
            field, scan = args[at], args[at + 1]
            at += 2
            there = self.visits.get(field)
            if there and there[34:50] == scan and not there[3]:
                self.visits[field] = there[:3] + b"\1" + there[4:]
        return [echo, b"ok", changed]

    def _set(self, field: bytes, visit: bytes | None) -> None:
        before = self.visits.pop(field, None)
        scope = f"i:{int.from_bytes(field[16:20], 'big')}"
        self.counters[scope] -= before is not None and before[2] == OPEN
        if visit is not None:
            self.visits[field] = visit
            self.counters[scope] += visit[2] == OPEN

    def switch(self, args: list[Any]) -> list[Any]:
        """`switch.lua`."""
        echo, epoch, mode = args[0], args[2], args[3]
        if not self.ready:
            return [echo, b"cold"]
        if self.epoch == epoch and self.mode != mode:
            self.mode = mode
            self.epoch += self.guards.epoch
        return [echo, b"is", self.mode.encode(), str(self.epoch).encode()]

    def claim(self, args: list[Any]) -> list[Any]:
        """`claim.lua`."""
        echo = args[0]
        if not self.ready:
            return [echo, b"cold"]
        if self.guards.fence and (args[2] != self.epoch or self.mode != "D"):
            return [echo, b"moved"]
        at, results = 4, []
        for _ in range(args[3]):
            scan, ticket, version, limits, closes, opens = args[at : at + 6]
            at += 6
            fits = None
            for _ in range(limits):
                capacity, people, count = args[at : at + 3]
                names = args[at + 3 : at + 3 + count]
                at += 3 + count
                room = capacity - sum(self.counters[name] for name in names)
                if room < people:
                    fits = room if fits is None else min(fits, room)
            ends = [args[at + 9 * n : at + 9 * n + 9] for n in range(closes)]
            at += 9 * closes
            starts = [args[at + 7 * n : at + 7 * n + 7] for n in range(opens)]
            at += 7 * opens
            results.append(self._take(scan, ticket, version, fits, ends, starts))
        return [echo, b"ok", results]

    def _take(
        self,
        scan: bytes,
        ticket: bytes,
        version: bytes,
        fits: int | None,
        ends: list[Any],
        starts: list[Any],
    ) -> bytes:
        if self._mine(scan, ends, starts):
            return b"ok"
        entry = self.tickets.get(ticket)
        unchanged = entry is not None and entry[2:6] == version
        for field, must, seen, *_ in ends:
            unchanged &= not must or self.visits.get(field, b"") == seen
        for field, seen, *_ in starts:
            unchanged &= self.visits.get(field, b"") == seen
        if not unchanged:
            return b"lost"
        if fits is not None:
            return str(max(fits, 0)).encode()
        for field, _, _, left, assumed, *_ in ends:
            before = self.visits.get(field)
            if before is not None and before[2] == OPEN:
                flags = bytes((3 if assumed else 2,))
                after = before[:2] + b"\1" + before[3:5] + flags + before[6:22]
                self._set(field, after + left + before[34:])
        for field, _, visit, *_ in starts:
            self._set(field, visit)
        return b"ok"

    def _mine(self, scan: bytes, ends: list[Any], starts: list[Any]) -> bool:
        if starts:
            return all(
                self.visits.get(field, b"")[34:50] == scan for field, *_ in starts
            )
        for field, must, _, left, *_ in ends:
            if must:
                now = self.visits.get(field, b"")
                return bool(now) and now[2] == CLOSED and now[22:34] == left
        return False

    def _wins(self, visit: bytes, before: bytes | None, settle: bool) -> bool:
        if before is None:
            return bool(visit)
        if before[5] & 2:
            return settle or (bool(visit) and visit[:3] >= before[:3])
        if not visit:
            return False
        if not self.guards.clocks:
            return max(visit[6:14], visit[22:30]) > max(before[6:14], before[22:30])
        if visit[:4] == before[:4] and visit[2] == OPEN:
            return visit[6:14] > before[6:14]
        return visit[:4] > before[:4]


def _gap(visit: bytes, before: bytes | None) -> bool:
    """Whether a desk would leave out a transition: the drain brings it."""
    pass_no = int.from_bytes(visit[:2], "big")
    was = int.from_bytes(before[:2], "big") if before else 0
    ended = before is None or before[2] != OPEN
    return pass_no > was + 1 or (pass_no > was and not ended)
