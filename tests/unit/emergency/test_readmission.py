"""Once more after a storm, and then as always."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ops.admission.terms import Terms
from ops.emergency.readmission import Used, grant
from ops.ids import uuid7


@pytest.mark.parametrize(
    ("terms", "used", "wanted"),
    [
        # a club: one entry; the second leaving is for good again
        (Terms(re_entry="never"), 1, ("after_exit", 2, None)),
        (Terms(re_entry="never"), 2, ("after_exit", 3, None)),
        # a festival: in and out, so many times in all or a day
        (
            Terms(re_entry="after_exit", gap=timedelta(minutes=30)),
            4,
            ("after_exit", None, None),
        ),
        (Terms(re_entry="after_exit", passes_total=3), 3, ("after_exit", 4, None)),
        (Terms(re_entry="after_exit", passes_per_day=2), 2, ("after_exit", None, 3)),
        (Terms(re_entry="always", passes_total=5), 1, ("always", 6, None)),
        # a second storm: the terms hold the first one's grant
        (Terms(re_entry="after_exit", passes_total=2), 2, ("after_exit", 3, None)),
    ],
)
def test_one_more_entry(terms: Terms, used: int, wanted: tuple[object, ...]) -> None:
    ticket, scope = uuid7(), uuid7()
    made = grant(Used(ticket, scope, used), terms)
    assert made is not None
    assert (made.re_entry, made.passes_total, made.passes_per_day) == wanted
    assert (made.ticket_id, made.scope_id) == (ticket, scope)


@pytest.mark.parametrize("rule", ["after_exit", "always"])
def test_who_may_come_back_anyway_is_given_nothing(rule: str) -> None:
    assert grant(Used(uuid7(), uuid7(), 3), Terms(re_entry=rule)) is None
