"""How an event lets its devices decide alone. Pure values and the two statements."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from ops.errors import NotFound
from ops.offline import queries

Mode = Literal["strict", "bounded", "open"]
_TIMEOUT_S = 5.0


class OfflineMode(msgspec.Struct, frozen=True):
    """The settings of an event.

    strict: a device alone admits only tickets leased to it, so nobody is in twice.
    bounded: `budget` admissions a device until it has reported them; no leases, so
        that a phone that sleeps in a pocket makes no guest wait at another door.
    open: whatever its package allows; double entries are counted and reported.
    """

    mode: Mode
    budget: int
    package_hours: int

    @property
    def leases(self) -> bool:
        """Whether tickets are leased to devices at all."""
        return self.mode == "strict"

    @property
    def allowance(self) -> int | None:
        """Admissions beyond leases that a device gets at once; None: no limit."""
        return {"strict": 0, "bounded": self.budget, "open": None}[self.mode]

    def expires(self, now: datetime) -> datetime:
        """When a package made now is too old to be shown without red."""
        return now + timedelta(hours=self.package_hours)


class OfflineModeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an organiser chooses."""

    mode: Mode
    budget: Annotated[int, Meta(ge=0, le=100_000)] = 50
    package_hours: Annotated[int, Meta(ge=1, le=168)] = 24


async def read_mode(db: Any, event_id: UUID) -> OfflineMode:
    """The settings of an event, defaults where none were chosen.

    Raises:
        NotFound: there is no such event.
    """
    row = await db.fetchrow(queries.SETTINGS, event_id, timeout=_TIMEOUT_S)
    if row is None:
        raise NotFound("There is no such event.", code="event_not_found")
    return OfflineMode(row["mode"], row["budget"], row["package_hours"])
