"""The simulated crowd: twelve handhelds that play the evening's steps.

A process of its own under the demo's supervisor, so that it neither slows nor dies
with the roles it visits. It stops when the evening is over, when it is told to, or
with its parent; started again in the same evening it goes on, repeating under the
same ids what it has no answer for.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from ops import log
from ops.dev.arrivals import Step, again, plan
from ops.dev.handheld import Handheld, Journal, PairingRefused, client
from ops.dev.sample import Evening
from ops.settings import Settings

HEARTBEAT_S = 5.0
PACE_S = 0.01  # between two scans of a device that is behind
FULL_PAUSE_S = 12.0  # one out, one in: whoever finds it full comes back
TRIES_MAX = 3

_log = log.get(__name__)


class Crowd:
    """Plays one evening against a running server.

    Args:
        settings: where the server is; the logs go to `data_dir/crowd/<event>/`.
        evening: what is played.
    """

    def __init__(self, settings: Settings, evening: Evening) -> None:
        self._settings, self._evening = settings, evening
        self._tries: dict[UUID, int] = {}
        self.answered = 0

    async def play(self) -> None:
        """Return when the evening is over; cancelling stops at once."""
        queues: dict[str, list[Step]] = defaultdict(list)
        for step in plan(self._evening):
            queues[step.device].append(step)
        async with asyncio.TaskGroup() as group:
            for device in self._evening.devices:
                group.create_task(self._play(device.name, queues[device.name]))

    async def _play(self, name: str, steps: list[Step]) -> None:
        device = next(d for d in self._evening.devices if d.name == name)
        settings, event_id = self._settings, self._evening.ids.event
        journal = Journal(
            folder(settings.data_dir, event_id) / f"{device.hardware}.jsonl"
        )
        async with client(settings.base_url, settings.tls_cert) as http:
            handheld = Handheld(device, event_id, http, journal)
            heart = None
            try:
                await handheld.pair()
                heart = asyncio.create_task(self._beat(handheld, steps))
                await self._scan_all(handheld, steps)
            except PairingRefused as error:
                _log.error("not_paired", device=name, why=str(error))
            finally:
                if heart is not None:
                    heart.cancel()
                journal.close()

    async def _scan_all(self, handheld: Handheld, steps: list[Step]) -> None:
        heapq.heapify(steps)
        while steps and not self._over():
            wait_s = steps[0].at_s - self._second()
            if wait_s > 0:
                await asyncio.sleep(min(wait_s, 1.0))
                continue
            step = heapq.heappop(steps)
            if wait_s < -1.0:
                await asyncio.sleep(PACE_S)
            follow = await self._scan(handheld, step)
            if follow is not None:
                heapq.heappush(steps, follow)

    async def _scan(self, handheld: Handheld, step: Step) -> Step | None:
        """One scan, and what its answer makes of it: nothing, or another try."""
        session_id = self._evening.ids.sessions[step.session] if step.session else None
        answer = await handheld.scan(step, session_id)
        if answer is None:
            return None
        self.answered += 1
        if answer.reason == "needs_count":
            more = again(step, 1, 0.0)
            await handheld.scan(more, session_id, admit=step.admits)
        elif answer.reason == "unconfirmed":
            more = again(step, 2, 0.0)
            await handheld.scan(more, session_id, take_over=str(step.scan_id))
        elif answer.reason == "id_check":
            # One in forty shows an ID that says too young.
            old_enough = step.scan_id.int % 40 != 0
            more = again(step, 3, 0.0)
            await handheld.scan(more, session_id, answers={"age": old_enough})
        elif answer.reason in ("area_full", "too_early"):
            return self._later(step)
        return None

    def _later(self, step: Step) -> Step | None:
        if step.ticket_id is None or step.why == "too_early":
            return None  # that one has a later step of its own
        tries = self._tries.get(step.ticket_id, 0) + 1
        self._tries[step.ticket_id] = tries
        if tries > TRIES_MAX:
            return None
        late_s = max(0.0, self._second() - step.at_s)
        return again(step, 2 + tries, late_s + FULL_PAUSE_S)

    async def _beat(self, handheld: Handheld, steps: list[Step]) -> None:
        while True:
            second = self._second()
            due = sum(1 for step in steps if step.at_s < second)
            handheld.battery = max(8, handheld.battery - (due > 20))
            await handheld.heartbeat(min(due, 10_000))
            await asyncio.sleep(HEARTBEAT_S)

    def _second(self) -> float:
        passed = datetime.now(UTC) - self._evening.timetable.opens_at
        return passed.total_seconds()

    def _over(self) -> bool:
        return self._second() > self._evening.timetable.length_s


def folder(data_dir: Path, event_id: UUID) -> Path:
    """Where the handhelds of an event keep their logs."""
    return data_dir / "crowd" / str(event_id)
