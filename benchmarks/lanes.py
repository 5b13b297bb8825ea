"""Two lanes: live scans while devices that come back upload a thousand each.

Live scans arrive by a Poisson clock, alone and then beside one upload after the other,
in turns. The promise (core: two lanes) is that a guest hardly notices.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import httpx
import msgspec

from benchmarks.client import Outcome
from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target, paired
from benchmarks.scans import Door
from ops.errors import OpsError
from ops.ids import uuid7

RATE_PER_S = 40.0
UPLOAD = 1_000
DOOR = {"verdict": "admitted", "reason": "ok"}

_encode = msgspec.json.Encoder().encode


class Uploads:
    """Devices that come back, one after the other, until they are told to stop."""

    def __init__(self, door: Door) -> None:
        self._event, self._port = door.event, door.api.port
        self._over = asyncio.Event()
        self.took_s: list[float] = []

    def stop(self) -> None:
        """The upload that is under way is the last."""
        self._over.set()

    async def run(self) -> None:
        """Upload a thousand scans, and again.

        Raises:
            OpsError: a record was not admitted.
        """
        base = f"http://127.0.0.1:{self._port}/api/v1/events/{self._event.id}"
        async with httpx.AsyncClient(timeout=120) as http:
            while not self._over.is_set():
                body = _body(self._event)
                token = self._event.tokens[len(self.took_s) % len(self._event.tokens)]
                start_s = time.perf_counter()
                answer = await http.post(
                    f"{base}/scans/batch",
                    content=body,
                    headers={"Authorization": f"Device {token}"},
                )
                self.took_s.append(time.perf_counter() - start_s)
                results = msgspec.json.decode(answer.content)["results"]
                bad = [one for one in results if one.get("verdict") != "admitted"]
                if bad:
                    raise OpsError(f"an upload was not admitted: {bad[:2]}")


def _body(event: BulkEvent) -> bytes:
    at = (datetime.now(UTC) - timedelta(minutes=20)).isoformat()
    scans = [
        {
            "id": str(uuid7()),
            "code": event.code(number),
            "scanned_at": at,
            "offline": True,
            "door": {**DOOR, "at": at},
        }
        for number in event.fresh(UPLOAD)
    ]
    return _encode({"scans": scans})


async def two_lanes(door: Door, rounds: int, seconds: float) -> list[Figure]:
    """Milliseconds of live answers, alone and beside uploads."""
    await _live(door, 1.0)
    alone, beside = [], []
    uploads = Uploads(door)
    lanes: dict[str, float] = {}
    for _ in range(rounds):
        alone.append(await _live(door, seconds))
        uploads = Uploads(door)
        sending = asyncio.create_task(uploads.run())
        before = await door.api.metrics()
        beside.append(await _live(door, seconds))
        after = await door.api.metrics()
        uploads.stop()
        await sending
        for name in ("live", "upload"):
            key = f'ops_scan_seconds_count{{lane="{name}"}}'
            lanes[name] = lanes.get(name, 0.0) + after[key] - before.get(key, 0.0)
    details: dict[str, Any] = {
        "uploads_a_second_beside": round(lanes["upload"] / (rounds * seconds), 1),
        "last_upload_s": round(median(uploads.took_s), 2),
    }
    return [
        paired(
            f"live scans beside uploads of 1,000: {name}",
            "ms",
            [one.quantile_ms(part) for one in beside],
            [one.quantile_ms(part) for one in alone],
            "alone",
            Target("at most", 2.0),
            **details,
        )
        for name, part in (("median", 0.50), ("p99", 0.99))
    ]


async def _live(door: Door, seconds: float) -> Outcome:
    """Guests that come as they come.

    Raises:
        OpsError: one was not admitted.
    """
    count = int(RATE_PER_S * seconds * 1.5)
    codes = [door.event.code(number) for number in door.event.fresh(count)]
    job = door.job(
        "scans",
        seconds,
        codes=codes,
        connections=64,
        mode="open",
        rate_per_s=RATE_PER_S,
    )
    outcome = await door.client.run(job)
    # What was not sent is not given back: uploads take numbers beside it.
    if outcome.errors or set(outcome.verdicts) != {"admitted"}:
        raise OpsError(f"not admitted: {outcome.statuses} {outcome.verdicts}")
    return outcome
