"""What a client asks of a list, read from the address; and the SQL made of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.crm import statements
from ops.crm.query import cursor_of, read
from ops.crm.resources import BY_NAME, RESOURCES
from ops.errors import MalformedBody

CONTACTS = BY_NAME["contacts"]


def test_operators_are_read_into_the_columns_types() -> None:
    query = read(
        CONTACTS,
        b"lead_score[gte]=50&status[in]=active,inactive&created_at[lt]="
        b"2026-11-26T00:00:00Z&phone[null]=true&q=zo%C3%AB+x&sort=-lead_score",
    )
    told = [(c.field.name, c.op, c.value) for c in query.conditions]
    assert told == [
        ("lead_score", "gte", 50),
        ("status", "in", ["active", "inactive"]),
        ("created_at", "lt", datetime(2026, 11, 26, tzinfo=UTC)),
        ("phone", "null", True),
    ]
    assert query.words == ("zoë", "x")
    assert (query.sort, query.descending) == ("lead_score", True)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    with suppress(MalformedBody):
        assert read(CONTACTS, text).limit > 0


@given(
    value=st.one_of(
        st.none(), st.integers(0, 100), st.text(max_size=40), st.booleans()
    ),
    row_id=st.uuids(),
)
def test_a_cursor_comes_back_or_is_refused(value: object, row_id: UUID) -> None:
    query = read(CONTACTS, b"sort=lead_score")
    cursor = cursor_of(query, {"lead_score": value, "id": row_id})
    text = f"sort=lead_score&cursor={cursor}".encode()
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        after = read(CONTACTS, text).after
        assert after is not None
        assert (after.value, after.id) == (value, row_id)
    else:
        try:
            read(CONTACTS, text)
        except MalformedBody:
            return


def test_a_cursor_of_another_order_is_refused() -> None:
    cursor = cursor_of(read(CONTACTS, b"sort=id"), {"id": uuid4()})
    with pytest.raises(MalformedBody):
        read(CONTACTS, f"sort=-id&cursor={cursor}".encode())


@given(st.text(max_size=20))
def test_what_is_searched_is_taken_literally(word: str) -> None:
    """Each % and _ of a word is escaped, so LIKE takes it for itself."""
    inner = statements.literal(word).replace("\\\\", "")
    assert "%" not in inner.replace("\\%", "")
    assert "_" not in inner.replace("\\_", "")


def test_no_value_stands_in_the_statement() -> None:
    """Negative control of a kind: what was asked is a parameter, never text."""
    evil = "x'); DROP TABLE contacts; --"
    query = read(
        CONTACTS,
        f"city={evil}&q={evil.split()[0]}&last_name[starts]={evil}".replace(
            " ", "%20"
        ).replace(";", "%3B").encode(),
    )  # fmt: skip
    made = statements.listing(CONTACTS, query, ["id"], "", [], frozenset())
    assert "DROP" not in made.sql
    assert evil in made.values


def test_each_order_goes_on_where_it_stopped() -> None:
    """A nullable column needs a second range for the rows without a value."""
    for resource in RESOURCES:
        for column in resource.sorts:
            for sign in ("", "-"):
                query = read(resource, f"sort={sign}{column}".encode())
                row = {column: None, "id": uuid4()}
                if not resource.fields[column].nullable:
                    continue
                cursor = cursor_of(query, row)
                again = read(resource, f"sort={sign}{column}&cursor={cursor}".encode())
                made = statements.listing(resource, again, ["id"], "", [], frozenset())
                assert ("UNION ALL" in made.sql) == (sign == "-")


def test_a_decimal_filter_is_exact() -> None:
    query = read(BY_NAME["opportunities"], b"amount[gt]=0.10")
    assert query.conditions[0].value == Decimal("0.10")
    with pytest.raises(MalformedBody):
        read(BY_NAME["opportunities"], b"amount[gt]=NaN")
