"""What is noted of the answers of a batch once they were handed out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from ops.admission.commands import Item
from ops.admission.lines import State
from ops.cache.entry import visit_key


class Noted(msgspec.Struct):
    """For the next writes of this process.

    Attributes:
        confirms: greens of PostgreSQL that were shown: `confirmed_at` there.
        marks: new states of lines of the journal, those of commits too: what was shown
            is known after a kill. The merge confirms the shown ones. Lines that got no
            answer are closed.
        shown: (field, scan id) of admissions of the cache that were shown.
    """

    confirms: list[UUID] = []
    marks: list[tuple[UUID, State]] = []
    shown: list[tuple[bytes, bytes]] = []


def note(items: Iterable[tuple[Item, bool]]) -> Noted:
    """What to write of these items.

    Args:
        items: each with whether its answer went to a caller who still waited for it.
    """
    noted = Noted()
    for item, reached in items:
        scan_id = item.ask.scan.id
        shown = reached and _green(item)
        if kept_in_journal(item):
            noted.marks.append((scan_id, "shown" if shown else "answered"))
        elif shown:
            noted.confirms.append(scan_id)
            noted.marks.append((scan_id, "shown"))
        elif item.left is not None:
            # A step failed behind its line. While this process lives, a line that says
            # `pending` would be waited for: by the scan itself at another process, and
            # by the merge, which would keep the event in mode D for ever.
            said = "answered" if item.stored is not None else item.left
            noted.marks.append((scan_id, said))
        facts = item.facts
        if shown and item.decision is not None and facts and facts.ticket_id:
            noted.shown += [
                (visit_key(facts.ticket_id, o.scope.no, o.person_no), scan_id.bytes)
                for o in item.decision.opens
            ]
    return noted


def kept_in_journal(item: Item) -> bool:
    """Whether its answer of mode D is in a journal, and perhaps once more in ours."""
    again = item.stored is not None and item.stored.durable == "journal"
    return item.durable == "journal" or again


def _green(item: Item) -> bool:
    """Whether somebody was let through: only such an admission is confirmed (R4)."""
    return item.durable in ("committed", "journal") or (
        item.stored is not None
        and item.stored.verdict == "admitted"
        and item.stored.superseded_by is None
    )
