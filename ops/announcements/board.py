"""An event's announcements as a live process holds them, and who may see which. Pure.

The newest `ITEMS_MAX` are kept with their words in each language already encoded. Of a
restricted audience the ids are kept as well, so that nothing is read for a socket.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from ops.announcements.audience import is_public, segments_of
from ops.announcements.content import words

ITEMS_MAX = 50

_encode = msgspec.json.Encoder().encode


class Reader(msgspec.Struct, frozen=True):
    """Who looks: an attendee, a device (by their ids), the staff, or nobody knows."""

    id: UUID | None = None
    language: str = "en"
    staff: bool = False
    device: bool = False


class Shown(msgspec.Struct, frozen=True):
    """An announcement for readers."""

    id: UUID
    title: str
    content: str
    priority: str
    at: datetime | None
    link_url: str | None
    session_id: UUID | None
    corrects_id: UUID | None


class Item:
    """One sent announcement.

    Args:
        row: the columns of `statements.COLUMNS`, JSON decoded.
        meant: the recipients of a restricted audience; None where it is for everybody
            with a token of the event.
    """

    __slots__ = ("_encoded", "_row", "id", "in_app", "meant", "public", "seq")

    def __init__(self, row: Any, meant: frozenset[UUID] | None) -> None:
        self._row = row
        self.id: UUID = row["id"]
        self.seq: int = row["seq"]
        methods = row["delivery_method"] or ["in_app"]
        self.in_app = "in_app" in methods
        self.public = is_public(
            row["target_audience"] or "all",
            segments_of(row["target_segments"]),
            methods,
        )
        self.meant = meant
        self._encoded: dict[str, bytes] = {}

    def concerns(self, reader: Reader) -> bool:
        """Whether this reader may see it."""
        if reader.staff:
            return True
        if reader.id is None or not self.in_app:
            return self.public and not reader.device
        if self.meant is None:
            return not reader.device
        return reader.id in self.meant

    def encoded(self, language: str) -> bytes:
        """The JSON for readers of a language, made once."""
        found = self._encoded.get(language)
        if found is None:
            row = self._row
            said = words(row["title"], row["content"], row["translations"], language)
            shown = Shown(
                row["id"],
                said.title,
                said.content,
                row["priority"] or "normal",
                row["sent_at"],
                row["link_url"],
                row["session_id"],
                row["corrects_id"],
            )
            found = self._encoded[language] = _encode(shown)
        return found


class Board:
    """The newest announcements of an event, in their order."""

    def __init__(self, epoch: str = "", seq: int = 0) -> None:
        self.epoch, self.seq = epoch, seq
        self.items: list[Item] = []

    def add(self, item: Item) -> None:
        """Take the next one; the oldest is forgotten beyond the limit."""
        self.items = [*self.items, item][-ITEMS_MAX:]
        self.seq = item.seq

    def view(self, reader: Reader) -> tuple[int, ...]:
        """The numbers of those that concern a reader: equal views look the same."""
        return tuple(item.seq for item in self._for(reader))

    def data(self, reader: Reader) -> bytes:
        """`{"items": [...]}` of a snapshot for a reader."""
        return _items(i.encoded(reader.language) for i in self._for(reader))

    def missed(self, reader: Reader, seq: int) -> list[tuple[int, int, bytes]] | None:
        """(prev, offset, data) of each update behind `seq`; None if some are gone."""
        behind = [item for item in self.items if item.seq > seq]
        if seq > self.seq or len(behind) != self.seq - seq:
            return None
        return [(item.seq - 1, item.seq, update(item, reader)) for item in behind]

    def _for(self, reader: Reader) -> Iterable[Item]:
        return (item for item in self.items if item.concerns(reader))


def update(item: Item, reader: Reader) -> bytes:
    """`data` of the update that brings an item: empty for whom it does not concern."""
    concerned = item.concerns(reader)
    return _items([item.encoded(reader.language)] if concerned else [])


def needs_ids(row: Any) -> bool:
    """Whether only some of the event's attendees, or devices, are meant."""
    return (
        (row["target_audience"] or "all") != "all"
        or segments_of(row["target_segments"]).restricted
        or (row["commercial"] and row["priority"] != "urgent")
    )


def _items(encoded: Iterable[bytes]) -> bytes:
    return b'{"items":[' + b",".join(encoded) + b"]}"
