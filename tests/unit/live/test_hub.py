"""Who watches what, and what each gets when it keeps up or falls behind."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from websockets.protocol import State

from ops.live.frames import raw
from ops.live.hub import HISTORY_FRAMES_MAX, Channel, Hub, Socket
from ops.live.protocol import Position
from ops.live.topics import Kind, Topic

EVENT = UUID("0193f2c4-0000-7000-8000-00000000abcd")
ATTENDANCE, SCANS = Topic(EVENT, Kind.ATTENDANCE), Topic(EVENT, Kind.SCANS)


class Peer:
    def __init__(self) -> None:
        self.state = State.OPEN


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.protocol, self.transport, self.paused = Peer(), self, False
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def read(self) -> list[dict[str, Any]]:
        """The messages since the last call; frames here are short or medium."""
        data, self.written = self.written, b""
        found = []
        while data:
            length, at = data[1], 2
            if length == 126:
                length, at = int.from_bytes(data[2:4], "big"), 4
            found.append(json.loads(data[at : at + length]))
            data = data[at + length :]
        return found


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def socket(hub: Hub, wire: Wire) -> Socket:
    socket = Socket(wire)
    hub.add(socket)
    return socket


def state(n: int) -> Any:
    return raw({"n": n})


def started(hub: Hub, socket: Socket, topic: Topic) -> Channel:
    channel = hub.join(socket, topic)
    channel.restart("e1", 5, state(5), "", 0.0)
    return channel


def ops(wire: Wire) -> list[tuple[str, int]]:
    return [(m["op"], m.get("offset", -1)) for m in wire.read()]


def test_updates_carry_where_they_begin(hub: Hub, socket: Socket, wire: Wire) -> None:
    channel = started(hub, socket, ATTENDANCE)
    channel.advance(9, state(9), state(9), 1.0)
    snapshot, update = wire.read()
    assert (snapshot["op"], snapshot["offset"]) == ("snapshot", 5)
    assert (update["prev"], update["offset"], update["data"]) == (5, 9, {"n": 9})


def test_all_get_the_same_bytes(hub: Hub) -> None:
    wires = [Wire() for _ in range(3)]
    for wire in wires:
        hub.join(Socket(wire), ATTENDANCE)
    channel = hub.channels[ATTENDANCE]
    channel.restart("e1", 5, state(5), "", 0.0)
    channel.advance(6, state(6), state(6), 1.0)
    assert len({wire.written for wire in wires}) == 1
    assert wires[0].written


def test_each_gets_the_form_it_reads(hub: Hub) -> None:
    plain, packed = Wire(), Wire()
    hub.join(Socket(plain), SCANS)
    hub.join(Socket(packed, packs=True), SCANS)
    channel = hub.channels[SCANS]
    channel.restart("e1", 5, raw({"lines": ["Zoë"] * 1_000}), "", 0.0)
    shown = channel.snapshot_frame()
    assert (plain.written, packed.written) == (shown.plain, shown.packed)
    assert shown.plain != shown.packed
    channel.advance(6, raw({"lines": ["李小龙"] * 1_000}), state(6), 1.0)
    for packs, wire in ((False, plain), (True, packed)):
        missed = channel.resume_frames(Position("e1", 5), packs)
        assert missed is not None
        sent = wire.written[len(shown.form(packs)) :]
        assert missed.endswith(sent)
        assert sent


def test_a_closing_socket_gets_nothing(hub: Hub, socket: Socket, wire: Wire) -> None:
    channel = started(hub, socket, ATTENDANCE)
    wire.read()
    wire.protocol.state = State.CLOSING
    channel.advance(6, state(6), state(6), 1.0)
    assert wire.written == b""
    assert not socket.send(b"x")


def test_a_slow_socket_gets_one_snapshot(hub: Hub, socket: Socket, wire: Wire) -> None:
    channel = started(hub, socket, ATTENDANCE)
    wire.read()
    wire.paused = True
    for offset in range(6, 60):
        channel.advance(offset, state(offset), state(offset), 1.0)
    assert wire.written == b""
    wire.paused = False
    assert hub.drained(socket, 10.0)
    assert ops(wire) == [("snapshot", 59)]
    channel.advance(60, state(60), state(60), 11.0)
    assert ops(wire) == [("update", 60)]


@pytest.mark.parametrize(("again_s", "stays"), [(69.9, False), (70.0, True)])
def test_twice_in_a_minute_is_too_slow(
    hub: Hub, socket: Socket, wire: Wire, again_s: float, stays: bool
) -> None:
    channel = started(hub, socket, ATTENDANCE)
    for at_s, kept in ((10.0, True), (again_s, stays)):
        wire.paused = True
        channel.advance(channel.offset + 1, state(0), state(0), at_s)
        wire.paused = False
        assert hub.drained(socket, at_s) is kept


def test_filling_the_buffer_without_missing_anything_is_not_slow(
    hub: Hub, socket: Socket, wire: Wire
) -> None:
    started(hub, socket, ATTENDANCE)
    for at_s in (1.0, 2.0, 3.0):
        assert hub.drained(socket, at_s)


def test_refresh_sends_only_what_changed(hub: Hub, socket: Socket, wire: Wire) -> None:
    channel = started(hub, socket, ATTENDANCE)
    wire.read()
    channel.refresh(state(5), 1.0)
    assert wire.written == b""
    channel.refresh(state(6), 1.0)
    assert ops(wire) == [("snapshot", 5)]


def test_marks_say_where_the_topic_stands(hub: Hub, socket: Socket, wire: Wire) -> None:
    channel = hub.join(socket, ATTENDANCE)
    channel.mark(1.0)
    assert wire.written == b""
    channel.restart("e1", 5, state(5), "", 2.0)
    channel.mark(3.0)
    assert ops(wire) == [("snapshot", 5), ("mark", 5)]
    assert channel.said_at_s == 3.0


class TestResume:
    """All missed updates, or a snapshot; never a part."""

    @pytest.fixture
    def channel(self, hub: Hub, socket: Socket, wire: Wire) -> Channel:
        channel = started(hub, socket, SCANS)
        for offset in (6, 8, 9):
            channel.advance(offset, state(offset), state(offset), 1.0)
        wire.read()
        return channel

    @pytest.mark.parametrize(
        ("offset", "offsets"), [(5, [6, 8, 9]), (6, [8, 9]), (8, [9]), (9, [])]
    )
    def test_all_that_was_missed(
        self, channel: Channel, wire: Wire, offset: int, offsets: list[int]
    ) -> None:
        frames = channel.resume_frames(Position("e1", offset))
        assert frames is not None
        wire.write(frames)
        resumed, *updates = wire.read()
        assert resumed == {
            "op": "resumed",
            "topic": SCANS.name,
            "count": len(offsets),
        }
        assert [update["offset"] for update in updates] == offsets

    @pytest.mark.parametrize(
        "position",
        [Position("e0", 6), Position("e1", 4), Position("e1", 7), Position("e1", 10)],
    )
    def test_else_nothing(self, channel: Channel, position: Position) -> None:
        assert channel.resume_frames(position) is None

    def test_history_is_bounded(self, channel: Channel) -> None:
        for _ in range(HISTORY_FRAMES_MAX):
            channel.advance(channel.offset + 1, state(0), state(0), 1.0)
        assert channel.resume_frames(Position("e1", 9)) is not None
        assert channel.resume_frames(Position("e1", 8)) is None

    def test_a_new_epoch_forgets_it(self, channel: Channel) -> None:
        channel.restart("e2", 9, state(9), "", 2.0)
        assert channel.resume_frames(Position("e1", 8)) is None

    def test_conflated_topics_never_resume(self, hub: Hub, socket: Socket) -> None:
        channel = started(hub, socket, ATTENDANCE)
        assert channel.resume_frames(Position("e1", 5)) is None


def test_a_channel_lives_as_long_as_its_subscribers(hub: Hub, socket: Socket) -> None:
    other = Socket(Wire())
    hub.add(other)
    for one in (socket, other):
        hub.join(one, ATTENDANCE)
    hub.remove(socket)
    assert list(hub.watched(EVENT)) == [hub.channels[ATTENDANCE]]
    hub.remove(other)
    hub.remove(other)
    assert not hub.channels
    assert not hub.sockets
