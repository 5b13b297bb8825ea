"""The client's side of the protocol: it converges, or asks."""

from __future__ import annotations

import random
from typing import Any

import pytest

from load_tests.live_client import Mirror, TopicMirror

ATTENDANCE, SCANS = "event:1:attendance", "event:1:scans"


def snapshot(offset: int, topic: str = ATTENDANCE, data: Any = None) -> dict[str, Any]:
    return {
        "op": "snapshot",
        "topic": topic,
        "epoch": "e1",
        "offset": offset,
        "data": {"n": offset} if data is None else data,
    }


def update(prev: int, offset: int, topic: str = ATTENDANCE) -> dict[str, Any]:
    data = {"n": offset} if topic == ATTENDANCE else {"lines": [{"id": offset}]}
    return {
        "op": "update",
        "topic": topic,
        "prev": prev,
        "offset": offset,
        "data": data,
    }


@pytest.mark.parametrize(
    ("prev", "offset", "resync", "mine"),
    [(5, 6, False, 6), (3, 6, False, 6), (3, 5, False, 5), (6, 7, True, 5)],
)
def test_conflated(prev: int, offset: int, resync: bool, mine: int) -> None:
    topic = TopicMirror(ATTENDANCE)
    topic.receive(snapshot(5), 0.0)
    assert topic.receive(update(prev, offset), 0.0) is resync
    assert (topic.offset, topic.data) == (mine, {"n": mine})


@pytest.mark.parametrize(
    ("prev", "offset", "resync"), [(5, 6, False), (4, 6, True), (6, 7, True)]
)
def test_gapless(prev: int, offset: int, resync: bool) -> None:
    topic = TopicMirror(SCANS)
    topic.receive(snapshot(5, SCANS, {"lines": []}), 0.0)
    assert topic.receive(update(prev, offset, SCANS), 0.0) is resync


def test_a_mark_ahead_asks_for_the_tail() -> None:
    mirror = Mirror([ATTENDANCE])
    mirror.receive(snapshot(5), 0.0)
    mark = {"op": "mark", "topic": ATTENDANCE, "offset": 5}
    assert mirror.receive(mark, 0.0) == []
    assert mirror.receive({**mark, "offset": 6}, 0.0) == [
        {"op": "resync", "topic": ATTENDANCE}
    ]


def test_silence_is_stale() -> None:
    mirror = Mirror([ATTENDANCE])
    mirror.receive(snapshot(5), 100.0)
    assert not mirror.stale(110.0)
    assert mirror.stale(121.0)


@pytest.mark.parametrize("seed", range(200))
def test_it_converges_whatever_is_lost(seed: int) -> None:
    """Frames are lost at random; a mark, the resync and its answer end it right."""
    chance = random.Random(seed)
    mirror = Mirror([ATTENDANCE])
    topic = mirror.topics[ATTENDANCE]
    offset = 0
    mirror.receive(snapshot(0), 0.0)
    for _ in range(30):
        prev, offset = offset, offset + chance.randint(1, 3)
        if chance.random() < 0.5:
            for answer in mirror.receive(update(prev, offset), 0.0):
                assert answer["op"] == "resync"
                mirror.receive(snapshot(offset), 0.0)
        assert topic.data == {"n": topic.offset}
    mark = {"op": "mark", "topic": ATTENDANCE, "offset": offset}
    if mirror.receive(mark, 0.0):
        mirror.receive(snapshot(offset), 0.0)
    assert topic.data == {"n": offset}
