"""What a ticket may at a scope: rules of scope, type and class in one value. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from ops.cache.entry import Exemption, TicketEntry, from_ms


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Compiled by `Plan.terms`; None and 0: no such rule.

    Attributes:
        gap: least time between two entries of a person.
        anti_passback: with re-entry `always`, for so long after an entry a second one
            is a copy or a pass handed back; later it is a missed exit.
        min_age: years, on the local date of the scan.
    """

    allowed: bool = True
    opens: datetime | None = None
    closes: datetime | None = None
    re_entry: str = "after_exit"
    passes_total: int | None = None
    passes_per_day: int | None = None
    gap: timedelta | None = None
    anti_passback: timedelta | None = None
    min_age: int = 0


def latest(*times: datetime | None) -> datetime | None:
    """The last of the times that are given."""
    return max((at for at in times if at), default=None)


def earliest(*times: datetime | None) -> datetime | None:
    """The first of the times that are given."""
    return min((at for at in times if at), default=None)


def of_ticket(terms: Terms, ticket: TicketEntry, scope_no: int) -> Terms:
    """The terms with what this ticket is exempted from; the one for the scope wins."""
    if ticket.special is None or not ticket.special.exemptions:
        return terms
    mine = [one for one in ticket.special.exemptions if one.scope_no in (0, scope_no)]
    for one in sorted(mine, key=lambda one: one.scope_no):
        terms = _exempted(terms, one)
    return terms


def _exempted(terms: Terms, one: Exemption) -> Terms:
    """Who is given a re-entry rule of their own waits for nothing between entries."""
    free = one.re_entry not in ("", "never")
    return msgspec.structs.replace(
        terms,
        allowed=terms.allowed if one.allowed is None else one.allowed,
        opens=from_ms(one.opens_ms) if one.opens_ms else terms.opens,
        closes=from_ms(one.closes_ms) if one.closes_ms else terms.closes,
        passes_total=one.passes_total or terms.passes_total,
        passes_per_day=one.passes_per_day or terms.passes_per_day,
        re_entry=one.re_entry or terms.re_entry,
        gap=None if free else terms.gap,
    )
