"""The bytes of a frame are those that the library would send."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

from ops.live.frames import (
    PACK_BYTES_MIN,
    PING_FRAME,
    WINDOW_BITS,
    Bye,
    Error,
    SharedFrame,
    Snapshot,
    Update,
    encode,
    frame,
    packed_frame,
    raw,
    text_frame,
)


@given(st.binary(max_size=300))
def test_any_payload(payload: bytes) -> None:
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


@pytest.mark.parametrize("length", [0, 125, 126, 127, 65_535, 65_536, 100_000])
def test_every_length_form(length: int) -> None:
    payload = b"x" * length
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


def test_ping() -> None:
    assert Frame(Opcode.PING, b"").serialize(mask=False) == PING_FRAME


def test_data_is_encoded_once_and_stays_as_it_is() -> None:
    data = raw({"holder": "Siobhán O'Brien-Łukasz 李小龙 🎫 שלום"})
    update = Update("event:1:scans", 3, 1, data)
    assert bytes(data) in encode(update)
    assert json.loads(encode(update)) == {
        "op": "update",
        "topic": "event:1:scans",
        "offset": 3,
        "prev": 1,
        "data": {"holder": "Siobhán O'Brien-Łukasz 李小龙 🎫 שלום"},
    }
    assert frame(update).endswith(encode(update))


def test_the_source_is_said_only_when_it_is_not_the_cache() -> None:
    data = msgspec.Raw(b"{}")
    assert "source" not in json.loads(encode(Snapshot("t", "e", 1, data)))
    other = json.loads(encode(Snapshot("t", "e", 1, data, "database")))
    assert other["source"] == "database"


def test_optional_fields_are_left_out() -> None:
    assert json.loads(encode(Error("forbidden"))) == {
        "op": "error",
        "code": "forbidden",
    }
    assert json.loads(encode(Bye(4003))) == {"op": "bye", "code": 4003}
    assert json.loads(encode(Bye(4101, 0)))["retry_ms"] == 0


def unpacked(packed: bytes) -> bytes:
    """The payload of a deflated frame, as the library's client reads it."""
    head = {126: 4, 127: 10}.get(packed[1], 2)
    payload = packed[head:]
    assert text_frame(payload, packed[0]) == packed
    assert packed[0] == 0xC1  # final, RSV1, text
    reader = PerMessageDeflate(True, True, WINDOW_BITS, WINDOW_BITS)
    return bytes(reader.decode(Frame(Opcode.TEXT, payload, rsv1=True)).data)


@given(st.binary(max_size=5_000))
def test_a_client_reads_what_was_deflated(payload: bytes) -> None:
    assert unpacked(packed_frame(payload)) == payload


def test_deflated_once_and_only_where_it_saves_a_packet() -> None:
    long = SharedFrame(Update("t", 2, 1, raw({"holder": "李小龙 " * PACK_BYTES_MIN})))
    assert long.form(packs=True) is long.form(packs=True)
    assert len(long.packed) * 10 < len(long.plain)
    assert long.plain.endswith(unpacked(long.packed))
    short = SharedFrame(Update("t", 2, 1, raw({"holder": "李小龙"})))
    assert short.form(packs=True) is short.form(packs=False)
