"""The sample is the same for the same seed, and as large as it says."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

import pytest

from ops.auth.tokens import pin_hash
from ops.checkin import codes
from ops.dev import names, people, programme, sample
from ops.dev.programme import Timetable
from ops.dev.sample import Evening
from ops.dev.tables import Table

AT = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
SECRET = "a secret key of at least 32 characters"


def sign(ticket_id: UUID, issue_no: int) -> str:
    return codes.sign(b"k" * 32, 1, ticket_id, issue_no)


def evening(seed: int = 1, number: int = 1) -> Evening:
    return sample.build(
        seed, number, Timetable(AT), people.build(seed, AT), sign, SECRET
    )


@pytest.fixture(scope="module")
def first() -> Evening:
    return evening()


def table(it: Evening, name: str) -> Table:
    return next(table for table in it.tables if table.name == name)


def test_the_same_seed_gives_the_same_evening(first: Evening) -> None:
    assert evening() == first
    assert people.build(1, AT) == people.build(1, AT)


def test_another_seed_or_number_gives_other_ids(first: Evening) -> None:
    for other in (evening(seed=2), evening(number=2)):
        assert other.ids.event != first.ids.event
        ids = {ticket.id for ticket in other.tickets}
        assert not ids & {ticket.id for ticket in first.tickets}


def test_the_next_evening_has_the_same_people(first: Evening) -> None:
    def who(it: Evening) -> list[tuple[str, str, object]]:
        rows = table(it, "attendees").rows
        return [(r["first_name"], r["last_name"], r["contact_id"]) for r in rows]

    assert who(evening(number=2)) == who(first)


def test_it_is_as_large_as_promised(first: Evening) -> None:
    sizes = {table.name: len(table.rows) for table in first.tables}
    assert sizes["tickets"] == sizes["attendees"] == 5_000
    assert sizes["ticket_types"] == 6
    assert sizes["sessions"] == 8
    assert sizes["ops.gates"] == 6
    assert sizes["ops.devices"] == 12
    rooms = [row for row in table(first, "ops.areas").rows if row["kind"] == "room"]
    assert len(rooms) == 5


def test_codes_are_distinct_and_own_ones_are_genuine(first: Evening) -> None:
    texts = [ticket.code for ticket in first.tickets]
    assert len(set(texts)) == len(texts)
    kinds = Counter(type(codes.read(text)).__name__ for text in texts)
    assert kinds["OwnCode"] > 4_000
    assert kinds["ForeignCode"] > 500
    assert not kinds["Malformed"]


def test_every_state_of_a_ticket_occurs(first: Evening) -> None:
    states = {ticket.state for ticket in first.tickets}
    assert states == {
        "valid",
        "unpaid",
        "cancelled",
        "refunded",
        "blocked",
        "expired",
    }


def test_every_awkward_name_comes(first: Evening) -> None:
    rows = table(first, "attendees").rows
    come = {(row["first_name"], row["last_name"]) for row in rows}
    assert come >= set(map(tuple, names.AWKWARD))
    assert max(len(name.full) for name in names.AWKWARD) >= 60


def test_workshops_are_full_and_have_a_waitlist(first: Evening) -> None:
    rows = table(first, "ops.session_registrations").rows
    for spec in programme.SESSIONS:
        if spec.mode == "registered":
            mine = [r for r in rows if r["session_id"] == first.ids.sessions[spec.key]]
            counted = Counter(row["status"] for row in mine)
            assert counted["registered"] == spec.seats
            positions = [r["position"] for r in mine if r["status"] == "waitlist"]
            assert positions == list(range(1, len(positions) + 1))


def test_sessions_of_a_room_never_overlap() -> None:
    rooms = {spec.room for spec in programme.SESSIONS}
    for room in rooms:
        mine = [spec for spec in programme.SESSIONS if spec.room == room]
        for before, after in pairwise(sorted(mine, key=lambda spec: spec.begin)):
            closes = before.end - programme.CLOSES_BEFORE
            assert closes < after.begin - programme.OPENS_BEFORE


def test_pins_open_for_this_event_alone(first: Evening) -> None:
    rows = table(first, "ops.operators").rows
    assert rows[0]["pin_hash"] == pin_hash(SECRET, first.ids.event, programme.pin(0))
    other = evening(number=2)
    assert rows[0]["pin_hash"] != table(other, "ops.operators").rows[0]["pin_hash"]


def test_exits_are_scanned_at_the_venue_and_nowhere_else(first: Evening) -> None:
    """docs/decisions/0007: a day on which nobody leaves hides half of the product."""
    rules = {
        (row["kind"], row["tracks_exits"], row["re_entry"])
        for row in table(first, "ops.scopes").rows
    }
    assert ("venue", True, "after_exit") in rules
    assert {rule for rule in rules if rule[0] != "venue"} == {
        ("zone", False, "always"),
        ("session", False, "always"),
    }
