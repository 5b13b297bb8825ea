"""What the server says, and how it looks on the wire.

A message that goes to many sockets is encoded once, into the finished bytes of a
websocket text frame (unmasked, as a server sends); msgspec encoders are made once.
"""

from __future__ import annotations

import struct
from uuid import UUID

import msgspec

_SHORT_MAX, _MEDIUM_MAX = 125, 0xFFFF
_TEXT_FINAL = 0x81
_PING_FINAL = 0x89

_encoder = msgspec.json.Encoder()


class Welcome(msgspec.Struct, tag_field="op", tag="welcome"):
    sid: str
    now: str
    ping_s: int


class Snapshot(msgspec.Struct, tag_field="op", tag="snapshot", omit_defaults=True):
    """The whole state of a topic. `source` is given when it is not the cache."""

    topic: str
    epoch: str
    offset: int
    data: msgspec.Raw
    source: str = ""


class Update(msgspec.Struct, tag_field="op", tag="update"):
    topic: str
    offset: int
    prev: int
    data: msgspec.Raw


class Resumed(msgspec.Struct, tag_field="op", tag="resumed"):
    topic: str
    count: int


class Mark(msgspec.Struct, tag_field="op", tag="mark"):
    topic: str
    offset: int


class Unsubscribed(msgspec.Struct, tag_field="op", tag="unsubscribed"):
    topic: str


class Pong(msgspec.Struct, tag_field="op", tag="pong"):
    now: str


class Error(msgspec.Struct, tag_field="op", tag="error", omit_defaults=True):
    code: str
    topic: str = ""


class Recall(msgspec.Struct, tag_field="op", tag="recall"):
    """To the device that holds a ticket's lease: another door has the guest."""

    event_id: UUID
    ticket_id: UUID


class Bye(msgspec.Struct, tag_field="op", tag="bye", omit_defaults=True):
    code: int
    retry_ms: int = -1


Message = (
    Welcome
    | Snapshot
    | Update
    | Resumed
    | Mark
    | Unsubscribed
    | Pong
    | Error
    | Recall
    | Bye
)


def encode(message: Message) -> bytes:
    """The JSON of a message."""
    return _encoder.encode(message)


def raw(value: object) -> msgspec.Raw:
    """The JSON of a value, to be put into a message without encoding it again."""
    return msgspec.Raw(_encoder.encode(value))


def text_frame(payload: bytes) -> bytes:
    """The websocket frame of a text message from a server: final, unmasked."""
    length = len(payload)
    if length <= _SHORT_MAX:
        return bytes((_TEXT_FINAL, length)) + payload
    if length <= _MEDIUM_MAX:
        return struct.pack("!BBH", _TEXT_FINAL, 126, length) + payload
    return struct.pack("!BBQ", _TEXT_FINAL, 127, length) + payload


def frame(message: Message) -> bytes:
    """A message as a finished websocket frame."""
    return text_frame(encode(message))


PING_FRAME = bytes((_PING_FINAL, 0))
"""A ping without payload; any frame that comes back shows that the peer lives."""
