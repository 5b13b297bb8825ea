"""A house whose PostgreSQL is away, as its breaker believes, and what is said there."""

from __future__ import annotations

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
