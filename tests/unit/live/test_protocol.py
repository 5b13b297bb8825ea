"""A socket's conversation: frames in, actions out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.live.codes import CloseCode
from ops.live.frames import Error
from ops.live.protocol import (
    BURST,
    HELLO_WITHIN_S,
    RATE_PER_S,
    TOPICS_MAX,
    Authenticate,
    Close,
    Conversation,
    Join,
    Leave,
    Position,
    Say,
    SendPong,
    SendSnapshot,
)
from ops.live.topics import Kind, Topic, parse

EVENT = "0193f2c4-0000-7000-8000-00000000abcd"
NAME = f"event:{EVENT}:attendance"
TOPIC = parse(NAME)
assert isinstance(TOPIC, Topic)


def frame(**message: Any) -> str:
    return json.dumps(message)


@pytest.fixture
def greeted() -> Conversation:
    conversation = Conversation(0.0)
    conversation.receive(frame(op="hello", v=1, token="staff_x"), 0.0)
    return conversation


def test_hello_asks_whose_token_it_is() -> None:
    conversation = Conversation(0.0)
    actions = conversation.receive(frame(op="hello", v=1, token="staff_x"), 0.0)
    assert actions == [Authenticate("staff_x")]
    assert conversation.greeted


def test_null_or_no_token_means_the_cookie() -> None:
    for message in (frame(op="hello", v=1, token=None), frame(op="hello", v=1)):
        assert Conversation(0.0).receive(message, 0.0) == [Authenticate(None)]


def test_no_hello_in_time_ends_the_conversation() -> None:
    conversation = Conversation(10.0)
    assert conversation.overdue(10.0 + HELLO_WITHIN_S - 0.01) == []
    assert conversation.overdue(10.0 + HELLO_WITHIN_S) == [Close(CloseCode.NO_HELLO)]
    assert conversation.overdue(99.0) == []
    assert conversation.receive(frame(op="hello", v=1), 99.0) == []


def test_a_greeted_socket_is_never_overdue(greeted: Conversation) -> None:
    assert greeted.overdue(1e9) == []


@given(st.one_of(st.text(), st.binary()))
def test_rubbish_before_the_hello_ends_it_and_after_it_is_answered(
    rubbish: str | bytes,
) -> None:
    assert Conversation(0.0).receive(rubbish, 0.0) == [Close(CloseCode.NO_HELLO)]
    conversation = Conversation(0.0)
    conversation.receive(frame(op="hello", v=1), 0.0)
    assert conversation.receive(rubbish, 0.0) == [Say(Error("malformed_frame"))]
    assert conversation.open


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        '{"op":"subscribe","topics":"event"}',
        '{"op":"subscribe","topics":[1]}',
        '{"op":"resync","topic":null}',
        '{"op":"subscribe","topics":["\\ud800"]}',
        '{"op":"hello","v":1e999}',
    ],
)
def test_frames_of_another_shape_are_malformed(
    greeted: Conversation, text: str
) -> None:
    assert greeted.receive(text, 0.0) == [Say(Error("malformed_frame"))]


def test_a_second_hello_is_refused(greeted: Conversation) -> None:
    assert greeted.receive(frame(op="hello", v=1), 0.0) == [
        Say(Error("already_greeted"))
    ]


def test_subscribe_joins_known_topics_and_names_the_others(
    greeted: Conversation,
) -> None:
    actions = greeted.receive(frame(op="subscribe", topics=[NAME, "event:1:x"]), 0.0)
    assert actions == [Join(TOPIC, None), Say(Error("unknown_topic", "event:1:x"))]


def test_resume_positions_are_used_once() -> None:
    conversation = Conversation(0.0)
    resume = {NAME: {"epoch": "k3f9", "offset": 1832}}
    conversation.receive(frame(op="hello", v=1, resume=resume), 0.0)
    subscribe = frame(op="subscribe", topics=[NAME])
    assert conversation.receive(subscribe, 0.0) == [Join(TOPIC, Position("k3f9", 1832))]
    assert conversation.receive(subscribe, 0.0) == [Join(TOPIC, None)]


def test_unsubscribe_takes_one_or_many(greeted: Conversation) -> None:
    for message in (
        frame(op="unsubscribe", topics=[NAME]),
        frame(op="unsubscribe", topic=NAME),
    ):
        assert greeted.receive(message, 0.0) == [Leave(TOPIC)]


def test_resync_and_ping(greeted: Conversation) -> None:
    assert greeted.receive(frame(op="resync", topic=NAME), 0.0) == [SendSnapshot(TOPIC)]
    assert greeted.receive(frame(op="ping"), 0.0) == [SendPong()]


def test_too_many_topics_in_one_frame(greeted: Conversation) -> None:
    topics = [NAME] * (TOPICS_MAX + 1)
    assert greeted.receive(frame(op="subscribe", topics=topics), 0.0) == [
        Say(Error("too_many_topics"))
    ]


def test_a_long_unknown_name_is_not_echoed_whole(greeted: Conversation) -> None:
    (said,) = greeted.receive(frame(op="subscribe", topics=["x" * 9000]), 0.0)
    assert isinstance(said, Say)
    assert isinstance(said.message, Error)
    assert len(said.message.topic) < 100


def test_too_many_frames_end_the_conversation() -> None:
    conversation = Conversation(0.0)
    conversation.receive(frame(op="hello", v=1), 0.0)
    ping = frame(op="ping")
    for _ in range(int(BURST) - 1):
        assert conversation.receive(ping, 0.0) == [SendPong()]
    assert conversation.receive(ping, 0.0) == [Close(CloseCode.TOO_FAST)]
    assert conversation.receive(ping, 100.0) == []


def test_a_steady_client_is_never_too_fast(greeted: Conversation) -> None:
    for n in range(1000):
        assert greeted.receive(frame(op="ping"), n / RATE_PER_S) == [SendPong()]


def test_a_clock_that_steps_back_gives_no_extra_frames(greeted: Conversation) -> None:
    for n in range(int(BURST) - 1):
        greeted.receive(frame(op="ping"), -float(n))
    assert greeted.receive(frame(op="ping"), -1e6) == [Close(CloseCode.TOO_FAST)]


def test_kinds_are_all_reachable(greeted: Conversation) -> None:
    names = [f"event:{EVENT}:{kind}" for kind in Kind]
    joined = greeted.receive(frame(op="subscribe", topics=names), 0.0)
    assert {a.topic.kind for a in joined if isinstance(a, Join)} == set(Kind)
