"""The compiled plan: the ways between scopes, and the rule that applies."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec

from ops.admission.plan import Plan, PlanRows, ScopePlan
from tests.golden_cases import named, plan_of

PLAN = plan_of({})
NOW = datetime(2026, 6, 12, 9, 30, tzinfo=UTC)


def scope(name: str, plan: Plan = PLAN) -> ScopePlan:
    return plan.scopes[named("scopes", name)]


def names(scopes: tuple[ScopePlan, ...]) -> list[str]:
    return [one.name for one in scopes]


def test_above_begins_with_the_nearest() -> None:
    assert names(PLAN.above(scope("pit"))) == ["Hall B", "Floor", "Venue"]
    assert names(PLAN.above(scope("venue"))) == []


def test_below_is_everything_inside() -> None:
    assert set(names(PLAN.below(scope("floor")))) == {"Hall A", "Hall B", "Pit"}


def test_siblings_are_those_of_an_exclusive_parent_with_what_lies_in_them() -> None:
    assert names(PLAN.siblings(scope("hall_a"))) == ["Hall B", "Pit"]
    assert names(PLAN.siblings(scope("pit"))) == ["Hall A"], "it lies in Hall B"
    assert names(PLAN.siblings(scope("lounge"))) == []
    apart = plan_of({"change": {"scopes": {"pit": {"enter_outer": "ignore"}}}})
    assert names(apart.siblings(scope("pit", apart))) == []


def test_a_circle_of_parents_ends() -> None:
    rows = {
        "lounge": {"parent_id": "backstage"},
        "backstage": {"parent_id": "lounge"},
    }
    plan = plan_of({"change": {"scopes": rows}})
    assert len(plan.above(scope("lounge", plan))) <= len(plan.scopes)
    assert len(plan.below(scope("lounge", plan))) <= len(plan.scopes)


def test_a_parent_that_has_no_place_is_no_parent() -> None:
    """Its scope is not in the plan (no area, a cancelled session): the door goes on."""
    nowhere = "5f0e1f2a-0000-7000-8000-00000000dead"
    plan = plan_of({})
    rows = [
        msgspec.structs.replace(one, parent_id=UUID(nowhere))
        if one.name == "Pit"
        else one
        for one in plan.rows.scopes
    ]
    plan = Plan(msgspec.structs.replace(plan.rows, scopes=rows))
    assert plan.above(scope("pit", plan)) == ()
    assert plan.siblings(scope("pit", plan)) == ()


def test_a_rule_by_type_beats_one_by_class() -> None:
    rules = [
        {"scope_id": "venue", "ticket_type_id": "vip", "access_class": None},
        {
            "scope_id": "venue",
            "ticket_type_id": None,
            "access_class": "guest",
            "allowed": False,
        },
    ]
    plan = plan_of({"change": {"rules": rules}})
    vip, regular = plan.types_by_no[2], plan.types_by_no[1]
    by_type = plan.rule(scope("venue", plan), vip, "guest")
    by_class = plan.rule(scope("venue", plan), regular, "guest")
    assert by_type is not None
    assert by_type.allowed
    assert by_class is not None
    assert not by_class.allowed


def test_a_scope_with_any_rule_admits_only_by_a_rule() -> None:
    regular = PLAN.types_by_no[1]
    nobody = PLAN.rule(scope("lounge"), regular, "guest")
    assert nobody is not None
    assert not nobody.allowed
    assert PLAN.rule(scope("venue"), regular, "guest") is None


def test_the_gates_for_a_type_are_open_ways_in() -> None:
    regular, vip = PLAN.types_by_no[1], PLAN.types_by_no[2]
    guest = {gate.name for gate in PLAN.gates_for(regular, "guest", NOW)}
    assert "Main gate" in guest
    assert not guest & {"Lounge door", "Side gate", "Stage door"}
    assert "Lounge door" in {gate.name for gate in PLAN.gates_for(vip, "guest", NOW)}


def test_rows_of_the_database_may_carry_more() -> None:
    """A newer function may return columns that an older process does not know."""
    row = {"id": str(named("areas", "x")), "no": 1, "name": "X", "kind": "zone"}
    text = msgspec.json.encode(
        {
            "version": 3,
            "event": msgspec.to_builtins(PLAN.event) | {"new": 1},
            "areas": [row | {"capacity": None, "limit_kind": "hard", "new": True}],
            "scopes": [],
            "gates": [],
            "types": [],
            "rules": [],
        }
    )
    assert Plan(msgspec.json.decode(text, type=PlanRows)).version == 3
