"""A house whose PostgreSQL is away, as its breaker believes, and what is said there."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from ops.admission.scan import ScanRequest
from ops.ids import uuid7
from tests.house import House


def take_away(house: House) -> None:
    house.stores.database_breaker.failed(0.0, 2)
    assert house.stores.database_breaker.open


async def scan(
    house: House, code: str, scan_id: UUID | None = None, device: str = "device", **more
) -> Any:
    request = ScanRequest(scan_id or uuid7(), code, **more)
    device_id = getattr(house.event, device)
    return (await house.desk.scan(house.event.id, device_id, request)).item


def said(item: Any) -> str:
    if item.error:
        return str(item.error)
    one = item.stored or item.decision
    return f"{one.verdict} {one.reason}"


def give_back(house: House) -> None:
    """What ten seconds of good writes do."""
    house.stores.database_breaker.succeeded()


async def written(*houses: House) -> None:
    """Wait until what these processes write behind their answers is in their journals.

    States of lines, and the log, as long as PostgreSQL is away.
    """
    for house in houses:
        desk = await house.desk.event(house.event.id)
        while desk._batches or desk._logs or desk._executor.marks:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if desk._telling is not None:
            await asyncio.wait([desk._telling])
        await house.journal.recall([])  # it waits its turn behind what is written now
