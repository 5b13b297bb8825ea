"""Trees of conditions: what is read, what is refused, what is never in the text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.crm.conditions import NODES_MAX, SETS_MAX, read
from ops.crm.segment_sql import compile_sql, narrowed
from ops.errors import ApiError


def test_values_are_parameters_and_never_text() -> None:
    evil = "'; DROP TABLE contacts; --"
    tree = {
        "type": "all",
        "of": [
            {"type": "field", "field": "city", "op": "contains", "value": evil},
            {"type": "field", "field": "company_size", "op": "in", "value": [evil]},
            {"type": "not", "that": {"type": "tag", "tag": evil}},
            {"type": "attended", "at_least": 2, "within_days": 30},
            {"type": "spent", "more_than": "100.50", "currency": "CAD"},
        ],
    }
    made = compile_sql(read(tree))
    assert "DROP" not in made.where + made.sets
    assert "companies" in made.source
    assert [str(v) for v in made.values] == [
        f"%{evil}%",
        str([evil.lower()]),
        evil,
        "30",
        "2",
        "CAD",
        "100.50",
    ]


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        ({"type": "sql", "text": "1=1"}, "malformed_body"),
        ({"type": "field", "field": "password_hash", "value": "x"}, "malformed_body"),
        ({"type": "tag", "tag": "x", "more": 1}, "unknown_field"),
        ({"type": "attended", "at_least": 0}, "malformed_body"),
        ({"type": "any", "of": []}, "malformed_body"),
        ({}, "malformed_body"),
    ],
)
def test_what_is_no_condition_is_refused(tree: Any, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        read(tree)
    assert refused.value.code == code


def test_trees_have_limits() -> None:
    deep: Any = {"type": "vip"}
    for _ in range(200):
        deep = {"type": "not", "that": deep}
    with pytest.raises(ApiError) as refused:
        read(deep)
    assert refused.value.code == "too_deep"
    fifty = {"type": "all", "of": [{"type": "vip"}] * 50}
    with pytest.raises(ApiError) as refused:
        read({"type": "all", "of": [fifty] * (NODES_MAX // 50 + 1)})
    assert refused.value.code == "too_many_conditions"
    many = [{"type": "attended", "at_least": n + 1} for n in range(SETS_MAX + 1)]
    with pytest.raises(ApiError) as refused:
        read({"type": "not", "that": {"type": "any", "of": many}})
    assert refused.value.code == "too_many_behaviours"
    assert read({"type": "any", "of": many[1:]})


def test_a_behaviour_that_is_asked_twice_is_computed_once() -> None:
    made = compile_sql(read({"type": "all", "of": [{"type": "vip"}] * 9}))
    assert made.sets.count("MATERIALIZED") == 1
    assert made.where.count("FROM s1)") == 9


@given(st.text(max_size=50))
def test_no_text_changes_the_statement(text: str) -> None:
    def where(value: str) -> str:
        node = {"type": "field", "field": "city", "op": "contains", "value": value}
        return compile_sql(read(node)).where

    assert where(text) == where("x")


def test_behaviours_of_all_attendees_share_one_walk() -> None:
    tree = {
        "type": "any",
        "of": [
            {"type": "attended", "at_least": 2},
            {"type": "attended", "at_least": 5},
            {"type": "no_show_last_time"},
            {"type": "attended", "within_days": 30},
        ],
    }
    made = compile_sql(read(tree))
    assert made.sets.count("MATERIALIZED") == 2
    assert made.sets.count("FROM attendees") == 2
    alone = compile_sql(read(tree["of"][0]))
    assert alone.sets.count("MATERIALIZED") == 1


def test_what_costs_no_walk_comes_first() -> None:
    cheap = [{"type": "vip"}, {"type": "field", "field": "company_size", "value": "x"}]
    walk = {"type": "attended", "at_least": 2}
    made = narrowed(read({"type": "all", "of": [walk, *cheap]}))
    assert made is not None
    assert made.few.values == made.segment.values[: len(made.few.values)]
    first, _, then = made.segment.sets.partition("few AS MATERIALIZED")
    assert "IN (SELECT id FROM few)" not in first
    assert "IN (SELECT id FROM few)" in then
    assert made.segment.source == "few c"
    deep = {"type": "any", "of": [walk, {"type": "tag", "tag": "x"}]}
    joined = narrowed(read({"type": "all", "of": [deep, *cheap]}))
    assert joined is not None
    assert joined.segment.source == "few JOIN contacts c ON c.id = few.id"
    for nothing_won in (
        walk,
        {"type": "all", "of": [walk]},
        {"type": "all", "of": cheap},
        {"type": "any", "of": [walk, *cheap]},
    ):
        assert narrowed(read(nothing_won)) is None
