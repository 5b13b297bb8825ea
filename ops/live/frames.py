"""What the server says, and how it looks on the wire.

A message that goes to many sockets is encoded once, into the finished bytes of a
websocket text frame (unmasked, as a server sends), and deflated once for all who read
permessage-deflate (RFC 7692); msgspec encoders are made once.
"""

from __future__ import annotations

import struct
import zlib
from uuid import UUID

import msgspec

_SHORT_MAX, _MEDIUM_MAX = 125, 0xFFFF
_TEXT_FINAL = 0x81
_PACKED = 0x40
"""RSV1: the payload is deflated."""
_PING_FINAL = 0x89
PACK_BYTES_MIN = 1_000
"""Below this a deflated frame saves no packet."""
WINDOW_BITS = 15
_LEVEL = 6
_EMPTY_BLOCK_BYTES = 4
"""What a sync flush ends with and RFC 7692, 7.2.1, leaves away."""

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


def text_frame(payload: bytes, first: int = _TEXT_FINAL) -> bytes:
    """The websocket frame of a text message from a server: final, unmasked."""
    length = len(payload)
    if length <= _SHORT_MAX:
        return bytes((first, length)) + payload
    if length <= _MEDIUM_MAX:
        return struct.pack("!BBH", first, 126, length) + payload
    return struct.pack("!BBQ", first, 127, length) + payload


def packed_frame(payload: bytes | memoryview) -> bytes:
    """The same, deflated without regard to what went before (no context takeover)."""
    packer = zlib.compressobj(_LEVEL, wbits=-WINDOW_BITS)
    packed = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
    return text_frame(packed[:-_EMPTY_BLOCK_BYTES], _TEXT_FINAL | _PACKED)


def frame(message: Message) -> bytes:
    """A message as a finished websocket frame."""
    return text_frame(encode(message))


class SharedFrame:
    """A message to many sockets; its deflated form is made once, if at all."""

    __slots__ = ("_head_bytes", "_packed", "plain")

    def __init__(self, message: Message) -> None:
        payload = encode(message)
        self.plain = text_frame(payload)
        self._head_bytes = len(self.plain) - len(payload)
        self._packed: bytes | None = None

    def form(self, packs: bool) -> bytes:
        """The frame for a socket that reads deflated ones, or for one that does not."""
        return self.packed if packs else self.plain

    @property
    def packed(self) -> bytes:
        """Deflated, where that saves a packet."""
        if self._packed is None:
            payload = memoryview(self.plain)[self._head_bytes :]
            worth = len(payload) >= PACK_BYTES_MIN
            self._packed = packed_frame(payload) if worth else self.plain
        return self._packed


PING_FRAME = bytes((_PING_FINAL, 0))
"""A ping without payload; any frame that comes back shows that the peer lives."""
