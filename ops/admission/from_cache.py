"""Facts from the ticket cache: arguments of `read_facts.lua` and its reply, decoded."""

from __future__ import annotations

import struct
from typing import Any
from uuid import UUID

import msgspec

from ops.admission.plan import ScopePlan
from ops.admission.scan_facts import ScanFacts
from ops.cache.entry import (
    CodeState,
    DeviceEntry,
    unpack_device,
    unpack_ticket,
    unpack_visit,
)
from ops.cache.keys import LAYOUT_VERSION


class CacheRead(msgspec.Struct, frozen=True):
    """One scan's question: its code (16 bytes hash, or T + ticket id) and scopes."""

    code: bytes
    scopes: tuple[ScopePlan, ...]
    device_id: UUID


class CacheFacts(msgspec.Struct, frozen=True):
    """The reply of a warm cache, in the order of the reads."""

    mode: str
    epoch: int
    plan_version: int
    facts: list[ScanFacts]


class Cold(msgspec.Struct, frozen=True):
    """The cache cannot be used: missing, warming, rolled back or of another layout."""

    why: str


def arguments(echo: bytes, reads: list[CacheRead]) -> list[bytes | str | int]:
    """ARGV of the script for a batch."""
    devices = list(dict.fromkeys(read.device_id for read in reads))
    args: list[bytes | str | int] = [echo, LAYOUT_VERSION, len(devices)]
    args += [device_id.bytes for device_id in devices]
    for read in reads:
        args.append(read.code)
        args.append(
            struct.pack(f">{len(read.scopes)}I", *(scope.no for scope in read.scopes))
        )
    return args


def parse(echo: bytes, reads: list[CacheRead], reply: list[Any]) -> CacheFacts | Cold:
    """Decode the reply.

    Raises:
        ValueError: the reply belongs to another call (a client once handed a
            cancelled command's reply to the next caller).
    """
    if reply[0] != echo:
        raise ValueError("the cache answered another call")
    if reply[1] == b"cold":
        return Cold(reply[2].decode())
    devices = list(dict.fromkeys(read.device_id for read in reads))
    entries: dict[UUID, DeviceEntry | None] = {
        device_id: unpack_device(packed) if packed else None
        for device_id, packed in zip(devices, reply[6], strict=True)
    }
    facts = [
        _one(read, entries[read.device_id], row)
        for read, row in zip(reads, reply[7], strict=True)
    ]
    return CacheFacts(
        (reply[2] or b"N").decode(), int(reply[3]), int(reply[4] or 0), facts
    )


def _one(read: CacheRead, device: DeviceEntry | None, row: list[Any]) -> ScanFacts:
    if not row:
        return ScanFacts(device)
    code, packed, visits = row
    facts = ScanFacts(device, UUID(bytes=code[:16]), CodeState(code[16]))
    if packed:
        ticket = facts.ticket = unpack_ticket(packed)
        found = {}
        at = 0
        for scope in read.scopes:
            for person in range(1, ticket.admits + 1):
                if visits[at]:
                    found[scope.no, person] = unpack_visit(visits[at])
                at += 1
        facts.visits = found
    return facts
