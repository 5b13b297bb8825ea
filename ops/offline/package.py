"""The format of an offline package: columns, compressed apart, signed as a whole. Pure.

    "OPSP" | version u8 | length of head u32 | head (JSON) | sections | signature (64)

The head names each section with its length and whether it is deflated; numbers are
little-endian, as a browser's typed arrays read them. The signature is Ed25519 over a
context string and the SHA-256 of all before it. docs/subsystems/offline.md has the
table of sections; `kiosk/js/package.js` reads it.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

MAGIC = b"OPSP"
VERSION = 1
CONTEXT = b"event-day-ops/offline-package/1\0"
HASH_LENGTH = 12
"""Bytes of a code's hash: 96 bits tell 100,000 tickets apart by any measure, and no text
can be found for one of them."""
NAMES_PER_BLOCK = 1_000
_LEVEL = 6
_SIGNATURE_LENGTH = 64
_FIXED = struct.Struct("<4sBI")

SealBlock = Callable[[bytes], bytes]
"""Plain bytes -> nonce and ciphertext."""

PERSONAL = ("name", "company", "seat", "flags", "notes", "language")
"""Columns of a ticket that are sealed; all the others are its rules."""
_NOT_RULES = frozenset({"id", "event_id", "version", *PERSONAL})

VISIT_COLUMNS = (
    "ticket",
    "scope_no",
    "person_no",
    "pass_no",
    "state",
    "entered_s",
    "gate_no",
    "device_no",
    "left_s",
)
"""`state`: phase + 4 if confirmed + 8 x undone passes; `ticket` is an index."""

_json = msgspec.json.Encoder()


class Signing(msgspec.Struct, frozen=True):
    """Who signs: the key's id, and message -> 64 bytes."""

    key_id: int
    sign: Callable[[bytes], bytes]


class Section(msgspec.Struct, frozen=True):
    """A named run of bytes, as it is written."""

    name: str
    body: bytes
    deflated: bool


class Code(msgspec.Struct, frozen=True, array_like=True):
    """A code: its hash (16 bytes), the id of its ticket, 0 live or why it is dead."""

    hash: bytes
    ticket: UUID
    state: int


class VisitRow(msgspec.Struct, frozen=True, array_like=True):
    """The newest pass of a person of a ticket in a scope; times in ms."""

    ticket: UUID
    scope_no: int
    person_no: int
    pass_no: int
    phase: int
    confirmed: bool
    undone: int
    entered_ms: int
    gate_no: int
    device_no: int
    left_ms: int


