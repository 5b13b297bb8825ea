"""The registry of verdicts and reasons (design: door.md). Words are stable.

Each reason fixes its verdict, who may clear it, and whether the guest may see it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Verdict = Literal["admitted", "exited", "hold", "refused"]
ClearBy = Literal["nobody", "steward", "supervisor", "event_manager"]


class Rule(NamedTuple):
    """What a reason means: its verdict and who may clear it."""

    verdict: Verdict
    clear_by: ClearBy = "nobody"


REASONS: dict[str, Rule] = {
    "ok": Rule("admitted"),
    "welcome_back": Rule("admitted"),
    "not_inside": Rule("exited"),
    "unconfirmed": Rule("hold", "steward"),
    "unpaid": Rule("hold", "supervisor"),
    "payment_due": Rule("hold", "supervisor"),
    "blocked": Rule("hold", "supervisor"),
    "area_full": Rule("hold", "event_manager"),
    "needs_answers": Rule("hold", "steward"),
    "needs_supervisor": Rule("hold", "supervisor"),
    "needs_count": Rule("hold", "steward"),
    "choose_session": Rule("hold", "steward"),
    "other_door": Rule("hold", "supervisor"),
    "unassigned_medium": Rule("hold", "steward"),
    "id_check": Rule("hold", "steward"),
    "unknown_code": Rule("refused", "supervisor"),
    "malformed_code": Rule("refused", "supervisor"),
    "forged_code": Rule("refused"),
    "other_event": Rule("refused"),
    "cancelled": Rule("refused", "supervisor"),
    "refunded": Rule("refused", "supervisor"),
    "reissued": Rule("refused", "supervisor"),
    "exchanged": Rule("refused", "supervisor"),
    "banned": Rule("refused", "supervisor"),
    "wrong_area": Rule("refused", "supervisor"),
    "too_early": Rule("refused", "supervisor"),
    "too_late": Rule("refused", "supervisor"),
    "not_registered": Rule("refused", "supervisor"),
    "seat_released": Rule("refused", "supervisor"),
    "already_inside": Rule("refused", "supervisor"),
    "re_entry_not_allowed": Rule("refused", "supervisor"),
    "passes_used": Rule("refused", "supervisor"),
    "already_used": Rule("refused", "supervisor"),
    "under_age": Rule("refused"),
    "nothing_left": Rule("refused"),
    "admission_stopped": Rule("refused"),
    "doors_closed": Rule("refused", "event_manager"),
}

SENSITIVE = frozenset({"unpaid", "blocked", "forged_code", "banned"})
"""The guest sees the neutral sentence; the cause stays behind a touch."""


def verdict_of(reason: str, direction: str) -> Verdict:
    """The verdict of a reason; `ok` of an exit is `exited`."""
    if reason == "ok" and direction == "out":
        return "exited"
    return REASONS[reason].verdict
