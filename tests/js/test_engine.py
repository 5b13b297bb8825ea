"""One truth: the device's JavaScript decides as the server's Python does.

The golden table first, then random histories: Python plays them, node decides every
scan of them again from the same facts. `OPS_TEST_EXAMPLES=50000` is the long run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ops.admission.decision import decide, full
from ops.admission.outcome import Decision
from ops.admission.plan import Plan
from ops.admission.scan_facts import ScanFacts
from ops.admission.verdicts import REASONS, SENSITIVE
from ops.cache.entry import Phase as VisitPhase
from ops.cache.entry import Visit, ms
from tests.device_engine import ROOT, DeviceEngine, decision_of, question
from tests.golden_cases import (
    DEFAULTS,
    TABLE,
    as_expected,
    ask_of,
    decided,
    expected,
    facts_of,
    plan_of,
)

CASES: list[dict[str, Any]] = TABLE["cases"]
EXAMPLES = int(os.environ.get("OPS_TEST_EXAMPLES", "500"))


@pytest.fixture(scope="module")
def engine() -> Iterator[DeviceEngine]:
    with DeviceEngine() as engine:
        yield engine


def asked(case: dict[str, Any]) -> dict[str, Any]:
    plan = plan_of(case)
    more = {"full": case["full"]["fits"]} if "full" in case else {}
    return question(plan, ask_of(case, plan), facts_of(case, plan), **more)


def test_the_golden_table(engine: DeviceEngine) -> None:
    said = engine.decide([asked(case) for case in CASES])
    for case, one in zip(CASES, said, strict=True):
        made = decision_of(plan_of(case), one)
        assert as_expected(case, made) == expected(case), case["name"]
        assert made == decided(case), case["name"]


def test_the_words_are_the_same() -> None:
    source = (ROOT / "kiosk/js/engine/registry.js").read_text()
    for reason in REASONS:
        assert f"  {reason}:" in source, reason
    for reason in SENSITIVE:
        assert f'"{reason}"' in source, reason


def test_a_device_with_another_rule_is_seen(engine: DeviceEngine) -> None:
    """Negative control: facts that differ give a decision that differs."""
    case = next(one for one in CASES if one["expect"]["reason"] == "already_inside")
    other = asked(case)
    other["facts"]["visits"] = {}
    (said,) = engine.decide([other])
    assert as_expected(case, decision_of(plan_of(case), said)) != expected(case)


SCOPES = [row["id"] for row in TABLE["plan"]["scopes"]]
GATES = [row["id"] for row in TABLE["plan"]["gates"]]
SESSIONS = [r["session_id"] for r in TABLE["plan"]["scopes"] if "session_id" in r]
TYPES = [row["id"] for row in TABLE["plan"]["types"]]
TIMES = [
    f"2026-06-12T{hour:02}:{minute:02}:00Z"
    for hour in range(6, 22)
    for minute in (0, 40)
]


def some(**choices: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with some of these fields."""
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(of) for name, of in choices.items()}
    )