class Contents:
    """The tickets of a package as they are read, in the order of their ids.

    Fed in parts (`add_tickets`), so that a process that serves a door is never busy
    with it for long.
    """

    def __init__(self, seal: SealBlock | None) -> None:
        self._seal = seal
        self._index: dict[UUID, int] = {}
        self._shapes: dict[Any, int] = {}
        self._shape_rows: list[dict[str, Any]] = []
        self._shape_of = array("I")
        self._people: list[list[Any]] = []
        self._blocks: list[bytes] = []
        self._codes: list[Code] = []
        self._visits: dict[str, array[int]] = {
            name: array("I") for name in VISIT_COLUMNS
        }

    @property
    def index(self) -> dict[UUID, int]:
        """The place of each ticket in the columns."""
        return self._index

    @property
    def counts(self) -> dict[str, int]:
        """What the head says of it."""
        return {
            "tickets": len(self._index),
            "codes": len(self._codes),
            "visits": len(self._visits["ticket"]),
        }

    def add_tickets(self, rows: Iterable[Any]) -> None:
        """Take rows of `ops.ticket_entries_v1` (mappings), ids ascending."""
        for row in rows:
            self._index[row["id"]] = len(self._index)
            rules = {key: row[key] for key in row.keys() if key not in _NOT_RULES}  # noqa: SIM118
            key = tuple(map(_frozen, rules.values()))
            shape = self._shapes.get(key)
            if shape is None:
                shape = self._shapes[key] = len(self._shape_rows)
                self._shape_rows.append(rules)
            self._shape_of.append(shape)
            self._people.append([row[name] or None for name in PERSONAL])
            if len(self._people) == NAMES_PER_BLOCK:
                self._close_block()

    def add_codes(self, codes: Sequence[Code]) -> None:
        """Take codes of the tickets that were added; ordered by hash over all calls."""
        self._codes += [code for code in codes if code.ticket in self._index]

    def add_visits(self, visits: Iterable[VisitRow]) -> None:
        """Take the visits of the tickets that were added; ordered by ticket."""
        columns = self._visits
        for visit in visits:
            at = self._index.get(visit.ticket)
            if at is None:
                continue
            state = visit.phase | visit.confirmed << 2 | visit.undone << 3
            values = (
                at,
                visit.scope_no,
                visit.person_no,
                visit.pass_no,
                state,
                visit.entered_ms // 1000,
                visit.gate_no,
                visit.device_no,
                visit.left_ms // 1000,
            )
            for name, value in zip(VISIT_COLUMNS, values, strict=True):
                columns[name].append(value)

    def sections(self) -> list[Section]:
        """The sections that are the same for every device."""
        if self._people:
            self._close_block()
        ticket_of = array("I", (self._index[code.ticket] for code in self._codes))
        made = [
            Section("ids", b"".join(one.bytes for one in self._index), False),
            _deflated("shapes", _json.encode(self._shape_rows)),
            _deflated("shape_of", _little(self._shape_of)),
            Section(
                "code_hashes",
                b"".join(code.hash[:HASH_LENGTH] for code in self._codes),
                False,
            ),
            _deflated("code_tickets", _little(ticket_of)),
            _deflated("code_states", bytes(code.state for code in self._codes)),
            _deflated(
                "visits", b"".join(_little(self._visits[name]) for name in VISIT_COLUMNS)
            ),
        ]
        if self._seal is not None:
            made.append(Section("names", b"".join(self._blocks), False))
        return made

    def _close_block(self) -> None:
        if self._seal is not None:
            sealed = self._seal(zlib.compress(_json.encode(self._people), _LEVEL))
            self._blocks.append(len(sealed).to_bytes(4, "little") + sealed)
        self._people = []


def json_section(name: str, text: bytes) -> Section:
    """A section of JSON text."""
    return _deflated(name, text)


def index_section(name: str, places: Iterable[int]) -> Section:
    """A section of places in the columns, ascending."""
    return _deflated(name, _little(array("I", sorted(places))))


def id_section(name: str, ids: Sequence[UUID]) -> Section:
    """A section of ids, 16 bytes each."""
    return Section(name, b"".join(one.bytes for one in ids), False)


def write(
    head: dict[str, Any], sections: Sequence[Section], signing: Signing
) -> bytes:
    """The package: the head gets the list of the sections and the signing key's id."""
    named = [[one.name, len(one.body), one.deflated] for one in sections]
    text = _json.encode(head | {"sections": named, "signed_by": signing.key_id})
    body = b"".join(
        (
            _FIXED.pack(MAGIC, VERSION, len(text)),
            text,
            *(one.body for one in sections),
        )
    )
    return body + signing.sign(CONTEXT + hashlib.sha256(body).digest())


def read(package: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The head and the sections, inflated; for tests and `ops` itself.

    Raises:
        ValueError: it is no package of this version.
    """
    magic, version, length = _FIXED.unpack_from(package)
    if magic != MAGIC or version != VERSION:
        raise ValueError("not an offline package")
    at = _FIXED.size + length
    head: dict[str, Any] = msgspec.json.decode(package[_FIXED.size : at])
    found = {}
    for name, size, deflated in head["sections"]:
        body = package[at : at + size]
        found[name] = zlib.decompress(body) if deflated else body
        at += size
    if at + _SIGNATURE_LENGTH != len(package):
        raise ValueError("the sections do not fill the package")
    return head, found


def signed_part(package: bytes) -> tuple[bytes, bytes]:
    """The message that was signed, and the signature."""
    body, signature = package[:-_SIGNATURE_LENGTH], package[-_SIGNATURE_LENGTH:]
    return CONTEXT + hashlib.sha256(body).digest(), signature


def _deflated(name: str, body: bytes) -> Section:
    return Section(name, zlib.compress(body, _LEVEL), True)


def _little(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column = array("I", column)
        column.byteswap()
    return column.tobytes()


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_frozen, value))
    if isinstance(value, dict):
        return _json.encode(value)
    return value
