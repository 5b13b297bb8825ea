"""What a stranger with the code may learn of a ticket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from ops.checkin import guest_tickets
from ops.checkin.guest_tickets import GuestTicket, shown_state, shown_ticket

FROM = datetime(2027, 6, 12, 13, tzinfo=UTC)
# As tickets.state allows them.
STATES = {
    "valid": "valid",
    "pending": "desk",
    "unpaid": "desk",
    "blocked": "desk",
    "cancelled": "cancelled",
    "refunded": "refunded",
    "expired": "expired",
}


def row(**changes: Any) -> dict[str, Any]:
    """A row of the statement, with more than the page may show."""
    return {
        "state": "valid",
        "revoked": False,
        "type": "VIP",
        "category": "vip",
        "admits": 2,
        "seat": "Row C, 12",
        "valid_from": FROM,
        "valid_to": None,
        "first_name": "Siobhán",
        "blocked_reason": "Charged back",
        **changes,
    }


@pytest.mark.parametrize(("state", "shown"), STATES.items())
def test_delicate_states_are_one_word(state: str, shown: str) -> None:
    assert shown_state(state, revoked=False) == shown
    assert shown_state(state, revoked=True) == "replaced"


def test_a_state_of_later_goes_to_the_desk() -> None:
    assert shown_state("on_fire", revoked=False) == "desk"


def test_a_ticket_is_shown_with_its_seat_and_times() -> None:
    assert shown_ticket(row()) == GuestTicket(
        "valid", "VIP", "vip", 2, "Row C, 12", FROM, None
    )


def test_an_old_code_says_nothing_of_the_ticket_as_it_is_now() -> None:
    assert shown_ticket(row(revoked=True)) == GuestTicket("replaced")


def test_nothing_of_a_person_leaves() -> None:
    sent = msgspec.json.encode(shown_ticket(row(state="blocked"))).decode()
    assert "Siobhán" not in sent
    assert "Charged back" not in sent
    assert "blocked" not in sent
    statements = guest_tickets._TICKET + guest_tickets._AGENDA + guest_tickets._EXISTS
    for word in ("attendee", "contact", "order_", "name_", "email", "phone"):
        assert word not in statements.lower()
