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
LOUNGE_CAPACITY = 3


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
OPERATOR = uid(8, 1)
TICKETS = {
    uid(7, number): admits for number, admits in enumerate((1, 1, 1, 1, 3, 2), 1)
}
TICKET_IDS = tuple(sorted(TICKETS))


def code(ticket_id: UUID) -> bytes:
    """The hash of its code."""
    return b"c" + ticket_id.bytes[1:]


CODES = {code(ticket_id): ticket_id for ticket_id in TICKETS}


def rows() -> PlanRows:
    """The plan as PostgreSQL gives it."""
    return PlanRows(
        1,
        EventPlan(
            EVENT,
            1,
            "Simulated evening",
            "UTC",
            ("en",),
            "live",
            "open",
            START - timedelta(hours=6),
            START + timedelta(hours=12),
            None,
            None,
            time(4),
        ),
        [
            AreaPlan(VENUE, 1, "Venue", "venue", CAPACITY, "hard"),
            AreaPlan(LOUNGE, 2, "Lounge", "zone", LOUNGE_CAPACITY, "hard"),
        ],
        [
            ScopePlan(VENUE_SCOPE, 1, "venue", VENUE, "Venue"),
            ScopePlan(LOUNGE_SCOPE, 2, "zone", LOUNGE, "Lounge", parent_id=VENUE_SCOPE),
        ],
        [
            GatePlan(MAIN, 1, "Main", VENUE),
            GatePlan(SIDE, 2, "Side", VENUE),
            GatePlan(INNER, 3, "Lounge door", LOUNGE),
        ],
        [TypePlan(REGULAR, 1, "Regular", None)],
        [],
    )


def plan() -> Plan:
    """The compiled plan."""
    return Plan(rows())


def tickets() -> dict[UUID, TicketEntry]:
    """The tickets as they were sold."""
    return {
        ticket_id: TicketEntry(1, admits, "valid", 1, "guest", "Ng")
        for ticket_id, admits in TICKETS.items()
    }


def devices() -> dict[UUID, DeviceEntry]:
    """A device at each gate, each in the hands of a steward."""
    return {
        device: DeviceEntry(
            1,
            number,
            "active",
            "scan",
            f"Phone {number}",
            number,
            operator_id=OPERATOR.bytes,
            operator_name="Dana",
            operator_role="steward",
            operator_no=1,
        )
        for number, device in enumerate(DEVICES.values(), 1)
    }


class Guest:
    """One scan of a guest at a gate, repeated with its id until it is answered."""

    __slots__ = (
        "admit",
        "direction",
        "door",
        "gate",
        "scan_id",
        "take_over",
        "ticket_id",
        "tries",
    )

    def __init__(
        self,
        scan_id: UUID,
        ticket_id: UUID,
        gate: UUID,
        direction: str,
        admit: int,
        take_over: UUID | None = None,
    ) -> None:
        self.scan_id, self.ticket_id, self.gate = scan_id, ticket_id, gate
        self.direction, self.admit, self.take_over = direction, admit, take_over
        self.tries = 0
        self.door = 0
        """The process that the device's connection leads to."""


Coming = tuple[UUID, UUID, str, int]
"""Ticket, gate, direction, people."""


def crowd(chance: random.Random) -> list[Coming]:
    """Who comes: copies, groups, people for the lounge, and exits that find nobody."""
    coming: list[Coming] = []
    for ticket_id, admits in TICKETS.items():
        for _ in range(chance.choice((1, 1, 2, 3))):
            admit = chance.randint(1, admits)
            coming.append((ticket_id, chance.choice(GATES), "in", admit))
            if chance.random() < 0.25:
                coming.append((ticket_id, chance.choice(GATES), "out", admit))
    chance.shuffle(coming)
    return coming
