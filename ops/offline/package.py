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
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from ops.cache.entry import TicketEntry

MAGIC = b"OPSP"
VERSION = 1
CONTEXT = b"event-day-ops/offline-package/1\0"
HASH_LENGTH = 12
"""Bytes of a code's hash: 96 bits tell 100,000 tickets apart by any measure, and nobody
finds a text for one of them."""
NAMES_PER_BLOCK = 1_000
_LEVEL = 6
_SIGNATURE_LENGTH = 64
_FIXED = struct.Struct("<4sBI")

SealBlock = Callable[[bytes], bytes]
"""Plain bytes -> nonce and ciphertext."""

PERSONAL = ("name", "company", "seat", "flags", "notes", "language")
"""Columns of a ticket that are sealed."""
RULES = tuple(
    name for name in TicketEntry.__struct_fields__ if name not in ("version", *PERSONAL)
)
"""What a door decides by; a field that tickets get later is one as well."""

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
    "day",
    "day_used",
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


class TicketRow(NamedTuple):
    """A ticket: the JSON text of its rules, and of the array of `PERSONAL`."""

    id: UUID
    rules: str
    people: str


class CodeRow(NamedTuple):
    """A code: its hash (16 bytes), the id of its ticket, 0 live or why it is dead."""

    hash: bytes
    ticket: UUID
    state: int


class VisitRow(NamedTuple):
    """The newest pass of a person of a ticket in a scope, in `VISIT_COLUMNS`."""

    ticket: UUID
    scope_no: int
    person_no: int
    pass_no: int
    state: int
    entered_s: int
    gate_no: int
    device_no: int
    left_s: int
    day: int
    day_used: int


class Contents:
    """The tickets of a package as they are read, in the order of their ids.

    Fed in parts, so that a process that serves a door is never busy with it for long.
    Rows are tuples (or records) in the order of the classes above; those of tickets
    that were not added are left out.
    """

    def __init__(self, seal: SealBlock) -> None:
        self._seal = seal
        self._index: dict[UUID, int] = {}
        self._shapes: dict[str, int] = {}
        self._shape_of = array("I")
        self._people: list[str] = []
        self._blocks: list[bytes] = []
        self._hashes = bytearray()
        self._code_tickets = array("I")
        self._code_states = bytearray()
        self._visits = [array("I") for _ in VISIT_COLUMNS]

    @property
    def index(self) -> dict[UUID, int]:
        """The place of each ticket in the columns."""
        return self._index

    @property
    def counts(self) -> dict[str, int]:
        """What the head says of it."""
        return {
            "tickets": len(self._index),
            "codes": len(self._code_tickets),
            "visits": len(self._visits[0]),
        }

    def add_tickets(self, rows: Sequence[Any]) -> None:
        """Take `TicketRow`s, ids ascending over all calls."""
        index, shapes = self._index, self._shapes
        for ticket, rules, _ in rows:
            index[ticket] = len(index)
            self._shape_of.append(shapes.setdefault(rules, len(shapes)))
        self._people += [row[2] for row in rows]
        while len(self._people) >= NAMES_PER_BLOCK:
            self._close_block()

    def add_codes(self, rows: Sequence[Any]) -> None:
        """Take `CodeRow`s, ordered by hash over all calls."""
        index = self._index
        known = [row for row in rows if row[1] in index]
        self._hashes += b"".join([row[0][:HASH_LENGTH] for row in known])
        self._code_tickets.extend([index[row[1]] for row in known])
        self._code_states += bytes([row[2] for row in known])

    def add_visits(self, rows: Sequence[Any]) -> None:
        """Take `VisitRow`s, ordered by ticket over all calls."""
        index = self._index
        known = [row for row in rows if row[0] in index]
        self._visits[0].extend([index[row[0]] for row in known])
        for at, column in enumerate(self._visits[1:], 1):
            column.extend([row[at] for row in known])

    def sections(self) -> list[Section]:
        """The sections that are the same for every device."""
        if self._people:
            self._close_block()
        return [
            Section("ids", b"".join([one.bytes for one in self._index]), False),
            _deflated("shapes", f"[{','.join(self._shapes)}]".encode()),
            _deflated("shape_of", _little(self._shape_of)),
            Section("code_hashes", bytes(self._hashes), False),
            _deflated("code_tickets", _little(self._code_tickets)),
            _deflated("code_states", bytes(self._code_states)),
            _deflated("visits", b"".join(map(_little, self._visits))),
            Section("names", b"".join(self._blocks), False),
        ]

    def _close_block(self) -> None:
        people = self._people[:NAMES_PER_BLOCK]
        self._people = self._people[NAMES_PER_BLOCK:]
        sealed = self._seal(zlib.compress(f"[{','.join(people)}]".encode(), _LEVEL))
        self._blocks.append(len(sealed).to_bytes(4, "little") + sealed)


def json_section(name: str, text: bytes) -> Section:
    """A section of JSON text."""
    return _deflated(name, text)


def index_section(name: str, places: Iterable[int]) -> Section:
    """A section of places in the columns, ascending."""
    return _deflated(name, _little(array("I", sorted(places))))


def id_section(name: str, ids: Sequence[UUID]) -> Section:
    """A section of ids, 16 bytes each."""
    return Section(name, b"".join(one.bytes for one in ids), False)


def write(head: dict[str, Any], sections: Sequence[Section], signing: Signing) -> bytes:
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
