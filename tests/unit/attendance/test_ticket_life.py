"""What may be done to a ticket, as values."""

from __future__ import annotations

import pytest

from ops.attendance.ticket_life import AWAITING_APPROVAL, Change, Known, weigh
from ops.errors import ApiError

VALID = Known("valid", None, None, admits=1, inside=0, own_codes=1)


@pytest.mark.parametrize(
    ("act", "known", "change"),
    [
        ("reissue", VALID, Change("valid", new_code=True)),
        ("block", VALID, Change("blocked", "valid")),
        ("block", VALID._replace(state="unpaid"), Change("blocked", "unpaid")),
        (
            "unblock",
            VALID._replace(state="blocked", blocked_from="unpaid"),
            Change("unpaid"),
        ),
        ("unblock", VALID, Change("valid", replayed=True)),
        ("cancel", VALID, Change("cancelled")),
        (
            "reissue",
            VALID._replace(state="blocked", blocked_from="valid"),
            Change("blocked", "valid", new_code=True),
        ),
    ],
)
def test_what_an_act_does(act, known: Known, change: Change) -> None:
    assert weigh(act, known, event_manager=False) == change


@pytest.mark.parametrize(
    ("act", "known", "code"),
    [
        ("block", VALID._replace(state="cancelled"), "ticket_cancelled"),
        ("cancel", VALID._replace(state="refunded"), "ticket_refunded"),
        ("reissue", VALID._replace(own_codes=256), "issues_used"),
        ("transfer", VALID._replace(inside=1), "inside_needs_event_manager"),
        ("upgrade", VALID._replace(inside=2), "more_inside_than_admitted"),
        (
            "unblock",
            VALID._replace(state="blocked", blocked_reason=AWAITING_APPROVAL),
            "awaiting_approval",
        ),
    ],
)
def test_what_is_refused(act, known: Known, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        weigh(act, known, event_manager=False)
    assert refused.value.code == code


def test_an_event_manager_transfers_who_is_inside() -> None:
    change = weigh("transfer", VALID._replace(inside=1), event_manager=True)
    assert change.new_code
