"""One socket's conversation, without a socket: frames in, actions out.

The shell (`connection`) reads the actions and does them in order. Time is handed in,
so limits and the deadline of the hello can be tested without waiting.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from ops.live.codes import CloseCode
from ops.live.frames import Error, Message
from ops.live.topics import NAME_LENGTH_MAX, Topic, parse

VERSION = 1
HELLO_WITHIN_S = 5.0
PING_S = 25
FRAME_BYTES_MAX = 64 * 1024
TOPICS_MAX = 32
"""Topics a socket may watch at once."""
RATE_PER_S, BURST = 10.0, 40.0
"""Frames a client may send: a bucket of 40, refilled with 10 a second."""

TopicName = str


class Position(msgspec.Struct, frozen=True):
    """Where a client stands in a topic."""

    epoch: str
    offset: int


class Hello(msgspec.Struct, tag_field="op", tag="hello"):
    v: int
    token: str | None = None
    resume: dict[TopicName, Position] = {}


class Subscribe(msgspec.Struct, tag_field="op", tag="subscribe"):
    topics: list[TopicName]


class Unsubscribe(msgspec.Struct, tag_field="op", tag="unsubscribe"):
    topics: list[TopicName] = []
    topic: TopicName = ""


class Resync(msgspec.Struct, tag_field="op", tag="resync"):
    topic: TopicName


class Ping(msgspec.Struct, tag_field="op", tag="ping"):
    pass


class Ack(msgspec.Struct, tag_field="op", tag="ack"):
    announcement_id: UUID
    what: Literal["delivered", "opened", "clicked"]


Command = Hello | Subscribe | Unsubscribe | Resync | Ping | Ack
_decoder = msgspec.json.Decoder(Command)


class Authenticate(msgspec.Struct, frozen=True):
    """Find out whose token it is; None means the cookie of the handshake."""

    token: str | None


class Join(msgspec.Struct, frozen=True):
    """Subscribe to a topic, if the subject may; `position` is what the client has."""

    topic: Topic
    position: Position | None


class Leave(msgspec.Struct, frozen=True):
    """End a subscription."""

    topic: Topic


class SendSnapshot(msgspec.Struct, frozen=True):
    """The client lost the thread of a topic: send it whole."""

    topic: Topic


class SendPong(msgspec.Struct, frozen=True):
    """Answer a ping of the application."""


class Acknowledge(msgspec.Struct, frozen=True):
    """The client got an announcement, or did something with it."""

    announcement_id: UUID
    what: str


class Say(msgspec.Struct, frozen=True):
    """Send a message."""

    message: Message


class Close(msgspec.Struct, frozen=True):
    """Say bye and close; nothing is read afterwards."""

    code: CloseCode


Action = (
    Authenticate | Join | Leave | SendSnapshot | SendPong | Acknowledge | Say | Close
)


class Conversation:
    """The state of one socket's conversation.

    Args:
        now_s: monotonic seconds at which the socket was opened.
    """

    __slots__ = ("_resume", "_tokens", "_tokens_at_s", "deadline_s", "greeted", "open")

    def __init__(self, now_s: float) -> None:
        self.deadline_s = now_s + HELLO_WITHIN_S
        self.greeted = False
        self.open = True
        self._tokens, self._tokens_at_s = BURST, now_s
        self._resume: dict[TopicName, Position] | None = None

    def receive(self, text: str | bytes, now_s: float) -> list[Action]:
        """What to do about a frame; text frames are `str`, binary ones `bytes`.

        A frame that cannot be read is answered with an error; before the hello it
        ends the conversation.
        """
        if not self.open:
            return []
        if not self._within_rate(now_s):
            return self._end(CloseCode.TOO_FAST)
        message = _decode(text)
        if not self.greeted:
            if isinstance(message, Hello) and message.v == VERSION:
                return self._hello(message)
            return self._end(CloseCode.NO_HELLO)
        if message is None:
            return [Say(Error("malformed_frame"))]
        return self._command(message)

    def overdue(self, now_s: float) -> list[Action]:
        """What to do when time passes: no hello in time ends the conversation."""
        if self.open and not self.greeted and now_s >= self.deadline_s:
            return self._end(CloseCode.NO_HELLO)
        return []

    def _hello(self, hello: Hello) -> list[Action]:
        self.greeted = True
        known = list(hello.resume.items())[:TOPICS_MAX]
        self._resume = dict(known) or None
        return [Authenticate(hello.token)]

    def _command(self, message: Command) -> list[Action]:
        match message:
            case Subscribe(topics):
                if len(topics) > TOPICS_MAX:
                    return [Say(Error("too_many_topics"))]
                return [self._join(name) for name in topics]
            case Unsubscribe(topics, topic):
                names = [*topics[:TOPICS_MAX], *([topic] if topic else [])]
                return [_named(name, Leave) for name in names]
            case Resync(topic):
                return [_named(topic, SendSnapshot)]
            case Ping():
                return [SendPong()]
            case Ack(announcement_id, what):
                return [Acknowledge(announcement_id, what)]
            case _:
                return [Say(Error("already_greeted"))]

    def _join(self, name: TopicName) -> Action:
        topic = parse(name)
        if topic is None:
            return Say(_unknown(name))
        return Join(topic, self._resume.pop(name, None) if self._resume else None)

    def _within_rate(self, now_s: float) -> bool:
        passed_s = max(0.0, now_s - self._tokens_at_s)
        self._tokens = min(BURST, self._tokens + passed_s * RATE_PER_S)
        self._tokens_at_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _end(self, code: CloseCode) -> list[Action]:
        self.open = False
        return [Close(code)]


def _decode(text: str | bytes) -> Command | None:
    if isinstance(text, bytes):
        return None
    try:
        message: Command = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return message


def _named(name: TopicName, action: type[Leave] | type[SendSnapshot]) -> Action:
    topic = parse(name)
    return Say(_unknown(name)) if topic is None else action(topic)


def _unknown(name: TopicName) -> Error:
    return Error("unknown_topic", name[:NAME_LENGTH_MAX])
