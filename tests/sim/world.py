"""A seeded evening: two api processes and a sync process over models of the stores.

What runs is the program's own core: `Batch`, `Merging`, the breaker, `note`, the
arguments of the scripts and functions. What is simulated is everything that can go
wrong: links that are cut on one side, replies that are lost, calls that land late,
processes that are killed between any two commands or stand still, PostgreSQL that stops
in the middle of a commit, a cache that is emptied, clocks that disagree.

All that happens by chance comes from one `random.Random(seed)`, and no clock is part of
it: the same seed with other clocks must end alike (I12).
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from ops.admission.commands import Item
from tests.sim import evening
from tests.sim.cache import CacheModel
from tests.sim.evening import Guest, uid
from tests.sim.files import Files
from tests.sim.guards import Guards
from tests.sim.links import Links
from tests.sim.process import Process
from tests.sim.record import Record
from tests.sim.sync import Sync

STEPS = 320
SETTLE_ROUNDS = 150
TRIES_MAX = 14
API_PROCESSES = 2
WEATHER = (0.004, 0.015, 0.04, 0.08)
"""Faults a step: from an evening with one to an evening of nothing else."""
FAULTS = (
    *("kill", "db", "db all", "db all", "cache", "cache all", "flush"),
    *("sync", "clock", "stop", "sweep"),
)
THEMES = (FAULTS, FAULTS, FAULTS, ("db",), ("db", "stop", "kill"))
"""Evenings of everything, and of what crosses the doors of two processes most often."""


class Answered(msgspec.Struct, frozen=True):
    """What a guest saw."""

    t: int
    scan_id: UUID
    ticket_id: UUID
    direction: str
    verdict: str
    reason: str
    people: int
    durable: str
    just_now: bool


class World:
    """One evening; `run` plays it to its end and leaves it quiet."""

    def __init__(
        self,
        seed: int,
        guards: Guards | None = None,
        *,
        trace: bool = False,
        clocks: bool = True,
        only: tuple[str, ...] = (),
    ) -> None:
        self.chance = random.Random(seed)
        self.guards, self.trace, self.clocks = guards or Guards(), trace, clocks
        self.t = 0
        self.weather = self.chance.choice(WEATHER)
        theme = self.chance.choice(THEMES)
        self.only = only or theme
        self.record = Record(evening.plan(), evening.tickets(), self.guards)
        self.record.devices = evening.devices()
        self.record.codes = dict(evening.CODES)
        self.cache = CacheModel(self.guards)
        self.files = Files()
        self.links = Links(self.chance)
        self.skews = [timedelta()] * (API_PROCESSES + 1)
        self.processes = [Process(name, self) for name in range(API_PROCESSES)]
        self.history: list[Answered] = []
        self.shown: dict[UUID, dict[UUID, int]] = {t: {} for t in evening.TICKETS}
        """Scans whose green was handed to a caller, and when, by ticket."""
        self.refunded: dict[UUID, int] = {}
        self.started: dict[UUID, int] = {}
        self.faults: list[str] = []
        self.killed = False
        self.waiting: list[Guest] = []
        self.coming: list[tuple[int, Guest]] = []
        self.scans: dict[UUID, Guest] = {}
        self.sync = Sync(self)
        for coming in evening.crowd(self.chance):
            self.comes(*coming, at=self.chance.randrange(STEPS // 2))
        refunds = self.chance.choice((0, 0, 1, 2))
        self.refunds = [self.chance.randrange(STEPS) for _ in range(refunds)]
        self.stops: list[tuple[int, int]] = []
        """When a process will stand still in the middle of what it does."""
        for _ in self.sync.rebuild():
            pass

    def log(self, *words: object) -> None:
        """Tell it, if the evening is traced."""
        if self.trace:
            print(f"{self.t:4d}", *words)

    def clock(self, process: int) -> datetime:
        """The clock of a process; a step is a second."""
        skew = self.skews[process] if self.clocks else timedelta()
        return evening.START + timedelta(seconds=self.t) + skew

    def comes(
        self,
        ticket_id: UUID,
        gate: UUID,
        direction: str,
        admit: int,
        *,
        at: int,
        take_over: UUID | None = None,
    ) -> None:
        """A code will be read that was not read before."""
        scan_id = uid(9, len(self.scans) + 1)
        guest = Guest(scan_id, ticket_id, gate, direction, admit, take_over)
        guest.door = self.chance.randrange(API_PROCESSES)
        self.scans[scan_id] = guest
        self.coming.append((at, guest))

    # time

    def run(self) -> None:
        """Play the evening, heal everything, and wait until nothing moves."""
        for self.t in range(STEPS):
            self._arrive()
            self._step()
        self.log("HEAL")
        self.links.busy = False
        self.links.heal()
        for turn in range(SETTLE_ROUNDS):
            self.t += 1
            if turn < SETTLE_ROUNDS - 100:
                self._arrive()
            for process in self.processes:
                process.stopped_until = 0
                process.database.succeeded()
                if self.waiting:
                    self._depart(process)
                while process.flights:
                    process.advance()
                process.flush()
            self.sync.turn()

    def _arrive(self) -> None:
        if self.t in self.refunds:
            self._refund()
        for at, name in self.stops:
            if at == self.t:
                self.processes[name].stopped_until = at + self.chance.randint(20, 50)
        if self.coming:
            here = [guest for at, guest in self.coming if at <= self.t]
            if any(guest.take_over for guest in here):
                # A steward takes seconds; a process writes such things in 50 ms.
                for process in self.processes:
                    if process.stopped_until <= self.t:
                        process.flush()
            if here:
                self.waiting += here
                self.coming = [one for one in self.coming if one[0] > self.t]

    def _step(self) -> None:
        roll, chance = self.chance.random(), self.chance
        if roll < self.weather:
            self._fault(chance.choice(self.only), chance.choice(self.processes))
            return
        roll = chance.random()
        process = chance.choice(self.processes)
        if process.stopped_until > self.t:
            return
        if roll < 0.16:
            self._depart(process)
        elif roll < 0.66:
            if process.flights:
                process.advance()
        elif roll < 0.80:
            self.sync.advance()
        elif roll < 0.88:
            process.flush()
        elif roll < 0.94:
            self._mend(process)
        elif roll < 0.97:
            self.links.land()
        self._recover(process)

    def _mend(self, process: Process) -> None:
        links = self.links
        if links.cut:
            mended = self.chance.choice(sorted(links.cut))
            links.cut.discard(mended)
            if self.chance.random() < 0.5:  # a store that is back is back for all
                links.cut = {one for one in links.cut if one[1] != mended[1]}
            self.log("MENDED", mended)

    def _recover(self, process: Process) -> None:
        """The breaker closes when its link has been good for a while."""
        if (
            process.database.open
            and self.links.reaches(process.link, "db")
            and self.chance.random() < 0.12
        ):
            process.database.succeeded()
            self.log("CLOSED", process.name)

    def _depart(self, process: Process) -> None:
        """Start a batch of waiting guests."""
        if not process.room:
            return
        taken = []
        here = [guest for guest in self.waiting if guest.door == process.name]
        for guest in here[: self.chance.randint(1, 4)]:
            if guest.scan_id not in process.busy:
                taken.append(guest)
                self.started.setdefault(guest.scan_id, self.t)
        if taken:
            self.waiting = [guest for guest in self.waiting if guest not in taken]
            self.log(f"p{process.name} STARTS", *map(self.story, taken))
            process.depart(taken)

    def story(self, guest: Guest) -> str:
        """A guest as a trace shows him."""
        gate = self.record.plan.gates[guest.gate].name
        what = f"scan {guest.scan_id.int & 0xFF} of ticket {guest.ticket_id.int & 0xF}"
        take = f" takes {guest.take_over.int & 0xFF}" if guest.take_over else ""
        return f"[{what} {guest.direction} x{guest.admit} at {gate}{take}]"

    # faults

    def _fault(self, kind: str, process: Process) -> None:
        self.log("FAULT", kind, process.name)
        self.faults.append(kind)
        names = [one.link for one in self.processes] + ["sync"]
        match kind:
            case "kill":
                self._kill(process)
            case "db":
                self.links.cut.add((process.link, "db"))
                self._twins(1 - process.name)
            case "db all":
                for one in self.processes:
                    for flight in one.flights:
                        flight.crash()
                self.links.cut |= {(name, "db") for name in names}
            case "cache":
                self.links.cut.add((process.link, "cache"))
            case "cache all":
                self.links.cut |= {(name, "cache") for name in names}
            case "flush":
                self.cache.flush()
            case "sync":
                self.sync.restart()
            case "clock":
                hours = self.chance.choice((-2, 0, 7))
                self.skews[self.chance.randrange(3)] = timedelta(hours=hours)
            case "stop":
                process.stopped_until = self.t + self.chance.randint(5, 40)
            case "sweep":
                self.sync.sweep()

    def _twins(self, other: int) -> None:
        """A ticket and its copy, at doors of both processes, just as one is cut off.

        The other one may stand still just then, with a batch half done.
        """
        self.stops.append((self.t + self.chance.randint(6, 30), other))
        ticket_id = self.chance.choice(evening.TICKET_IDS)
        for door in range(API_PROCESSES):
            gate = self.chance.choice(evening.GATES)
            self.comes(ticket_id, gate, "in", 1, at=self.t + 1)
            self.coming[-1][1].door = door

    def _kill(self, process: Process) -> None:
        self.killed = True
        self.waiting += process.die()
        self.processes[process.name] = Process(process.name, self)

    def _refund(self) -> None:
        ticket_id = self.chance.choice(evening.TICKET_IDS)
        entry = self.record.tickets[ticket_id]
        if entry.state == "valid":
            self.record.tickets[ticket_id] = msgspec.structs.replace(
                entry, version=entry.version + 1, state="refunded"
            )
            self.refunded[ticket_id] = self.t
            self.sync.changed.append(ticket_id)

    # answers

    def handed(self, guest: Guest, item: Item) -> bool:
        """An answer: it reaches its caller or not, and the guest sees it or not."""
        reached = not self.links.fails(0.06)
        if item.error or not reached:
            self._again(guest)
            return False
        if item.stored is not None:
            verdict, reason = item.stored.verdict, item.stored.reason
            if item.stored.superseded_by is not None:
                verdict, reason = "refused", "superseded"
            people, just_now = item.stored.people, "just_now" in item.stored.args
        else:
            assert item.decision is not None
            verdict, reason = item.decision.verdict, item.decision.reason
            people, just_now = item.decision.people, item.decision.just_now
        self.log("ANSWER", self.story(guest), verdict, reason, item.durable)
        if verdict == "admitted":
            self.shown[guest.ticket_id].setdefault(guest.scan_id, self.t)
        if self.links.fails(0.03):  # handed over, and lost on the way to the screen
            self._again(guest)
            return True
        self.history.append(
            Answered(
                self.t,
                guest.scan_id,
                guest.ticket_id,
                guest.direction,
                verdict,
                reason,
                people,
                item.durable,
                just_now,
            )
        )
        self._goes_on(guest, verdict, reason, item)
        return True

    def _again(self, guest: Guest) -> None:
        """The device repeats the scan with its id, here or at another process."""
        guest.tries += 1
        guest.door = self.chance.randrange(API_PROCESSES)
        if guest.tries < TRIES_MAX or not self.links.busy:
            self.waiting.append(guest)
        else:  # it decided itself, and brings what it did when all is well again
            self.coming.append((STEPS, guest))

    def _goes_on(self, guest: Guest, verdict: str, reason: str, item: Item) -> None:
        """What guest, steward and device do next."""
        chance, t = self.chance, self.t
        if not self.links.busy:
            return
        roll, soon = chance.random(), t + chance.randint(1, 30)
        gate = chance.choice(evening.GATES)
        if verdict == "admitted" and roll < 0.45:
            self.comes(guest.ticket_id, gate, "out", guest.admit, at=soon)
        elif verdict == "exited" and roll < 0.75:
            self.comes(guest.ticket_id, gate, "in", guest.admit, at=soon)
        elif reason == "unconfirmed" and roll < 0.5:
            previous = item.decision and item.decision.args.get("previous")
            if previous:
                self.comes(
                    guest.ticket_id,
                    guest.gate,
                    "in",
                    guest.admit,
                    at=t + 2,
                    take_over=UUID(str(previous)),
                )
        elif verdict in ("refused", "hold") and roll < 0.4:
            self.comes(guest.ticket_id, gate, guest.direction, guest.admit, at=soon)
        if chance.random() < 0.08:
            self.waiting.append(guest)  # the device asks once more for what it has
        if verdict == "admitted" and chance.random() < 0.3:
            # The device says so itself, with its next message, to whom it reaches.
            chance.choice(self.processes).confirms.append(guest.scan_id)
