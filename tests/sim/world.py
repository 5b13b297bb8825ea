"""A seeded evening: two api processes and a sync process over models of the stores.

What runs is the program's own core: `Batch`, `Merging`, the breaker, the arguments of
the scripts and functions. What is simulated is everything that can go wrong: links that
are cut on one side, replies that are lost, commits that land late, processes that are
killed between any two commands, a cache that is flushed, clocks that disagree.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any
from uuid import UUID

from ops.admission import claim, commands, finish, from_cache, merge
from ops.admission.ask import Ask
from ops.admission.batch import Batch, leftovers
from ops.admission.breaker import Breaker
from ops.admission.commands import Down, Item, ModeIs
from ops.admission.commit import LogRow, log_row, only_logs
from ops.admission.lines import Line, Owner, log_line
from ops.admission.merge import Merging
from ops.admission.scan import ScanRequest
from ops.cache.entry import pack_device, visit_key
from tests.sim import evening
from tests.sim.cache import CacheModel
from tests.sim.evening import Guest, uid
from tests.sim.files import FileModel, Files
from tests.sim.record import Guards, Record

STEPS = 260
FAULTS = (
    "kill",
    "db",
    "db all",
    "cache",
    "cache all",
    "flush",
    "refund",
    "sync",
    "clock",
)
TRIES_MAX = 10
SETTLE_TURNS = 400

Flight = tuple["Process", "Batch", Generator[Any, Any, Any], list[Guest]]


class Process:
    """One api process: its batches under way, and what it has not written yet."""

    def __init__(self, name: int, file: FileModel) -> None:
        self.name, self.file = name, file
        self.plan = evening.plan()
        self.database = Breaker(silence_s=1e9)
        self.marks: list[Any] = []
        self.confirms: list[UUID] = []
        self.logs: list[LogRow] = []
        self.shown: list[tuple[bytes, bytes]] = []
        self.buffer: list[Line] = []
        self.flights: list[Any] = []
        self.busy: set[UUID] = set()


class Answered:
    """What a guest saw: scan, ticket, verdict, reason, people, durable, at step."""

    def __init__(self, guest: Guest, verdict: str, reason: str, item: Item) -> None:
        self.scan_id, self.ticket_id = guest.scan_id, guest.ticket_id
        self.verdict, self.reason = verdict, reason
        one = item.stored or item.decision
        self.people = one.people if one else 0
        self.durable = item.durable
        self.just_now = bool(item.decision and item.decision.just_now)


class World:
    """One evening; `run` plays it to its end and leaves it quiet."""

    def __init__(
        self, seed: int, guards: Guards | None = None, *, trace: bool = False
    ) -> None:
        self.chance = random.Random(seed)
        self.guards, self.trace = guards or Guards(), trace
        self.t = 0
        self.record = Record(evening.plan(), evening.tickets(), self.guards)
        self.record.devices = evening.devices()
        self.record.codes = {evening.code(t): t for t in evening.TICKETS}
        self.cache = CacheModel(self.guards)
        self.files = Files()
        self.skew = timedelta()
        self.processes = [Process(name, self.files.new()) for name in range(2)]
        self.cut: set[tuple[str, str]] = set()
        self.late: list[Callable[[], Any]] = []
        self.history: list[Answered] = []
        self.refunded: dict[UUID, int] = {}
        self.started: dict[UUID, int] = {}
        self.killed = self.journalled = False
        self.waiting: list[Guest] = []
        self.numbers = 0
        self.sync = Sync(self)
        for coming in evening.crowd(self.chance):
            self.comes(*coming)
        for _ in self.sync.rebuild():
            pass

    def log(self, *words: Any) -> None:
        if self.trace:
            print(f"{self.t:4d}", *words)

    def comes(self, ticket_id: UUID, gate: UUID, direction: str, admit: int) -> None:
        """A guest who was not there before."""
        self.numbers += 1
        guest = Guest(uid(9, self.numbers), ticket_id, gate, direction, admit)
        self.waiting.append(guest)

    # time

    def run(self) -> None:
        """Play the evening, heal everything, and wait until nothing moves."""
        for self.t in range(STEPS):
            self._step()
        self.cut.clear()
        for late in self.late:
            late()
        self.late.clear()
        for turn in range(SETTLE_TURNS):
            self.t += 1
            self._heal()
            for process in self.processes:
                process.database.succeeded()
                if self.waiting and turn < SETTLE_TURNS - 60:
                    self._depart(process)
                while process.flights:
                    self._advance(process)
                self.flush(process)
            self.sync.advance()
        self.sync.to_the_end()

    def _step(self) -> None:
        roll = self.chance.random()
        process = self.chance.choice(self.processes)
        if roll < 0.15:
            self._depart(process)
        elif roll < 0.68:
            if process.flights:
                self._advance(process)
        elif roll < 0.80:
            self.sync.advance()
        elif roll < 0.86:
            self.flush(process)
        elif roll < 0.92:
            self._fault(process)
        elif roll < 0.97:
            self._heal()
        elif self.late:
            self.late.pop(self.chance.randrange(len(self.late)))()
        self._recover()

    def _fault(self, process: Process) -> None:
        kinds = (
            "kill",
            "db",
            "db all",
            "cache",
            "cache all",
            "flush",
            "refund",
            "sync",
        )
        kind = self.chance.choice(kinds)
        self.log("FAULT", kind, process.name)
        names = [str(one.name) for one in self.processes] + ["sync"]
        match kind:
            case "kill":
                self._kill(process)
            case "db":
                self.cut.add((str(process.name), "db"))
            case "db all":
                self.cut |= {(name, "db") for name in names}
            case "cache":
                self.cut.add((str(process.name), "cache"))
            case "cache all":
                self.cut |= {(name, "cache") for name in names}
            case "flush" if self.chance.random() < 0.4:
                self.cache.flush()
            case "refund" if self.chance.random() < 0.3:
                self._refund()
            case "sync":
                self.sync.restart()
            case "clock":
                self.skew = timedelta(hours=self.chance.choice((-2, 0, 7)))

    def _heal(self) -> None:
        if self.cut and (self.t >= STEPS or self.chance.random() < 0.5):
            mended = self.chance.choice(sorted(self.cut))
            self.cut.discard(mended)
            self.log("mended", mended)

    def _recover(self) -> None:
        """The breakers close when their link has been good for a while."""
        for process in self.processes:
            open_ = process.database.open and (str(process.name), "db") not in self.cut
            if open_ and self.chance.random() < 0.05:
                process.database.succeeded()

    def _kill(self, process: Process) -> None:
        self.killed = True
        process.file.alive = False
        for flight in process.flights:
            self.waiting += [guest for guest in flight.guests if not flight.answered]
        fresh = Process(process.name, self.files.new())
        self.processes[process.name] = fresh

    def _refund(self) -> None:
        ticket_id = self.chance.choice(sorted(evening.TICKETS))
        entry = self.record.tickets[ticket_id]
        if entry.state == "valid":
            changed = type(entry)(
                entry.version + 1, entry.admits, "refunded", 1, "guest"
            )
            self.record.tickets[ticket_id] = changed
            self.refunded[ticket_id] = self.t
            self.sync.changed.append(ticket_id)

    # batches

    def _depart(self, process: Process) -> None:
        """Start a batch of waiting guests; the same id is never twice in a process."""
        in_d = any(flight.batch.mode == "D" for flight in process.flights)
        if len(process.flights) >= (1 if in_d else 2):
            return
        taken = []
        for guest in list(self.waiting[: self.chance.randint(1, 4)]):
            if guest.scan_id not in process.busy:
                self.waiting.remove(guest)
                taken.append(guest)
                process.busy.add(guest.scan_id)
        if taken:
            process.flights.append(Flying(self, process, taken))

    def _advance(self, process: Process) -> None:
        flight = self.chance.choice(process.flights)
        if flight.advance():
            process.flights.remove(flight)
            process.busy -= {guest.scan_id for guest in flight.guests}

    def flush(self, process: Process) -> None:
        """What the desk writes when no batch takes it along."""
        if process.buffer:
            process.file.append(process.buffer, [])
            process.buffer = []
        if process.marks:
            process.file.append([], process.marks)
            process.marks = []
        if process.shown and self.reaches(process, "cache"):
            args = finish.arguments(b"c", None, [], [], [], process.shown)
            self.cache.finish(args)
            process.shown = []
        if not (process.logs or process.confirms):
            return
        if process.database.open or not self.reaches(process, "db"):
            if process.database.open and process.logs:
                now = self.now(process)
                lines = [log_line(process.plan, row, now, 0) for row in process.logs]
                process.file.append(lines, [])
                process.logs = []
            return
        now = self.now(process)
        request = only_logs(process.plan, "N", now, process.logs, process.confirms)
        self.record.commit(request)
        process.logs, process.confirms = [], []

    def reaches(self, process: Process, store: str) -> bool:
        """Whether the link is whole."""
        return (str(process.name), store) not in self.cut

    def now(self, process: Process) -> Any:
        """The clock of a process."""
        return evening.START + timedelta(seconds=self.t) + self.skew

    def answered(self, guest: Guest, item: Item, *, handed: bool) -> None:
        """An answer that the guest saw, or did not."""
        if item.error or not handed:
            self.again(guest)
            return
        if item.stored is not None:
            verdict, reason = item.stored.verdict, item.stored.reason
            if item.stored.superseded_by is not None:
                verdict, reason = "refused", "superseded"
        else:
            assert item.decision is not None
            verdict, reason = item.decision.verdict, item.decision.reason
        self.log("ANSWER", guest.scan_id.int & 0xFFFF, verdict, reason, item.durable)
        self.history.append(Answered(guest, verdict, reason, item))
        turned_away = verdict in ("refused", "hold")
        if turned_away and self.chance.random() < 0.3 and self.t < STEPS:
            gate = self.chance.choice(evening.GATES)
            self.comes(guest.ticket_id, gate, guest.direction, guest.admit)
        elif self.chance.random() < 0.1:
            self.again(guest)  # the device asks once more for what it has

    def again(self, guest: Guest) -> None:
        """The device repeats the scan with its id, here or at another process."""
        guest.tries += 1
        if guest.tries < TRIES_MAX or self.t >= STEPS:
            self.waiting.append(guest)


class Flying:
    """A batch under way: its commands run one by one, in any order."""

    def __init__(self, world: World, process: Process, guests: list[Guest]) -> None:
        self.world, self.process, self.guests = world, process, guests
        self.answered = False
        now = world.now(process)
        items = [self._item(index, guest, now) for index, guest in enumerate(guests)]
        for guest in guests:
            world.started.setdefault(guest.scan_id, world.t)
        asked = {guest.scan_id for guest in guests}
        if any(row.s in asked for row in process.logs):
            world.flush(process)
        logs = [row for row in process.logs if row.s not in asked]
        process.logs = []
        confirms, process.confirms = process.confirms, []
        self.batch = Batch(
            process.plan,
            items,
            now,
            use_cache=world.chance.random() > 0.03,
            ask_again=lambda _, item: item.ask,
            logs=logs,
            confirms=confirms,
        )
        self.steps = self.batch.run()
        self._start(next(self.steps))

    def _item(self, index: int, guest: Guest, now: Any) -> Item:
        gate = self.process.plan.gates[guest.gate]
        scan = ScanRequest(
            guest.scan_id,
            "",
            direction=guest.direction,
            admit=guest.admit,  # type: ignore[arg-type]
        )
        device_id = evening.DEVICES[guest.gate]
        ask = Ask(
            scan,
            device_id,
            guest.direction,  # type: ignore[arg-type]
            gate,
            now,
            "foreign",
            lambda: False,
        )
        device = self.world.record.devices[device_id]
        content = guest.scan_id.bytes
        return Item(index, ask, evening.code(guest.ticket_id), content, "", device)

    def _start(self, asked: list[Any]) -> None:
        self.asked = asked
        self.replies: dict[int, Any] = {}

    def advance(self) -> bool:
        """One command; whether the batch is over."""
        left = [n for n in range(len(self.asked)) if n not in self.replies]
        number = self.world.chance.choice(left)
        self.replies[number] = self._execute(self.asked[number])
        if len(self.replies) < len(self.asked):
            return False
        try:
            replies = [self.replies[n] for n in range(len(self.asked))]
            self._start(self.steps.send(replies))
        except StopIteration:
            self._end()
            return True
        return False

    def _execute(self, command: Any) -> Any:
        world, process = self.world, self.process
        match command:
            case commands.ReadCache():
                args = from_cache.arguments(b"e", command.reads)
                return self._cached(
                    lambda: from_cache.parse(
                        b"e", command.reads, world.cache.read(args)
                    )
                )
            case commands.Claim():
                args = claim.arguments(
                    b"e", command.epoch, command.plan, command.items, command.now
                )
                return self._cached(lambda: claim.parse(b"e", world.cache.claim(args)))
            case commands.Switch():
                return self._cached(lambda: self._switched(command))
            case commands.Finish():
                reply = self._cached(lambda: self._finish(command))
                return "down" if isinstance(reply, Down) else reply
            case commands.ReadDatabase():
                return self._asked(lambda: world.record.read(command.reads))
            case commands.Commit():
                return self._asked(lambda: world.record.commit(command.request))
            case commands.LoadPlan():
                return Down("database")
            case commands.Journal():
                self._write(command)
                return None
            case commands.Recall():
                if not world.guards.idempotency:
                    return []
                return world.files.recall(command.scan_ids, process.file)
            case commands.Look():
                if not world.guards.look:
                    return []
                return world.files.look(command.ticket_ids, process.file)
            case commands.Answer():
                return self._answer()
        raise AssertionError(command)

    def _cached(self, call: Callable[[], Any]) -> Any:
        if not self.world.reaches(self.process, "cache"):
            return Down("cache")
        reply = call()
        return Down("cache") if self.world.chance.random() < 0.01 else reply

    def _switched(self, command: commands.Switch) -> Any:
        args = [b"e", 0, command.epoch, command.mode, 0]
        reply = self.world.cache.switch(args)
        self.world.journalled = True
        if reply[1] == b"cold":
            return from_cache.Cold("cold")
        return ModeIs(reply[2].decode(), int(reply[3]))

    def _finish(self, command: commands.Finish) -> str:
        shown, self.process.shown = self.process.shown, []
        batch = self.batch
        args = finish.arguments(
            b"e",
            command.epoch,
            finish.visits(batch.plan, command.items, command.replies, batch.now),
            [],
            [],
            shown,
        )
        return str(self.world.cache.finish(args)[1].decode())

    def _asked(self, call: Callable[[], Any]) -> Any:
        """PostgreSQL: an answer, none, or one that was lost or comes late."""
        process, chance = self.process, self.world.chance
        if process.database.open:
            return Down("database", lasting=True)
        if not self.world.reaches(process, "db"):
            if chance.random() < 0.2:
                self.world.late.append(call)  # a stopped server goes on one day
            process.database.failed(0.0, 2)
            return Down("database", lasting=True)
        reply = call()
        if chance.random() < 0.02:
            return Down("database")
        process.database.succeeded()
        return reply

    def _write(self, command: commands.Journal) -> None:
        marks, self.process.marks = self.process.marks, []
        if command.synced and not self.world.guards.journal:
            self.process.buffer += command.lines  # answered before it is kept
            self.process.file.append([], marks)
        else:
            self.process.file.append(command.lines, marks)

    def _answer(self) -> None:
        self.answered = True
        process = self.process
        for guest, item in zip(self.guests, self.batch.items, strict=True):
            handed = self.world.chance.random() > 0.08
            green = item.durable in ("committed", "journal") or (
                item.stored is not None
                and item.stored.verdict == "admitted"
                and item.stored.superseded_by is None
            )
            if green and handed and not item.error:
                self._note(guest, item)
            stored = item.stored is not None and item.stored.durable == "journal"
            if (item.durable == "journal" or stored) and not item.error:
                state = "shown" if handed else "answered"
                process.marks.append((guest.scan_id, state))
            self.world.answered(guest, item, handed=handed)

    def _note(self, guest: Guest, item: Item) -> None:
        if item.durable != "journal":
            self.process.confirms.append(guest.scan_id)
        facts = item.facts
        if item.decision is not None and facts is not None and facts.ticket_id:
            self.process.shown += [
                (
                    visit_key(facts.ticket_id, o.scope.no, o.person_no),
                    guest.scan_id.bytes,
                )
                for o in item.decision.opens
            ]

    def _end(self) -> None:
        process, batch = self.process, self.batch
        process.logs += batch.logs + batch.logs_refused
        process.confirms += batch.confirms
        process.logs += [
            log_row(item, item.decision, None)
            for item in leftovers(batch.items)
            if item.decision is not None
        ]


class Sync:
    """The sync process: merge, rebuild, drain, relay, and the way back."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.epochs = 0
        self.changed: list[UUID] = []
        self.restart()

    def restart(self) -> None:
        """It forgets everything and begins anew."""
        self.merging: dict[int, Merging] = {}
        self.stalled = True
        self.told = 0
        self.unsettled: set[UUID] = set()
        self.merged_epoch = -1
        self.seen: tuple[int, int] = (-1, 0)
        self.task = self._turn()

    def reaches(self, store: str) -> bool:
        """Whether its link is whole."""
        return ("sync", store) not in self.world.cut

    def advance(self) -> None:
        """One step of its duties."""
        try:
            next(self.task)
        except StopIteration:
            self.task = self._turn()

    def to_the_end(self) -> None:
        """Turns without a pause, until nothing is left to do."""
        for _ in range(6):
            for _ in self._turn():
                pass
            self.seen = (self.world.cache.epoch, self.world.t - 100)

    def _turn(self) -> Generator[None, None, None]:
        world = self.world
        mode, epoch = world.cache.mode, world.cache.epoch
        if not self.reaches("cache"):
            epoch = -1
        complete = yield from self._merge_all()
        if complete and epoch >= 0:
            self.merged_epoch = epoch
            waiting = {t for one in self.merging.values() for t in one.pending.values()}
            if mode == "N" and (world.cache.mode, world.cache.epoch) == (mode, epoch):
                self._settle(sorted(self.unsettled - waiting))
                self.unsettled &= waiting
        yield
        if not (self.reaches("db") and self.reaches("cache")):
            return
        if not world.cache.ready:
            yield from self.rebuild()
            return
        self._drain()
        yield
        self._relay()
        yield
        self._back()

    def _merge_all(self) -> Generator[None, None, bool]:
        while True:
            before = sum(one.merged for one in self.merging.values())
            held = frozenset(
                t for one in self.merging.values() for t in one.pending.values() if t
            )
            for number, file in enumerate(list(self.world.files.files)):
                state = self.merging.setdefault(number, Merging())
                owner: Owner = "live" if file.alive else "dead"
                steps = state.turn(owner, held, stalled=self.stalled)
                try:
                    command = next(steps)
                    while True:
                        yield
                        command = steps.send(self._execute(file, command))
                except StopIteration:
                    pass
            self.stalled = before == sum(one.merged for one in self.merging.values())
            complete = all(one.complete for one in self.merging.values())
            if complete or self.stalled:
                return complete

    def _execute(self, file: FileModel, command: Any) -> Any:
        record = self.world.record
        match command:
            case merge.ReadLines():
                return file.since(command.seq, command.limit, command.every_mode)
            case merge.Lines():
                return self.world.files.recall(command.scan_ids, None)
            case merge.Settle():
                self.unsettled.update(command.ticket_ids)
                return None
        if not self.reaches("db"):
            return Down("database")
        if isinstance(command, merge.Rivals):
            return record.rivals(command.opens)
        reply = record.merge(command)
        return Down("database") if self.world.chance.random() < 0.02 else reply

    def _settle(self, tickets: list[UUID]) -> None:
        told: list[Any] = []
        for ticket_id in tickets:
            found = self.world.record.visits(ticket_id)
            for scope_no in (1, 2):
                for person in range(1, evening.TICKETS[ticket_id] + 1):
                    visit = found.get((scope_no, person))
                    plan = self.world.record.plan
                    told.append(
                        finish.cache_visit(plan, ticket_id, scope_no, person, visit, 1)
                        if visit
                        else [visit_key(ticket_id, scope_no, person), b"", 0, 0, 0, 0]
                    )
        self.world.cache.finish(finish.settling(b"s", told))

    def rebuild(self) -> Generator[None, None, None]:
        world, cache = self.world, self.world.cache
        self.epochs += 1_000_000
        cache.begin(self.epochs)
        mine = self.epochs
        yield
        if not (yield from self._merge_all()):
            return
        record = world.record
        copy = {t: list(record.visits(t).items()) for t in evening.TICKETS}
        entries = dict(record.tickets)
        yield
        if cache.epoch != mine or not self.reaches("cache"):
            return
        for ticket_id, visits in copy.items():
            cache.put_ticket(ticket_id, entries[ticket_id])
            cache.codes[evening.code(ticket_id)] = ticket_id.bytes + b"\0"
            self._tell(ticket_id, visits)
        cache.devices = {
            device.bytes: pack_device(entry) for device, entry in record.devices.items()
        }
        yield
        if cache.epoch != mine or not self.reaches("cache"):
            return
        for ticket_id in evening.TICKETS:
            self._tell(ticket_id, record.passes(ticket_id))
            cache.put_ticket(ticket_id, record.tickets[ticket_id])
        cache.ready = True
        world.log("WARM", mine)
        self.told = 0

    def _tell(self, ticket_id: UUID, visits: list[tuple[tuple[int, int], Any]]) -> None:
        plan = self.world.record.plan
        told = [
            finish.cache_visit(plan, ticket_id, scope_no, person, visit, 1)
            for (scope_no, person), visit in visits
        ]
        self.world.cache.finish(finish.arguments(b"d", None, told, [], []))

    def _drain(self) -> None:
        facts = self.world.record.facts
        for ticket_id in sorted({fact[2] for fact in facts[self.told :]}):
            self._tell(ticket_id, self.world.record.passes(ticket_id))
        self.told = len(facts)

    def _relay(self) -> None:
        for ticket_id in self.changed:
            entry = self.world.record.tickets[ticket_id]
            self.world.cache.put_ticket(ticket_id, entry)
        self.changed = []

    def _back(self) -> None:
        """To mode N: steady for a while at this epoch, and all merged up to it."""
        cache = self.world.cache
        if cache.mode != "D":
            return
        if self.seen[0] != cache.epoch:
            self.seen = (cache.epoch, self.world.t)
        if self.world.t - self.seen[1] < 20 or self.merged_epoch < cache.epoch:
            return
        self.world.log("BACK", cache.epoch)
        cache.switch([b"b", 0, cache.epoch, "N", 0])
