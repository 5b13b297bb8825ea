"""The desk: where scans come in. Reads the code, finds the event's desk, waits.

A waiting caller may be cancelled at any time: its scan is decided all the same, and a
retry with the same id gets the stored answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

import asyncpg

from ops.admission.ask import CodeKind
from ops.admission.journal import Journal
from ops.admission.scan import ScanRequest, content_key
from ops.admission.turns import Turns
from ops.auth.subjects import DeviceIdentity
from ops.checkin import codes
from ops.checkin.codes import Keyring
from ops.checkin.event_desk import EventDesk
from ops.checkin.pending import Answered, Lane, Pending
from ops.checkin.plans import Plans
from ops.checkin.stores import Stores
from ops.clock import Clock
from ops.db.code_keys import known_by
from ops.db.engine import Database
from ops.errors import NotFound, Unauthenticated, Unavailable

NO_CODE = bytes(16)
"""Looked up for a malformed code: nothing has this hash."""

Recall = Callable[[UUID, UUID, UUID], Awaitable[None]]
"""Event, ticket and the device that holds its lease; returns when its word is in
PostgreSQL, or when it does not come."""

EVENTS_MET_MAX = 50
MEET_TIMEOUT_S = 0.5
_RUNNING = """
SELECT id FROM events
WHERE status IN ('published', 'live') AND starts_at < now() + interval '12 hours'
  AND ends_at > now()
ORDER BY starts_at DESC LIMIT $1
"""
_FIND_EVENT = f"""
SELECT event_id FROM (
    SELECT c.event_id, 0 AS rank FROM ops.ticket_codes c
      JOIN ops.device_events d ON d.event_id = c.event_id AND d.device_id = $3
     WHERE {known_by("c.code_hash", "$1")}
    UNION ALL
    SELECT t.event_id, 0 FROM tickets t
      JOIN ops.device_events d ON d.event_id = t.event_id AND d.device_id = $3
     WHERE t.id = $2
    UNION ALL
    SELECT g.event_id, 1 FROM ops.devices d JOIN ops.gates g ON g.id = d.gate_id
     WHERE d.id = $3
) AS found ORDER BY rank, event_id LIMIT 1
"""
"""The ticket's event among those that the device serves, else that of its gate."""


