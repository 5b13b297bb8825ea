"""An event with a desk over real stores, and the things that happen at its doors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from ops.admission.journal import Journal
from ops.admission.plan import Plan
from ops.admission.scan import Override, ScanRequest
from ops.auth.subjects import DeviceIdentity
from ops.cache import keys
from ops.cache.client import Cache
from ops.checkin.codes import Keyring
from ops.checkin.desk import Desk
from ops.checkin.plans import Plans
from ops.checkin.stores import Stores
from ops.checkin.undo import Undo
from ops.clock import Clock
from ops.crm_sync import statements
from ops.crm_sync.drain import Drain
from ops.crm_sync.warm import Warmer
from ops.db.engine import Database
from ops.errors import OpsError, Unavailable
from ops.ids import uuid7
from tests.small_event import SmallEvent

PATIENT_S = (5.0, 5.0)
"""On a busy machine a slow answer is not the subject here."""


class Step(NamedTuple):
    """One thing that happens at the doors, `later_s` after the one before."""

    what: str
    later_s: int
    code: str = "T-1"
    device: str = "device"
    gate: str = ""
    direction: str = "in"
    admit: int | None = None


class House:
    """What one api process has, and an event of its own or of another house."""

    def __init__(
        self, database: Database, cache: Cache, folder: Path, clock: Clock
    ) -> None:
        self.database, self.cache, self.clock = database, cache, clock
        self.stores = Stores(database, cache, clock, PATIENT_S)
        self.journal = Journal(folder, PATIENT_S[0])
        self.desk = Desk(
            database, self.stores, Plans(database), self.journal, Keyring({}), clock
        )
        self.undo = Undo(self.stores, self.desk, clock)
        self.drain = Drain(database, cache)
        self.event = SmallEvent()
        self.scans: list[ScanRequest] = []

    async def start(self, *, warm: bool) -> None:
        """Make an event of six places; `warm` fills its cache."""
        await self.journal.start()
        self.event = await SmallEvent.make(self.database.pool, tickets=2, capacity=6)
        await self.database.pool.execute(
            "WITH o AS (INSERT INTO ops.operators (id, event_id, name, role)"
            " VALUES ($1, $2, 'Dana', 'event_manager') RETURNING id)"
            " UPDATE ops.devices SET operator_id = o.id FROM o WHERE devices.id = $3",
            uuid7(),
            self.event.id,
            self.event.device,
        )
        await self._open()
        if warm:
            warmer = Warmer(self.database, self.cache, self.drain.catch_up)
            assert await warmer.rebuild(self.event.id)

    async def join(self, other: House) -> None:
        """Serve the event of another house, as a second process does."""
        await self.journal.start()
        self.event = other.event
        await self._open()

    async def _open(self) -> None:
        """Know the plan and the devices; asked again as a device would."""
        devices = (
            self.event.device,
            self.event.other_device,
            self.event.lounge_device,
        )
        for _ in range(20):
            try:
                desk = await self.desk.event(self.event.id)
                for device in devices:
                    await desk.know(device)
            except Unavailable:
                continue
            return

    async def rewarm(self, merge: Callable[[], Awaitable[bool]] | None = None) -> bool:
        """Fill the cache anew, for tickets and limits that were changed by hand."""
        warmer = Warmer(self.database, self.cache, self.drain.catch_up)
        warmer.merge = merge
        return await warmer.rebuild(self.event.id)

    async def desk_plan(self) -> Plan:
        """The plan of the event as the desk knows it."""
        return (await self.desk.event(self.event.id)).plan

    async def stop(self) -> None:
        await self.desk.stop()
        await self.journal.stop()

    async def do(self, step: Step) -> Any:
        """Do it; what was answered, without ids."""
        if step.what in ("refund", "valid"):
            await self.database.pool.execute(
                "UPDATE tickets SET state = $2 WHERE id = $1",
                self.event.tickets[step.code],
                "refunded" if step.what == "refund" else "valid",
            )
            return None
        if step.what == "forget":
            await self.cache.redis.delete(keys.visits(self.event.id))
            return None
        if step.what == "undo":
            return await self._undo()
        if step.what == "again" and self.scans:
            return await self.answer(self.scans[-1], self.event.device)
        gate = getattr(self.event, step.gate) if step.gate else None
        scan = ScanRequest(
            uuid7(),
            step.code,
            direction="out" if step.direction == "out" else "in",
            gate_id=gate,
            admit=step.admit,
            override=Override("asked") if step.what == "override" else None,
        )
        self.scans.append(scan)
        return await self.answer(scan, getattr(self.event, step.device))

    async def answer(self, scan: ScanRequest, device: UUID) -> Any:
        """Scan and confirm, as a device that shows its verdict at once."""
        item = (await self.desk.scan(self.event.id, device, scan)).item
        await self.database.pool.execute(
            "UPDATE check_ins SET confirmed_at = now() WHERE confirmed_at IS NULL"
        )
        if item.error:
            return item.error
        if item.stored:
            undone = item.stored.undone_at is not None
            return "stored", item.stored.verdict, item.stored.reason, undone
        assert item.decision is not None
        one = item.decision
        return one.verdict, one.reason, one.people, one.just_now, len(one.choices)

    async def _undo(self) -> Any:
        if not self.scans:
            return None
        who = DeviceIdentity(
            self.event.device, 1, "Phone", "scan", frozenset({self.event.id}), b""
        )
        try:
            told = await self.undo.undo(
                self.event.id, self.scans[-1].id, who, "a wrong tap"
            )
        except OpsError as error:
            return error.code
        return told.replayed, told.people

    async def visits(self) -> list[tuple[Any, ...]]:
        """The rows, without ids."""
        rows = await self.database.pool.fetch(
            "SELECT a.first_name, s.name, c.person_no, c.pass_no,"
            " c.checked_out_at IS NULL, c.exit_assumed, c.undone_at IS NULL"
            " FROM check_ins c JOIN ops.scopes s ON s.id = c.scope_id"
            " JOIN attendees a ON a.id = c.attendee_id"
            " WHERE c.event_id = $1 ORDER BY 1, 2, 3, 4",
            self.event.id,
        )
        return [tuple(row) for row in rows]

    async def counters(self) -> dict[str, int]:
        found = await self.cache.redis.hgetall(keys.counters(self.event.id))
        return {
            name.decode(): int(value) for name, value in found.items() if value != b"0"
        }

    async def counted(self) -> dict[str, int]:
        rows = await self.database.pool.fetch(statements.COUNTERS, self.event.id)
        return {row["name"]: int(row["value"]) for row in rows if row["value"]}
