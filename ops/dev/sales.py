"""What the sample's people bought: orders, attendees, tickets, codes, places. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from uuid import UUID

import msgspec

from ops.checkin.codes import code_hash, hint
from ops.dev import programme
from ops.dev.layout import Ids
from ops.dev.people import People, Person
from ops.dev.programme import TypeSpec
from ops.dev.tables import Row, Table

Sign = Callable[[UUID, int], str]
"""Makes the code of an issue of a ticket."""

_TAX = Decimal("0.13")  # HST in Ontario
_CENT = Decimal("0.01")
_IMPORTED = 0.15  # of the codes: sold elsewhere
_REGISTERS = 0.035  # of the people, for each workshop
_WAITLIST = 15
_STATES = {
    "valid": 965,
    "unpaid": 10,
    "cancelled": 10,
    "refunded": 8,
    "blocked": 4,
    "expired": 3,
}
_ORDER_STATUS = {
    "valid": "paid",
    "unpaid": "pending",
    "cancelled": "cancelled",
    "refunded": "refunded",
    "blocked": "paid",
    "expired": "expired",
}
_FLAGGED = ("vip", "speaker", "sponsor")
_LANYARD = ("vip", "speaker")


class SampleTicket(msgspec.Struct, frozen=True):
    """A ticket as the crowd holds it; `workshops` are those it has a place in."""

    id: UUID
    code: str
    type: str
    state: str
    admits: int
    workshops: tuple[str, ...] = ()


class Sales:
    """Sells a ticket to everybody; friends buy together, tickets of one type."""

    def __init__(
        self,
        rng: random.Random,
        ids: Ids,
        make_id: Callable[[], UUID],
        sign: Sign,
        at: datetime,
    ) -> None:
        self._rng, self._ids, self._make_id = rng, ids, make_id
        self._sign, self._at = sign, at
        self._left = {
            spec.key: spec.seats + _WAITLIST
            for spec in programme.SESSIONS
            if spec.mode == "registered"
        }
        self.tickets: list[SampleTicket] = []
        self.orders: list[Row] = []
        self.attendees: list[Row] = []
        self.ticket_rows: list[Row] = []
        self.codes: list[Row] = []
        self.registrations: list[Row] = []

    def sell(self, people: People) -> list[Table]:
        """The rows of all that was sold; `tickets` is what the crowd holds."""
        for _, group in groupby(people.persons, key=lambda person: person.buyer):
            self._sell_to(list(group))
        return [
            Table("orders", self.orders),
            Table("attendees", self.attendees),
            Table("tickets", self.ticket_rows),
            Table("ops.ticket_codes", self.codes),
            Table("ops.session_registrations", self.registrations),
        ]

    def _sell_to(self, group: list[Person]) -> None:
        rng = self._rng
        shares = [spec.share for spec in programme.TYPES]
        kind = rng.choices(programme.TYPES, shares)[0]
        state = rng.choices(list(_STATES), list(_STATES.values()))[0]
        placed_at = self._at - timedelta(days=rng.uniform(1, 90))
        order = self._order(group, kind, state, placed_at)
        self.orders.append(order)
        for person in group:
            attendee = self._attendee(order["id"], person, kind, state, placed_at)
            # A sponsor's ticket may stand for the two who look after the booth.
            admits = 2 if kind.key == "sponsor" and rng.random() < 0.25 else 1
            ticket = {
                "id": self._make_id(),
                "event_id": self._ids.event,
                "order_id": order["id"],
                "attendee_id": attendee["id"],
                "ticket_type_id": self._ids.types[kind.key],
                "state": state,
                "blocked_reason": "Charged back" if state == "blocked" else None,
                "access_class": kind.access_class,
                "admits": admits,
                "price": Decimal(kind.price),
                "created_at": placed_at,
            }
            self.attendees.append(attendee)
            self.ticket_rows.append(ticket)
            code = self._code(ticket["id"], placed_at)
            places: tuple[str, ...] = ()
            if state == "valid":
                places = tuple(self._register(attendee["id"], ticket["id"], placed_at))
            self.tickets.append(
                SampleTicket(ticket["id"], code, kind.key, state, admits, places)
            )

    def _order(
        self, group: list[Person], kind: TypeSpec, state: str, placed_at: datetime
    ) -> Row:
        subtotal = Decimal(kind.price) * len(group)
        tax = (subtotal * _TAX).quantize(_CENT)
        status = _ORDER_STATUS[state]
        return {
            "id": self._make_id(),
            "event_id": self._ids.event,
            "contact_id": group[0].contact_id,
            "order_number": f"LC-{len(self.orders) + 1:05d}",
            "subtotal": subtotal,
            "tax_total": tax,
            "total": subtotal + tax,
            "amount_paid": subtotal + tax if status in ("paid", "refunded") else 0,
            "status": status,
            "language": group[0].language,
            "placed_at": placed_at,
            "created_at": placed_at,
        }

    def _attendee(
        self,
        order_id: UUID,
        person: Person,
        kind: TypeSpec,
        state: str,
        at: datetime,
    ) -> Row:
        gone = state in ("cancelled", "refunded", "expired")
        return {
            "id": self._make_id(),
            "event_id": self._ids.event,
            "contact_id": person.contact_id,
            "order_id": order_id,
            "first_name": person.name.first,
            "last_name": person.name.last,
            "email": person.email,
            "email_as_given": person.email,
            "company": person.company,
            "job_title": person.job_title,
            "language": person.language,
            "status": "cancelled" if gone else "registered",
            "flags": [kind.key] if kind.key in _FLAGGED else [],
            "notes": ["Give the blue lanyard"] if kind.key in _LANYARD else [],
            "created_at": at,
        }

    def _code(self, ticket_id: UUID, issued_at: datetime) -> str:
        if self._rng.random() < _IMPORTED:
            text, kind = f"{self._rng.randrange(10**18):018d}", "imported"
        else:
            text, kind = self._sign(ticket_id, 0), "own"
        self.codes.append(
            {
                "id": self._make_id(),
                "event_id": self._ids.event,
                "code_hash": code_hash(text),
                "ticket_id": ticket_id,
                "kind": kind,
                "hint": hint(text),
                "issued_at": issued_at,
            }
        )
        return text

    def _register(
        self, attendee_id: UUID, ticket_id: UUID, at: datetime
    ) -> Iterator[str]:
        """Perhaps a place in a workshop, or in its waitlist; yields the places."""
        for key, left in self._left.items():
            if not left or self._rng.random() >= _REGISTERS:
                continue
            self._left[key] = left - 1
            seated = left > _WAITLIST
            self.registrations.append(
                {
                    "id": self._make_id(),
                    "session_id": self._ids.sessions[key],
                    "event_id": self._ids.event,
                    "attendee_id": attendee_id,
                    "ticket_id": ticket_id,
                    "status": "registered" if seated else "waitlist",
                    "position": None if seated else _WAITLIST - left + 1,
                    "registered_at": at,
                }
            )
            if seated:
                yield key
