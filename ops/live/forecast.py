"""The topic forecast: when people come, and how long they wait at each gate.

The sync role makes it (`ops.watch.forecaster`); here the newest one is read and passed
on as it is. A forecast that nobody renewed says by `made_at` how old it is.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from ops.db.pools import DATABASE_ERRORS
from ops.errors import StoreUnavailable
from ops.live.plan import CALL_TIMEOUT_S

READ_EVERY_S = 2.0

# PostgreSQL's own JSON text is passed on: nobody here looks into it.
_FORECAST = """
SELECT f.data::text AS data FROM public.events e
  LEFT JOIN ops.forecasts f ON f.event_id = e.id AND f.made_at IS NOT NULL
 WHERE e.id = $1
"""
_decoder = msgspec.json.Decoder()


class Outlook(msgspec.Struct, frozen=True):
    """`data` of the topic; None until a first forecast was made."""

    forecast: dict[str, Any] | None


async def read_forecast(pool: asyncpg.Pool, event_id: UUID) -> Outlook | None:
    """The newest forecast of an event; None if there is no such event.

    Raises:
        StoreUnavailable: PostgreSQL did not answer.
    """
    try:
        row = await pool.fetchrow(_FORECAST, event_id, timeout=CALL_TIMEOUT_S)
    except DATABASE_ERRORS as error:
        raise StoreUnavailable(f"forecast: {type(error).__name__}") from error
    if row is None:
        return None
    return Outlook(_decoder.decode(row["data"]) if row["data"] else None)
