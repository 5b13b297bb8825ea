"""The rule engine against the golden table, and the table against the engine."""

from __future__ import annotations

import ast
import inspect
from typing import Any

import pytest

from ops.admission import checks, decision, presence
from ops.admission.verdicts import REASONS
from tests.golden_cases import TABLE, as_expected, decided, expected

CASES: list[dict[str, Any]] = TABLE["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden(case: dict[str, Any]) -> None:
    assert as_expected(case, decided(case)) == expected(case)


def test_a_wrong_expectation_is_seen() -> None:
    case = CASES[0] | {"expect": CASES[0]["expect"] | {"reason": "welcome_back"}}
    assert as_expected(case, decided(case)) != expected(case)


def test_names_are_unique() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names))


def reasons_in(*modules: Any) -> set[str]:
    """The words of the registry that a module says."""
    words = set()
    for module in modules:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Constant) and node.value in REASONS:
                words.add(node.value)
    return words


def test_every_reason_of_the_engine_has_a_case() -> None:
    said = {case["expect"]["reason"] for case in CASES}
    assert reasons_in(checks, decision, presence) <= said


def test_a_refusal_never_writes() -> None:
    for case in CASES:
        given = decided(case)
        assert given.writes == (
            given.verdict in ("admitted", "exited") and given.reason != "not_inside"
        )


def test_ends_that_must_hold_are_those_of_the_scanned_scope() -> None:
    for case in CASES:
        given = decided(case)
        for end in given.closes:
            assert end.must == (end.scope == given.scope), case["name"]
