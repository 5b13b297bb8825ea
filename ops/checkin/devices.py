"""Devices: created, paired, configured, heard from, revoked.

A device is a thing; who works it is an operator (`ops.checkin.operators`). Tokens and
codes are stored as hashes and shown once. `DeviceRegistry` (token -> identity) lives
in `ops.auth.devices`, because the live role needs it as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from ops.auth.devices import REVOKED, DeviceRegistry
from ops.auth.limiter import PAIR_BY_ADDRESS, RateLimiter
from ops.auth.subjects import DeviceIdentity
from ops.auth.tokens import DEVICE_PREFIX, pairing_code, pairing_hash, token_hash
from ops.checkin import device_queries as queries
from ops.checkin.device_cache import DeviceCache
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import (
    Conflict,
    FieldProblem,
    NotFound,
    Unauthenticated,
    Unprocessable,
)
from ops.ids import DeviceId, token, uuid7

PAIRING_CODE_LIFETIME = timedelta(minutes=10)
CONFIRMATIONS_MAX = 1_000
SKEW_MS_MAX = 2_000_000_000

Profile = Literal["scan", "kiosk", "lead", "turnstile"]
Direction = Literal["in", "out", "both"]
Confirm = Callable[[DeviceIdentity, Sequence[UUID]], Awaitable[None]]

__all__ = ["DeviceIdentity", "DeviceRegistry", "Devices", "Heartbeat", "Paired"]


class Created(NamedTuple):
    """A device that waits for its pairing; the code is shown once."""

    id: UUID
    pairing_code: str
    expires_at: datetime


class Paired(NamedTuple):
    """What a device learns at its pairing; the token is shown once."""

    device_id: UUID
    token: str
    row: Any
    areas: list[Any]
    serves: list[Any]


class Heartbeat(NamedTuple):
    """What a device reports; None means not said."""

    battery: int | None
    pending: int | None
    software: str | None
    shown: Sequence[UUID]
    clock: datetime | None = None


class Devices:
    """The one place that writes `ops.devices`, except for operators' sign-ons.

    Args:
        confirm: told which verdicts a device has shown (the desk's confirmation).
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        cache: DeviceCache,
        registry: DeviceRegistry,
        limiter: RateLimiter,
        secret_key: str,
        confirm: Confirm,
    ) -> None:
        self._database, self._clock, self._cache = database, clock, cache
        self._registry, self._limiter = registry, limiter
        self._secret_key, self._confirm = secret_key, confirm

    async def create(
        self,
        event_id: UUID,
        name: str,
        profile: Profile,
        gate_id: UUID | None,
        direction: Direction | None,
        sponsor_id: UUID | None = None,
    ) -> Created:
        """Make a device with a code that pairs it once, for ten minutes.

        Raises:
            Unprocessable: the gate or the sponsor is not of this event.
        """
        code, device_id = pairing_code(), DeviceId(uuid7())
        expires_at = self._clock.now() + PAIRING_CODE_LIFETIME
        async with self._database.pool.acquire() as db, db.transaction():
            gate = await gate_of(db, event_id, gate_id)
            await demand_sponsor(db, event_id, profile, sponsor_id)
            await db.fetchval(
                queries.INSERT,
                device_id,
                name,
                profile,
                "pairing",
                gate_id,
                direction or (gate["direction"] if gate else None),
                gate["session_id"] if gate else None,
                None,
                None,
                pairing_hash(self._secret_key, code),
                expires_at,
                None,
                None,
                None,
                sponsor_id,
            )
            await db.execute(queries.LINK, device_id, event_id, gate_id)
        return Created(device_id, code, expires_at)

    async def pair(
        self,
        code: str,
        hardware: str | None,
        software: str | None,
        address: str,
        name: str | None = None,
    ) -> Paired:
        """Exchange a code for a token.

        With the same code and hardware id it may be repeated while the code lives (a
        lost answer must not burn the code): a new token each time, the old one dies.

        Raises:
            Unprocessable: the code is unknown, over or withdrawn.
            Conflict: another device used it, or the enrolment is full.
            TooManyRequests: by address.
        """
        await self._limiter.take(PAIR_BY_ADDRESS, address)
        hashed = pairing_hash(self._secret_key, code)
        secret = token(DEVICE_PREFIX)
        now = self._clock.now()
        async with self._database.pool.acquire() as db, db.transaction():
            single = await db.fetchrow(queries.BY_PAIRING_CODE, hashed)
            if single is not None:
                device_id = _single(single, hardware, now)
            else:
                enrolment = await db.fetchrow(queries.BY_ENROLMENT, hashed)
                device_id = await self._enrolled(db, enrolment, hardware, now)
            await db.execute(
                queries.ACTIVATE,
                device_id,
                token_hash(secret),
                hardware,
                software,
                now,
                name,
            )
            row = await db.fetchrow(queries.PAIRED, device_id)
            assert row is not None, "a device serves an event from its making on"
            areas = await db.fetch(queries.AREAS, row["event_id"])
            serves = await db.fetch(queries.SERVES, device_id)
        self._registry.forget(device_id)
        await self._cache.put(device_id)
        return Paired(device_id, secret, row, areas, serves)

    async def _enrolled(
        self, db: Any, enrolment: Any, hardware: str | None, now: datetime
    ) -> UUID:
        """The device of this hardware under an enrolment; a new one if it is new."""
        if enrolment is None:
            raise _bad_code("pairing_code_unknown", "Nobody knows this code.")
        if enrolment["revoked_at"] is not None:
            raise _bad_code("pairing_code_revoked", "This code was withdrawn.")
        if enrolment["valid_until"] <= now:
            raise _bad_code("pairing_code_expired", "This code is over.")
        if hardware is not None:
            before = await db.fetchrow(queries.OF_ENROLMENT, enrolment["id"], hardware)
            if before is not None and before["state"] == "active":
                found: UUID = before["id"]
                return found
        if enrolment["used"] >= enrolment["max_devices"]:
            raise Conflict(
                "This code has paired as many devices as it may.", code="enrolment_full"
            )
        await db.execute(queries.USE_ENROLMENT, enrolment["id"])
        event_id, gate_id = enrolment["event_id"], enrolment["gate_id"]
        gate = await gate_of(db, event_id, gate_id)
        device_id = DeviceId(uuid7())
        await db.fetchval(
            queries.INSERT,
            device_id,
            f"{gate['name'] if gate else 'Device'} {enrolment['used'] + 1}",
            enrolment["profile"],
            "pairing",
            gate_id,
            gate["direction"] if gate else None,
            gate["session_id"] if gate else None,
            hardware,
            None,
            None,
            None,
            enrolment["id"],
            None,
            None,
            enrolment["sponsor_id"],
        )
        await db.execute(queries.LINK, device_id, event_id, gate_id)
        return device_id

    async def events_of(self, device_id: UUID) -> list[UUID]:
        """The events a device serves.

        Raises:
            NotFound: it serves none, so there is no such device.
        """
        rows = await self._database.pool.fetch(queries.EVENTS_OF, device_id)
        if not rows:
            raise NotFound()
        return [row["event_id"] for row in rows]

    async def event_of_gate(self, device_id: UUID, gate_id: UUID) -> UUID | None:
        """The event of a gate, if the device serves it."""
        found: UUID | None = await self._database.pool.fetchval(
            queries.EVENT_OF_GATE, gate_id, device_id
        )
        return found

    async def serves(self, device_id: UUID) -> list[Any]:
        """The events that a device serves, with its gate at each."""
        return list(await self._database.pool.fetch(queries.SERVES, device_id))

    async def link(self, device_id: UUID, event_id: UUID, gate_id: UUID | None) -> None:
        """Let a device serve one event more, at this gate; may come twice.

        Raises:
            Unprocessable: the gate is not of that event.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            await gate_of(db, event_id, gate_id)
            await db.execute(queries.LINK, device_id, event_id, gate_id)
        self._registry.forget(device_id)
        await self._cache.put(device_id)

    async def unlink(self, device_id: UUID, event_id: UUID) -> None:
        """End a device's service at an event.

        Raises:
            Unprocessable: it serves no other one; revoke it instead.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            if await db.fetchval(queries.UNLINK, device_id, event_id) is None:
                raise Unprocessable(
                    "This device serves no other event: revoke it instead.",
                    code="last_event",
                )
            await db.execute(queries.LEAVE_GATE, device_id, event_id)
        self._registry.forget(device_id)
        await self._cache.put(device_id)

    async def config(self, device_id: UUID) -> Any:
        """How a device is set, as its heartbeat says it."""
        return await self._database.pool.fetchrow(queries.CONFIG, device_id)

    async def one(self, device_id: UUID) -> Any:
        """One device, as in the list."""
        return await self._database.pool.fetchrow(queries.ONE, device_id)

    async def page(self, event_id: UUID, after: UUID | None, limit: int) -> list[Any]:
        """At most `limit + 1` devices of an event, oldest first."""
        return list(
            await self._database.pool.fetch(queries.LIST, event_id, after, limit + 1)
        )

    async def configure(
        self,
        device_id: UUID,
        event_id: UUID,
        name: str | None,
        gate_id: UUID | None,
        direction: Direction | None,
        session_id: UUID | None,
    ) -> None:
        """Set gate, direction and session; holds at the next scan.

        A direction or session of None is the gate's own.

        Raises:
            Unprocessable: the gate or the session is not of this event.
        """
        async with self._database.pool.acquire() as db, db.transaction():
            gate = await gate_of(db, event_id, gate_id)
            if session_id is None:
                session_id = gate["session_id"] if gate else None
            elif not await db.fetchval(queries.SESSION_OF_EVENT, session_id, event_id):
                problem = FieldProblem(
                    "session_id", "unknown_session", "No session of this event."
                )
                raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
            await db.execute(queries.KEEP_GATE, device_id)
            await db.execute(
                queries.CONFIGURE,
                device_id,
                name,
                gate_id,
                direction or (gate["direction"] if gate else None),
                session_id,
            )
            await db.execute(queries.LINK, device_id, event_id, gate_id)
        await self._cache.put(device_id)

    async def lock(self, device_id: UUID) -> None:
        """Let a device show only the PIN; holds at its next scan; may come twice."""
        await self._database.pool.execute(queries.LOCK, device_id, self._clock.now())
        self._registry.forget(device_id)
        await self._cache.put(device_id)

    async def unlock(self, device_id: UUID) -> None:
        """Let a locked device work again, without a PIN; may come twice."""
        await self._database.pool.execute(queries.UNLOCK, device_id)
        self._registry.forget(device_id)
        await self._cache.put(device_id)

    async def revoke(self, device_id: UUID) -> None:
        """End a device for good; holds at its next scan; may come twice."""
        await self._database.pool.execute(queries.REVOKE, device_id, self._clock.now())
        self._registry.forget(device_id)
        await self._cache.put(device_id)

    async def heartbeat(self, device: DeviceIdentity, report: Heartbeat) -> Any:
        """Note what a device reports; returns the row of its configuration.

        Raises:
            Unauthenticated: the device was revoked.
        """
        if report.shown:
            await self._confirm(device, report.shown)
        now = self._clock.now()
        async with self._database.pool.acquire() as db:
            await db.execute(
                queries.HEARTBEAT,
                device.id,
                report.battery,
                report.pending,
                report.software,
                now,
                skew_ms(report.clock, now),
            )
            row = await db.fetchrow(queries.CONFIG, device.id)
        if row is None or row["state"] != "active":
            self._registry.forget(device.id)
            raise Unauthenticated(REVOKED.detail, code=REVOKED.code)
        return row


