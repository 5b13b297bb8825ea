"""Who scans what, where and when: the evening of the crowd as a list of steps. Pure.

The curve is that of a conference: a bell before the keynote with a tail of late ones,
rooms that fill around the beginning of a session, lunch outside, a wave that leaves.
Among the steps are those that a door must refuse or see through: a code read twice, a
copied ticket at another gate, the wrong gate, a code that is none, somebody too early.

Scan ids come from the seed as well: a crowd that starts again repeats the same scans.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from uuid import UUID

import msgspec

from ops.dev import programme, seeds
from ops.dev.programme import SessionSpec
from ops.dev.sales import SampleTicket
from ops.dev.sample import Evening

_COMES = 0.88  # of the valid tickets
_COMES_ANYWAY = 0.4  # of the others
_BELL = (0.13, 0.04)  # mean and deviation, as shares of the evening
_LATE = 0.25  # come outside the bell
_TOO_EARLY = 0.008
_TWICE = 0.02
_COPIED = 0.012
_WRONG_GATE = 0.012
_TO_LOUNGE = 0.5
_TO_WORKSHOP = 0.92
_OUT_FOR_LUNCH = 0.22
_LEAVES = 0.75
_STRANGE = 150  # codes that are none of ours
_ANOTHER_SPELLING = 0.04
_VENUE_GATES = [gate for gate in programme.GATES if gate.area == "venue"]
_SPACE = " "


class Step(msgspec.Struct, frozen=True, order=True):
    """One scan: at this second of the evening, with this device.

    `ticket_id` is the crowd's own knowledge, for its log; it is not sent.
    """

    at_s: float
    scan_id: UUID
    device: str
    code: str
    direction: str
    why: str
    session: str | None = None
    ticket_id: UUID | None = None
    admits: int = 1


def plan(evening: Evening) -> list[Step]:
    """All steps of the evening in the order of their time."""
    crowd = _Crowd(evening)
    for ticket in evening.tickets:
        crowd.live(ticket)
    crowd.strangers()
    return sorted(crowd.steps)


class _Crowd:
    """Collects the steps; every choice comes from one generator."""

    def __init__(self, evening: Evening) -> None:
        self._rng = seeds.rng(evening.seed, "crowd", evening.number)
        self._times = evening.timetable
        self.steps: list[Step] = []

    def live(self, ticket: SampleTicket) -> None:
        """The evening of one ticket's holder."""
        rng = self._rng
        comes = _COMES if ticket.state == "valid" else _COMES_ANYWAY
        if rng.random() >= comes:
            return
        arrives = self._arrival()
        if rng.random() < _TOO_EARLY:
            self._venue(ticket, rng.uniform(0.001, 0.007), "in", "too_early")
        device = self._venue(ticket, arrives, "in", "arrive")
        if rng.random() < _TWICE:
            after = arrives + rng.uniform(0.3, 2.0) / self._times.length_s
            self._add(ticket, after, device, "in", "twice")
        if rng.random() < _COPIED:
            after = arrives + rng.uniform(0.02, 0.08)
            self._venue(ticket, after, "in", "copied")
        if ticket.state != "valid":
            return
        for spec, at in self._visits(ticket, arrives):
            self._add(ticket, at, self._room_device(spec), "in", "session", spec.key)
        self._lounge(ticket, arrives)
        if arrives < 0.4 and rng.random() < _OUT_FOR_LUNCH:
            self._venue(ticket, rng.uniform(0.485, 0.53), "out", "lunch")
            self._venue(ticket, rng.uniform(0.545, 0.59), "in", "back")
        if rng.random() < _LEAVES:
            self._venue(ticket, min(0.995, rng.gauss(0.91, 0.035)), "out", "leave")

    def strangers(self) -> None:
        """People whose code is none."""
        rng = self._rng
        codes = _strange_codes(rng)
        for _ in range(_STRANGE):
            at = rng.choice((self._arrival(), rng.uniform(0.05, 0.9)))
            gate = rng.choice(programme.GATES)
            at_s = at * self._times.length_s
            self.steps.append(
                Step(
                    at_s,
                    self._scan_id(at),
                    rng.choice(gate.devices),
                    next(codes),
                    "in",
                    "strange",
                )
            )

    def _arrival(self) -> float:
        rng = self._rng
        if rng.random() < _LATE:
            return rng.uniform(0.03, 0.45)
        return max(programme.FIRST_ENTRY + 0.002, rng.gauss(*_BELL))

    def _visits(
        self, ticket: SampleTicket, arrives: float
    ) -> Iterator[tuple[SessionSpec, float]]:
        """The sessions that the holder goes to, one at a time."""
        rng = self._rng
        busy_until = arrives + 0.02
        for spec in programme.SESSIONS:
            at = spec.begin + rng.uniform(-programme.OPENS_BEFORE + 0.003, 0.06)
            if at < busy_until:
                continue
            if spec.mode == "registered":
                seated = spec.key in ticket.workshops
                goes = rng.random() < (_TO_WORKSHOP if seated else _WRONG_GATE / 4)
            else:
                goes = rng.random() < spec.draw
            if goes:
                busy_until = spec.end
                yield spec, at

    def _lounge(self, ticket: SampleTicket, arrives: float) -> None:
        rng = self._rng
        allowed = ticket.type in programme.LOUNGE_TYPES
        if rng.random() < (_TO_LOUNGE if allowed else _WRONG_GATE):
            at = rng.uniform(max(arrives + 0.03, 0.35), 0.9)
            self._add(ticket, at, "Lounge", "in", "lounge" if allowed else "wrong_gate")

    def _venue(self, ticket: SampleTicket, at: float, direction: str, why: str) -> str:
        """A scan at one of the outer doors; returns the device."""
        weights = [len(gate.devices) for gate in _VENUE_GATES]
        gate = self._rng.choices(_VENUE_GATES, weights)[0]
        device = self._rng.choice(gate.devices)
        self._add(ticket, at, device, direction, why)
        return device

    def _room_device(self, spec: SessionSpec) -> str:
        area = "main" if spec.room == "main" else "harbour"
        gate = next(gate for gate in programme.GATES if gate.area == area)
        return self._rng.choice(gate.devices)

    def _add(
        self,
        ticket: SampleTicket,
        at: float,
        device: str,
        direction: str,
        why: str,
        session: str | None = None,
    ) -> None:
        self.steps.append(
            Step(
                at * self._times.length_s,
                self._scan_id(at),
                device,
                self._spelled(ticket.code),
                direction,
                why,
                session,
                ticket.id,
                ticket.admits,
            )
        )

    def _scan_id(self, at: float) -> UUID:
        return seeds.uuid7(self._rng, self._times.at(at))

    def _spelled(self, code: str) -> str:
        """Sometimes as a keyboard scanner or a person types one of our codes."""
        if code.isdigit() or self._rng.random() >= _ANOTHER_SPELLING:
            return code
        groups = [code[at : at + 6] for at in range(0, len(code), 6)]
        return self._rng.choice((code.lower(), _SPACE.join(groups), "-".join(groups)))


def again(step: Step, attempt: int, after_s: float) -> Step:
    """The same person once more, as a new scan with an id of its own."""
    rng = seeds.rng(step.scan_id, attempt)
    bits = step.scan_id.int & ~(2**62 - 1) | rng.getrandbits(62)
    return msgspec.structs.replace(
        step, at_s=step.at_s + after_s, scan_id=UUID(int=bits), why=f"{step.why}_again"
    )


def _strange_codes(rng: random.Random) -> Iterator[str]:
    """Texts that a scanner reads at a door and that open nothing."""
    while True:
        number = rng.randrange(10**12)
        yield f"https://tickets.example.net/e/{number}"
        yield f"{number:013d}"
        yield f"BEGIN:VCARD\nVERSION:3.0\nFN:Guest {number}\nEND:VCARD"
        yield "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=40))
        yield f"WIFI:S:Lakeshore Guests;T:WPA;P:{number};;"
        yield "M1LAST/FIRST       EABC123 YYZLHRAC 0848 327Y014A0001"
