"""Coming back after a storm: what each ticket is given so that it may enter once. Pure.

On reopening presence starts at 0. Everybody of the freeze may enter once more, at any
gate, without spending a pass and whatever the re-entry rule says (door.md). The doors
know exemptions already, from both stores and offline; so that is what is written: a
re-entry rule of their own, and limits that are one higher than what holds. Where the
rule is never, the total is one above what was used: the second leaving is for good.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from ops.admission.terms import Terms


class Used(msgspec.Struct, frozen=True):
    """Passes of a ticket in a scope: the most that one of its people has used."""

    ticket_id: UUID
    scope_id: UUID
    used: int


class Grant(msgspec.Struct, frozen=True):
    """A row of ops.exemptions; None leaves the rule as it is."""

    ticket_id: UUID
    scope_id: UUID
    re_entry: str | None
    passes_total: int | None
    passes_per_day: int | None


def grant(used: Used, terms: Terms) -> Grant | None:
    """What lets this ticket in once more under these terms; None: they do already.

    `terms` are the ticket's own, so that after a second storm it is one more again.
    """
    bound = terms.passes_total or terms.passes_per_day or terms.gap
    if terms.re_entry != "never" and not bound:
        return None
    daily = terms.passes_per_day + 1 if terms.passes_per_day else None
    if terms.re_entry == "never":
        return Grant(used.ticket_id, used.scope_id, "after_exit", used.used + 1, daily)
    total = terms.passes_total + 1 if terms.passes_total else None
    return Grant(used.ticket_id, used.scope_id, terms.re_entry, total, daily)
