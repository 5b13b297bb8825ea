"""An emergency with 10,000 people inside: each step, the roll-call, a socket.

`python -m benchmarks.emergency [--people 10000]`. Over HTTP against a real api process
on durable stores; every attendee has a link of his own and so a receipt, and one of
them watches. Times are what the machine gave, loopback included.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import httpx
import rich_click as click
import uvloop

from benchmarks.event import BulkEvent
from benchmarks.figure import Figure, Target
from benchmarks.house import House, open_house
from benchmarks.live_load import LINKS, organiser
from load_tests.live_client import LiveClient
from ops.errors import OpsError

MS_MAX = 2_000.0
"""As an announcement to 10,000 may take."""
CALLS = 9
HELD = {"held_ms": 2_100}
_INSIDE = """
INSERT INTO check_ins (event_id, ticket_id, attendee_id, checked_in_at, scope_id,
                       area_id, gate_id, scan_id)
SELECT t.event_id, t.id, t.attendee_id, now() - interval '1 hour', $2, $3, $4,
       gen_random_uuid() FROM tickets t WHERE t.event_id = $1
"""


class Steps:
    """The emergency of one event, as the control room takes it."""

    def __init__(self, http: httpx.AsyncClient, event: BulkEvent) -> None:
        self._http, self._root = http, f"/api/v1/events/{event.id}"

    async def call(self, path: str, body: Any = None) -> Any:
        """What the server answers; with a body a POST.

        Raises:
            OpsError: it refused.
        """
        ask = self._http.get if body is None else self._http.post
        more = {} if body is None else {"json": body}
        answer = await ask(self._root + path, **more)
        if answer.status_code >= 300:
            raise OpsError(answer.text)
        return answer.json()

    async def step(self, name: str, **fields: Any) -> Any:
        """A step that was held."""
        return await self.call(f"/emergency{name}", {**HELD, **fields})


async def timed(
    work: Callable[[], Awaitable[Any]], calls: int = 1
) -> tuple[float, Any]:
    """The median of so many calls in ms, and what the last one gave."""
    times, found = [], None
    for _ in range(calls):
        began_s = time.perf_counter()
        found = await work()
        times.append((time.perf_counter() - began_s) * 1000)
    return median(times), found


class Socket:
    """Somebody who watches announcements; `heard` is when one concerned them."""

    def __init__(self, port: int, token: str, event: BulkEvent) -> None:
        topic = f"event:{event.id}:announcements"
        self._client = LiveClient(f"ws://127.0.0.1:{port}/live", token, [topic])
        self._ready = asyncio.Event()
        self.heard: asyncio.Task[float] = asyncio.create_task(self._listen())

    async def ready(self) -> None:
        """Wait for the first snapshot."""
        await asyncio.wait_for(self._ready.wait(), 30)

    async def _listen(self) -> float:
        async for frame in self._client.frames():
            if frame["op"] in ("update", "snapshot"):
                if frame["data"]["items"]:
                    return time.perf_counter()
                self._ready.set()
        raise OpsError("the socket was sent away")

    async def since(self, began_s: float) -> float:
        """Milliseconds from then until it heard."""
        return (await asyncio.wait_for(self.heard, 30) - began_s) * 1000


async def emergency(house: House, people: int) -> list[Figure]:
    """All steps with so many people inside."""
    event = await BulkEvent.make(house.db, people, devices=32)
    await house.db.execute(
        _INSIDE, event.id, event.scope, event.venue, event.gates[0], timeout=120
    )
    links = await house.db.fetch(LINKS, event.id)
    api, live = await house.api(), await house.live()
    token = await organiser(house)
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{api.port}",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
    ) as http:
        steps = Steps(http, event)
        guest = Socket(live.port, f"att_{links[-1]['attendee_id']}", event)
        phone = Socket(live.port, event.tokens[0], event)
        await asyncio.gather(guest.ready(), phone.ready())
        live_ms, before = await timed(lambda: steps.call("/roll-call"), CALLS)
        began_s = time.perf_counter()
        start_ms, _ = await timed(
            lambda: steps.step("", reason="smoke in the kitchen", drill=False)
        )
        staff_ms = await phone.since(began_s)
        freeze_ms, _ = await timed(lambda: steps.step("/freeze"))
        frozen_ms, roll = await timed(lambda: steps.call("/roll-call"), CALLS)
        for found in (before, roll):
            if found["totals"]["people"] != people:
                raise OpsError(f"the roll-call has {found['totals']}")
        text = (await steps.call("/emergency/texts"))[0]
        began_s = time.perf_counter()
        publish_ms, _ = await timed(lambda: steps.step("/publish", text=text))
        guest_ms = await guest.since(began_s)
        size = len(str(roll))
    house.end(api)
    house.end(live)
    most = Target("at most", MS_MAX)
    return [
        Figure("start (staff told, admission stopped)", start_ms, "ms", target=most),
        Figure("start: at a staff device's socket", staff_ms, "ms", target=most),
        Figure("freeze", freeze_ms, "ms", target=most),
        Figure("publish: audience fixed, answered", publish_ms, "ms", target=most),
        Figure("publish: at an attendee's socket", guest_ms, "ms", target=most),
        Figure("roll-call, live", live_ms, "ms", target=most),
        Figure(f"roll-call, frozen ({size} bytes)", frozen_ms, "ms", target=most),
    ]


async def _alone(people: int) -> list[Figure]:
    async with open_house() as house:
        return await emergency(house, people)


@click.command()
@click.option("--people", default=10_000, type=click.IntRange(100))
def main(people: int) -> None:
    """Measure an emergency."""
    for figure in uvloop.run(_alone(people)):
        met = "met" if figure.met else "MISSED"
        print(f"{figure.name:40} {figure.value:8.1f} ms  {figure.target} {met}")


if __name__ == "__main__":
    main()