def skew_ms(clock: datetime | None, now: datetime) -> int | None:
    """How far a device's clock is ahead of ours, in ms; at most what a column holds."""
    if clock is None:
        return None
    ahead = round((clock - now).total_seconds() * 1000)
    return max(-SKEW_MS_MAX, min(SKEW_MS_MAX, ahead))


async def demand_sponsor(
    db: Any, event_id: UUID, profile: Profile, sponsor_id: UUID | None
) -> None:
    """A phone of the profile `lead` belongs to a sponsor of the event, no other does.

    Raises:
        Unprocessable: `sponsor_needed`, `no_sponsor_here`, `unknown_sponsor`.
    """
    code = detail = ""
    if profile == "lead" and sponsor_id is None:
        code, detail = "sponsor_needed", "Say for which sponsor."
    elif profile != "lead" and sponsor_id is not None:
        code, detail = "no_sponsor_here", "Only the profile lead has a sponsor."
    elif sponsor_id is not None and not await db.fetchval(
        queries.SPONSOR_OF_EVENT, sponsor_id, event_id
    ):
        code, detail = "unknown_sponsor", "No sponsor of this event."
    if code:
        problem = FieldProblem("sponsor_id", code, detail)
        raise Unprocessable(detail, code=code, errors=[problem])


async def gate_of(db: Any, event_id: UUID, gate_id: UUID | None) -> Any:
    """The gate's row; None for no gate.

    Raises:
        Unprocessable: the gate is not of this event.
    """
    if gate_id is None:
        return None
    gate = await db.fetchrow(queries.GATE_OF_EVENT, gate_id, event_id)
    if gate is None:
        problem = FieldProblem("gate_id", "unknown_gate", "No gate of this event.")
        raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
    return gate


def _single(row: Any, hardware: str | None, now: datetime) -> UUID:
    """The device of a single code, if this hardware may have it."""
    if row["pairing_expires_at"] <= now:
        raise _bad_code("pairing_code_expired", "This code is over; make a new one.")
    again = hardware is not None and row["hardware"] == hardware
    if row["state"] != "pairing" and not again:
        raise Conflict("Another device used this code.", code="pairing_code_used")
    device_id: UUID = row["id"]
    return device_id


def _bad_code(code: str, detail: str) -> Unprocessable:
    return Unprocessable(
        detail, code=code, errors=[FieldProblem("pairing_code", code, detail)]
    )