CHANGES = st.fixed_dictionaries(
    {
        "event": some(
            doors_state=["open", "open", "open", "held", "last_entry", "closed"],
            admission_opens_at=[None, *TIMES[:6]],
            admission_closes_at=[None, *TIMES[-6:]],
        ),
        "scopes": st.dictionaries(
            st.sampled_from(SCOPES),
            some(
                re_entry=["never", "after_exit", "always"],
                passes_total=[None, 1, 2, 3],
                tracks_exits=[True, False],
                enter_outer=["enter", "require", "ignore"],
                exclusive=[True, False],
                opens_at=[None, *TIMES],
                closes_at=[None, *TIMES],
                door_mode=["open", "registered", "track"],
            ),
            max_size=4,
        ),
        "gates": st.dictionaries(
            st.sampled_from(GATES),
            some(
                state=["open", "open", "held", "closed"],
                direction=["in", "out", "both"],
                use_instead_id=[None, *GATES],
            ),
            max_size=2,
        ),
        "rules": st.lists(
            st.fixed_dictionaries(
                {
                    "scope_id": st.sampled_from(SCOPES),
                    "ticket_type_id": st.sampled_from([None, *TYPES]),
                    "access_class": st.sampled_from(["guest", "crew"]),
                },
                optional={
                    "allowed": st.booleans(),
                    "re_entry": st.sampled_from([None, "never", "always"]),
                    "passes_total": st.sampled_from([None, 1, 2]),
                    "opens_at": st.sampled_from([None, *TIMES]),
                    "closes_at": st.sampled_from([None, *TIMES]),
                },
            ),
            max_size=3,
        ),
    }
)
TICKETS = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "admits": st.sampled_from([1, 1, 2, 4]),
            "state": st.sampled_from(["valid"] * 8 + ["refunded", "blocked", "unpaid"]),
            "type": st.sampled_from(TYPES),
            "access_class": st.sampled_from(["guest", "guest", "crew"]),
            "valid_from": st.sampled_from([None, *TIMES]),
            "valid_to": st.sampled_from([None, *TIMES]),
            "registered": st.lists(st.sampled_from(SESSIONS), unique=True),
        },
    ),
    st.none(),
)
STEPS = st.fixed_dictionaries(
    {
        "later_s": st.sampled_from([1, 5, 20, 700, 5000]),
        "scan": st.fixed_dictionaries(
            {
                "gate": st.one_of(st.just("main"), st.sampled_from(GATES)),
                "direction": st.sampled_from(["in", "in", "in", "out"]),
            },
            optional={
                "admit": st.sampled_from([1, 2, 4]),
                "override": st.just({"reason": "her badge was checked"}),
                "session": st.sampled_from(SESSIONS),
            },
        ),
        "device": some(
            no=[1, 2],
            role=["", "steward", "supervisor", "event_manager"],
            profile=["scan", "kiosk", "turnstile"],
        ),
        "code": some(
            kind=["own"] * 5 + ["foreign"] * 5 + ["malformed"],
            state=["live"] * 12 + ["reissued", "exchanged", "lost"],
            forged=[True, False],
        ),
        "shown": st.booleans(),
        "undone": st.sampled_from([False, False, False, True]),
    }
)
HISTORIES = st.fixed_dictionaries(
    {
        "change": st.one_of(st.just({}), CHANGES),
        "ticket": st.one_of(st.just({}), st.just({"admits": 3}), TICKETS),
        "at": st.sampled_from([DEFAULTS["at"], "2026-06-12T11:40:00Z", *TIMES]),
        "steps": st.lists(STEPS, min_size=1, max_size=10),
    }
)


def happens(
    facts: ScanFacts, made: Decision, step: dict[str, Any], at_ms: int, no: int
) -> None:
    """What the visits are after a decision."""
    for end in made.closes:
        visit = facts.visit(end.scope.no, end.person_no)
        if visit is not None and visit.inside:
            facts.visits[end.scope.no, end.person_no] = msgspec.structs.replace(
                visit, phase=VisitPhase.CLOSED, left_ms=at_ms, exit_assumed=end.assumed
            )
    for new in made.opens:
        undone = new.undone + step["undone"]
        phase = VisitPhase.UNDONE if step["undone"] else VisitPhase.OPEN
        facts.visits[new.scope.no, new.person_no] = Visit(
            new.pass_no,
            phase,
            step["shown"],
            undone,
            False,
            at_ms,
            1,
            no,
            0,
            0,
            bytes(16),
        )


def play(history: dict[str, Any]) -> tuple[Plan, list[dict[str, Any]], list[Decision]]:
    """Python's decisions of a history, and the questions that they answer."""
    questions, made = [], []
    visits: dict[tuple[int, int], Visit] = {}
    plan = plan_of(history)
    passed = timedelta()
    for number, step in enumerate(history["steps"]):
        passed += timedelta(seconds=step["later_s"])
        case = history | step | {"name": f"scan {number}"}
        ask = ask_of(case, plan)
        ask = msgspec.structs.replace(ask, at=ask.at + passed)
        facts = facts_of(case, plan)
        facts.visits = visits
        questions.append(question(plan, ask, facts))
        one = decide(plan, ask, facts)
        made.append(one)
        if one.verdict == "admitted" and one.scope is not None:
            made.append(full(ask, one, plan, 2))
            questions.append(question(plan, ask, facts, full=2))
        happens(facts, one, step, ms(ask.at), ask_device(step))
    return plan, questions, made


def ask_device(step: dict[str, Any]) -> int:
    number: int = (DEFAULTS["device"] | step["device"])["no"]
    return number


@pytest.mark.timeout(max(180, EXAMPLES // 50))
def test_no_history_on_which_they_differ(engine: DeviceEngine) -> None:
    seen: set[str] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(HISTORIES)
    def differ(history: dict[str, Any]) -> None:
        plan, questions, made = play(history)
        said = engine.decide(questions)
        for mine, other in zip(made, said, strict=True):
            seen.add(mine.reason)
            assert decision_of(plan, other) == mine

    differ()
    # A comparison in which nobody is ever turned away would prove little.
    assert {"ok", "already_inside", "wrong_area", "too_late", "area_full"} <= seen