class Desk:
    """The desks of all events of this process."""

    def __init__(
        self,
        database: Database,
        stores: Stores,
        plans: Plans,
        journal: Journal,
        keyring: Keyring,
        clock: Clock,
    ) -> None:
        self._database = database
        self._stores = stores
        self._plans = plans
        self._journal = journal
        self.turns = Turns(journal.path.parent)
        self._clock = clock
        self.keyring = keyring
        self.recall: Recall | None = None
        """Asks the device that holds a ticket's lease; None: nobody can."""
        self._events: dict[UUID, EventDesk] = {}
        self._stopping = False

    @property
    def events(self) -> list[UUID]:
        """The events whose desks are open."""
        return list(self._events)

    async def stop(self) -> None:
        """Answer what waits, write what is not written; bounded, may come twice."""
        self._stopping = True
        for desk in list(self._events.values()):
            await desk.stop()
        self._events.clear()
        self.turns.stop()

    async def scan(
        self,
        event_id: UUID,
        device_id: UUID,
        scan: ScanRequest,
        lane: Lane = "live",
        *,
        ticket_id: UUID | None = None,
        accepted: bool = False,
    ) -> Answered:
        """Decide one scan, of its code or of a ticket that somebody else has found.

        `accepted`: of a revoked device, on a person's word.

        Raises:
            NotFound: there is no such event.
            Unauthenticated: the device was revoked or does not serve the event.
            Unavailable: no store could decide; the device asks again with the same id.
        """
        if self._stopping:
            raise Unavailable("The server is stopping.", code="stopping")
        desk = self._events.get(event_id) or await self._open(event_id)
        await desk.know(device_id)
        ask = self.recall if lane == "live" else None
        pending = self._read(device_id, scan, ticket_id, recalled=ask is None)
        pending.accepted = accepted
        answered = await desk.add(pending, lane)
        item = answered.item
        if ask is None or not item.awaiting or item.facts is None:
            return answered
        # Outside of the batches: nobody else waits for that device's word.
        if item.facts.ticket_id is not None and item.leased_to is not None:
            await ask(event_id, item.facts.ticket_id, item.leased_to)
        again = self._read(device_id, scan, ticket_id, recalled=True)
        return await desk.add(again, lane)

    def confirm(self, event_id: UUID, scan_ids: list[UUID]) -> None:
        """The verdicts of these scans were shown; written with the next batch."""
        desk = self._events.get(event_id)
        if desk is not None:
            desk.confirm(scan_ids)

    async def event(self, event_id: UUID) -> EventDesk:
        """The desk of an event (undo and heartbeats use its plan).

        Raises:
            NotFound: there is no such event.
        """
        return self._events.get(event_id) or await self._open(event_id)

    async def meet(self) -> None:
        """Open the desks of running events: while PostgreSQL is away none can be.

        Raises:
            TimeoutError and errors of the pool: PostgreSQL did not answer.
        """
        rows = await self._database.pool.fetch(
            _RUNNING, EVENTS_MET_MAX, timeout=MEET_TIMEOUT_S
        )
        for row in rows:
            if row["id"] not in self._events and not self._stopping:
                with contextlib.suppress(NotFound, Unavailable):
                    await self._open(row["id"])

    async def follow_plans(self) -> None:
        """Bring the desks to plans that no scan has asked for yet.

        A scan names the version that it needs, but while PostgreSQL is away nobody can
        read it: a gate that was opened again just before would stay shut.

        Raises:
            TimeoutError and errors of the pool: PostgreSQL did not answer.
        """
        held = {event_id: desk.plan.version for event_id, desk in self._events.items()}
        for plan in await self._plans.newer(held) if held else ():
            desk = self._events.get(plan.event.id)
            if desk is not None and plan.version > desk.plan.version:
                desk.plan = plan

    async def find_event(self, device: DeviceIdentity, scan: ScanRequest) -> UUID:
        """The event of a scan among those that its device serves, else its gate's.

        One query: what the process remembers of the device may be half a second old,
        and a ticket of an event that it serves since is not another event's.

        Raises:
            Unauthenticated: the device serves no event.
            Unavailable: the database is away, and the device serves several.
        """
        code, kind, _, _ = self.code(scan)
        ticket_id = _uuid(scan.code) if kind == "ticket" else None
        try:
            found: UUID | None = await self._database.pool.fetchval(
                _FIND_EVENT, code, ticket_id, device.id, timeout=0.5
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            if len(device.event_ids) != 1:
                raise Unavailable(headers={"Retry-After": "1"}) from error
            found = None
        if found is None:
            found = min(device.event_ids, default=None)
        if found is None:
            raise Unauthenticated(
                "This device serves no event.", code="device_other_event"
            )
        return found

    async def _open(self, event_id: UUID) -> EventDesk:
        try:
            plan = await self._plans.get(event_id)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise Unavailable(headers={"Retry-After": "1"}) from error
        if plan is None:
            raise NotFound("There is no such event.", code="event_not_found")
        # Several first scans may have waited for the plan together: one desk an event,
        # because each desk has a task of its own.
        desk = self._events.get(event_id)
        if desk is None:
            desk = self._events[event_id] = EventDesk(
                plan,
                self._database,
                self._stores,
                self._plans,
                self._journal,
                self.turns,
                self._clock,
            )
        return desk

    def _read(
        self,
        device_id: UUID,
        scan: ScanRequest,
        ticket_id: UUID | None,
        *,
        recalled: bool = False,
    ) -> Pending:
        key, kind, hint, forged = self.code(scan)
        if ticket_id is not None:
            key, kind, hint, forged = b"T" + ticket_id.bytes, "ticket", "", _genuine
        return Pending(
            scan,
            device_id,
            key,
            kind,
            hint,
            hashlib.sha256(content_key(scan)).digest()[:16],
            forged,
            asyncio.get_running_loop().create_future(),
            self._clock.monotonic_s(),
            recalled,
        )

    def code(
        self, scan: ScanRequest
    ) -> tuple[bytes, CodeKind, str, Callable[[], bool]]:
        """What was read: the key to look up, its kind, a hint, whether it is forged."""
        if scan.method == "manual":
            ticket_id = _uuid(scan.code)
            if ticket_id is not None:
                return b"T" + ticket_id.bytes, "ticket", "", _genuine
        reading = codes.read(scan.code)
        if isinstance(reading, codes.Malformed):
            return NO_CODE, "malformed", "", _genuine
        hint = codes.hint(reading.text)
        if isinstance(reading, codes.OwnCode):
            hashed = codes.code_hash(reading.text)
            return hashed, "own", hint, partial(_forged, reading, self)
        return codes.key(reading.text), "foreign", hint, _genuine


def _genuine() -> bool:
    return False


def _forged(own: codes.OwnCode, desk: Desk) -> bool:
    return codes.verify(own, desk.keyring) == "forged"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
