"""What the QR of a ticket opens for whoever holds it up: the ticket and the agenda.

A code can be photographed in a queue, so nothing here speaks of a person: no name, no
order, no cause of a delicate state. Only our own codes open a page: those sold
elsewhere may be ten digits that somebody counts through.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import msgspec

from ops.auth.limiter import GUESTS_BY_ADDRESS, RateLimiter
from ops.checkin import codes
from ops.checkin.pictures import Pictures
from ops.db.engine import Database
from ops.errors import NotFound

PICTURE_COST = 10
"""Units of the address's bucket: 50 pictures a second are a third of a core."""

# A hash that is found proves the whole text, signature included.
_TICKET: Final = """
SELECT e.id, e.id AS event_id, e.title, e.status, e.timezone, e.starts_at, e.ends_at,
       e.doors_open_at, v.name AS venue,
       nullif(concat_ws(', ', v.address_line1, v.city), '') AS address,
       t.state, c.revoked_at IS NOT NULL AS revoked, k.name AS type,
       k.ticket_category AS category, t.admits, t.seat_label AS seat, t.valid_from,
       t.valid_to
  FROM ops.ticket_codes c
  JOIN tickets t ON t.id = c.ticket_id
  JOIN ticket_types k ON k.id = t.ticket_type_id
  JOIN events e ON e.id = t.event_id
  LEFT JOIN venues v ON v.id = e.venue_id
 WHERE c.code_hash = $1 AND c.kind = 'own'
 LIMIT 1
"""

_EXISTS: Final = """
SELECT true FROM ops.ticket_codes WHERE code_hash = $1 AND kind = 'own' LIMIT 1
"""

# A draft is not public yet, even where tickets for it exist.
_AGENDA: Final = """
SELECT s.title, s.session_type AS type, a.name AS room, s.start_time AS starts_at,
       s.end_time AS ends_at, s.status
  FROM sessions s
  JOIN events e ON e.id = s.event_id AND e.status <> 'draft'
  LEFT JOIN ops.areas a ON a.id = s.area_id
 WHERE s.event_id = $1 ORDER BY s.start_time, s.id LIMIT 500
"""

ShownState: TypeAlias = Literal[
    "valid", "desk", "cancelled", "refunded", "expired", "replaced"
]


class GuestEvent(msgspec.Struct, frozen=True):
    """The event; times are UTC, `timezone` is where it happens.

    With its id and the code as token a page hears what is announced to all.
    """

    id: UUID
    title: str
    status: str
    timezone: str
    starts_at: datetime
    ends_at: datetime
    doors_open_at: datetime | None
    venue: str | None
    address: str | None


class GuestTicket(msgspec.Struct, frozen=True):
    """The ticket; of a replaced code nothing is said but that it is replaced."""

    state: ShownState
    type: str | None = None
    category: str | None = None
    admits: int | None = None
    seat: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class AgendaLine(msgspec.Struct, frozen=True):
    """A session of the programme."""

    title: str
    type: str | None
    room: str | None
    starts_at: datetime
    ends_at: datetime
    status: str | None


class GuestView(msgspec.Struct, frozen=True):
    """All that the page of a ticket shows."""

    event: GuestEvent
    ticket: GuestTicket
    agenda: list[AgendaLine]


def shown_state(state: str, revoked: bool) -> ShownState:
    """What a guest, or a stranger with the code, may learn of a ticket's state.

    Unpaid, pending and blocked are one word, "desk": the cause is between the holder
    and the desk, as on the screens at the door.
    """
    if revoked:
        return "replaced"
    match state:
        case "valid" | "cancelled" | "refunded" | "expired":
            return state
        case _:
            return "desk"


def shown_ticket(row: Any) -> GuestTicket:
    """The ticket's part of the view; a replaced code may be somebody else's by now."""
    state = shown_state(row["state"], row["revoked"])
    if state == "replaced":
        return GuestTicket(state)
    return GuestTicket(
        state=state,
        type=row["type"],
        category=row["category"],
        admits=row["admits"],
        seat=row["seat"],
        valid_from=row["valid_from"],
        valid_to=row["valid_to"],
    )


class GuestTickets:
    """Finds tickets by the codes that guests open."""

    def __init__(
        self, database: Database, limiter: RateLimiter, pictures: Pictures
    ) -> None:
        self._database, self._limiter, self._pictures = database, limiter, pictures

    async def view(self, code: str, address: str) -> GuestView:
        """The ticket of a code with its event and agenda; two statements.

        Args:
            address: the client's, for the limit.

        Raises:
            NotFound: `ticket_not_found`, the same for every text that opens nothing.
            TooManyRequests: by address.
        """
        await self._limiter.take(GUESTS_BY_ADDRESS, address)
        hashed = codes.code_hash(_own(code))
        row = await self._database.pool.fetchrow(_TICKET, hashed)
        if row is None:
            raise _not_found()
        sessions = await self._database.pool.fetch(_AGENDA, row["event_id"])
        event = {name: row[name] for name in GuestEvent.__struct_fields__}
        return GuestView(
            event=msgspec.convert(event, GuestEvent),
            ticket=shown_ticket(row),
            agenda=[msgspec.convert(dict(line), AgendaLine) for line in sessions],
        )

    async def picture(self, code: str, address: str) -> bytes:
        """The QR code of an existing code as SVG, in its canonical form.

        Raises:
            NotFound, TooManyRequests: as `view`; also when too many are being drawn.
        """
        await self._limiter.take(GUESTS_BY_ADDRESS, address, PICTURE_COST)
        text = _own(code)
        if not await self._database.pool.fetchval(_EXISTS, codes.code_hash(text)):
            raise _not_found()
        return await self._pictures.svg(text)


def _own(code: str) -> str:
    reading = codes.read(code)
    if not isinstance(reading, codes.OwnCode):
        raise _not_found()
    return reading.text


def _not_found() -> NotFound:
    return NotFound("No ticket has this code.", code="ticket_not_found")
