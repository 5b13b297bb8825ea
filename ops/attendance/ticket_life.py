"""What may be done to a ticket, and what it does. Pure.

The row stays for life: an act changes codes, holder, type or state, never which passes
were used or who is inside (door.md, "Tickets, codes, media").
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from ops.errors import Forbidden, Unprocessable

Act = Literal["reissue", "transfer", "upgrade", "block", "unblock", "cancel"]

ISSUES_MAX: Final = 256
"""Own codes of a ticket: the issue is one byte of the code."""
AWAITING_APPROVAL: Final = "awaiting approval"
"""The `blocked_reason` of a guest who is not approved yet (`guest_lists`)."""
_OVER: Final = frozenset({"cancelled", "refunded"})


class Known(NamedTuple):
    """A ticket before the act; `inside` counts its people who are in some scope."""

    state: str
    blocked_from: str | None
    blocked_reason: str | None
    admits: int
    inside: int
    own_codes: int


class Change(NamedTuple):
    """What the act does: the state after it, and whether all codes are replaced."""

    state: str
    blocked_from: str | None = None
    new_code: bool = False
    replayed: bool = False


def weigh(act: Act, known: Known, *, event_manager: bool, admits: int = 1) -> Change:
    """What an act does to a ticket.

    Args:
        event_manager: whether who acts ranks as one.
        admits: people of the new type; only for an upgrade.

    Raises:
        Unprocessable: a rule refuses it.
        Forbidden: it needs an event manager.
    """
    if act == "cancel":
        if known.state == "refunded":
            raise _over(known)
        return Change("cancelled", replayed=known.state == "cancelled")
    if known.state in _OVER:
        raise _over(known)
    if act == "block":
        if known.state == "blocked":
            return Change("blocked", known.blocked_from, replayed=True)
        return Change("blocked", known.state)
    if act == "unblock":
        if known.state == "blocked" and known.blocked_reason == AWAITING_APPROVAL:
            raise Unprocessable(
                "This guest awaits approval: decide on the guest list.",
                code="awaiting_approval",
            )
        if known.state != "blocked":
            return Change(known.state, replayed=True)
        return Change(known.blocked_from or "valid")
    if known.own_codes >= ISSUES_MAX:
        raise Unprocessable(
            "This ticket has had all the codes it can have.", code="issues_used"
        )
    if act == "transfer" and known.inside and not event_manager:
        raise Forbidden(
            "The holder is inside: an event manager must do this.",
            code="inside_needs_event_manager",
        )
    if act == "upgrade" and known.inside > admits:
        raise Unprocessable(
            "More people of this ticket are inside than the new type admits.",
            code="more_inside_than_admitted",
        )
    return Change(known.state, known.blocked_from, new_code=True)


def _over(known: Known) -> Unprocessable:
    return Unprocessable(
        f"This ticket is {known.state}; nothing more can be done to it.",
        code=f"ticket_{known.state}",
    )
