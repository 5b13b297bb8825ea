"""A guest at a door never waits for more than a small batch of uploads."""

from __future__ import annotations

import asyncio
import heapq
from typing import Any
from uuid import UUID

import pytest

from ops.admission.scan import ScanRequest
from ops.checkin import lanes
from ops.checkin.lanes import Lanes, Taken
from ops.checkin.pending import Lane, Pending
from ops.ids import uuid7

DEVICE = UUID(int=1)
FIXED_S, A_SCAN_S = 0.004, 0.001
"""What a batch takes, and what each of its scans adds."""


@pytest.fixture
def loop() -> Any:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def pending(loop: asyncio.AbstractEventLoop, lane: Lane, now_s: float) -> Pending:
    scan = ScanRequest(id=uuid7(), code="T-1", offline=lane == "upload")
    answer: asyncio.Future[Any] = loop.create_future()
    return Pending(
        scan,
        DEVICE,
        b"",
        "foreign",
        "",
        b"",
        lambda: False,
        answer,
        now_s,
        lane=lane,
    )


class Play:
    """A desk without stores: batches take as long as their scans, one clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.lanes = Lanes()
        self.now_s = 100.0
        self.waited: dict[str, list[float]] = {"live": [], "upload": []}
        self.uploaded_s = 0.0
        self._ends: list[tuple[float, int, Taken]] = []
        self._number = 0
        self.most_uploads_under_way = 0

    def run(self, arrivals: list[tuple[float, Lane, int]], until_s: float) -> None:
        """Arrivals: seconds from the start, lane, how many."""
        events = [(100.0 + at, lane, n) for at, lane, n in sorted(arrivals)]
        while self.now_s < 100.0 + until_s:
            self._start()
            rests_s = self.lanes.rests_s(self.now_s)
            nexts = [100.0 + until_s]
            nexts += [events[0][0]] if events else []
            nexts += [self._ends[0][0]] if self._ends else []
            nexts += [self.now_s + rests_s] if rests_s is not None else []
            self.now_s = min(nexts)
            while self._ends and self._ends[0][0] <= self.now_s:
                self._end(heapq.heappop(self._ends)[2])
            while events and events[0][0] <= self.now_s:
                _, lane, count = events.pop(0)
                for _ in range(count):
                    self.lanes.add(pending(self.loop, lane, self.now_s), self.now_s)

    def _start(self) -> None:
        while (taken := self.lanes.take(self.now_s)) is not None:
            assert len({one.lane for one in taken.scans}) == 1, "a batch has one lane"
            self._number += 1
            took_s = FIXED_S + A_SCAN_S * len(taken.scans)
            heapq.heappush(self._ends, (self.now_s + took_s, self._number, taken))
            uploads = sum(one[2].lane == "upload" for one in self._ends)
            self.most_uploads_under_way = max(self.most_uploads_under_way, uploads)

    def _end(self, taken: Taken) -> None:
        self.lanes.ended(taken, self.now_s)
        for one in taken.scans:
            self.waited[taken.lane].append(self.now_s - one.queued_s)
        if taken.lane == "upload":
            self.uploaded_s = self.now_s - 100.0


GUESTS: list[tuple[float, Lane, int]] = [(at / 40, "live", 1) for at in range(40, 400)]


def test_a_guest_waits_for_one_small_batch_at_most(loop) -> None:
    play = Play(loop)
    play.run([(0.5, "upload", 3_000), *GUESTS], 10.0)
    assert len(play.waited["live"]) == len(GUESTS)
    small_s = FIXED_S + A_SCAN_S * lanes.UPLOADS_BESIDE_MAX
    own_s = FIXED_S + A_SCAN_S * 3
    # The first may meet a large batch that began before anybody came.
    assert sorted(play.waited["live"])[-2] <= small_s + 2 * own_s
    assert play.most_uploads_under_way == 1


def test_with_one_queue_a_guest_waits_for_all_of_them(loop, monkeypatch) -> None:
    """The control: live scans in the lane of uploads."""
    play = Play(loop)
    one_queue: list[tuple[float, Lane, int]] = [
        (at, "upload", n) for at, _, n in GUESTS
    ]
    play.run([(0.5, "upload", 3_000), *one_queue], 10.0)
    assert max(play.waited["upload"]) > 1.0


def test_uploads_rest_for_as_long_as_a_batch_took(loop) -> None:
    play = Play(loop)
    play.run([(1.0, "upload", 1_000), *GUESTS], 10.0)
    batch_s = FIXED_S + A_SCAN_S * lanes.UPLOADS_BESIDE_MAX
    batches = 1_000 / lanes.UPLOADS_BESIDE_MAX
    assert play.uploaded_s - 1.0 >= 1.9 * batches * batch_s
    assert play.uploaded_s - 1.0 <= 4.0 * batches * batch_s


def test_without_guests_uploads_go_at_full_speed(loop) -> None:
    play = Play(loop)
    play.run([(1.0, "upload", 1_000)], 10.0)
    batch_s = FIXED_S + A_SCAN_S * lanes.UPLOADS_MAX
    assert play.uploaded_s - 1.0 <= 1.1 * batch_s * (1_000 / lanes.UPLOADS_MAX + 1)


def test_a_crowd_that_never_ends_does_not_starve_uploads(loop) -> None:
    play = Play(loop)
    rush: list[tuple[float, Lane, int]] = [(at / 100, "live", 8) for at in range(600)]
    play.run([(0.5, "upload", 200), *rush], 6.0)
    assert len(play.waited["upload"]) == 200
    assert max(play.waited["upload"]) <= 200 / lanes.UPLOADS_BESIDE_MAX * 0.4


def test_in_mode_d_one_batch_at_a_time(loop) -> None:
    waiting = Lanes()
    for lane in ("live", "upload"):
        waiting.add(pending(loop, lane, 0.0), 0.0)
    first = waiting.take(0.0, at_once=1)
    assert first is not None
    assert first.lane == "live"
    assert waiting.take(0.0, at_once=1) is None
    waiting.ended(first, 0.1)
    second = waiting.take(0.1, at_once=1)
    assert second is not None
    assert second.lane == "upload"
    assert not waiting.idle
    waiting.ended(second, 0.2)
    assert waiting.idle
