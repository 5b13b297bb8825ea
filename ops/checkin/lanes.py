"""The two lanes of an event's desk: which scans make the next batch, and when. Pure.

A guest at a door waits for as little as possible of what devices bring afterwards:

* a batch is of one lane; the answer of a live scan waits for no upload's transaction;
* one batch of uploads is under way at a time, a small one while guests come;
* it starts when no live scan waits; after it uploads rest for as long as it took, so
  that the process and PostgreSQL belong to the door for half of the time at least;
* uploads are never starved: after `PATIENCE_S` they take their turn before live scans
  that wait.
"""

from __future__ import annotations

from collections import deque

import msgspec

from ops.checkin.pending import Lane, Pending

BATCH_MAX = 256
"""Scans a batch: a full one stays below the time limits of its steps."""
AT_ONCE_MAX = 2
"""Batches under way at once; each takes a connection of the door's pool or two."""
UPLOADS_MAX = 64
"""Of a batch of uploads while nobody is at the doors."""
UPLOADS_BESIDE_MAX = 16
"""The same while guests come."""
GUESTS_S = 1.0
"""Guests come: a live scan was taken so short a time ago."""
PATIENCE_S = 0.25
REST_MAX_S = 0.25
"""A batch that took long for another reason (a slow disk) shall not stop uploads."""


class Taken(msgspec.Struct, frozen=True, eq=False):
    """The scans of a batch that starts now."""

    lane: Lane
    scans: list[Pending]
    at_s: float


class Lanes:
    """The waiting scans of one event, and the batches of them that are under way.

    All times are of one monotonic clock, in seconds.
    """

    def __init__(self) -> None:
        self._live: deque[Pending] = deque()
        self._uploads: deque[Pending] = deque()
        self._under_way: list[Taken] = []
        self._guest_s = -GUESTS_S
        self._rest_until_s = 0.0
        self._upload_s = 0.0
        """When uploads had their last turn, or began to wait."""

    def __len__(self) -> int:
        return len(self._live) + len(self._uploads)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not (self._live or self._uploads or self._under_way)

    def add(self, pending: Pending, now_s: float) -> None:
        """A scan more that waits."""
        if pending.lane == "live":
            self._live.append(pending)
            return
        if not self._uploads and not self._of("upload"):
            self._upload_s = now_s
        self._uploads.append(pending)

    def take(self, now_s: float, at_once: int = AT_ONCE_MAX) -> Taken | None:
        """The batch that starts now, if one may; `at_once`: batches under way at most.

        A second batch is read and decided while PostgreSQL commits the first. One of
        live scans waits until it is as large as a live one under way: many small ones
        cost more.
        """
        if len(self._under_way) >= at_once:
            return None
        if self._uploads_turn(now_s):
            most = UPLOADS_BESIDE_MAX if self._guests(now_s) else UPLOADS_MAX
            return self._start("upload", self._uploads, most, now_s)
        least = sum(len(one.scans) for one in self._of("live"))
        if self._live and len(self._live) >= least:
            self._guest_s = now_s
            return self._start("live", self._live, BATCH_MAX, now_s)
        return None

    def ended(self, taken: Taken, now_s: float) -> None:
        """A batch is over."""
        self._under_way.remove(taken)
        if taken.lane == "upload":
            self._upload_s = now_s
            rest_s = min(now_s - taken.at_s, REST_MAX_S) if self._guests(now_s) else 0.0
            self._rest_until_s = now_s + rest_s

    def rests_s(self, now_s: float) -> float | None:
        """Seconds until uploads that wait may have their turn; None: none rest."""
        if not self._uploads or self._of("upload"):
            return None
        left_s = self._rest_until_s - now_s
        return left_s if left_s > 0 else None

    def _of(self, lane: Lane) -> list[Taken]:
        return [one for one in self._under_way if one.lane == lane]

    def _guests(self, now_s: float) -> bool:
        return bool(self._live) or now_s - self._guest_s < GUESTS_S

    def _uploads_turn(self, now_s: float) -> bool:
        if not self._uploads or self._of("upload") or now_s < self._rest_until_s:
            return False
        return not self._live or now_s - self._upload_s >= PATIENCE_S

    def _start(
        self, lane: Lane, queue: deque[Pending], most: int, now_s: float
    ) -> Taken:
        scans = [queue.popleft() for _ in range(min(len(queue), most))]
        taken = Taken(lane, scans, now_s)
        self._under_way.append(taken)
        return taken
