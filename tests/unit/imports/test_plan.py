"""What a row changes: the seller's states, our blocks, nobody's tickets twice."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from ops.imports.dialects import UNNAMED_SELLER
from ops.imports.plan import (
    SELLER_BLOCK,
    Create,
    Known,
    OrderSum,
    Unchanged,
    Update,
    category,
    decide,
    merge_state,
)
from ops.imports.rows import ImportRow, Problem

ROW = ImportRow(
    line=2,
    seller="pretix",
    code=("x1", bytes(16), "…x1"),
    ref="pretix:A/1",
    order_ref="pretix:A",
    order_number="A",
    order_status="paid",
    first_name="Zoë",
    last_name="",
    email="",
    email_as_given="",
    buyer_name="",
    buyer_email="",
    buyer_email_as_given="",
    phone="",
    company="",
    job_title="",
    ticket_type="Day",
    price=Decimal("10.00"),
    currency=None,
    state="valid",
    admits=None,
    seat="",
    notes=(),
    language="",
    placed_at=None,
    valid_from=None,
    valid_to=None,
)
KNOWN = Known(
    UUID(int=1),
    UUID(int=2),
    UUID(int=3),
    "valid",
    None,
    "pretix",
    "A",
    "pretix:A",
    "",
)


def row(**more: object) -> ImportRow:
    return msgspec.structs.replace(ROW, **more)


def known(**more: object) -> Known:
    return msgspec.structs.replace(KNOWN, **more)


def test_an_unknown_ticket_is_created() -> None:
    assert decide(ROW, None, None) == Create(ROW)


def test_the_same_content_is_unchanged_by_code_or_by_number() -> None:
    same = known(content=ROW.content())
    assert decide(ROW, same, same) == decide(ROW, None, same) == Unchanged(same)


def test_other_content_is_an_update_with_a_new_code_only_if_it_is_unknown() -> None:
    by_both, by_ref = decide(ROW, KNOWN, KNOWN), decide(ROW, None, KNOWN)
    assert isinstance(by_both, Update)
    assert isinstance(by_ref, Update)
    assert (by_both.new_code, by_ref.new_code) == (False, True)


def test_the_code_of_another_seller_is_a_problem_that_names_it() -> None:
    change = decide(ROW, known(seller="booth", order_number="77"), None)
    assert isinstance(change, Problem)
    assert "booth" in change.cause
    assert "77" in change.cause


def test_two_unnamed_sellers_are_told_apart_by_their_orders() -> None:
    there = known(seller=UNNAMED_SELLER, order_ref="import:A")
    same = row(seller=UNNAMED_SELLER, order_ref="import:A")
    other = row(seller=UNNAMED_SELLER, order_ref="import:B")
    assert isinstance(decide(same, there, None), Update)
    assert isinstance(decide(other, there, None), Problem)


def test_the_code_of_another_ticket_of_the_seller_is_a_problem() -> None:
    change = decide(ROW, known(ticket_id=UUID(int=9)), KNOWN)
    assert isinstance(change, Problem)


@pytest.mark.parametrize(
    ("state", "reason", "wanted", "expected"),
    [
        ("valid", None, "cancelled", ("cancelled", None)),
        ("valid", None, "blocked", ("blocked", SELLER_BLOCK)),
        ("blocked", SELLER_BLOCK, "valid", ("valid", None)),
        ("blocked", "ban", "valid", ("blocked", "ban")),
        ("blocked", None, "refunded", ("blocked", None)),
        ("cancelled", None, "valid", ("valid", None)),
    ],
)
def test_whose_state_counts(
    state: str, reason: str | None, wanted: str, expected: tuple[str, str | None]
) -> None:
    there = known(state=state, blocked_reason=reason)
    assert merge_state(there, row(state=wanted)) == expected


@pytest.mark.parametrize(
    ("statuses", "status", "total", "paid"),
    [
        (["paid", "paid"], "paid", "20", "20"),
        (["paid", "refunded"], "partially_refunded", "10", "10"),
        (["paid", "cancelled"], "paid", "10", "10"),
        (["pending", "cancelled"], "pending", "10", "0"),
        (["refunded", "cancelled"], "refunded", "0", "0"),
        (["expired"], "expired", "0", "0"),
        (["cancelled"], "cancelled", "0", "0"),
    ],
)
def test_an_order_is_the_sum_of_its_rows(
    statuses: list[str], status: str, total: str, paid: str
) -> None:
    order = OrderSum()
    for word in statuses:
        order.add(row(order_status=word))
    assert (order.status, order.total, order.paid) == (
        status,
        Decimal(total),
        Decimal(paid),
    )


def test_categories_are_guessed_from_names() -> None:
    names = ["VIP “Gold”", "Student; reduced", "Early bird", "Regular"]
    assert [category(n) for n in names] == ["vip", "student", "early_bird", "general"]
