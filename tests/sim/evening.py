"""The event of the simulation: a venue of five places, a lounge inside, six tickets."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from ops.admission.plan import (
    AreaPlan,
    EventPlan,
    GatePlan,
    Plan,
    PlanRows,
    ScopePlan,
    TypePlan,
)
from ops.cache.entry import DeviceEntry, TicketEntry

START = datetime(2026, 6, 12, 18, 0, tzinfo=UTC)
CAPACITY = 5


def uid(kind: int, number: int) -> UUID:
    """A readable id."""
    return UUID(int=kind << 64 | number)


EVENT = uid(1, 1)
VENUE, LOUNGE = uid(2, 1), uid(2, 2)
VENUE_SCOPE, LOUNGE_SCOPE = uid(3, 1), uid(3, 2)
MAIN, SIDE, INNER = uid(4, 1), uid(4, 2), uid(4, 3)
GATES = (MAIN, SIDE, INNER)
REGULAR = uid(5, 1)
DEVICES = {gate: uid(6, number) for number, gate in enumerate(GATES, 1)}
TICKETS = {
    uid(7, number): admits for number, admits in enumerate((1, 1, 1, 1, 3, 2), 1)
}


def code(ticket_id: UUID) -> bytes:
    """The hash of its code."""
    return b"c" + ticket_id.bytes[1:]


def plan() -> Plan:
    """The compiled plan."""
    return Plan(
        PlanRows(
            1,
            EventPlan(
                EVENT,
                1,
                "Simulated evening",
                "UTC",
                ("en",),
                "live",
                "open",
                START - timedelta(hours=1),
                START + timedelta(hours=8),
                None,
                None,
                time(4),
            ),
            [
                AreaPlan(VENUE, 1, "Venue", "venue", CAPACITY, "hard"),
                AreaPlan(LOUNGE, 2, "Lounge", "zone", 3, "hard"),
            ],
            [
                ScopePlan(VENUE_SCOPE, 1, "venue", VENUE, "Venue"),
                ScopePlan(
                    LOUNGE_SCOPE, 2, "zone", LOUNGE, "Lounge", parent_id=VENUE_SCOPE
                ),
            ],
            [
                GatePlan(MAIN, 1, "Main", VENUE),
                GatePlan(SIDE, 2, "Side", VENUE),
                GatePlan(INNER, 3, "Lounge door", LOUNGE),
            ],
            [TypePlan(REGULAR, 1, "Regular", None)],
            [],
        )
    )


def tickets() -> dict[UUID, TicketEntry]:
    """The tickets as they were sold."""
    return {
        ticket_id: TicketEntry(1, admits, "valid", 1, "guest", "Ng")
        for ticket_id, admits in TICKETS.items()
    }


def devices() -> dict[UUID, DeviceEntry]:
    """A device at each gate."""
    return {
        device: DeviceEntry(1, number, "active", "scan", f"Phone {number}", number)
        for number, device in enumerate(DEVICES.values(), 1)
    }


class Guest:
    """One scan of a guest at a gate, repeated with its id until it is answered."""

    def __init__(
        self, scan_id: UUID, ticket_id: UUID, gate: UUID, direction: str, admit: int
    ) -> None:
        self.scan_id, self.ticket_id, self.gate = scan_id, ticket_id, gate
        self.direction, self.admit = direction, admit
        self.tries = 0


def crowd(chance: random.Random) -> list[tuple[UUID, UUID, str, int]]:
    """Who comes: ticket, gate, direction, people. Copies, exits, groups, re-entries."""
    coming = []
    for ticket_id, admits in TICKETS.items():
        for _ in range(chance.choice((1, 1, 2, 3))):
            admit = chance.randint(1, admits)
            coming.append((ticket_id, chance.choice(GATES), "in", admit))
            if chance.random() < 0.4:
                coming.append((ticket_id, MAIN, "out", admit))
    chance.shuffle(coming)
    return coming
