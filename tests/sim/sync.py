"""The sync process of the simulation: merge, rebuild, drain, relay, and the way back.

`Merging` is the program's own. Its duties run side by side, each a step at a time, as
the tasks of `ops.crm_sync.worker` do.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from uuid import UUID

from ops.admission import finish, merge
from ops.admission.lines import Owner
from ops.admission.merge import Merging
from ops.cache.entry import pack_device, visit_key
from tests.sim import evening
from tests.sim.evening import uid
from tests.sim.files import FileModel
from tests.sim.process import Hall

STEADY_STEPS = 20
EPOCHS = 1_000_000
Steps = Generator[None, None, Any]


class Sync:
    """One sync process; `restart` is its death and a new one."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self.epochs = 0
        self.changed: list[UUID] = []
        """The outbox: tickets that somebody changed."""
        self.told = 0
        """The cursor of the drain; PostgreSQL keeps it."""
        self.merged_epoch = -1
        """`ops.merges` of this machine."""
        self.restart()

    def restart(self) -> None:
        """It forgets everything and begins anew."""
        self.merging: dict[int, Merging] = {}
        self.unsettled: set[UUID] = set()
        self.steady: tuple[int, int] = (-1, 0)
        self.merges = False
        self.stalled = True
        self.warming = False
        self.tasks: list[Any] = [
            self._merge(),
            self._warm(),
            self._tell(),
            self._back(),
        ]

    def advance(self) -> None:
        """One step of one of its duties."""
        number = self.hall.links.chance.randrange(len(self.tasks))
        self._step(number)

    def turn(self) -> None:
        """A whole turn of each of them."""
        under_way = dict(enumerate(self.tasks))
        while under_way:
            for number, task in list(under_way.items()):
                self._step(number)
                if self.tasks[number] is not task:
                    del under_way[number]

    def _step(self, number: int) -> None:
        try:
            next(self.tasks[number])
        except StopIteration:
            again = (self._merge, self._warm, self._tell, self._back)
            self.tasks[number] = again[number]()

    def reaches(self, store: str) -> bool:
        """Whether its link is whole."""
        return self.hall.links.reaches("sync", store)

    # the merge

    def _mode(self) -> tuple[str, int] | None:
        cache = self.hall.cache
        if not self.reaches("cache") or not cache.ready:
            return None
        return cache.mode, cache.epoch

    def _merge(self) -> Steps:
        """A turn of the merger; whether nothing of this machine is missing."""
        while self.merges:
            yield  # the rebuilder's
        self.merges = True
        before = self._mode()
        while True:
            brought = yield from self._bring()
            complete = all(one.complete for one in self.merging.values())
            if complete or not brought:
                break
        if complete and self.reaches("db"):
            if before and before[0] == "D":
                self.merged_epoch = before[1]
            if before and before[0] == "N":
                yield
                self._settle_quiet(before)
        self.merges = False
        return complete

    def _bring(self) -> Generator[None, None, int]:
        """All files once, to their ends; how many lines came in."""
        merged = sum(one.merged for one in self.merging.values())
        held = frozenset(
            t for one in self.merging.values() for t in one.pending.values() if t
        )
        for number in self.merging.keys() - self.hall.files.files.keys():
            del self.merging[number]  # swept while it was read
        for number, file in list(self.hall.files.files.items()):
            state = self.merging.setdefault(number, Merging())
            owner: Owner = "live" if file.alive else "dead"
            steps = state.turn(owner, held, stalled=self.stalled)
            try:
                command = next(steps)
                while True:
                    yield
                    command = steps.send(self._execute(file, command))
            except StopIteration:
                continue
        merged = sum(one.merged for one in self.merging.values()) - merged
        self.stalled = not merged
        return merged

    def _execute(self, file: FileModel, command: Any) -> Any:
        hall = self.hall
        match command:
            case merge.ReadLines():
                return file.since(command.seq, command.limit, command.every_mode)
            case merge.Lines():
                return hall.files.recall(command.scan_ids, None)
            case merge.Settle():
                self.unsettled.update(command.ticket_ids)
                return None
            case merge.Rivals():
                return hall.links.call(
                    "sync", "db", lambda: hall.record.rivals(command.opens)
                )
            case merge.Merge():
                now = hall.clock(2)
                reply = hall.links.call(
                    "sync", "db", lambda: hall.record.merge(command, now)
                )
                hall.log("MERGE", command.rows.opens, command.rows.closes, reply)
                return reply
            case merge.Reject():
                hall.record.conflicts.append(
                    ("merge_failed", None, None, command.line.scan_id)
                )
                return None
        raise AssertionError(command)

    def _settle_quiet(self, before: tuple[str, int]) -> None:
        """Settle what was in N all the while: nothing claims there."""
        waiting = {t for one in self.merging.values() for t in one.pending.values()}
        if self._mode() != before:
            return
        record, told = self.hall.record, []
        for ticket_id in sorted(self.unsettled - waiting):
            found = record.visits(ticket_id)
            for scope in record.plan.scopes.values():
                for person in range(1, evening.TICKETS[ticket_id] + 1):
                    visit = found.get((scope.no, person))
                    nothing: Any = [
                        visit_key(ticket_id, scope.no, person),
                        *(b"", 0, 0, 0, 0),
                    ]
                    told.append(
                        finish.cache_visit(
                            record.plan, ticket_id, scope.no, person, visit, 1
                        )
                        if visit
                        else nothing
                    )
        self.unsettled &= waiting
        if told:
            self.hall.cache.finish(finish.settling(b"s", told))

    # the rebuild

    def _warm(self) -> Steps:
        if self.reaches("db") and self.reaches("cache") and not self.hall.cache.ready:
            self.warming = True
            yield from self.rebuild()
            self.warming = False
        yield

    def rebuild(self) -> Steps:
        """As `Warmer.rebuild`: with the journals, or not at all."""
        cache, record = self.hall.cache, self.hall.record
        self.epochs += EPOCHS
        mine, incarnation = self.epochs, cache.run
        if not cache.begin(mine):
            return
        yield
        if not (yield from self._merge()):
            return
        yield
        if not self.reaches("db") or not self.reaches("cache"):
            return
        since = len(record.facts)
        copy = {t: record.visits(t) for t in evening.TICKETS}
        entries, counted = dict(record.tickets), dict(record.inside)
        yield
        if not self._same(mine, incarnation):
            return
        for ticket_id, visits in copy.items():
            cache.put_ticket(ticket_id, entries[ticket_id])
            cache.codes[evening.code(ticket_id)] = ticket_id.bytes + b"\0"
            for (scope_no, person), visit in visits.items():
                made = finish.cache_visit(
                    record.plan, ticket_id, scope_no, person, visit, 1
                ).arguments()
                cache.visits[made[0]] = made[1]
        for scope, people in counted.items():
            cache.counters[f"i:{record.plan.scopes[scope].no}"] = people
        cache.devices = {
            device.bytes: pack_device(entry) for device, entry in record.devices.items()
        }
        yield
        if not self._same(mine, incarnation):
            return
        self._tell_since(since)
        self._tell_disputed()
        yield
        if not self._same(mine, incarnation):
            return
        cache.ready = True
        self.hall.log("WARM", mine)
        yield
        if self.reaches("cache"):
            self._tell_since(since)

    def _same(self, epoch: int, run: int) -> bool:
        """Whether the cache that was begun is still there, and can be reached."""
        cache = self.hall.cache
        whole = self.reaches("db") and self.reaches("cache")
        return whole and (cache.epoch, cache.run) == (epoch, run)

    # drain, relay, the way back

    def _tell(self) -> Steps:
        """The drain and the relay."""
        if self.reaches("db") and self.reaches("cache") and not self.warming:
            if self.hall.record.guards.drain:
                self._drain()
            yield
            if self.reaches("db") and self.reaches("cache"):
                self._relay()
        yield

    def _drain(self) -> None:
        self._tell_since(self.told)
        self.told = len(self.hall.record.facts)

    def _tell_since(self, fact: int) -> None:
        record = self.hall.record
        told = []
        for ticket_id in sorted({one[2] for one in record.facts[fact:]}):
            told += [
                finish.cache_visit(record.plan, ticket_id, scope_no, person, visit, 1)
                for (scope_no, person), visit in record.passes(ticket_id)
            ]
        if told:
            self.hall.cache.finish(finish.arguments(b"d", None, told, [], []))

    def _relay(self) -> None:
        record, cache = self.hall.record, self.hall.cache
        changed, self.changed = self.changed, []
        for ticket_id in changed:
            if evening.code(ticket_id) in cache.codes:
                cache.put_ticket(ticket_id, record.tickets[ticket_id])
        self._tell_disputed()

    def _tell_disputed(self) -> None:
        record, cache = self.hall.record, self.hall.cache
        for area in record.plan.areas.values():
            cache.counters[f"c:{area.no}"] = record.disputed[area.id]

    def _back(self) -> Steps:
        """To mode N: writes worked for a while, and all is merged up to its epoch."""
        cache = self.hall.cache
        mode = self._mode()
        if not self.reaches("db"):
            self.steady = (-1, 0)
        elif mode is not None and mode[0] == "D":
            if self.steady[0] != mode[1]:
                self.steady = (mode[1], self.hall.t)
            long = self.hall.t - self.steady[1] >= STEADY_STEPS
            if long and self.merged_epoch >= mode[1]:
                yield
                if self.reaches("db") and self.reaches("cache"):
                    if self.hall.record.guards.drain:
                        self._drain()
                    self.hall.log("BACK", mode[1])
                    cache.switch([b"b", 0, mode[1], "N", 0])
        yield

    # the sweeper

    def sweep(self) -> None:
        """Remove the files of dead owners that add nothing to the record."""
        record, files = self.hall.record, self.hall.files
        if not self.reaches("db"):
            return
        for number, file in list(files.files.items()):
            state = self.merging.get(number)
            if state is None or not state.over or self.unsettled:
                continue
            lines = [line for _, line in file.lines.values()]
            ids = [line.scan_id for line in lines if not line.void]
            kept = all(scan in record.log for scan in ids)
            waiting = any(
                not row.confirmed
                for line in lines
                if not line.void
                for row in record.of_scan(line.ticket_id, line.scan_id)
            )
            if not file.alive and kept and not waiting:
                del files.files[number]
                self.merging.pop(number, None)


def scan_id(number: int) -> UUID:
    """The id of the n-th scan of an evening."""
    return uid(9, number)
