"""Two lanes: a thousand uploaded scans beside guests who wait, in one run.

`python -m benchmarks.lanes`: live scans at a steady rate, alone, then while devices
that come back upload 1,000 scans each, in turns; real api and sync roles on durable
stores. The promise (core: two lanes) is that the live answers hardly notice.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

import httpx
import rich_click as click
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.event import BulkEvent
from benchmarks.house import House, open_house
from ops import log
from ops.ids import uuid7

TICKETS = 30_000
UPLOAD = 1_000
TRIES = 20


class Gate:
    """Live scans and uploads against one api process."""

    def __init__(self, event: BulkEvent, http: httpx.AsyncClient) -> None:
        self.event, self.http = event, http
        self.path = f"/api/v1/events/{event.id}/scans"
        self.again = 0

    def _device(self, number: int) -> dict[str, str]:
        token = self.event.tokens[number % len(self.event.tokens)]
        return {"Authorization": f"Device {token}"}

    async def live(self, rate: float, seconds: float) -> list[float]:
        """Milliseconds of each answer, at a steady rate whatever the answers take."""
        waiting: list[asyncio.Task[float]] = []
        numbers = self.event.fresh(int(rate * seconds))
        start_s = time.perf_counter()
        for at, number in enumerate(numbers):
            delay_s = start_s + at / rate - time.perf_counter()
            if delay_s > 0:
                await asyncio.sleep(delay_s)
            waiting.append(asyncio.create_task(self._scan(at, number)))
        return list(await asyncio.gather(*waiting))

    async def _scan(self, device: int, number: int) -> float:
        body = {"id": str(uuid7()), "code": self.event.code(number)}
        start_s = time.perf_counter()
        for _ in range(TRIES):
            answer = await self.http.post(
                self.path, json=body, headers=self._device(device)
            )
            if answer.status_code != 503:
                break
            self.again += 1  # a device asks again with the same id
        assert answer.status_code == 200, answer.text
        assert answer.json()["verdict"] == "admitted", answer.text
        return (time.perf_counter() - start_s) * 1000

    async def upload(self, device: int) -> float:
        """Seconds that a device's thousand scans took."""
        at = datetime.now(UTC) - timedelta(minutes=20)
        door = {"verdict": "admitted", "reason": "ok", "at": at.isoformat()}
        scans: list[dict[str, Any]] = [
            {
                "id": str(uuid7()),
                "code": self.event.code(number),
                "scanned_at": at.isoformat(),
                "offline": True,
                "door": door,
            }
            for number in self.event.fresh(UPLOAD)
        ]
        start_s = time.perf_counter()
        answer = await self.http.post(
            f"{self.path}/batch", json={"scans": scans}, headers=self._device(device)
        )
        results = answer.json()["results"]
        bad = [one for one in results if one.get("verdict") != "admitted"]
        assert not bad, bad[:3]
        return time.perf_counter() - start_s


async def measure(house: House, rate: float, seconds: float) -> dict[str, Any]:
    """Live answers without and with uploads, in turns."""
    event = await BulkEvent.make(house.db, TICKETS)
    house.sync()
    await house.warm(event)
    api = await house.api()
    limits = httpx.Limits(max_connections=64)
    base = f"http://127.0.0.1:{api.port}"
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=60) as http:
        gate = Gate(event, http)
        await gate.live(rate, 2.0)
        alone: list[float] = []
        beside: list[float] = []
        uploads: list[float] = []
        for turn in range(3):
            alone += await gate.live(rate, seconds)
            sending = asyncio.create_task(gate.upload(turn))
            beside += await gate.live(rate, seconds)
            uploads.append(await sending)
    return {
        "alone": alone,
        "beside": beside,
        "uploads": uploads,
        "again": gate.again,
    }


def percentile(values: list[float], part: int) -> float:
    """Of a hundred."""
    return quantiles(values, n=100)[part - 1]


async def run(rate: float, seconds: float) -> dict[str, Any]:
    """On a house of its own."""
    async with open_house() as house:
        return await measure(house, rate, seconds)


@click.command()
@click.option("--rate", default=50.0, help="Live scans a second.")
@click.option("--seconds", default=4.0, help="Of each turn.")
def main(rate: float, seconds: float) -> None:
    """Show what an upload of a thousand costs those who wait at the door."""
    log.configure("warning", "console", role="bench")
    found = uvloop.run(run(rate, seconds))
    table = Table("live answers", "p50 ms", "p99 ms", "most ms")
    for name in ("alone", "beside"):
        values = found[name]
        table.add_row(
            {"alone": "alone", "beside": "beside an upload of 1,000"}[name],
            f"{percentile(values, 50):.1f}",
            f"{percentile(values, 99):.1f}",
            f"{max(values):.1f}",
        )
    Console().print(table)
    took = ", ".join(f"{one:.1f}" for one in found["uploads"])
    Console().print(f"uploads of 1,000 took {took} s; {found['again']} asked again")


if __name__ == "__main__":
    main()
