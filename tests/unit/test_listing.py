"""Cursors and pages."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.errors import MalformedBody
from ops.listing import Position, Turn, by_id, by_time, cursor_of, position_of


@given(
    st.uuids(),
    st.none()
    | st.integers(0, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
)
def test_a_cursor_says_where_it_was_made(id: UUID, at: datetime | None) -> None:
    position = Position(id, at)
    assert position_of(cursor_of(position)) == position


@given(st.text(max_size=60))
def test_any_other_text_is_refused(text: str) -> None:
    try:
        found = position_of(text)
    except MalformedBody:
        return
    assert isinstance(found, Position)


def test_no_cursor_is_the_beginning() -> None:
    assert position_of(None) is None


@pytest.mark.parametrize("rows", [0, 1, 2, 3])
def test_a_page_has_a_next_one_if_there_is_one_row_more(rows: int) -> None:
    given_rows = [{"id": UUID(int=n)} for n in range(rows)]
    made = Turn(2, None).page(given_rows, lambda row: row["id"], by_id)
    assert made.items == [UUID(int=n) for n in range(min(rows, 2))]
    if rows > 2:
        after = position_of(made.next_cursor)
        assert after is not None
        assert after.id == UUID(int=1)
    else:
        assert made.next_cursor is None


def test_a_turn_begins_where_the_one_before_ended() -> None:
    at = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
    rows = [{"id": UUID(int=n), "at": at} for n in range(3)]
    first = Turn(2, None)
    assert (first.after_id, first.start) == (None, (None, None))
    made = first.page(rows, lambda row: row["id"], by_time("at"))
    second = Turn(2, made.next_cursor)
    assert (second.after_id, second.start) == (UUID(int=1), (at, UUID(int=1)))
