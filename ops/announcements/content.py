"""An announcement in the languages it has. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Priority = Literal["low", "normal", "high", "urgent"]
Method = Literal["email", "push", "in_app", "sms", "website"]

TITLE_LENGTH_MAX = 120
CONTENT_LENGTH_MAX = 2_000
RECALL_S = 10
"""So long a message can be taken back after *send* (urgent ones go at once)."""
RECEIPTED: tuple[Method, ...] = ("in_app", "email", "push", "sms")
"""Channels that know the person; a chain follows this order."""


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Title and text in one language."""

    title: str
    content: str

    def problems(self) -> dict[str, str]:
        """Field -> what is wrong with it."""
        found = {}
        if not 1 <= len(self.title.strip()) <= TITLE_LENGTH_MAX:
            found["title"] = f"1 to {TITLE_LENGTH_MAX} characters."
        if not 1 <= len(self.content.strip()) <= CONTENT_LENGTH_MAX:
            found["content"] = f"1 to {CONTENT_LENGTH_MAX} characters."
        return found


def words(
    title: str, content: str, translations: Mapping[str, Any], language: str | None
) -> Words:
    """The words for a reader of `language`; its own words where it lacks that."""
    told = translations.get((language or "")[:2])
    if isinstance(told, Mapping):
        return Words(str(told.get("title", title)), str(told.get("content", content)))
    return Words(title, content)
