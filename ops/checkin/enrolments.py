"""Enrolment codes: one printed code pairs up to n devices to a gate and a profile."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from ops.auth.tokens import pairing_code, pairing_hash
from ops.checkin import device_queries as queries
from ops.checkin.devices import Profile, demand_sponsor, gate_of
from ops.clock import Clock
from ops.db.engine import Database
from ops.errors import FieldProblem, NotFound, Unprocessable
from ops.ids import uuid7


class Enrolment(NamedTuple):
    """A new enrolment; the code is shown once."""

    id: UUID
    code: str


class Enrolments:
    """Makes, lists and withdraws enrolment codes (`Devices.pair` uses them)."""

    def __init__(self, database: Database, clock: Clock, secret_key: str) -> None:
        self._database, self._clock = database, clock
        self._secret_key = secret_key

    async def create(
        self,
        event_id: UUID,
        gate_id: UUID | None,
        profile: Profile,
        max_devices: int,
        valid_until: datetime,
        created_by: UUID,
        sponsor_id: UUID | None = None,
    ) -> Enrolment:
        """Make a code; with a sponsor it is the invitation of the sponsor's staff.

        Raises:
            Unprocessable: the gate or sponsor is not of this event, the time is past.
        """
        if valid_until <= self._clock.now():
            problem = FieldProblem("valid_until", "in_the_past", "This time is past.")
            raise Unprocessable(problem.detail, code=problem.code, errors=[problem])
        code, enrolment_id = pairing_code(), uuid7()
        async with self._database.pool.acquire() as db, db.transaction():
            await gate_of(db, event_id, gate_id)
            await demand_sponsor(db, event_id, profile, sponsor_id)
            await db.execute(
                queries.INSERT_ENROLMENT,
                enrolment_id,
                event_id,
                gate_id,
                profile,
                pairing_hash(self._secret_key, code),
                max_devices,
                valid_until,
                created_by,
                sponsor_id,
            )
        return Enrolment(enrolment_id, code)

    async def page(self, event_id: UUID, after: UUID | None, limit: int) -> list[Any]:
        """At most `limit + 1` enrolments of an event, oldest first."""
        return list(
            await self._database.pool.fetch(
                queries.LIST_ENROLMENTS, event_id, after, limit + 1
            )
        )

    async def revoke(self, enrolment_id: UUID, event_id: UUID) -> None:
        """Withdraw a code; devices that it paired stay. May come twice.

        Raises:
            NotFound: there is no such enrolment in this event.
        """
        found = await self._database.pool.fetchval(
            queries.REVOKE_ENROLMENT, enrolment_id, event_id, self._clock.now()
        )
        if found is None:
            raise NotFound()
