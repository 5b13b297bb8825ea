"""One api process of the simulation: batches under way, and what is not written yet.

What decides is the program's own: `Batch`, the breaker, `note`, the arguments of the
scripts. This is the desk and the executor around them, one command at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from ops.admission import claim, commands, finish, from_cache
from ops.admission.ask import Ask
from ops.admission.batch import Batch, leftovers
from ops.admission.breaker import Breaker
from ops.admission.commands import Down, Item, ModeIs
from ops.admission.commit import LogRow, log_row, only_logs
from ops.admission.handed import note
from ops.admission.journal import Mark
from ops.admission.lines import Line, log_line
from ops.admission.scan import ScanRequest
from tests.sim import evening
from tests.sim.evening import Guest
from tests.sim.files import FileModel, Files
from tests.sim.links import Links
from tests.sim.record import Record

AT_ONCE_MAX = 2
_CONTENT = b"c"


class Hall(Protocol):
    """What a process needs of the evening around it."""

    t: int
    record: Record
    cache: Any
    files: Files
    links: Links

    def log(self, *words: Any) -> None:
        """Tell it, if the evening is traced."""

    def clock(self, process: int) -> datetime:
        """The clock of a process."""

    def handed(self, guest: Guest, item: Item) -> bool:
        """Give an answer to a caller; whether he still waited for it."""


class Process:
    """One api process."""

    def __init__(self, name: int, hall: Hall) -> None:
        self.name, self.hall = name, hall
        self.link = str(name)
        self.file: FileModel = hall.files.new()
        self.plan = hall.record.plan
        self.database = Breaker(silence_s=1e9)
        self.mode = "N"
        self.flights: list[Flight] = []
        self.busy: set[UUID] = set()
        self.stopped_until = 0
        self.marks: list[Any] = []
        self.confirms: list[UUID] = []
        self.logs: list[LogRow] = []
        self.shown: list[tuple[bytes, bytes]] = []
        self.buffer: list[Line] = []
        """Lines that are not on the disk although they should be (a control)."""

    @property
    def room(self) -> bool:
        """Whether another batch may start."""
        return len(self.flights) < (1 if self.mode == "D" else AT_ONCE_MAX)

    def depart(self, guests: list[Guest]) -> None:
        """Start a batch; the same id is never twice under way in a process."""
        self.busy.update(guest.scan_id for guest in guests)
        self.flights.append(Flight(self, guests))

    def advance(self) -> None:
        """One command of one batch."""
        flight = self.hall.links.chance.choice(self.flights)
        if flight.advance():
            self.flights.remove(flight)
            self.busy -= {guest.scan_id for guest in flight.guests}

    def die(self) -> list[Guest]:
        """kill -9; who waits for an answer."""
        self.file.alive = False
        return [g for f in self.flights if not f.answered for g in f.guests]

    def write(
        self, lines: list[Line], *, synced: bool, answered: Sequence[Mark] = ()
    ) -> Any:
        """Into the journal, with what became of earlier lines."""
        if self.hall.links.fails(0.004):
            return Down("journal")
        if not self.hall.record.guards.answered:
            answered = ()
        marks, self.marks = [*self.marks, *answered], []
        if self.mode == "D" and not self.hall.record.guards.journal:
            self.buffer += lines
            lines = []
        self.file.append(lines, marks)
        return None

    def flush(self) -> None:
        """What the desk writes when no batch takes it along."""
        if self.buffer:
            self.file.append(self.buffer, [])
            self.buffer = []
        if self.marks:
            self.write([], synced=False)
        if self.shown:
            shown = self.take_shown()
            args = finish.arguments(b"c", None, [], [], [], shown)
            reply = self.ask_cache(lambda: self.hall.cache.finish(args))
            if isinstance(reply, Down):
                self.shown = shown + self.shown
        if not (self.logs or self.confirms):
            return
        logs, self.logs = self.logs, []
        confirms, self.confirms = self.confirms, []
        now = self.hall.clock(self.name)
        request = only_logs(self.plan, self.mode, now, logs, confirms)
        reply = self.ask_database(lambda: self.hall.record.commit(request))
        if not isinstance(reply, Down):
            return
        if not self.hall.record.guards.logs:
            logs = []
        if reply.lasting and self.mode == "D" and logs:
            lines = [log_line(self.plan, row, now, 0) for row in logs]
            if self.write(lines, synced=False) is None:
                logs = []
        self.logs = logs + self.logs
        self.confirms = confirms + self.confirms

    def take_shown(self) -> list[tuple[bytes, bytes]]:
        """What the cache is to be told of greens that were shown."""
        shown, self.shown = self.shown, []
        return shown

    def ask_cache(self, call: Callable[[], Any]) -> Any:
        """Redis: its reply, none, or one that came too late."""
        return self.hall.links.call(self.link, "cache", call)

    def ask_database(self, call: Callable[[], Any]) -> Any:
        """PostgreSQL in its time, as `Stores._ask`."""
        if self.database.open:
            return Down("database", lasting=True)
        reply = self.hall.links.call(self.link, "db", call)
        if not isinstance(reply, Down):
            self.database.succeeded()
            return reply
        whole = self.hall.links.reaches(self.link, "db")
        self.database.failed(0.0, 1 if whole else 2)
        return Down("database", lasting=self.database.open)


class Flight:
    """A batch under way: its commands run one by one, in any order."""

    def __init__(self, process: Process, guests: list[Guest]) -> None:
        self.process, self.hall, self.guests = process, process.hall, guests
        self.answered = False
        now = self.hall.clock(process.name)
        items = [self._item(index, guest, now) for index, guest in enumerate(guests)]
        asked = {guest.scan_id for guest in guests}
        if any(scan_id in asked for scan_id, _ in process.marks):
            process.write([], synced=False)
        if any(row.s in asked for row in process.logs):
            process.flush()
        logs = [row for row in process.logs if row.s not in asked]
        process.logs = []
        confirms, process.confirms = process.confirms, []
        self.batch = Batch(
            process.plan,
            items,
            now,
            use_cache=not self.hall.links.fails(0.02),
            ask_again=lambda _, item: item.ask,
            logs=logs,
            confirms=confirms,
        )
        self.steps = self.batch.run()
        self._start(next(self.steps))

    def _item(self, index: int, guest: Guest, now: datetime) -> Item:
        scan = ScanRequest(
            guest.scan_id,
            "",
            direction=guest.direction,  # type: ignore[arg-type]
            admit=guest.admit,
            take_over=guest.take_over,
        )
        device_id = evening.DEVICES[guest.gate]
        gate = self.process.plan.gates[guest.gate]
        ask = Ask(
            scan,
            device_id,
            guest.direction,  # type: ignore[arg-type]
            gate,
            now,
            "foreign",
            _genuine,
        )
        device = self.hall.record.devices[device_id]
        code = evening.code(guest.ticket_id)
        return Item(index, ask, code, _CONTENT, "", device)

    def _start(self, asked: list[Any]) -> None:
        self.asked = asked
        self.replies: dict[int, Any] = {}
        self.unheard: set[int] = set()

    def waiting(self) -> list[int]:
        """The commands without a reply."""
        return [n for n in range(len(self.asked)) if n not in self.replies]

    def advance(self) -> bool:
        """One command; whether the batch is over."""
        number = self.hall.links.chance.choice(self.waiting())
        command = self.asked[number]
        if number in self.unheard:
            self.process.database.failed(0.0, 2)
            reply: Any = Down("database", lasting=True)
        else:
            reply = self._execute(command)
        self.replies[number] = reply
        self.hall.log(f"p{self.process.name}", Told(command), "->", Told(reply))
        if len(self.replies) < len(self.asked):
            return False
        try:
            replies = [self.replies[n] for n in range(len(self.asked))]
            self._start(self.steps.send(replies))
        except StopIteration:
            self._end()
            return True
        return False

    def crash(self) -> None:
        """PostgreSQL stops in the middle: what it was asked may stand, or may not."""
        for number in self.waiting():
            command = self.asked[number]
            if isinstance(command, commands.Commit | commands.TakeOver):
                if self.hall.links.chance.random() < 0.5:
                    self._write(command)
                self.unheard.add(number)

    def _commit(self, command: commands.Commit | commands.TakeOver) -> Any:
        record = self.hall.record
        before = len(record.facts)
        reply = self.process.ask_database(lambda: self._write(command))
        if isinstance(reply, Down) and not record.guards.facts:
            del record.facts[before:]  # its writer waited for the reply, in vain
        return reply

    def _write(self, command: commands.Commit | commands.TakeOver) -> Any:
        record = self.hall.record
        if isinstance(command, commands.Commit):
            return record.commit(command.request)
        return record.take_over(command.request)

    def _execute(self, command: Any) -> Any:
        process, cache, plan = self.process, self.hall.cache, self.process.plan
        match command:
            case commands.ReadCache():
                args = from_cache.arguments(b"e", command.reads)
                return process.ask_cache(
                    lambda: from_cache.parse(b"e", command.reads, cache.read(args))
                )
            case commands.Claim():
                args = claim.arguments(
                    b"e", command.epoch, plan, command.items, command.now
                )
                return process.ask_cache(lambda: claim.parse(b"e", cache.claim(args)))
            case commands.Switch():
                return process.ask_cache(lambda: _switched(cache, command))
            case commands.Finish():
                shown = process.take_shown()
                reply = process.ask_cache(self._finishing(command, shown))
                if reply != "ok":
                    process.shown = shown + process.shown
                return "down" if isinstance(reply, Down) else reply
            case commands.ReadDatabase():
                record = self.hall.record
                return process.ask_database(lambda: record.read(command.reads))
            case commands.Commit() | commands.TakeOver():
                return self._commit(command)
            case commands.LoadPlan():
                return Down("database")
            case commands.Journal():
                return process.write(
                    command.lines, synced=command.synced, answered=command.marks
                )
        return self._by_itself(command)

    def _by_itself(self, command: Any) -> Any:
        """Commands that need no store: the journals, and the answer."""
        hall, process = self.hall, self.process
        match command:
            case commands.Recall():
                if not hall.record.guards.idempotency:
                    return []
                return hall.files.recall(command.scan_ids, process.file)
            case commands.Look():
                if not hall.record.guards.look:
                    return []
                return hall.files.look(command.ticket_ids, process.file)
            case commands.Answer():
                self._answer()
                return None
        raise AssertionError(command)

    def _finishing(
        self, command: commands.Finish, shown: list[tuple[bytes, bytes]]
    ) -> Callable[[], str]:
        batch = self.batch
        args = finish.arguments(
            b"e",
            command.epoch,
            finish.visits(batch.plan, command.items, command.replies, batch.now),
            finish.lines(batch.plan, command.items, batch.now),
            [],
            shown,
        )
        return lambda: str(self.hall.cache.finish(args)[1].decode())

    def _answer(self) -> None:
        self.answered = True
        reached = [
            (item, self.hall.handed(guest, item))
            for guest, item in zip(self.guests, self.batch.items, strict=True)
        ]
        noted = note(reached)
        process = self.process
        process.confirms += noted.confirms
        process.marks += noted.marks
        process.shown += noted.shown

    def _end(self) -> None:
        process, batch = self.process, self.batch
        process.mode = batch.mode
        process.logs += batch.logs + batch.logs_refused
        process.confirms += batch.confirms
        process.logs += [
            log_row(item, item.decision, None)
            for item in leftovers(batch.items)
            if item.decision is not None
        ]


class Told:
    """A command or a reply as a trace shows it; made only when it is."""

    def __init__(self, what: Any) -> None:
        self.what = what

    def __str__(self) -> str:
        what = self.what
        match what:
            case commands.Commit() | commands.TakeOver():
                request = what.request
                return f"{type(what).__name__} {request.opens} {request.closes}"
            case commands.Journal():
                lines = [(x.scan_id.int & 0xFF, x.state, x.places) for x in what.lines]
                return f"Journal {lines}"
            case commands.ReadCache() | commands.ReadDatabase():
                return type(what).__name__
            case commands.Claim() | commands.Finish() | commands.Answer():
                scans = [item.ask.scan.id.int & 0xFF for item in what.items]
                return f"{type(what).__name__} {scans}"
            case commands.Recall():
                return f"Recall {[scan.int & 0xFF for scan in what.scan_ids]}"
            case commands.Look():
                return f"Look {[ticket.int & 0xFF for ticket in what.ticket_ids]}"
            case list():
                return str(
                    [
                        (
                            x.line.scan_id.int & 0xFF,
                            x.line.state,
                            x.owner,
                            x.line.places,
                        )
                        for x in what
                    ]
                )
        facts = getattr(what, "facts", None)
        if facts is not None:
            return str([_visits(one) for one in facts])
        return str(what)


def _visits(facts: Any) -> dict[tuple[int, int], str]:
    return {
        place: f"{visit.phase.name} pass {visit.pass_no} of {visit.scan_id[-1]}"
        + " confirmed" * visit.confirmed
        + " provisional" * visit.provisional
        for place, visit in facts.visits.items()
    }


def _switched(cache: Any, command: commands.Switch) -> Any:
    reply = cache.switch([b"e", 0, command.epoch, command.mode, 0])
    if reply[1] == b"cold":
        return from_cache.Cold("cold")
    return ModeIs(reply[2].decode(), int(reply[3]))


def _genuine() -> bool:
    return False
