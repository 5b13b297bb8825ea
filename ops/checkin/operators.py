"""Operators: the people at the doors, who sign on at a device with a PIN or a badge.

They have no e-mail and no user account. Three wrong PINs lock the operator for five
minutes, never the device. With a PIN alone nobody knows whose it was meant to be:
then the tries count by device, in a bucket that only slows down.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from ops.auth.devices import DeviceRegistry
from ops.auth.limiter import PIN_BY_DEVICE, RateLimiter
from ops.auth.subjects import DeviceIdentity
from ops.auth.tokens import badge_hash, pin, pin_hash
from ops.checkin.device_cache import DeviceCache
from ops.checkin.devices import gate_of
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import Conflict, Forbidden, NotFound
from ops.ids import uuid7

WRONG_PINS_MAX = 3
LOCK = timedelta(minutes=5)
PIN_TRIES_MAX = 20
"""Tries to find a PIN that nobody else of the event has."""

OperatorRole = Literal["steward", "supervisor", "door_manager", "event_manager"]

_COLUMNS = """id, event_id, name, agency, role, gate_id, language, valid_from,
              valid_to, pin_hash, locked_until"""

INSERT: Final = """
INSERT INTO ops.operators
       (id, event_id, name, agency, role, gate_id, valid_from, valid_to, language,
        pin_hash, badge_code_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING no
"""

PIN_TAKEN: Final = """
SELECT EXISTS (SELECT FROM ops.operators WHERE event_id = $1 AND pin_hash = $2)
"""

ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 20))"
"""PINs of an event are given out one after the other, so that none is given twice."""

BY_ID: Final = f"""
SELECT {_COLUMNS} FROM ops.operators
 WHERE id = $1 AND event_id = ANY($2::uuid[]) FOR UPDATE
"""

BY_PIN: Final = f"""
SELECT {_COLUMNS} FROM ops.operators
 WHERE event_id = ANY($1::uuid[]) AND pin_hash = ANY($2::bytea[]) LIMIT 2 FOR UPDATE
"""

BY_BADGE: Final = f"""
SELECT {_COLUMNS} FROM ops.operators
 WHERE event_id = ANY($1::uuid[]) AND badge_code_hash = ANY($2::bytea[])
 LIMIT 2 FOR UPDATE
"""

WRONG_PIN: Final = """
UPDATE ops.operators
   SET failed_pins = CASE WHEN failed_pins + 1 >= $2 THEN 0 ELSE failed_pins + 1 END,
       locked_until = CASE WHEN failed_pins + 1 >= $2 THEN $3::timestamptz END
 WHERE id = $1
RETURNING locked_until
"""

RIGHT_PIN: Final = """
UPDATE ops.operators SET failed_pins = 0, locked_until = NULL
 WHERE id = $1 AND (failed_pins <> 0 OR locked_until IS NOT NULL)
"""

SIGN_ON: Final = """
UPDATE ops.devices
   SET returns_to_id = CASE WHEN $3 THEN coalesce(returns_to_id, operator_id) END,
       operator_id = $2, locked_at = CASE WHEN $2::uuid IS NULL THEN locked_at END
 WHERE id = $1 AND state = 'active' RETURNING id
"""

# The steward comes back who worked the device before a supervisor's one action.
RETURN: Final = f"""
UPDATE ops.devices d SET operator_id = d.returns_to_id, returns_to_id = NULL
  FROM ops.operators o
 WHERE d.id = $1 AND d.state = 'active' AND o.id = d.returns_to_id
   AND (o.valid_to IS NULL OR o.valid_to > $2)
RETURNING {", ".join(f"o.{name.strip()}" for name in _COLUMNS.split(","))}
"""

LIST: Final = """
SELECT o.id, o.no, o.name, o.agency, o.role, o.gate_id, g.name AS gate, o.valid_from,
       o.valid_to, o.language, o.locked_until, o.created_at
  FROM ops.operators o LEFT JOIN ops.gates g ON g.id = o.gate_id
 WHERE o.event_id = $1 AND ($2::uuid IS NULL OR o.id > $2)
 ORDER BY o.id LIMIT $3
"""

NAMES: Final = """
SELECT id, name, role FROM ops.operators
 WHERE event_id = ANY($1::uuid[])
   AND (valid_from IS NULL OR valid_from <= $2) AND (valid_to IS NULL OR valid_to > $2)
 ORDER BY name, id LIMIT 500
"""


class NewOperator(NamedTuple):
    """An operator and the PIN, shown once."""

    id: UUID
    pin: str


class Operator(NamedTuple):
    """Who is signed on at a device."""

    id: UUID
    name: str
    role: str
    language: str
    gate_id: UUID | None


class Operators:
    """Creates operators and signs them on and off at devices."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        cache: DeviceCache,
        registry: DeviceRegistry,
        limiter: RateLimiter,
        secret_key: str,
    ) -> None:
        self._database, self._clock, self._cache = database, clock, cache
        self._registry = registry
        self._limiter, self._secret_key = limiter, secret_key

    async def create(
        self,
        event_id: UUID,
        name: str,
        role: OperatorRole,
        *,
        pin_text: str | None = None,
        badge_code: str | None = None,
        agency: str | None = None,
        gate_id: UUID | None = None,
        valid_from: datetime | None = None,
        valid_to: datetime | None = None,
        language: str = "en",
    ) -> NewOperator:
        """Make an operator; without a PIN one is drawn that nobody else has.

        Raises:
            Conflict: the given PIN is somebody else's in this event.
            Unprocessable: the gate is not of this event.
        """
        operator_id = uuid7()
        async with self._database.pool.acquire() as db, db.transaction():
            await db.fetchval(ONE_AT_A_TIME, str(event_id))
            await gate_of(db, event_id, gate_id)
            chosen = await self._free_pin(db, event_id, pin_text)
            await db.fetchval(
                INSERT,
                operator_id,
                event_id,
                name,
                agency,
                role,
                gate_id,
                valid_from,
                valid_to,
                language,
                self._pin_hash(event_id, chosen),
                badge_hash(self._secret_key, event_id, badge_code)
                if badge_code
                else None,
            )
        return NewOperator(operator_id, chosen)

    async def _free_pin(self, db: Any, event_id: UUID, wanted: str | None) -> str:
        for _ in range(PIN_TRIES_MAX):
            chosen = wanted or pin()
            hashed = self._pin_hash(event_id, chosen)
            if not await db.fetchval(PIN_TAKEN, event_id, hashed):
                return chosen
            if wanted:
                break
        raise Conflict("This PIN is taken; choose another one.", code="pin_taken")

    def _pin_hash(self, event_id: UUID, pin_text: str) -> bytes:
        return pin_hash(self._secret_key, event_id, pin_text)

    async def page(self, event_id: UUID, after: UUID | None, limit: int) -> list[Any]:
        """At most `limit + 1` operators of an event, oldest first."""
        return list(await self._database.pool.fetch(LIST, event_id, after, limit + 1))

    async def names(self, device: DeviceIdentity) -> list[Any]:
        """Who may sign on at a device now: names to choose from."""
        return list(
            await self._database.pool.fetch(
                NAMES, list(device.event_ids), self._clock.now()
            )
        )

    async def sign_on_by_pin(
        self,
        device: DeviceIdentity,
        pin_text: str,
        operator_id: UUID | None,
        *,
        once: bool = False,
    ) -> Operator:
        """Sign on with a PIN, best with the operator chosen from `names`.

        Args:
            once: for one action; `resume` puts the one before on again.

        Raises:
            Unauthenticated: `wrong_pin`.
            Forbidden: `operator_locked`, or outside the operator's time.
            TooManyRequests: many PINs without a name.
        """
        if operator_id is None:
            await self._limiter.take(PIN_BY_DEVICE, str(device.id))
        hashes = {
            event_id: self._pin_hash(event_id, pin_text)
            for event_id in device.event_ids
        }
        async with self._database.pool.acquire() as db, db.transaction():
            row = await self._by_pin(db, hashes, operator_id)
            refused = self._refusal(row)
            if row is not None and refused is None:
                if row["pin_hash"] != hashes[row["event_id"]]:
                    until = self._clock.now() + LOCK
                    await db.fetchval(WRONG_PIN, row["id"], WRONG_PINS_MAX, until)
                    refused = _wrong_pin()
                else:
                    await db.execute(RIGHT_PIN, row["id"])
                    await _put_on(db, device.id, row["id"], once=once)
        # Raised outside, so that the count of wrong PINs is committed.
        if refused is not None:
            raise refused
        return await self._signed_on(device, row)

    async def _by_pin(
        self, db: Any, hashes: dict[UUID, bytes], operator_id: UUID | None
    ) -> Any:
        events = list(hashes)
        if operator_id is not None:
            return await db.fetchrow(BY_ID, operator_id, events)
        rows = await db.fetch(BY_PIN, events, list(hashes.values()))
        # Two operators of two events with one PIN: it must be said who it is.
        return rows[0] if len(rows) == 1 else None

    async def sign_on_by_badge(
        self, device: DeviceIdentity, badge_code: str, *, once: bool = False
    ) -> Operator:
        """Sign on by scanning a badge.

        Raises:
            Unauthenticated: `unknown_badge`.
            Forbidden: `operator_locked`, or outside the operator's time.
        """
        await self._limiter.take(PIN_BY_DEVICE, str(device.id))
        events = list(device.event_ids)
        hashes = [badge_hash(self._secret_key, e, badge_code) for e in events]
        async with self._database.pool.acquire() as db, db.transaction():
            rows = await db.fetch(BY_BADGE, events, hashes)
            row = rows[0] if len(rows) == 1 else None
            if row is None:
                raise Forbidden("Nobody has this badge.", code="unknown_badge")
            refused = self._refusal(row)
            if refused is not None:
                raise refused
            await _put_on(db, device.id, row["id"], once=once)
        return await self._signed_on(device, row)

    async def _signed_on(self, device: DeviceIdentity, row: Any) -> Operator:
        """Told to the next scan; a device that was locked is at work again."""
        if device.locked:
            self._registry.forget(device.id)
        await self._cache.put(device.id)
        return _operator(row)

    async def sign_off(self, device: DeviceIdentity) -> None:
        """Leave the device without an operator; may come twice."""
        await self._database.pool.fetchval(SIGN_ON, device.id, None, False)
        await self._cache.put(device.id)

    async def resume(self, device: DeviceIdentity) -> Operator | None:
        """After one action: the one before is on again; None: nobody was."""
        row = await self._database.pool.fetchrow(RETURN, device.id, self._clock.now())
        if row is None:
            await self.sign_off(device)
            return None
        await self._cache.put(device.id)
        return _operator(row)

    def _refusal(self, row: Any) -> Forbidden | None:
        """Why this operator may not sign on now, whatever the PIN says."""
        now = self._clock.now()
        if row is None:
            return _wrong_pin()
        if row["locked_until"] is not None and row["locked_until"] > now:
            wait_s = int((row["locked_until"] - now).total_seconds()) + 1
            return Forbidden(
                "Three wrong PINs: this operator is locked for some minutes.",
                code="operator_locked",
                headers={"Retry-After": str(wait_s)},
            )
        if row["valid_from"] is not None and now < row["valid_from"]:
            return Forbidden("This shift has not begun.", code="operator_too_early")
        if row["valid_to"] is not None and now >= row["valid_to"]:
            return Forbidden("This shift is over.", code="operator_too_late")
        return None


def _wrong_pin() -> Forbidden:
    # Not 401: that tells a device that its own token is no good.
    return Forbidden("This PIN is wrong.", code="wrong_pin")


async def _put_on(db: Any, device_id: UUID, operator_id: UUID, *, once: bool) -> None:
    if await db.fetchval(SIGN_ON, device_id, operator_id, once) is None:
        raise NotFound("This device was revoked.", code="device_revoked")


def _operator(row: Any) -> Operator:
    return Operator(
        row["id"], row["name"], row["role"], row["language"], row["gate_id"]
    )
